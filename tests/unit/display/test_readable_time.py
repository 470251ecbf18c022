"""Dates and durations as people read them."""

from __future__ import annotations

import time
from typing import Any

import pytest

from keyyo_cti._display.readable_time import format_duration, local_time


@pytest.mark.parametrize(
    "seconds, written",
    [(0, "0:00"), (65, "1:05"), (3599, "59:59"), (3600, "1:00:00"), (90061, "25:01:01")],
)
def test_stopwatch(seconds: int, written: str) -> None:
    """Minutes and seconds, and hours where there are any."""
    assert format_duration(seconds) == written


def test_local_time() -> None:
    """A date is in local time, as a number or as a text."""
    assert local_time(1795600000) == local_time("1795600000") == time.localtime(1795600000)


@pytest.mark.parametrize("date", [None, "x", True, [], 1e300, -1e18, float("nan"), float("inf")])
def test_no_date(date: Any) -> None:
    """What is no date, or is in no calendar, has no local time."""
    assert local_time(date) is None
