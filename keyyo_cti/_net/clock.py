"""Monotonic clocks, for deadlines, and the wall clock."""

import sys
import time
from functools import partial
from typing import Callable, Optional

#: A clock in seconds that never goes backward; its zero is arbitrary. Injected in tests.
Monotonic = Callable[[], float]

#: The clocks of the SDK, wrapped in partials. Otherwise freezegun, which replaces the functions
#: of ``time`` in every module, would stop every deadline.
monotonic: Monotonic = partial(time.monotonic)
system_time: Callable[[], float] = partial(time.time)

NEVER = float("inf")

#: Seconds of a day.
DAY = 86_400.0

#: Maximum seconds of a pause while a test moves the time by hand: long enough not to hammer a
#: simulator that refuses connections.
_MAX_PAUSE_BY_HAND = 0.05


class HandClock:
    """Time that a test moves by hand: durations, dates, ages of tokens, gaps, conversations.

    Timeouts, heartbeats and pings use ``monotonic`` and go on in real time. Otherwise a jump of
    an hour would time out every command and every connection.

    :ivar wall: the Unix time in seconds.
    :ivar with_sleep: the time of ``monotonic_with_sleep``. It begins at the present one, which
        must never go backward.
    :ivar moved: the seconds by which the test has moved it.
    """

    def __init__(self, wall: float) -> None:
        self.wall = wall
        self.moved = 0.0
        self.with_sleep = monotonic_with_sleep()

    def advance(self, seconds: float) -> None:
        """Move the time forward."""
        self.with_sleep += seconds
        self.wall += seconds
        self.moved += seconds


_hand_clock: Optional[HandClock] = None


def set_hand_clock(clock: Optional[HandClock]) -> Optional[HandClock]:
    """Let every client of this process use a hand clock, or real time again; return the old one.

    Only the test kit calls it.
    """
    global _hand_clock
    before, _hand_clock = _hand_clock, clock
    return before


def wall_clock() -> float:
    """Return the Unix time in seconds, perhaps of a test."""
    hand = _hand_clock
    return system_time() if hand is None else hand.wall


def moved_by_hand() -> float:
    """Return the seconds by which a test has moved the time; 0 in real time."""
    return 0.0 if _hand_clock is None else _hand_clock.moved


def with_sleep(seconds: float) -> float:
    """Return a time of ``monotonic_with_sleep`` that was computed from two other clocks.

    :param seconds: that time, if no test moves it by hand.
    """
    return seconds if _hand_clock is None else _hand_clock.with_sleep


def shorten_pause(seconds: float) -> float:
    """Return the seconds of a pause, which are few while a test moves the time by hand."""
    return seconds if _hand_clock is None else min(seconds, _MAX_PAUSE_BY_HAND)


def _find_clock_with_sleep() -> Optional[int]:
    """Return the system's clock that, unlike Python's monotonic one, includes sleep, or None."""
    name = "CLOCK_MONOTONIC_RAW" if sys.platform == "darwin" else "CLOCK_BOOTTIME"
    clock: Optional[int] = getattr(time, name, None)
    try:
        if clock is not None:
            time.clock_gettime(clock)
    except OSError:
        return None  # The system does not have what Python was built with.
    return clock


_CLOCK_WITH_SLEEP = _find_clock_with_sleep()


def time_asleep() -> float:
    """Return the seconds that this machine has slept, since an arbitrary moment.

    Always 0 where the monotonic clock includes sleep (Windows), or no clock does.
    """
    if _CLOCK_WITH_SLEEP is None:
        return 0.0
    return time.clock_gettime(_CLOCK_WITH_SLEEP) - monotonic()


def monotonic_with_sleep(monotonic: Monotonic = monotonic) -> float:
    """Return monotonic seconds that include sleep, where a clock does."""
    if _hand_clock is not None:
        return _hand_clock.with_sleep
    return monotonic() if _CLOCK_WITH_SLEEP is None else time.clock_gettime(_CLOCK_WITH_SLEEP)
