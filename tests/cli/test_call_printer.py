"""A call on the screen, from the wire to the line: for people and for programs."""

from __future__ import annotations

import io
import json
import time
from typing import Any, Dict, Iterator, List

import pytest

from keyyo_cti import Call
from keyyo_cti.cli.call_printer import CallPrinter
from keyyo_cti.cli.terminal import Terminal
from keyyo_cti.simulator import Line, ManualClock, Simulator

from ..unit.catch_up.town import a_record
from ..unit.test_call import FakeLine
from .kept import CUT_OFF, Capture, Said, cut_off, keep_login, run

BOB = "33199020000"
CALL: Dict[str, Any] = {
    "callref": "c", "caller": BOB, "callee": "33199000001", "state": "CONNECT",
    "setup_date": 10, "connect_date": 12,
}


@pytest.fixture
def sim() -> Iterator[Simulator]:
    """A Keyyo whose clock is moved by hand, so that durations are exact."""
    with Simulator(clock=ManualClock()) as simulator:
        yield simulator


def watched(sim: Simulator, capsys: Capture, calls: List[Dict[str, Any]], *arguments: str) -> Said:
    """What is shown when the server tells of these calls, up to its goodbye."""

    def script() -> None:
        sim.wait_for_session("33199000001")
        for call in calls:
            sim.push("33199000001", {"notify": "call", "call": call})
        cut_off(sim)

    keep_login(sim)
    said = run(capsys, "watch", "--no-names", *arguments, script=script)
    assert said.status == 3
    assert said.err == ["connected as 33199000001", *CUT_OFF]
    return said


def objects(said: Said) -> List[Any]:
    return [json.loads(line) for line in said.out]


def test_json(sim: Simulator, alice: Line, capsys: Capture) -> None:
    """``watch --json`` is an object a line for each change, with durations, on stdout only."""
    bob = sim.phone(BOB)

    def script() -> None:
        sim.wait_for_session(alice)
        bob.call(alice)
        sim.elapse(3)
        alice.phone.pick_up()
        sim.elapse(60)
        bob.hang_up()
        cut_off(sim)

    keep_login(sim)
    said = run(capsys, "watch", "--no-names", "--json", script=script)
    assert said.status == 3 and said.err[1:] == CUT_OFF
    shown = objects(said)
    assert [each["state"] for each in shown] == ["SETUP", "CONNECT", "RELEASE"]
    # The clock moves on as soon as the next notification is received.
    assert shown[0]["ringing_duration"] in (0, 3)
    assert [each["ringing_duration"] for each in shown[1:]] == [3, 3]
    assert shown[1]["duration"] in (0, 60)
    assert [shown[0]["duration"], shown[2]["duration"]] == [0, 60]
    assert {(each["caller"], each["callee"]) for each in shown} == {(BOB, alice.number)}
    assert len({each["callref"] for each in shown}) == 1


def test_json_is_complete(sim: Simulator, alice: Line, capsys: Capture) -> None:
    """Fields that nobody knows yet are told as the server sent them."""
    call = {**CALL, "callref": "Zoë", "weather": {"wind": [1, None, "é"]}, "shown": True}
    (shown,) = objects(watched(sim, capsys, [call], "--json"))
    durations = {"ringing_duration": 2, "duration": shown["duration"]}
    assert shown == {**call, **durations}


def test_json_of_what_has_not_changed(sim: Simulator, alice: Line, capsys: Capture) -> None:
    """A call that is told again as it was is no object; another call that looks alike is."""
    parked = {**CALL, "callpark_slot": "7"}
    calls = [CALL, CALL, parked, parked, CALL, {**CALL, "callref": "d"}]
    shown = objects(watched(sim, capsys, calls, "--json"))
    assert [(each["callref"], each.get("callpark_slot")) for each in shown] == [
        ("c", None), ("c", "7"), ("c", None), ("d", None),
    ]


@pytest.mark.slow
@pytest.mark.promise(10)
@pytest.mark.parametrize("arguments", [[], ["--json"]])
@pytest.mark.parametrize("text", ["\x1b[2J", "\x9b2J", "a\r\nb", "\u2028", "\u202e", "\ud800"])
def test_nothing_commands_the_terminal(
    sim: Simulator, alice: Line, capsys: Capture, text: str, arguments: List[str]
) -> None:
    """Whatever field has a control character in it, the terminal gets one harmless line."""
    call = {**CALL, "caller": text, "callee": text, "callpark_slot": text, "state": text}
    (line,) = watched(sim, capsys, [call], *arguments).out
    assert line.isprintable()


@pytest.mark.parametrize("connected, text, fields", [
    (True, "ended  rang 2 s, talked 61 s", {"duration": 61, "ringing_duration": 2}),
    (False, "ended  talked 61 s", {"duration": 61, "ringing_duration": None}),
])
def test_end_from_the_history_shows_only_known_durations(
    connected: bool, text: str, fields: Dict[str, Any]
) -> None:
    call = Call(FakeLine(), "c")
    known = CALL if connected else {"callref": "c"}
    call.update({**known, "state": "RELEASE", "release_date": 73})
    printed = []
    for as_json in (False, True):
        stream = io.StringIO()
        CallPrinter(Terminal(stream), as_json).print_settled(call, a_record(seconds=61))
        printed.append(stream.getvalue().strip())
    assert printed[0].endswith(text)
    shown = json.loads(printed[1])
    assert {**shown, **fields} == shown


@pytest.mark.parametrize(
    ("call", "shown"),
    [
        ({"callref": "c"}, "None -> None  unknown"),
        ({**CALL, "state": ["odd"], "caller": {}}, "{} -> 33199000001  ['odd']"),
        ({**CALL, "setup_date": "soon"}, f"{BOB} -> 33199000001  talking  rang 0 s"),
        ({**CALL, "setup_date": 1e300}, f"{BOB} -> 33199000001  talking  rang 0 s"),
        ({**CALL, "callpark_slot": 0},
         f"{BOB} -> 33199000001  parked  rang 2 s  slot 0"),
    ],
)
def test_a_strange_call(
    sim: Simulator, alice: Line, capsys: Capture, call: Dict[str, Any], shown: str
) -> None:
    """A call of another shape than expected is shown as far as it can be."""
    (line,) = watched(sim, capsys, [call]).out
    time.strptime(line[:8], "%H:%M:%S")
    assert line[10:] == shown
