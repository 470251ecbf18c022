"""``keyyo-cti diagnose --ring`` finds the first layer that a call does not pass."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable, List, NamedTuple, Optional, Sequence, Tuple

import pytest

from keyyo_cti import Call
from keyyo_cti.cli import main
from keyyo_cti.cli.login_file import Login
from keyyo_cti.simulator import Line, Phone, Simulator

from ..helpers.running import Running
from .kept import Capture, impatient, keep_login, run

BEFORE = ["account", "line", "plugin", "telephone", "token"]
LAYERS = ["session", "subscription", "frame", "newCall", "handler"]
CAROL = "33199000002"

released = threading.Event()

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")


def raises(call: Call) -> None:
    raise ValueError("no such customer")


class Unreadable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no message")


def raises_unreadable(call: Call) -> None:
    raise Unreadable


def blocks(call: Call) -> None:
    released.wait(60)


async def coroutine(call: Call) -> None:
    pass


def calls(sim: Simulator, alice: Line, bob: Phone) -> None:
    bob.call(alice)


def nobody_calls(sim: Simulator, alice: Line, bob: Phone) -> None:
    pass


def calls_another(sim: Simulator, alice: Line, bob: Phone) -> None:
    bob.call(CAROL)


def then_calls(fault: Callable[[Simulator, Line], object]) -> Callable[..., None]:
    """Bob calls while there is a fault."""

    def play(sim: Simulator, alice: Line, bob: Phone) -> None:
        fault(sim, alice)
        bob.call(alice)

    return play


def unsubscribe(sim: Simulator, alice: Line) -> None:
    for session in sim._service.sessions.get_all():
        sim._thread.call(session.unsubscribe, alice.number)


def push_another(sim: Simulator, alice: Line, bob: Phone) -> None:
    call = {"callref": "x", "caller": bob.number, "callee": CAROL, "state": "SETUP"}
    sim.push(alice, {"notify": "call", "call": call})


def push_unknown(sim: Simulator, alice: Line, bob: Phone) -> None:
    sim.push(alice, {"notify": "weather"})


def push_unknown_and_truncate(sim: Simulator, alice: Line, bob: Phone) -> None:
    push_unknown(sim, alice, bob)
    sim.faults.garble()
    bob.call(alice)


def push_unknown_and_be_silent(sim: Simulator, alice: Line, bob: Phone) -> None:
    push_unknown(sim, alice, bob)
    sim.faults.silence()


def nothing(sim: Simulator, alice: Line) -> None:
    pass


class Planted(NamedTuple):
    """A fault.

    :ivar check: the layer that stays dark, and the name of the fault.
    :ivar fault: is there before the command is entered.
    :ivar play: what happens once there is a session; None if there will be none.
    """

    check: str
    word: str
    fault: Callable[[Simulator, Line], object] = nothing
    play: Optional[Callable[[Simulator, Line, Phone], object]] = calls
    more: Sequence[str] = ()

    @property
    def arguments(self) -> Sequence[str]:
        """Those of the command; what ends the wait early may take its time."""
        return ["--timeout", "20" if self.check in ("session", "handler") else "1", *self.more]


def handler(name: str) -> Sequence[str]:
    return ["--handler", f"{__name__}:{name}"]


PLANTED = {
    # Telephone.
    "no telephone": Planted("telephone", "no_telephone", lambda sim, alice: alice.set(
        phone_registered=False)),
    "telephone goes": Planted("telephone", "no_telephone", play=lambda sim, alice, bob: alice.set(
        phone_registered=False)),
    # Plugin.
    "plugin": Planted("plugin", "plugin_disabled", lambda sim, alice: alice.set(
        plugin_enabled=False)),
    "plugin, no call": Planted("plugin", "plugin_disabled", lambda sim, alice: alice.set(
        plugin_enabled=False), nobody_calls),
    "plugin goes": Planted("plugin", "plugin_disabled", play=lambda sim, alice, bob: alice.set(
        plugin_enabled=False)),
    # Session.
    "no network": Planted("line", "no_network", lambda sim, alice: sim.stop(), None),
    "token": Planted("session", "session_refused", lambda sim, alice: sim.faults.fail(
        "create_session", 400, "Invalid token"), None),
    "no connection": Planted("session", "no_connection", lambda sim, alice: sim.faults.refuse(
        "info"), None),
    "dropped": Planted("session", "connection_lost", play=lambda sim, alice, bob: (
        sim.faults.reset())),
    "closed": Planted("session", "connection_lost", play=lambda sim, alice, bob: (
        sim.faults.close())),
    "destroyed": Planted("session", "connection_lost", play=lambda sim, alice, bob: (
        sim.faults.forget_sessions())),
    # Subscription.
    "refused": Planted("subscription", "subscription_refused", lambda sim, alice: sim.faults.fail(
        "get_subscriptions", 403, "No", times=None), nobody_calls),
    "ignored": Planted("subscription", "connection_silent", lambda sim, alice: sim.faults.ignore(
        "get_subscriptions")),
    "ignored, no call": Planted("subscription", "connection_silent", lambda sim, alice: (
        sim.faults.ignore("get_subscriptions")), nobody_calls),
    "unsubscribed": Planted("subscription", "not_subscribed", play=then_calls(unsubscribe)),
    # Frame.
    "nobody calls": Planted("frame", "no_frame", play=nobody_calls),
    "another number": Planted("frame", "no_frame", play=calls_another),
    "silence": Planted("frame", "connection_silent", play=then_calls(
        lambda sim, alice: sim.faults.silence())),
    "half a frame": Planted("frame", "connection_silent", play=then_calls(
        lambda sim, alice: sim.faults.cut(then="silence"))),
    # newCall.
    "truncated": Planted("newCall", "unreadable_frame", play=then_calls(
        lambda sim, alice: sim.faults.garble(part="message"))),
    "truncated frame": Planted("newCall", "unreadable_frame", play=then_calls(
        lambda sim, alice: sim.faults.garble(part="frame"))),
    "not UTF-8": Planted("newCall", "unreadable_frame", play=then_calls(
        lambda sim, alice: sim.faults.garble(part="text"))),
    "no call, truncated": Planted("newCall", "unreadable_frame", play=push_unknown_and_truncate),
    "no callref": Planted("newCall", "unreadable_frame", play=lambda sim, alice, bob: sim.push(
        alice, {"notify": "call", "call": {"caller": CAROL}})),
    "no call": Planted("newCall", "no_call", play=push_unknown),
    "no call, silence": Planted("newCall", "connection_silent", play=push_unknown_and_be_silent),
    "another line": Planted("newCall", "other_line", play=push_another),
    # Handler.
    "raises": Planted("handler", "handler_raised", more=handler("raises")),
    "raises unreadable": Planted("handler", "handler_raised", more=handler("raises_unreadable")),
    "arguments": Planted("handler", "handler_raised", more=handler("nobody_calls")),
    "blocks": Planted("handler", "handler_blocked", more=handler("blocks")),
}


def prepare(sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    impatient(monkeypatch)
    keep_login(sim)
    released.clear()
    monkeypatch.setattr("keyyo_cti._diagnosis.ring_layers.SLOW", 0.3)
    monkeypatch.setattr("keyyo_cti._diagnosis.ring_layers._REPLY_TIMEOUT", 0.5)
    monkeypatch.setattr("keyyo_cti._diagnosis.ring_layers._DESTROY_TIMEOUT", 0.2)


def ring(
    sim: Simulator, alice: Line, capsys: Capture, play: Optional[Callable[..., object]] = calls,
    *arguments: str, fault: Callable[[Simulator, Line], object] = nothing,
) -> Tuple[int, List[str], List[str], Any]:
    """Enters the command, and plays once the session has asked for its subscriptions."""
    bob = sim.phone("33199020000")
    fault(sim, alice)

    def script() -> None:
        if play is not None:
            sim.wait_for_action("get_subscriptions", 10)
            play(sim, alice, bob)

    said = run(capsys, "diagnose", "--ring", *arguments, alice.number, script=script)
    released.set()
    return said.status, said.out, said.err, said.json if "--json" in arguments else None


def ring_with_fault(
    sim: Simulator, alice: Line, capsys: Capture, planted: Planted, *arguments: str
) -> Tuple[int, List[str], List[str], Any]:
    sim.line(CAROL)
    return ring(
        sim, alice, capsys, planted.play, *arguments, *planted.arguments, fault=planted.fault
    )


@pytest.mark.parametrize("name", PLANTED)
def test_planted_fault_in_text_is_the_first_dark_layer(
    sim: Simulator, alice: Line, capsys: Capture, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    planted = PLANTED[name]
    prepare(sim, monkeypatch)
    status, out, err, _ = ring_with_fault(sim, alice, capsys, planted)
    assert status == 1
    assert out[0] == f"line {alice.number}" and out[-1] == f"wrong: {planted.word}"
    [dark] = [index for index, line in enumerate(out) if " FAULT " in line]
    assert out[dark].split()[2:4] == ["FAULT", planted.check]
    assert out[dark + 1].lstrip().startswith("-> ")
    assert [line for line in err if "from another telephone" not in line] == []


@pytest.mark.parametrize("name", PLANTED)
def test_planted_fault_in_json_is_the_first_dark_layer(
    sim: Simulator, alice: Line, capsys: Capture, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    planted = PLANTED[name]
    prepare(sim, monkeypatch)
    status, _, _, told = ring_with_fault(sim, alice, capsys, planted, "--json")
    assert (status, told["good"], told["faults"]) == (1, False, [planted.word])
    findings = {finding["check"]: finding for finding in told["findings"]}
    assert list(findings) == BEFORE + LAYERS
    [dark] = [check for check, finding in findings.items() if finding["good"] is False]
    assert dark == planted.check and findings[dark]["advice"]
    before = list(findings.values())[:list(findings).index(dark)]
    assert all(finding["good"] for finding in before)
    assert all(finding["seconds"] >= 0 for finding in findings.values())


def test_call_that_passes_lights_each_layer_in_order(
    sim: Simulator, alice: Line, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(sim, monkeypatch)
    status, out, err, _ = ring(sim, alice, capsys)
    assert (status, out[-1]) == (0, "nothing is wrong")
    assert [line.split()[2:4] for line in out[1:-1]] == [
        ["good", check] for check in BEFORE + LAYERS
    ]
    times = [float(line.split()[0]) for line in out[1:-1]]
    assert times == sorted(times)
    assert err == [
        "now call 33199000001 from another telephone, within 60 s; Ctrl-C ends the test"
    ]
    assert sim.sessions() == []


@pytest.mark.parametrize(
    "play, arguments, parties",
    [
        (lambda sim, alice, bob: sim.line(CAROL).phone.call("201"), (),
         f"SETUP {CAROL} -> 33199000001"),
        (lambda sim, alice, bob: sim.push(alice, {"notify": "call", "call": {
            "callref": "x", "caller": CAROL, "callee": "201", "state": "SETUP"}}), (),
         f"SETUP {CAROL} -> 201"),
        (lambda sim, alice, bob: sim.push(alice, *({"notify": "call", "call": {
            "callref": f"x{number}", "caller": caller, "callee": "33199000001", "state": caller}}
            for number, caller in enumerate([10**30, {"a": 1}, ["b"], True, "7" * 900]))), (),
         "? ? -> 33199000001"),
        (lambda sim, alice, bob: sim.push(alice, {"notify": "call", "call": {
            "callref": "x", "caller": "anonymous", "callee": "+33 1 99 00 00 01",
            "state": "RELEASE"}}), (), "RELEASE anonymous -> +33 1 99 00 00 01"),
        (lambda sim, alice, bob: alice.phone.call(bob), (), "SETUP 33199000001 -> 33199020000"),
        (None, ("--from", "+33 1 99 02 00 00"), "SETUP 33199020000 -> 33199000001"),
    ],
    ids=["internal", "short number", "odd", "hidden", "outgoing", "simulator calls"],
)
def test_call_of_the_line_in_any_form_lights_each_layer(
    sim: Simulator, alice: Line, capsys: Capture, monkeypatch: pytest.MonkeyPatch,
    play: Any, arguments: Sequence[str], parties: str,
) -> None:
    alice.set(short_number="201")
    prepare(sim, monkeypatch)
    status, _, _, told = ring(sim, alice, capsys, play, "--json", *arguments)
    assert (status, told["faults"]) == (0, [])
    assert told["findings"][-2]["fact"] == parties
    if arguments:
        # The next test can call again.
        assert sim.phone("33199020000").state == "idle"


def test_late_call_says_how_late_it_is(
    sim: Simulator, alice: Line, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(sim, monkeypatch)
    call = {"callref": "x", "caller": CAROL, "callee": alice.number, "state": "SETUP"}

    def play(sim: Simulator, alice: Line, bob: Phone) -> None:
        sim.push(alice, {"notify": "call", "call": {**call, "setup_date": int(time.time()) - 30}})

    status, out, _, _ = ring(sim, alice, capsys, play)
    assert status == 0 and re.search(r"newCall .*, 3\d s after the call began", out[-3])


@pytest.mark.parametrize("name", ["named", "handlers.inner"])
def test_handler_of_the_folder_is_called_once_with_the_call(
    sim: Simulator, alice: Line, capsys: Capture, monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path, name: str,
) -> None:
    (tmp_path / "program_of_mine.py").write_text(
        "def named(call):\n    print('called by', call.other)\n"
        "class handlers:\n    inner = named\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "program_of_mine", raising=False)
    prepare(sim, monkeypatch)
    status, out, _, _ = ring(sim, alice, capsys, calls, "--handler", f"program_of_mine:{name}")
    assert status == 0 and out.count("called by 33199020000") == 1
    assert "named" in out[-2] and "returned" in out[-2]


@pytest.mark.parametrize(
    "arguments, problem",
    [
        (["--timeout", "5"], "--timeout needs --ring"),
        (["--from", "33199020000"], "--from needs --ring"),
        (["--ring", "--from", "33199020000"], "--from is for a simulator"),
        (["--ring", "--handler", "no_module_of_mine:f"], "--handler: ModuleNotFoundError"),
        (["--ring", "--handler", f"{__name__}:no_function"], "--handler: AttributeError"),
        (["--ring", "--handler", f"{__name__}:CAROL"], "--handler: expected a function, got str"),
        (["--ring", "--handler", f"{__name__}:coroutine"], "got a coroutine function"),
        (["--ring", "--handler", "module"], "expected MODULE:FUNCTION"),
    ],
)
def test_wrong_arguments_of_the_ring_test_are_exit_code_2(
    sim: Simulator, alice: Line, capsys: Capture, arguments: List[str], problem: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keep_login(sim)
    if "for a simulator" in problem:
        monkeypatch.setattr(Login, "is_simulator", False)
    said = run(capsys, "diagnose", *arguments)
    assert (said.status, said.out) == (2, []) and problem in said.err[0]
    assert sim.received() == []


def test_module_of_the_handler_that_ends_the_process_is_exit_code_2(
    sim: Simulator, alice: Line, capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "script_of_mine.py").write_text("import sys\nsys.exit(0)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    keep_login(sim)
    said = run(capsys, "diagnose", "--ring", "--handler", "script_of_mine:f")
    assert (said.status, said.out, said.err) == (2, [], ["--handler: SystemExit: 0"])
    assert sim.received() == []


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "3601", "soon"])
def test_wrong_timeout_is_exit_code_2(capsys: Capture, seconds: str) -> None:
    with pytest.raises(SystemExit) as end:
        main(["diagnose", "--ring", "--timeout", seconds])
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert "--timeout: expected more than 0 and at most 3600 seconds" in said


def test_simulator_that_cannot_call_is_told(
    sim: Simulator, alice: Line, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(sim, monkeypatch)
    sim.phone("33199020000").call(CAROL)
    status, _, err, _ = ring(sim, alice, capsys, None, "--from", "33199020000")
    assert (status, err) == (
        1, ["the simulator cannot call: 409 telephone 33199020000 is busy"])


@posix
@pytest.mark.parametrize("arguments", [[], ["--json"]])
@pytest.mark.parametrize("plugin_enabled", [True, False])
def test_ctrl_c_ends_the_wait_with_a_report(
    sim: Simulator, alice: Line, arguments: List[str], plugin_enabled: bool
) -> None:
    alice.plugin_enabled = plugin_enabled
    keep_login(sim)
    with Running("-m", "keyyo_cti", "diagnose", "--ring", *arguments) as running:
        running.until("now call 33199000001", "err")
        running.interrupt()
        assert running.end() == 130
        assert running.rest("err") == []
        said = "\n".join(running.rest())
    told = json.loads(said) if arguments else None
    if told is None:
        assert re.search(r" -  +frame +none came in the \S+ s before the test was stopped", said)
        assert said.splitlines()[-1] == (
            "nothing is known of the rest: the test was stopped" if plugin_enabled
            else "wrong: plugin_disabled")
    else:
        assert told["faults"] == ([] if plugin_enabled else ["plugin_disabled"])
        assert [each["good"] for each in told["findings"][-3:]] == [None] * 3
    assert sim.sessions() == []


@posix
def test_ctrl_c_before_the_wait_ends_with_a_report_too(sim: Simulator, alice: Line) -> None:
    keep_login(sim)
    sim.faults.http_slow("/manager/1.0/services/33199000001/sip_records")
    command = ["-m", "keyyo_cti", "diagnose", "--ring", "--json", alice.number]
    with Running(*command) as running:
        sim.wait_for_request("/manager/1.0/services/33199000001/sip_records", 30)
        running.interrupt()
        assert running.end() == 130
        told = json.loads("\n".join(running.rest()))
    assert [each["good"] for each in told["findings"]] == [True] * 3 + [None] * 7
    assert [each["check"] for each in told["findings"]] == BEFORE + LAYERS


@posix
@pytest.mark.parametrize("columns, widest", [(60, 999), (80, 80), (200, 110)])
def test_findings_on_a_terminal_fit_into_its_width(
    sim: Simulator, alice: Line, columns: int, widest: int
) -> None:
    from .tty import Tty

    keep_login(sim)
    command = [sys.executable, "-m", "keyyo_cti", "diagnose", "--ring", "--timeout", "0.5"]
    with Tty(*command, columns=columns, lines=40) as tty:
        assert tty.end() == 1
        lines = tty.raw.decode().splitlines()
    assert "\x1b" not in "".join(lines) and lines[-1] == "wrong: no_frame"
    longest = max(map(len, lines[2:]))
    assert widest - 20 < longest <= widest or (columns == 60 and longest > 200)
