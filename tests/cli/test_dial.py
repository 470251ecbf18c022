"""``keyyo-cti dial``: the telephone calls, and the exit code says what came of it."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Callable, Iterator, List

import pytest

from keyyo_cti import CTI
from keyyo_cti.simulator import Line, ManualClock, Phone, Simulator

from ..helpers.running import Running
from .kept import Capture, Said, keep_login, run

BOB = "33199020000"
CAROL = "33199030000"

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")


@pytest.fixture(autouse=True)
def login(sim: Simulator, alice: Line) -> None:
    keep_login(sim)


def states(said: Said) -> List[str]:
    """The states of the call that was followed, which must be the one to Bob."""
    assert all(f"33199000001 -> {BOB}" in line for line in said.out), said.out
    return [line.split()[4] for line in said.out]


def test_accepted(sim: Simulator, alice: Line, bob: Phone, capsys: Capture) -> None:
    """Accepted, it ends with 0, nothing is on stdout, and the call and the session go on."""
    said = run(capsys, "dial", BOB)
    assert said == (0, [], [f"connected as {alice.number}", f"calling {BOB}"])
    bob.wait_until("ringing")
    assert alice.phone.state == "calling"
    sim.wait_for_session(alice, counter=0)
    assert sim.received("destroy_session") == []


@pytest.mark.parametrize("written", [
    "+33 1 99 02 00 00", "01 99 02 00 00", "0033199020000", "01.99.02.00.00",
    "+33 (0)1 99-02-00-00", "tel:+33199020000"])
def test_number_as_people_write_it_is_called(
    sim: Simulator, alice: Line, bob: Phone, capsys: Capture, written: str
) -> None:
    said = run(capsys, "dial", written)
    assert said == (0, [], [f"connected as {alice.number}", f"calling {BOB}"])
    assert sim.received("call")[-1]["number"] == BOB


@pytest.mark.parametrize("follow", [[], ["--follow"], ["--follow", "--json"]])
@pytest.mark.parametrize("setting", ["plugin_enabled", "phone_registered"])
def test_refused(
    alice: Line, bob: Phone, capsys: Capture, follow: List[str], setting: str
) -> None:
    """A line that cannot dial is one line with the likely reasons, and exit code 1."""
    alice.set(**{setting: False})
    status, out, (_, told) = run(capsys, "dial", BOB, *follow)
    assert (status, out) == (1, []) and bob.state == "idle"
    assert "Cannot treat action" in told
    assert "telephone registered" in told and "plugin 'websocket' is disabled" in told


@pytest.mark.fault(71)
@pytest.mark.parametrize("number", ["33899000000", f"00{BOB}", f"{BOB}0", "4412345678"])
def test_only(sim: Simulator, alice: Line, capsys: Capture, number: str) -> None:
    """A number that ``--only`` does not match as a whole is not called: exit code 1."""
    only = ["--only", "33[1-79][0-9]{8}"]
    status, out, (_, told) = run(capsys, "dial", *only, number)
    assert (status, out) == (1, []) and "[not_allowed]" in told and number in told
    assert sim.received("call") == []
    assert run(capsys, "dial", *only, BOB).status == 0


@pytest.mark.fault(71)
def test_only_what_is_no_pattern(capsys: Capture) -> None:
    """What is no regular expression is a mistake: exit code 2."""
    with pytest.raises(SystemExit) as ended:
        run(capsys, "dial", "--only", "33[", BOB)
    assert ended.value.code == 2
    assert "--only: not a regular expression" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["", "abc"])
def test_no_number(sim: Simulator, alice: Line, capsys: Capture, number: str) -> None:
    """A number that is none is one line and exit code 1 or 2, and leaves no session behind."""
    said = run(capsys, "dial", number)
    assert said.status in (1, 2) and said.out == []
    assert "[invalid_params]" in said.err[-1]
    assert sim.sessions() == []


def test_no_auto_answer(alice: Line, bob: Phone, capsys: Capture) -> None:
    """The line's own telephone rings, a person is told so, and the call comes with pick-up."""
    said = run(capsys, "dial", "--no-auto-answer", BOB)
    assert said.status == 0
    assert said.err[-1] == f"calling {BOB}: pick up the telephone of the line"
    assert (alice.phone.state, bob.state) == ("ringing", "idle")
    alice.phone.pick_up()
    bob.wait_until("ringing")


def answered(bob: Phone) -> None:
    bob.wait_until("ringing")
    bob.pick_up()
    bob.hang_up()


def missed(bob: Phone) -> None:
    bob.wait_until("ringing")
    bob.hang_up()


@pytest.mark.parametrize(
    ("script", "status", "seen"),
    [(answered, 0, ["ringing", "talking", "ended"]), (missed, 1, ["ringing", "missed"])],
)
@pytest.mark.parametrize("ring_first", [False, True])
def test_follow(
    sim: Simulator, alice: Line, bob: Phone, capsys: Capture,
    script: Callable[[Phone], None], status: int, seen: List[str], ring_first: bool,
) -> None:
    """Followed, each change is a line, an answered call is 0 and a missed one 1, and no session
    is left."""

    def play() -> None:
        if ring_first:
            alice.phone.wait_until("ringing")
            alice.phone.pick_up()
        script(bob)

    arguments = ["--no-auto-answer"] if ring_first else []
    said = run(capsys, "dial", "--no-names", "--follow", BOB, *arguments, script=play)
    assert (said.status, states(said)) == (status, seen)
    assert len(said.err) == 2
    assert sim.sessions() == []


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_follow_to_the_busy(
    sim: Simulator, bob: Phone, capsys: Capture, arguments: List[str]
) -> None:
    """A call that is over at once is shown to its end, with exit code 1."""
    bob.call(CAROL)
    said = run(capsys, "dial", "--no-names", "--follow", BOB, *arguments)
    assert said.status == 1 and "missed" in said.out[-1].lower()


