"""The drops and gaps of the last day, by a clock that is set by hand."""

from __future__ import annotations

from typing import List, Optional, Tuple

import pytest

from keyyo_cti._client.history import MAX_ENTRIES, History, LastDay
from keyyo_cti._client.outage import Outage, Silence

HOUR, DAY = 3600.0, 86_400.0


class Clock:
    def __init__(self) -> None:
        self.now = 5000.0

    def __call__(self) -> float:
        return self.now


class Ended:
    """A connection that has ended."""

    def __init__(self, in_session: bool = True, silence: float = 5.0) -> None:
        self.in_session = in_session
        self.last_silence = Silence(silence, 0.0)
        self.vitals: Tuple[Optional[float], Optional[float]] = (None, 0.25)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def history(clock: Clock) -> History:
    return History(clock, lambda: clock.now + 1e9)


def drop(history: History, clock: Clock, silence: float = 5.0, destroying: bool = False) -> None:
    history.on_end(Ended(silence=silence), Outage(silence, clock), destroying)


def test_new_history_is_empty(history: History, clock: Clock) -> None:
    assert history.summary(clock.now) == (0, 0, 0.0)
    assert (history.opened_at, history.last_frame_at, history.round_trip) == (None, None, None)


def test_gap_lasts_from_the_last_frame_until_the_session_is_open(
    history: History, clock: Clock
) -> None:
    drop(history, clock)
    assert history.last_frame_at == clock.now - 5 and history.round_trip == 0.25
    clock.now += 10
    assert history.summary(clock.now) == (1, 1, 15.0)
    history.on_open()
    clock.now += 10
    assert history.summary(clock.now) == (1, 1, 15.0)
    assert history.opened_at == clock.now - 10


def test_gap_that_restored_tells_is_taken(history: History, clock: Clock) -> None:
    drop(history, clock)
    clock.now += 10
    history.on_open(14.5)
    assert history.summary(clock.now) == (1, 1, 14.5)


@pytest.mark.parametrize("lasts", [True, False])
def test_time_in_two_gaps_counts_once(history: History, clock: Clock, lasts: bool) -> None:
    """A gap begins a round trip before the last frame, which may be before the last restore."""
    drop(history, clock)
    clock.now += 10
    history.on_open(15.0)
    clock.now += 2
    drop(history, clock, silence=3.0)
    clock.now += 1
    if not lasts:
        history.on_open(4.0)
    assert history.summary(clock.now) == (2, 2, 18.0)


def test_close_ends_the_gap(history: History, clock: Clock) -> None:
    drop(history, clock)
    history.on_close()
    history.on_close()
    clock.now += HOUR
    history.on_open()
    assert history.summary(clock.now) == (1, 1, 5.0)


@pytest.mark.parametrize("in_session", [True, False])
def test_end_without_an_outage_is_no_drop(
    history: History, clock: Clock, in_session: bool
) -> None:
    history.on_end(Ended(in_session), None, False)
    history.on_open()
    assert history.summary(clock.now) == (0, 0, 0.0)
    assert (history.last_frame_at is not None) == in_session


def test_drop_of_a_session_that_is_being_destroyed_has_no_gap(
    history: History, clock: Clock
) -> None:
    drop(history, clock, destroying=True)
    assert history.summary(clock.now + 10) == (1, 0, 0.0)


def test_gap_counts_within_the_last_day_only(history: History, clock: Clock) -> None:
    """A gap of 30 hours fills the day; ten hours after it, fourteen hours of the day."""
    drop(history, clock, silence=0.0)
    clock.now += 30 * HOUR
    assert history.summary(clock.now) == (0, 1, DAY)
    history.on_open()
    clock.now += 10 * HOUR
    assert history.summary(clock.now) == (0, 1, 14 * HOUR)
    clock.now += 14 * HOUR
    assert history.summary(clock.now) == (0, 0, 0.0)


def test_last_day_forgets_each_entry_after_a_day() -> None:
    day = LastDay()
    for hour in range(100):
        day = day.add(hour * HOUR, 2.0)
    assert len(day.entries) == 24
    assert [day.times(99 * HOUR + later) for later in (0, HOUR, DAY - 1, DAY)] == [24, 23, 1, 0]
    assert day.seconds(99 * HOUR) == 24 * 2.0


@pytest.mark.parametrize("interval", [0.0, 0.5, 7.0, 59.0])
def test_last_day_of_very_many_is_bounded_and_counts_all(interval: float) -> None:
    day, count, most = LastDay(), 2000, 0
    for number in range(count):
        day = day.add(number * interval, 0.5)
        most = max(most, len(day.entries))
    now = count * interval
    true = [number for number in range(count) if now - number * interval < DAY]
    assert most <= 2 * MAX_ENTRIES
    assert abs(day.times(now) - len(true)) * interval <= 61
    assert day.seconds(now) == pytest.approx(day.times(now) * 0.5)


def test_last_day_that_stays_full_for_weeks_forgets_what_is_old() -> None:
    """Drops every 40 s for two days: the count is that of a day, to the minute."""
    sizes: List[int] = []
    day = LastDay()
    for number in range(2 * 2160):
        day = day.add(number * 40.0)
        sizes.append(len(day.entries))
    assert max(sizes) <= 2 * MAX_ENTRIES
    assert abs(day.times(2 * DAY) - 2160) <= 2


def test_readers_keep_what_they_read(history: History, clock: Clock) -> None:
    """What a reader holds is not changed by a later drop: it needs no lock."""
    drop(history, clock)
    before = history._losses
    history.on_open()
    drop(history, clock)
    assert (before.drops.times(clock.now), before.gaps.times(clock.now)) == (1, 0)
