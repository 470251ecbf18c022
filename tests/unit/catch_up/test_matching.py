"""Records are matched with calls that were told: nothing is told twice, nothing is invented."""

from __future__ import annotations

from itertools import permutations
from typing import Any, Dict, List, Optional, Set, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyyo_cti._catch_up.findings import Findings, Gap, find
from keyyo_cti._catch_up.matching import ToldCall, match, merge_histories
from keyyo_cti.call_history import CallRecord, HistoryDirection

from .town import BOB, LINE, a_record, a_told

CAROL, SECOND = "33199020001", "33199000002"

TOLERANCE = 5.0
GAP = Gap(1000.0, 1100.0)

#: How far the two clocks, and what each takes for the start of a call, are apart.
JITTER = st.integers(-20, 20).map(lambda quarters: quarters / 4)

#: A call: its start, its seconds, its caller, true if it was told, and how late its record is.
CALLS = st.tuples(
    st.integers(900, 1200), st.integers(0, 200), st.sampled_from([BOB, CAROL]), st.booleans(),
    JITTER,
)


def find_in_gap(
    told: List[ToldCall], records: List[CallRecord], running: Tuple[str, ...] = ()
) -> Findings:
    return find([GAP], told, records, TOLERANCE, (), running)


def ids(records: List[CallRecord]) -> Set[str]:
    return {record.call_id for record in records}


def make_town(
    calls: List[Tuple[int, int, str, bool, float]]
) -> Tuple[List[ToldCall], List[CallRecord], Set[str]]:
    told, records, untold = [], [], set()
    for number, (start, seconds, caller, was_told, late) in enumerate(calls):
        records.append(a_record(str(number), start + late, seconds, caller))
        if was_told:
            told.append(a_told(start, caller=caller))
        else:
            untold.add(str(number))
    return told, records, untold


@given(st.lists(CALLS, max_size=12))
def test_match_of_any_town_finds_each_told_call_once(
    calls: List[Tuple[int, int, str, bool, float]]
) -> None:
    """Even of a caller who redials within seconds, no call is told twice: the numbers agree."""
    told, records, untold = make_town(calls)
    matches = match(told, records, TOLERANCE)
    assert len(set(matches.values())) == len(matches) == len(told)
    for record, call in matches.items():
        assert records[record].caller == told[call].caller
        assert abs(records[record].start_time - told[call].starts[0]) <= TOLERANCE


