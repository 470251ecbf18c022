"""Time."""

from __future__ import annotations

import time
from random import Random
from typing import Any, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyyo_cti._client.server_clock import ServerClock
from keyyo_cti._net.clock import (
    HandClock,
    monotonic_with_sleep,
    set_hand_clock,
    shorten_pause,
    time_asleep,
    wall_clock,
    with_sleep,
)
from keyyo_cti._net.javascript import as_number


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
    """From then on it is the session's now plus the time since, wherever the local clock is. As
    now is cut to whole seconds, the middle of that second is right on average."""
    monotonic, wall = Hand(5.0), Hand(1000.0)
    clock = ServerClock(monotonic, wall)
    clock.set(2_000_000)
    assert clock.now() == 2_000_000.5
    monotonic.time += 7.5
    wall.time -= 86_400
    assert clock.now() == 2_000_008


def test_set_again() -> None:
    """A later session of another time sets the time anew, also back."""
    monotonic = Hand(5.0)
    clock = ServerClock(monotonic, Hand(0.0))
    clock.set(100)
    monotonic.time += 50
    assert clock.now() == 150.5
    clock.set("120.5")
    assert clock.now() == 120.5


def test_later_sample_of_the_same_time_tightens_it() -> None:
    """Two seconds that are cut at different fractions tell more than one."""
    monotonic = Hand(0.0)
    clock = ServerClock(monotonic, Hand(0.0))
    clock.set(1000)  # 1000.8 in truth
    monotonic.time = 10.5
    clock.set(1011)  # 1011.3
    assert clock.now() == pytest.approx(1011.25, abs=0.01)
    monotonic.time = 20.1
    clock.set(1020)  # 1020.9
    assert clock.now() == pytest.approx(1020.8, abs=0.01)


def test_round_trip_counts_by_half() -> None:
    """The reply was under way for some of the time since the command; it is taken for half."""
    clock = ServerClock(Hand(5.0), Hand(0.0))
    clock.set(1000, round_trip=0.2)
    assert clock.now() == pytest.approx(1000.6)


def test_slow_reply_does_not_move_the_clock_far() -> None:
    """A server that took half a minute to answer did not take it on the way."""
    clock = ServerClock(Hand(5.0), Hand(0.0))
    clock.set(1000, round_trip=30.0)
    assert clock.now() == 1001


def test_local_clock_that_can_be_right_is_taken_for_right() -> None:
    """If the local clock agrees with now, it has the fraction; where it is stepped to later does
    not matter."""
    monotonic, wall = Hand(5.0), Hand(1000.9)
    clock = ServerClock(monotonic, wall)
    clock.set(1000)
    wall.time = 0.0
    assert clock.now() == pytest.approx(1000.9)
    monotonic.time += 10
    assert clock.now() == pytest.approx(1010.9)


@pytest.mark.parametrize("local", [999.9, 1001.1])
def test_local_clock_that_is_wrong_is_not_used(local: float) -> None:
    """A clock that is off by more than now allows is wrong."""
    clock = ServerClock(Hand(5.0), Hand(local))
    clock.set(1000)
    assert clock.now() == 1000.5


def test_later_date_moves_the_clock_forward() -> None:
    """A date in a notification has passed at the server: its clock is not behind it."""
    monotonic = Hand(0.0)
    clock = ServerClock(monotonic, Hand(0.0))
    clock.set(1000)
    monotonic.time = 10.0
    clock.learn(1070)
    assert 1070 <= clock.now() < 1071
    monotonic.time = 20.0
    assert 1080 <= clock.now() < 1081


def test_date_within_the_second_tightens_the_clock() -> None:
    """The truth is 1000.1 at first: the later date leaves no room for more."""
    monotonic = Hand(0.0)
    clock = ServerClock(monotonic, Hand(0.0))
    clock.set(1000)
    for elapsed, date in ((10.8, 1010), (20.95, 1021), (30.85, 1030)):
        monotonic.time = elapsed
        clock.learn(date)
    assert clock.now() == pytest.approx(1030.95, abs=0.06)


@pytest.mark.parametrize("date", [None, 1, 500, 999, 1000, 1e12, 1_700_000_000_000, 10**15])
def test_date_that_tells_nothing_leaves_the_clock_alone(date: Any) -> None:
    """An old date is no news, and one that is days ahead is no date."""
    clock = ServerClock(Hand(5.0), Hand(0.0))
    clock.set(1000)
    clock.learn(date)
    assert clock.now() == 1000.5


def test_date_before_a_session_is_not_used() -> None:
    """Without a now there is nothing that a date could be compared with."""
    clock = ServerClock(Hand(5.0), Hand(1000.0))
    clock.learn(2000)
    assert clock.now() == 1000.0


