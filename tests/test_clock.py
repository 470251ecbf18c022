"""Time."""

from __future__ import annotations

import time
from typing import Any, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyyo_cti.clock import ServerClock, as_seconds, lasting, slept


class Hand:
    """A clock that is set by hand."""

    def __init__(self, time: float) -> None:
        self.time = time

    def __call__(self) -> float:
        return self.time


def test_before_a_session() -> None:
    """Before there is a session, the server's time is the local one."""
    wall = Hand(1000.0)
    clock = ServerClock(Hand(5.0), wall)
    assert clock.now() == 1000.0
    wall.time = 1001.5
    assert clock.now() == 1001.5


def test_after_a_session() -> None:
    """From then on it is the session's now plus the time since, wherever the local clock is."""
    monotonic, wall = Hand(5.0), Hand(1000.0)
    clock = ServerClock(monotonic, wall)
    clock.set(2_000_000)
    assert clock.now() == 2_000_000
    monotonic.time += 7.5
    wall.time -= 86_400
    assert clock.now() == 2_000_007.5


def test_set_again() -> None:
    """A later session sets the time anew."""
    monotonic = Hand(5.0)
    clock = ServerClock(monotonic, Hand(0.0))
    clock.set(100)
    monotonic.time += 50
    clock.set("120.5")
    assert clock.now() == 120.5


@pytest.mark.parametrize("now", [None, "noon", True, [], {}, float("nan"), float("inf")])
def test_now_that_is_no_number(now: Any) -> None:
    """A now that is no number is passed over."""
    clock = ServerClock(Hand(5.0), Hand(1000.0))
    clock.set(now)
    assert clock.now() == 1000.0
    clock.set(100)
    clock.set(now)
    assert clock.now() == 100


@pytest.mark.parametrize(
    "date, seconds",
    [
        (0, 0.0),
        (1_700_000_000, 1_700_000_000.0),
        (1.5, 1.5),
        ("1700000000", 1_700_000_000.0),
        (" 3 ", 3.0),
        ("", None),
        ("1_000", None),
        ("\u0663", None),
        ("today", None),
        ("nan", None),
        ("-inf", None),
        (10**400, None),
        (float("inf"), None),
        (True, None),
        (None, None),
        (b"3", None),
        ([3], None),
    ],
)
def test_as_seconds(date: Any, seconds: Optional[float]) -> None:
    """A date is a finite number, or a string that holds one; anything else is none."""
    assert as_seconds(date) == seconds


@settings(deadline=None, derandomize=True, database=None, max_examples=60)
@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary())
def test_any_date(date: Any) -> None:
    """Whatever the server sends as a date, it is a finite number or none."""
    seconds = as_seconds(date)
    assert seconds is None or abs(seconds) < float("inf")


@pytest.mark.fault(7)
def test_slept_is_not_for_who_sets_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting the wall clock is no sleep: how long the machine has slept does not change."""
    before = slept()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert abs(slept() - before) < 1.0


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="needs such a clock")
def test_slept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sleep is by what the clock that goes on is ahead of the one that stands still."""
    before, real = slept(), time.clock_gettime
    monkeypatch.setattr(time, "clock_gettime", lambda clock: real(clock) + 120)
    assert 119 < slept() - before < 121
    assert 119 < lasting() - before - time.monotonic() < 121


def test_without_such_a_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no clock tells, the machine has not slept."""
    monkeypatch.setattr("keyyo_cti.clock._SLEEPLESS", None)
    assert slept() == 0.0
    assert abs(lasting() - time.monotonic()) < 1.0