def test_follow_for_programs(alice: Line, bob: Phone, capsys: Capture) -> None:
    """``--json`` is one object a line on stdout, and nothing else is there."""
    arguments = ["--no-names", "--follow", "--json"]
    said = run(capsys, "dial", *arguments, BOB, script=lambda: answered(bob))
    shown = [json.loads(line) for line in said.out]
    assert [each["state"] for each in shown] == ["SETUP", "CONNECT", "RELEASE"]
    assert {(each["caller"], each["callee"]) for each in shown} == {(alice.number, BOB)}
    assert (said.status, len(said.err)) == (0, 2)


def test_other_calls_are_not_followed(sim: Simulator, alice: Line, capsys: Capture) -> None:
    """A call to the line, and what becomes of it, is none of this command's business."""
    bob, carol = sim.phone(BOB), sim.phone(CAROL)

    def play() -> None:
        bob.wait_until("ringing")
        carol.call(alice)
        carol.hang_up()
        answered(bob)

    said = run(capsys, "dial", "--no-names", "--follow", BOB, script=play)
    assert (said.status, states(said)) == (0, ["ringing", "talking", "ended"])


class TestAnOlderCall:
    """A call that the line has made before."""

    @pytest.fixture
    def sim(self) -> Iterator[Simulator]:
        """A Keyyo whose clock is moved by hand, so that before is before."""
        with Simulator(clock=ManualClock()) as simulator:
            yield simulator

    def test_is_not_followed(
        self, sim: Simulator, alice: Line, bob: Phone, capsys: Capture
    ) -> None:
        """The end of a call that went on before is not taken for the end of this one."""
        carol = sim.phone(CAROL)
        alice.phone.call(carol)
        carol.pick_up()
        sim.elapse(60)

        def play() -> None:
            sim.wait_for_action("call")
            carol.hang_up()
            alice.phone.pick_up()
            answered(bob)

        said = run(capsys, "dial", "--no-names", "--follow", "--no-auto-answer", BOB, script=play)
        assert (said.status, states(said)) == (0, ["ringing", "talking", "ended"])


def test_another_session_of_the_line(sim: Simulator, alice: Line, capsys: Capture) -> None:
    """Another application's session on the line stays, and hears of the call."""
    seen: List[Any] = []
    with CTI(endpoint=sim.endpoint, dispatch="manual") as cti:
        cti.create_session(sim.token(alice)).result(10)
        cti.onNewCall = seen.append
        assert run(capsys, "dial", BOB).status == 0
        cti.poll(5.0)
        assert cti.connected and [call.callee for call in seen] == [BOB]
        session_id = cti.session_id
    with CTI(endpoint=sim.endpoint) as cti:
        cti.restore_session(sim.token(alice)).result(10)
        assert cti.session_id == session_id


def test_connection_lost(sim: Simulator, bob: Phone, capsys: Capture) -> None:
    """A connection that drops while following is exit code 3, and the call goes on."""

    def play() -> None:
        bob.wait_until("ringing")
        sim.wait_for_action("call")
        sim.push("all", {"notify": "call", "call": {"callref": "x"}})
        sim.faults.drop()

    said = run(capsys, "dial", "--no-names", "--follow", BOB, script=play)
    assert (said.status, states(said)) == (3, ["ringing"])
    assert said.err[-1] == "the connection was lost"
    assert bob.state == "ringing"


@pytest.mark.parametrize("arguments", [[], ["--follow", "--no-names"]])
@pytest.mark.parametrize("action", ["create_session", "call"])
def test_connection_lost_before_the_answer(
    sim: Simulator, capsys: Capture, arguments: List[str], action: str
) -> None:
    """A connection that drops before the order is answered is exit code 3, too."""
    sim.faults.drop(on=action)
    said = run(capsys, "dial", BOB, *arguments)
    assert said.status == 3 and "onnection" in said.err[-1]


@posix
def test_ctrl_c_while_following(sim: Simulator, alice: Line, bob: Phone) -> None:
    """Ctrl-C ends the following with 130, and the call and the session stay."""
    with Running("-m", "keyyo_cti", "dial", "--no-names", "--follow", BOB) as running:
        running.until("ringing")
        running.until(f"calling {BOB}", "err")
        running.interrupt()
        assert running.end() == 130
        assert running.rest("err") == ["stopped"]
    assert (alice.phone.state, bob.state) == ("calling", "ringing")
    sim.wait_for_session(alice, counter=0)
    bob.pick_up()
    assert alice.phone.state == "talking"


@posix
def test_nobody_reads(bob: Phone) -> None:
    """As in ``dial --follow | head -1``: no traceback, exit code 1, and the call goes on."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        command = ["dial", "--no-names", "--follow", BOB]
        with Running("-m", "keyyo_cti", *command, stdout=writer) as running:
            assert running.end() == 1
            said = running.rest("err")
            assert not any("Traceback" in line for line in said)
    finally:
        os.close(writer)
    assert bob.state == "ringing"
