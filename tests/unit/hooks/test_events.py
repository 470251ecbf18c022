"""The events of calls, read from notifications."""

from __future__ import annotations

import json
import threading
from typing import Any, Dict, List, Optional

import pytest

from keyyo_cti import CTI, Call
from keyyo_cti._catch_up.endings import complete
from keyyo_cti._hooks.events import EVENTS, EventReader, HookEvent, format_time, make_environment
from keyyo_cti._hooks.forms import make_zammad
from keyyo_cti.call_history import CallRecord
from keyyo_cti.catch_up import CaughtUp
from keyyo_cti.simulator import Line, Simulator

from ...helpers.probe import PATIENCE
from ..client.test_call_parties import make_call, make_cti

ALICE, BOB = "33199000001", "33199020000"


class Names(Dict[str, str]):
    def name_of(self, number: Any) -> Optional[str]:
        return self.get(number)


def read_all(
    sim: Simulator, alice: Line, calls: List[Dict[str, Any]], reader: EventReader
) -> List[HookEvent]:
    """The events of notifications, as handlers meet them."""
    found: List[HookEvent] = []
    done = threading.Event()

    def on_call(call: Call) -> None:
        if call.callref == "last":
            done.set()
        event = reader.read(call)
        if event is not None:
            found.append(event)

    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        cti.onNewCall = on_call
        cti.create_session(sim.token(alice)).result(PATIENCE)
        for fields in (*calls, {"callref": "last"}):
            sim.push(alice, {"notify": "call", "call": {"callref": "c", **fields}})
        assert done.wait(PATIENCE)
    return found


def test_names_are_those_of_the_other_party_and_of_the_line(sim: Simulator, alice: Line) -> None:
    names = Names({ALICE: "Alice", BOB: "Bob"})
    calls: List[Dict[str, Any]] = [
        {"caller": BOB, "callee": ALICE, "state": "SETUP"},
        {"callref": "d", "caller": ALICE, "callee": BOB, "state": "CONNECT"},
        {"callref": "e", "caller": None, "callee": ALICE, "state": "MISSED"},
        {"callref": "f", "caller": BOB, "callee": "33199040000", "state": "SETUP"},
    ]
    found = read_all(sim, alice, calls, EventReader(EVENTS, names))
    assert [
        (each.direction, each.incoming, each.name, each.line_name, each.hidden) for each in found
    ] == [
        ("in", True, "Bob", "Alice", False), ("out", False, "Bob", "Alice", False),
        ("in", True, None, "Alice", True), (None, True, "Bob", None, False),
    ]


def test_odd_fields_are_text_and_cut(sim: Simulator, alice: Line) -> None:
    calls: List[Dict[str, Any]] = [
        {"caller": {"a": 1}, "callee": ["x"] * 2000, "state": "SETUP", "setup_date": "soon"},
        {"caller": 5, "callee": None, "state": {"a": 1}},
        {"callref": "d", "state": None},
    ]
    [event] = read_all(sim, alice, calls, EventReader(EVENTS))
    assert event.caller == "{'a': 1}" and len(event.callee or "") == 1000
    assert all(len(value) <= 1000 for value in make_environment(event).values())


def test_first_wanted_event_of_a_call_is_known(sim: Simulator, alice: Line) -> None:
    states = ["SETUP", "CONNECT", "CONNECT", "RELEASE", "RELEASE", "CONNECT"]
    found = read_all(
        sim, alice, [{"state": state} for state in states], EventReader(("answer", "end"))
    )
    assert [(each.event, each.is_first) for each in found] == [("answer", True), ("end", False)]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "1970-01-01T00:00:00.000Z"), (1_795_000_000.999_9, "2026-11-18T11:06:40.999Z")],
)
def test_format_time_is_iso_8601_in_utc(seconds: float, text: str) -> None:
    assert format_time(seconds) == text


def catch_up(*records: CallRecord, **calls: Call) -> CaughtUp:
    caught_up = CaughtUp(records)
    caught_up.calls = {each: calls[each.call_id] for each in records if each.call_id in calls}
    return caught_up


def test_call_of_the_history_is_one_event_without_guesses() -> None:
    records = [
        CallRecord("a", ALICE, 100.0, BOB, ALICE, "in", seconds=0, answered=False),
        CallRecord("b", ALICE, 200.0, None, ALICE, "in", seconds=60, answered=True),
        CallRecord("c", ALICE, 300.0, ALICE, BOB, "out", seconds=0),
        CallRecord("d", ALICE, 400.0, ALICE, BOB, "out"),
    ]
    reader = EventReader(EVENTS, Names({ALICE: "Alice", BOB: "Bob"}))
    found = list(reader.read_history(catch_up(*records)))
    assert [(each.event, each.callref, each.time, each.duration, each.name) for each in found] == [
        ("missed", "a", 100.0, 0, "Bob"), ("end", "b", 260.0, 60, None),
        ("end", "c", 300.0, 0, "Bob"), ("end", "d", 400.0, None, "Bob"),
    ]
    for each in found:
        assert each.from_history and each.line_name == "Alice" and each.is_first
        unknown = (each.state, each.ringing_duration, each.connect_date, each.release_date)
        assert unknown == (None, None, None, None)
        environment = make_environment(each)
        assert (environment["KEYYO_FROM_HISTORY"], environment["KEYYO_STATE"]) == ("1", "")
    assert [json.loads(body.data)["event"] for body in make_zammad(found[0])] == [
        "newCall", "hangup"]
    assert list(EventReader(("ring", "answer")).read_history(catch_up(*records))) == []


@pytest.mark.parametrize("answer", [110, None])
def test_end_of_a_stale_call_comes_once_and_only_with_dates_that_are_known(
    answer: Optional[int]
) -> None:
    reader = EventReader(EVENTS)
    call = make_call(make_cti(), BOB, ALICE, setup_date=100)
    assert reader.read(call) is not None
    record = CallRecord("r", ALICE, 101.0, BOB, ALICE, "in", seconds=60, answered=True)
    told = {} if answer is None else {"connect_date": answer}
    call.update(complete(record, {**call.fields, **told}))
    [event] = reader.read_history(catch_up(record, r=call))
    assert (event.event, event.state, event.duration, event.is_first) == (
        "end", "RELEASE", 60, False)
    assert (event.connect_date, event.release_date, event.ringing_duration) == (
        (None, None, None) if answer is None else (110, 170, 10))
    assert list(reader.read_history(catch_up(record, r=call))) == []
    assert reader.read(call) is None
