"""Told calls are remembered for as long as the history may show them, and not for ever."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

import pytest

from keyyo_cti._catch_up import told_calls
from keyyo_cti._catch_up.endings import complete
from keyyo_cti._catch_up.told_calls import ToldCalls, describe, exclude
from keyyo_cti._display.dates import dates_of

from .town import a_record, a_told


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told_calls, "_FIRST_LIMIT", 10)
    monkeypatch.setattr(told_calls, "_MAX_CALLS", 40)


@pytest.mark.parametrize("state, keeps_all, kept", [
    ("RELEASE", False, 20), ("CONNECT", False, 40), ("RELEASE", True, 40),
])
def test_old_calls_that_have_ended_are_forgotten_unless_a_gap_lasts(
    state: str, keeps_all: bool, kept: int
) -> None:
    now: List[float] = [0.0]
    told = ToldCalls(10, lambda call: {"state": state}, lambda: now[0])
    told.keeps_all = keeps_all
    for number in range(200):
        now[0] = float(number)
        assert told.add(number) and not told.add(number)
    calls = told.all()
    assert 10 <= len(calls) <= kept and 199 in calls and calls[199] == 199.0


@pytest.mark.parametrize("earlier, left", [
    ({"callref": "1"}, False),
    ({"callref": "2"}, True),  # Another call of the same numbers, in the same second.
    ({"callref": None}, False),  # The file of an earlier version.
    ({"callref": "1", "start": 4}, True),  # The service has used the callref again.
])
def test_call_of_an_earlier_run_is_left_unless_this_run_tells_it(
    earlier: Dict[str, Any], left: bool
) -> None:
    """By now it was answered, too."""
    call = a_told(earlier.pop("start", 5), **earlier)
    starts = (5,) if call.callref is None else (5, 7)
    assert exclude([call], [a_told(*starts, callref="1")]) == [call] * left


@pytest.mark.parametrize("first, dates, starts", [
    (5.0, {}, (5.0,)), (None, {"release_date": 9}, (9,)), (5.0, {"release_date": 9}, (5.0,)),
    (5.0, {"setup_date": 3, "connect_date": 4}, (3, 4)), (None, {}, ()),
])
def test_starts_of_a_call_without_dates_are_those_of_its_notifications(
    first: Optional[float], dates: Dict[str, Any], starts: Any
) -> None:
    assert describe(object(), dates, first, False, str).starts == starts


@pytest.mark.parametrize("known, seconds, state, dates", [
    ({"setup_date": 5, "connect_date": 7}, 30, "RELEASE", (5, 7, 37)),
    ({"setup_date": 5, "connect_date": 7}, 0, "RELEASE", (5, 7, 7)),
    ({"setup_date": 5}, 30, "RELEASE", (5, 6, 36)),
    ({"setup_date": 5}, 0, "MISSED", (5, None, 5)),
    ({}, 0, "MISSED", (None, None, 6)),
])
def test_end_by_the_history_has_what_is_known(
    known: Dict[str, Any], seconds: int, state: str, dates: Any
) -> None:
    fields = complete(a_record(start=6, seconds=seconds), {"callref": "1", **known})
    assert (fields["state"], tuple(dates_of(fields))) == (state, dates)
    assert ("release_date" in fields) is ("connect_date" in known)
