"""Whom to call back: examples, and laws that hold for any history."""

from __future__ import annotations

from random import Random
from typing import Dict, List, Optional, Tuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyyo_cti import CTI
from keyyo_cti.call_back import CallBack, to_call_back
from keyyo_cti.call_history import CallRecord
from keyyo_cti.simulator import Line, ManualClock, Simulator

from ..helpers.probe import PATIENCE

ALICE, CAROL = "33199000001", "33199000002"
BOB, DAVE = "33199020000", "33199030000"


def record(
    start: float, direction: str = "in", other: Optional[str] = BOB, seconds: Optional[int] = 0,
    line: str = ALICE, csi: Optional[str] = None, unit: str = "second",
) -> CallRecord:
    caller, callee = (other, line) if direction == "in" else (line, other)
    answered = True if seconds else (False if direction == "in" and seconds == 0 else None)
    call_id = f"{start}{direction}{other}{line}{seconds}"
    return CallRecord(
        call_id, csi, start, caller, callee, direction, unit, seconds, answered  # type: ignore
    )


def test_people_are_told_with_count_times_and_lines() -> None:
    records = [
        record(100), record(200, other=DAVE), record(300, line=CAROL), record(400, other=None),
        record(500, other=None),
    ]
    assert to_call_back(records) == [
        CallBack(DAVE, 1, 200, 200, (ALICE,)),
        CallBack(BOB, 2, 100, 300, (ALICE, CAROL)),
        CallBack(None, 2, 400, 500, (ALICE,)),
    ]


@pytest.mark.parametrize("start, seconds", [(200, 0), (200, None), (200, 9), (96, 9)])
@pytest.mark.parametrize("line", [ALICE, CAROL])
def test_person_who_was_called_since_is_left_out(
    start: float, seconds: Optional[int], line: str
) -> None:
    """From any line, with an answer or without."""
    assert to_call_back([record(100), record(start, "out", seconds=seconds, line=line)]) == []


@pytest.mark.parametrize(
    "later, waits",
    [
        (record(200, seconds=9, line=CAROL), False),
        (record(97, seconds=9, line=CAROL), False),  # Both lines rang, and Carol answered.
        (record(97, seconds=2, line=CAROL), False),
        # The same line cannot answer and miss one call, and no line has called in it.
        (record(96, seconds=2), True),
        (record(96, seconds=9), False),
        (record(96, "out"), True),
        (record(96, "out", line=CAROL), True),
        (record(96, "out", seconds=None), True),
        (record(96, "out", seconds=2), True),
        (record(90, seconds=9), True),
        (record(200, other=DAVE, seconds=9), True),
        (record(200, "out", other=DAVE), True),
        (record(200, seconds=None), True),  # Nobody knows.
        (record(200, unit="sms", seconds=None), True),
        (record(200, "out", unit="sms", seconds=None), True),
        (record(200, "out", other=None), True),
    ],
)
def test_person_who_was_reached_since_is_left_out(later: CallRecord, waits: bool) -> None:
    assert [each.number for each in to_call_back([later, record(100)])] == [BOB] * waits


def test_hidden_callers_are_never_reached() -> None:
    records = [record(100, other=None), record(200, other=None, seconds=9)]
    [found] = to_call_back(records)
    assert (found.hidden, found.count) == (True, 1)


def test_calls_before_the_last_contact_do_not_count() -> None:
    records = [record(100), record(200, "out"), record(300), record(400)]
    assert to_call_back(records) == [CallBack(BOB, 2, 300, 400, (ALICE,))]


def test_call_that_several_lines_missed_together_counts_once() -> None:
    records = [record(100, line=ALICE), record(101, line=CAROL), record(103, line=ALICE)]
    [found] = to_call_back(records)
    assert (found.count, found.lines) == (2, (ALICE, CAROL))


@pytest.mark.parametrize("number", [f"+{BOB}", f"00{BOB}", "0199020000", "+33 (0)1 99 02 00 00"])
def test_forms_of_a_number_are_one_person(number: str) -> None:
    assert to_call_back([record(100), record(200, "out", other=number)]) == []
    [found] = to_call_back([record(100), record(200, other=number, csi=ALICE)])
    assert (found.number, found.count) == (BOB, 2)


@pytest.mark.parametrize("seconds, others", [
    (30, [record(160, "out", "102", 30)]), (0, [record(160, "out", "102", None)]), (0, []),
])
def test_colleague_whose_line_was_called_since_is_left_out(
    seconds: int, others: List[CallRecord]
) -> None:
    """The history of the called line tells it, even if that of the caller has a short number."""
    missed = record(100, other=CAROL)
    called = record(160, other=ALICE, seconds=seconds, line=CAROL)
    waiting = {ALICE} if not seconds else set()
    assert {each.number for each in to_call_back([missed, called, *others])} == waiting
    # The caller may be anybody, if it is no line of the account.
    called = record(160, other=BOB, seconds=seconds, line=CAROL)
    assert CAROL in {each.number for each in to_call_back([missed, called, *others])}


