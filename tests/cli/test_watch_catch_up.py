"""``watch --run`` and ``--post`` after a gap: what the history tells, once."""

from __future__ import annotations

import json
import re
import time
from functools import partial
from types import SimpleNamespace
from typing import Any, Callable, Dict, List

import pytest

from keyyo_cti.catch_up import CatchUp
from keyyo_cti.cli import watch_catch_up
from keyyo_cti.cli.account_names import AccountNames
from keyyo_cti.cli.session_config import SessionConfig
from keyyo_cti.errors import KeyyoError, ManagerError
from keyyo_cti.simulator import Line, Phone, Simulator

from ..helpers.webhook_receiver import Receiver
from .kept import ADMIN, BOTH, Capture, Said, cut_off, keep_login, run

CAROL, DAVE = "33199020001", "33199020002"


class Setting:
    """Runs ``watch`` with a webhook, signed in, while a script plays the world."""

    def __init__(self, sim: Simulator, line: Line, capsys: Capture) -> None:
        self.sim, self.line, self.capsys = sim, line, capsys
        self.receiver = Receiver()

    def watch(self, script: Callable[[], object], *arguments: str, scope: str = BOTH) -> Said:
        def play() -> None:
            self.sim.wait_for_session(self.line)
            try:
                script()
            finally:
                cut_off(self.sim)

        keep_login(self.sim, scope)
        return run(self.capsys, "watch", "--post", self.receiver.url, *arguments, script=play)

    def during_gap(self, act: Callable[[], object]) -> None:
        self.sim.faults.refuse("connect")
        self.sim.faults.close()
        self.sim.wait_for_session(self.line, counter=0)
        act()
        self.sim.faults.let_through("connect")
        self.sim.wait_for_session(self.line)

    def events(self) -> List[Dict[str, Any]]:
        return [json.loads(post.body)["data"] for post in self.receiver.posts.items]

    def wait_for(self, count: int) -> None:
        self.receiver.posts.wait_for_count(count)


