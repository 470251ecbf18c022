"""The dates of a call."""

from __future__ import annotations

from typing import Any, Dict, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyyo_cti._display.dates import Dates, as_date, dates_of, follow, latest_date


@pytest.mark.parametrize(
    "value, date",
    [
        (1_700_000_000, 1_700_000_000),
        (1.5, 1.5),
        ("1700000000", 1_700_000_000),
        (" 3 ", 3),
        (0, None),
        ("0", None),
        (-1, None),
        (-1.5, None),
        ("", None),
        ("noon", None),
        (None, None),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
        (10**400, None),
        (253_402_300_799, 253_402_300_799),
        (253_402_300_800, None),
        ("253402300800", None),
        (1_700_000_000_000, None),
        (1e300, None),
        (2**53, None),
        ([1], None),
        ({}, None),
    ],
)
def test_as_date(value: Any, date: Optional[float]) -> None:
    """A date is a number above 0, or text that holds one, before the year 10000."""
    assert as_date(value) == date


def test_latest_date() -> None:
    """The latest date is the one of the last event, as the server sent it."""
    assert latest_date({}) is None
    assert latest_date({"setup_date": "", "connect_date": 0, "release_date": None}) is None
    assert latest_date({"setup_date": 5, "connect_date": "7", "release_date": ""}) == 7
    assert latest_date({"setup_date": 5, "connect_date": 7, "release_date": 9.5}) == 9.5
    assert latest_date({"setup_date": 5, "connect_date": "noon", "release_date": -1}) == 5
    known = {"setup_date": 5, "connect_date": 7}
    kept = follow(known, {"setup_date": 5, "state": "CONNECT"}, lambda: 9.0)
    assert latest_date(kept) == 5 and dates_of(kept) == Dates(5, 7)


@pytest.mark.parametrize("state", ["RELEASE", "MISSED"])
def test_end_without_a_date_is_now(state: str) -> None:
    """The fields stay what the server sent."""
    fields = {"state": state, "connect_date": 3, "release_date": ""}
    dated = follow({}, fields, lambda: 9.5)
    assert dated == fields and dates_of(dated) == Dates(None, 3, 9.5)
    # Notified again, it still ended when it did.
    assert dates_of(follow(dated, fields, lambda: 20.0)) == Dates(None, 3, 9.5)


@pytest.mark.parametrize("state", ["RELEASE", "MISSED"])
def test_end_without_any_date_is_now(state: str) -> None:
    """Dates that come later do not move the end to when they came."""
    dated = follow({}, {"state": state}, lambda: 9.5)
    assert dated == {"state": state} and dates_of(dated) == Dates(None, None, 9.5)
    later = {"state": state, "setup_date": 2, "connect_date": 3}
    assert dates_of(follow(dated, later, lambda: 20.0)) == Dates(2, 3, 9.5)


@pytest.mark.parametrize("junk", [253_402_300_800, 10**400, 1e300, "noon", -5, [], True])
def test_date_that_becomes_junk_stays_known(junk: Any) -> None:
    """A notification with junk in a date lacks it, as one without the date does."""
    known = {"state": "CONNECT", "setup_date": 2, "connect_date": 3}
    fields = {"state": "CONNECT", "setup_date": junk, "connect_date": junk}
    assert dates_of(follow(known, fields, lambda: 9.5)) == Dates(2, 3)
    ended = {"state": "RELEASE", "setup_date": 2, "connect_date": 3, "release_date": junk}
    assert dates_of(follow(known, ended, lambda: 9.5)) == Dates(2, 3, 9.5)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"state": "CONNECT", "release_date": 0},
        {"state": "RELEASE", "release_date": 5},
        {"state": ["RELEASE"]},
    ],
)
def test_fields_that_need_no_end_are_left_alone(fields: Dict[str, Any]) -> None:
    """A call that goes on, or whose end has a date, needs nothing."""
    assert follow({}, fields, lambda: 9.5) is fields


ANY_DATE: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.just([])
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "setup_date": ANY_DATE,
        "connect_date": ANY_DATE,
        "release_date": ANY_DATE,
        "state": st.sampled_from(["SETUP", "CONNECT", "RELEASE", "MISSED", "OTHER", ["RELEASE"]]),
    },
)


@settings(deadline=None, derandomize=True, database=None, max_examples=60)
@given(st.lists(FIELDS, max_size=5))
def test_any_notifications(told: Any) -> None:
    """Whatever is notified, the fields stay as they were sent, and dates are numbers above 0."""
    known: Any = {}
    for fields in told:
        known = follow(known, fields, lambda: 8.5)
        assert list(known) == list(fields)
        assert all(date is None or date > 0 for date in dates_of(known))