@given(st.lists(CALLS, max_size=12, unique_by=lambda call: (call[0] // 16, call[2])))
def test_find_in_a_town_of_calls_apart_reports_exactly_the_untold_ones(
    calls: List[Tuple[int, int, str, bool, float]]
) -> None:
    apart = [(start // 16 * 16, *rest) for start, *rest in calls]
    told, records, untold = make_town(apart)  # type: ignore[arg-type]
    findings = find_in_gap(told, records)
    in_gap = {
        record.call_id for record in records
        if GAP.since - TOLERANCE <= record.start_time <= GAP.until + TOLERANCE
    }
    assert ids(findings.untold) | ids(findings.running) == untold & in_gap
    assert not ids(findings.untold) & ids(findings.running)
    for record in findings.untold:
        assert record.start_time + (record.seconds or 0) <= GAP.until + TOLERANCE
    assert findings.ends == []


@given(
    st.dictionaries(
        st.integers(0, 5), st.dictionaries(st.integers(0, 5), st.integers(0, 9)), max_size=6
    )
)
def test_assignment_of_any_costs_matches_as_many_records_as_possible(
    choices: Dict[int, Dict[int, int]]
) -> None:
    from keyyo_cti._catch_up.matching import _assign

    costs = {
        record: {call: (0, False, float(cost)) for call, cost in calls.items()}
        for record, calls in choices.items()
    }
    found = _assign(costs)
    assert len(set(found.values())) == len(found)
    assert all(call in choices[record] for record, call in found.items())
    assert len(found) == max(
        sum(call in choices[record] for record, call in zip(choices, order))
        for order in permutations(range(6), len(choices))
    )


@pytest.mark.parametrize(
    "told, record, matches",
    [
        (a_told(1000), a_record(start=1005), True),
        (a_told(1000), a_record(start=1005.5), False),
        # The history may count from the answer.
        (a_told(1000, 1040), a_record(start=1041), True),
        (a_told(1000, caller=CAROL), a_record(start=1000), False),
        # A hidden caller, on either side.
        (a_told(1000, caller=None), a_record(start=1000), True),
        (a_told(1000), a_record(start=1000, caller=None), True),
        (a_told(1000, caller=None), a_record(start=1000, caller=None), True),
        # Nothing in common but the time.
        (a_told(1000, caller=None, callee="7701"), a_record(start=1000), False),
        # A short number whose full number is unknown.
        (a_told(1000, caller="7701"), a_record(start=1000), True),
        (a_told(1000, caller="7701"), a_record(start=1000, caller="7702"), False),
    ],
)
def test_match_compares_numbers_and_starts(
    told: ToldCall, record: CallRecord, matches: bool
) -> None:
    assert (match([told], [record], TOLERANCE) == {0: 0}) is matches


def test_match_takes_the_best_pair_first() -> None:
    records = [a_record("hidden", 1000, caller=None), a_record("late", 1003), a_record("1", 1001)]
    assert match([a_told(1001)], records, TOLERANCE) == {2: 0}


@pytest.mark.parametrize("caller, callee", [(None, LINE), (BOB, None)])
def test_match_takes_hidden_for_hidden_before_known_numbers(
    caller: Optional[str], callee: Optional[str]
) -> None:
    """The known caller's call is another one, though it began nearer to the told one."""
    told = a_told(1000, caller=caller, callee=callee)
    records = [a_record("1", 998, caller=caller, callee=callee), a_record("2", 1001)]
    assert match([told], records, TOLERANCE) == {0: 0}
    assert ids(find_in_gap([told], records).untold) == {"2"}
    # Without the other record, it may still be the same call.
    assert match([told], records[1:], TOLERANCE) == {0: 0}


def test_match_prefers_a_conversation_of_the_same_length() -> None:
    records = [a_record("missed", 1001, 0), a_record("talked", 1004, 30)]
    assert match([a_told(1001, connect=1003, seconds=31)], records, TOLERANCE) == {1: 0}
    assert match([a_told(1003, seconds=0)], records, TOLERANCE) == {0: 0}


def test_call_between_two_lines_is_reported_once_by_the_called_line() -> None:
    both = [
        a_record("out", 1000, 9, SECOND, LINE, "out", csi=SECOND),
        a_record("in", 1001, 9, SECOND, LINE, "in", csi=LINE),
    ]
    assert ids(find_in_gap([], both).untold) == {"in"}
    told = [a_told(1000, caller=SECOND)]
    assert find_in_gap(told, both) == Findings([], [], [], [])
    # One history cannot show the same call twice: somebody has redialled.
    redialled = [a_record("1", 1000), a_record("2", 1002)]
    assert [len(group) for group in merge_histories(redialled, TOLERANCE)] == [1, 1]


@pytest.mark.parametrize("direction", ["in", "out"])
@pytest.mark.parametrize("other", [BOB, None])
def test_history_may_have_the_number_of_a_group_for_the_line(
    direction: HistoryDirection, other: Optional[str]
) -> None:
    """The dialled number, or the one that the line presents, is not the one that the CTI tells."""
    group = "33199000099"

    def order(line: str) -> Dict[str, Any]:
        caller, callee = (other, line) if direction == "in" else (line, other)
        return {"caller": caller, "callee": callee}

    told = a_told(990, connect=995, stale=True, **order(LINE))
    record = a_record("1", 990, 60, direction=direction, **order(group))
    assert find_in_gap([told], [record]).ends == [(told, record)]
    elsewhere = a_record("1", 990, 60, direction=direction, csi=SECOND, **order(group))
    assert find_in_gap([told], [elsewhere]).ends == []


@pytest.mark.parametrize("late", [0, 2])
@pytest.mark.parametrize(("dialled", "calls"), [
    ("102", 1), (LINE, 1), ("33199000099", 2), (None, 2),
])
def test_call_between_two_lines_by_a_short_number_is_one_call(
    dialled: Optional[str], calls: int, late: int
) -> None:
    records = [
        a_record("out", 1000 + late, 9, SECOND, dialled, "out", csi=SECOND),
        a_record("in", 1002 - late, 9, SECOND, LINE, "in", csi=LINE),
    ]
    assert len(merge_histories(records, TOLERANCE)) == calls
    further = [*records, a_record("other", 1003, 40, SECOND, "103", "out", csi="33199000003")]
    assert len(merge_histories(further, TOLERANCE)) == calls + 1
    # Not the same conversation.
    longer = a_record("in", 1001, 90, SECOND, LINE, "in", csi=LINE)
    assert len(merge_histories([records[0], longer], TOLERANCE)) == (1 if dialled == LINE else 2)


def test_dates_that_are_cut_to_whole_seconds_lie_in_the_gap_for_any_tolerance() -> None:
    gap = Gap(1000.9, 1001.2)
    assert ids(find([gap], [], [a_record("1", 1000)], 0.5).untold) == {"1"}
    told = a_told(990, connect=991, stale=True)
    assert find([gap], [told], [a_record("1", 990, 9)], 0.5).ends != []


def test_call_that_went_on_after_the_gap_is_reported_with_the_gap_of_its_end() -> None:
    goes_on = [a_record("1", 1090, 60)]
    assert ids(find_in_gap([], goes_on).running) == {"1"}
    later = find([Gap(1140, 1160)], [], goes_on, TOLERANCE, (), ("1",))
    assert ids(later.untold) == {"1"}


def test_messages_and_reported_records_are_left_out() -> None:
    records = [a_record("sms", 1000, None, unit="sms"), a_record("old", 1010)]
    assert find([GAP], [], records, TOLERANCE, {"old"}) == Findings([], [], [], [])


@pytest.mark.parametrize(
    "start, connect, seconds, settles",
    [
        (900, 910, 120, True),
        (900, 910, 60, False),  # It talked for longer than that before the gap: a part.
        (900, 910, 400, False),  # It went on after the gap, so its end is told.
        (900, 910, None, False),
        (900, 910, 0, False),
        (980, None, 0, True),  # It rang, and was missed in the gap.
        (980, None, 10, True),
        (980, None, 400, False),
    ],
)
def test_stale_call_is_settled_only_by_a_whole_record(
    start: float, connect: Optional[float], seconds: Optional[int], settles: bool
) -> None:
    told = a_told(start, connect=connect, stale=True)
    record = a_record("1", start, seconds)
    expected = [(told, record)] if settles else []
    assert find_in_gap([told], [record]) == Findings([], expected, [], [])
    assert find_in_gap([told._replace(stale=False)], [record]).ends == []