@pytest.fixture
def setting(
    sim: Simulator, alice: Line, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> Any:
    quick: Any = partial(CatchUp, quiet=0.3, limit=3.0)
    monkeypatch.setattr(watch_catch_up, "CatchUp", quick)
    enter = AccountNames.__enter__

    def enter_and_wait(names: AccountNames) -> AccountNames:
        # Otherwise a call may be shown before the names have been read.
        entered = enter(names)
        names.wait()
        return entered

    monkeypatch.setattr(AccountNames, "__enter__", enter_and_wait)
    found = Setting(sim, alice, capsys)
    with found.receiver:
        yield found


def come_and_go(sim: Simulator, number: str, line: Line) -> None:
    phone = sim.phone(number)
    phone.call(line)
    phone.hang_up()


def test_calls_of_a_gap_are_posted_once_and_say_so(
    setting: Setting, sim: Simulator, alice: Line, bob: Phone
) -> None:
    sim.contact("Carol", default_number=CAROL)

    def script() -> None:
        come_and_go(sim, DAVE, alice)
        bob.call(alice)
        alice.phone.pick_up()
        setting.wait_for(4)

        def act() -> None:
            bob.hang_up()
            come_and_go(sim, CAROL, alice)

        setting.during_gap(act)
        setting.wait_for(6)
        # A second gap asks for the same time again.
        setting.during_gap(lambda: come_and_go(sim, DAVE, alice))
        setting.wait_for(7)

    said = setting.watch(script)
    events = setting.events()
    assert [each["from_history"] for each in events] == [False] * 4 + [True] * 3
    assert sorted((each["event"], each["caller"], each["name"]) for each in events[4:]) == [
        ("end", bob.number, None), ("missed", CAROL, "Carol"), ("missed", DAVE, None),
    ]
    [end] = [each for each in events[4:] if each["event"] == "end"]
    [answer] = [each for each in events if each["event"] == "answer"]
    assert (end["state"], end["callref"]) == ("RELEASE", answer["callref"])
    missed = events[-1]
    assert missed["line"] == alice.number and missed["ringing_duration"] is None
    assert (missed["connect_date"], missed["release_date"], missed["duration"]) == (None, None, 0)
    assert not [line for line in said.err if "may be missing" in line]


@pytest.mark.parametrize(("on", "count"), [("end", 1), ("missed", 1), ("ring", 0)])
def test_history_tells_wanted_events_only(
    setting: Setting, sim: Simulator, alice: Line, on: str, count: int
) -> None:
    def script() -> None:
        def act() -> None:
            come_and_go(sim, CAROL, alice)
            talked: Any = {"caller": DAVE, "callee": alice.number, "seconds": 1}
            sim.history.add(alice, time.time(), **talked)

        setting.during_gap(act)
        if count:
            setting.wait_for(count)
        else:
            come_and_go(sim, CAROL, alice)
            setting.wait_for(1)

    setting.watch(script, "--on", on)
    events = setting.events()
    assert [each["event"] for each in events] == [on]
    assert [each["from_history"] for each in events] == [bool(count)]


@pytest.mark.parametrize("as_json", [False, True])
def test_watch_prints_calls_of_a_gap_once(
    setting: Setting, sim: Simulator, alice: Line, bob: Phone, as_json: bool
) -> None:
    sim.contact("Carol", default_number=CAROL)

    def script() -> None:
        bob.call(alice)
        alice.phone.pick_up()
        setting.wait_for(2)

        def act() -> None:
            bob.hang_up()
            come_and_go(sim, CAROL, alice)

        setting.during_gap(act)
        setting.wait_for(4)
        setting.during_gap(lambda: come_and_go(sim, DAVE, alice))
        setting.wait_for(5)

    said = setting.watch(script, *["--json"] * as_json)
    if as_json:
        ring, answer, *gap, last = [json.loads(line) for line in said.out]
        [end] = [each for each in gap if "state" in each]
        [missed] = [each for each in gap if "state" not in each]
        assert (ring["state"], answer["state"], end["state"]) == ("SETUP", "CONNECT", "RELEASE")
        assert (end["callref"], end["ringing_duration"]) == (ring["callref"], 0)
        assert (missed["caller_name"], last["caller"]) == ("Carol", DAVE)
        return
    ring, answer, *gap, last = [
        re.sub(r"\d+ s", "N s", re.sub(r"^[-\d: ]+  ", "", line)) for line in said.out
    ]
    assert ring == f"{bob.number} -> {alice.number} Alice  ringing"
    assert answer == f"{bob.number} -> {alice.number} Alice  talking  rang N s"
    assert sorted(gap) == [
        f"{bob.number} -> {alice.number} Alice  ended  rang N s, talked N s",
        f"in   {CAROL} Carol -> {alice.number} Alice  missed",
    ]
    assert last == f"in   {DAVE} -> {alice.number} Alice  missed"


def test_refused_history_is_told_and_ends_no_watch(
    setting: Setting, sim: Simulator, alice: Line
) -> None:
    def script() -> None:
        setting.during_gap(lambda: come_and_go(sim, CAROL, alice))
        come_and_go(sim, DAVE, alice)
        setting.wait_for(2)

    said = setting.watch(script, "--no-names", "--csi", alice.number, scope=ADMIN)
    assert [each["event"] for each in setting.events()] == ["ring", "missed"]
    [line] = [line for line in said.err if "may be missing" in line]
    assert "full_access_read_only" in line


def test_history_that_hangs_delays_neither_events_nor_the_end(
    setting: Setting, sim: Simulator, alice: Line
) -> None:
    path, ended = f"/manager/1.0/services/{alice.number}/incoming_call_detail", []

    def script() -> None:
        sim.faults.http_slow(path)
        setting.during_gap(lambda: None)
        sim.wait_for_request(path)
        come_and_go(sim, DAVE, alice)
        setting.wait_for(2)
        ended.append(time.monotonic())

    setting.watch(script)
    assert time.monotonic() - ended[0] < 5
    assert [each["from_history"] for each in setting.events()] == [False, False]


def test_history_of_another_line_that_is_refused_hides_no_calls() -> None:
    class Account:
        class client:
            @staticmethod
            def history(csi: str, since: float, until: float) -> List[Any]:
                error = ManagerError(403, "No", "forbidden")
                error.final = csi != "busy"
                if csi != CAROL:
                    raise error
                return [csi]

    account: Any = Account
    assert watch_catch_up.WatchedLines(account, CAROL).history(CAROL, 0, 1) == [CAROL]
    assert watch_catch_up.WatchedLines(account, CAROL).history(DAVE, 0, 1) == []
    for own, csi in ((DAVE, DAVE), (CAROL, "busy")):
        with pytest.raises(KeyyoError):
            watch_catch_up.WatchedLines(account, own).history(csi, 0, 1)


@pytest.mark.parametrize(("also", "lines"), [
    ([], [CAROL]), (["0199020002", "7701", "callpark", CAROL], [CAROL, DAVE]),
])
def test_lines_whose_history_is_asked(also: List[str], lines: List[str]) -> None:
    account: Any = SimpleNamespace(client=None)
    config = SessionConfig("t", "https://example.com/", None, account=account, csi=CAROL)
    catch_up: Any = watch_catch_up.add_catch_up(config, also).catch_up
    assert list(catch_up._lines) == lines
    by_token = SessionConfig("t", "https://example.com/", None)
    assert watch_catch_up.add_catch_up(by_token, also) is by_token