def test_conversation_that_began_before_the_missed_call_does_not_count() -> None:
    assert [each.number for each in to_call_back([record(100, seconds=60), record(130)])] == [BOB]


def test_times_are_those_of_paris() -> None:
    [found] = to_call_back([record(1_795_000_000)])
    assert found.first.isoformat() == found.last.isoformat() == "2026-11-18T12:06:40+01:00"


#: A call: start, direction, other, seconds, line.
calls = st.tuples(
    st.integers(0, 400).map(lambda tens: tens * 10.0),
    st.sampled_from(["in", "in", "out"]),
    st.sampled_from([BOB, DAVE, CAROL, "33199040000", None]),
    st.sampled_from([0, 0, None, 30]),
    st.sampled_from([ALICE, CAROL]),
)
Spec = Tuple[float, str, Optional[str], Optional[int], str]
histories = st.lists(calls, max_size=25)


def expect(specs: List[Spec]) -> Dict[Optional[str], List[float]]:
    """The starts of the calls to return, by person, by the words of the documentation."""
    found: Dict[Optional[str], List[float]] = {}
    for start, direction, other, seconds, _ in specs:
        since = [
            1 for at, way, who, talked, _ in specs
            if who == other is not None and at >= start and (way == "out" or talked)
        ]
        if direction == "in" and seconds == 0 and not since:
            found.setdefault(other, []).append(start)
    return found


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories, st.integers())
def test_people_are_those_of_the_definition_in_any_order(specs: List[Spec], seed: int) -> None:
    records = [record(*spec) for spec in specs]
    found = to_call_back(records)
    expected = expect(specs)
    assert {each.number: (each.first_time, each.last_time) for each in found} == {
        person: (min(starts), max(starts)) for person, starts in expected.items()
    }
    assert all(
        each.count == sum(1 for _ in set(expected[each.number])) for each in found
    )
    shuffled = records + records[:5]
    Random(seed).shuffle(shuffled)
    assert to_call_back(iter(shuffled)) == found
    assert [each.hidden for each in found] == sorted(each.hidden for each in found)
    # What both tell is no second call.
    assert to_call_back(records, records) == to_call_back(records, ()) == found


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories, st.sampled_from([BOB, DAVE]))
def test_calling_a_person_removes_that_person_only(specs: List[Spec], number: str) -> None:
    records = [record(*spec) for spec in specs]
    called = record(5_000.0, "out", number, 0)
    before = [each for each in to_call_back(records) if each.number != number]
    assert to_call_back(records + [called]) == to_call_back(records, [called]) == before


class Live:
    """A CTI on a simulator whose clock is moved by hand, which watches Alice and Carol."""

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self.alice: Line = sim.line(ALICE)
        self.carol: Line = sim.line(CAROL)
        self.bob = sim.phone(BOB)
        self.cti = CTI(endpoint=sim.endpoint, cookie_auto=False)
        self.cti.create_session(sim.token(self.alice)).result(PATIENCE)
        self.cti.subscribe(CAROL).result(PATIENCE)

    def find(self, records: List[CallRecord] = []) -> List[Tuple[Optional[str], int]]:
        self.cti.ping().result(PATIENCE)
        found = to_call_back(records, self.cti.get_calls())
        return [(each.number, each.count) for each in found]

    def miss(self, line: Line) -> None:
        self.bob.call(line)
        self.bob.hang_up()


def test_live_calls_complete_the_history() -> None:
    with Simulator(clock=ManualClock()) as sim:
        live = Live(sim)
        with live.cti:
            live.miss(live.alice)
            sim.elapse(60)
            assert live.find() == [(BOB, 1)]
            [call] = live.cti.get_calls()
            start = call.setup_date
            assert start is not None
            # The history tells it too, a moment off.
            assert live.find([record(start + 2)]) == [(BOB, 1)]
            assert live.find([record(start - 60)]) == [(BOB, 2)]
            live.bob.call(live.carol)
            assert live.find() == [(BOB, 1)]
            live.carol.phone.pick_up()
            assert live.find() == live.find([record(start + 2)]) == []


def test_live_outgoing_call_is_a_call_back() -> None:
    with Simulator(clock=ManualClock()) as sim:
        live = Live(sim)
        with live.cti:
            live.cti.dial(BOB).result(PATIENCE)
            live.bob.wait_until("ringing")
            live.cti.ping().result(PATIENCE)
            [call] = live.cti.get_calls()
            assert call.setup_date is not None
            assert live.find([record(call.setup_date - 60)]) == []
            assert live.find([record(call.setup_date + 60)]) == [(BOB, 1)]