@pytest.mark.fault(7)
@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="needs such a clock")
def test_clock_goes_on_while_the_machine_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that went on while the machine slept for an hour lasted that hour."""
    clock = ServerClock(wall=Hand(0.0))
    clock.set(1_700_000_000)
    before, real = clock.now(), time.clock_gettime
    monkeypatch.setattr(time, "clock_gettime", lambda clock: real(clock) + 3600)
    assert clock.now() - before == pytest.approx(3600, abs=5)


def test_clock_never_goes_back_within_a_session() -> None:
    """What a date corrects downwards stands still instead, so that no duration shrinks."""
    monotonic = Hand(0.0)
    clock = ServerClock(monotonic, Hand(0.0))
    clock.set(1000)  # 1000.1 in truth
    monotonic.time = 10.8
    before = clock.now()
    clock.learn(1010)
    assert clock.now() == before
    monotonic.time = 11.8
    assert clock.now() < before + 1


def _mean_error(fraction: float, local: float) -> float:
    """The mean error of 60 looks, each at a session of its own, a second and a bit apart."""
    errors = []
    for look in range(60):
        truth = 1_700_000_000 + fraction + look * (1 + 1 / 60)
        monotonic = Hand(50.0)
        clock = ServerClock(monotonic, Hand(truth + local))
        clock.set(int(truth))
        monotonic.time += 7.3
        errors.append(clock.now() - (truth + 7.3))
    return sum(errors) / len(errors)


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.25, 0.5, 0.77, 0.99])
@pytest.mark.parametrize("local", [0.0, 3600.0, -3600.0])
def test_mean_error_over_60_looks_is_small(fraction: float, local: float) -> None:
    """On a right local clock the time is right, and on a wrong one it is right on average."""
    assert abs(_mean_error(fraction, local)) < (0.001 if local == 0 else 0.02)


@pytest.mark.fault(38)
@pytest.mark.parametrize("drift", [0.0, 3e-5, -3e-5])
def test_error_stays_small_for_months(drift: float) -> None:
    """One session of 60 days, whose two clocks drift apart, with 60 calls a day and a wrong local
    clock: without the dates of the calls it would be minutes."""
    random = Random(7)
    monotonic = Hand(0.0)
    clock = ServerClock(monotonic, Hand(0.0))

    def truth() -> float:
        return 1_700_000_000.3 + monotonic.time * (1 + drift)

    clock.set(int(truth()), round_trip=0.04)
    errors = []
    for _ in range(60 * 60):
        monotonic.time += 2 * 1440 * random.random()
        date = int(truth())
        monotonic.time += 0.03
        clock.learn(date)
        errors.append(clock.now() - truth())
    assert abs(sum(errors) / len(errors)) < 0.1
    assert max(map(abs, errors)) < 0.7


@pytest.mark.parametrize(
    "now", [None, "", "noon", 0, "0", -5, True, [], {}, float("nan"), float("inf")]
)
def test_now_that_is_no_number(now: Any) -> None:
    """A now that is no number is passed over."""
    clock = ServerClock(Hand(5.0), Hand(1000.0))
    clock.set(now)
    assert clock.now() == 1000.0
    clock.set(100)
    clock.set(now)
    assert clock.now() == 100.5


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
def test_as_number(date: Any, seconds: Optional[float]) -> None:
    """A date is a finite number, or a string that holds one; anything else is none."""
    assert as_number(date) == seconds


@settings(deadline=None, derandomize=True, database=None, max_examples=60)
@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary())
def test_any_date(date: Any) -> None:
    """Whatever the server sends as a date, it is a finite number or none."""
    seconds = as_number(date)
    assert seconds is None or abs(seconds) < float("inf")


@pytest.mark.fault(7)
def test_slept_is_not_for_who_sets_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting the wall clock is no sleep: how long the machine has slept does not change."""
    before = time_asleep()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert abs(time_asleep() - before) < 1.0


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="needs such a clock")
def test_slept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sleep is by what the clock that goes on is ahead of the one that stands still."""
    before, real = time_asleep(), time.clock_gettime
    monkeypatch.setattr(time, "clock_gettime", lambda clock: real(clock) + 120)
    assert 119 < time_asleep() - before < 121
    assert 119 < monotonic_with_sleep() - before - time.monotonic() < 121


def test_without_such_a_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no clock tells, the machine has not slept."""
    monkeypatch.setattr("keyyo_cti._net.clock._CLOCK_WITH_SLEEP", None)
    assert time_asleep() == 0.0
    assert abs(monotonic_with_sleep() - time.monotonic()) < 1.0


def test_hand_clock_stops_the_time_of_ages_and_shortens_pauses() -> None:
    before = monotonic_with_sleep()
    hand = HandClock(1000.0)
    assert (set_hand_clock(hand), shorten_pause(30)) == (None, 0.05)
    try:
        stopped = monotonic_with_sleep()
        assert (wall_clock(), with_sleep(5.0)) == (1000, stopped)
        hand.advance(60)
        assert (wall_clock(), monotonic_with_sleep()) == (1060, stopped + 60)
        assert stopped >= before
    finally:
        assert set_hand_clock(None) is hand
    assert wall_clock() == pytest.approx(time.time(), abs=5)
    assert (with_sleep(5.0), shorten_pause(30)) == (5, 30)
