"""Clocks that nobody can step, for deadlines, and the wall clock."""

import sys
import time
from functools import partial
from typing import Callable, Optional

#: Seconds that only ever go forward; the zero is arbitrary. Injected in tests.
Monotonic = Callable[[], float]

#: The clocks of the whole SDK, bound when it is imported. Otherwise freezegun, which replaces
#: those of ``time`` and whatever module attribute is one of them, would stop every deadline.
monotonic: Monotonic = partial(time.monotonic)
wall_clock: Callable[[], float] = partial(time.time)

NEVER = float("inf")


def _find_clock_with_sleep() -> Optional[int]:
    """The system's clock that, unlike Python's monotonic one, goes on while the machine sleeps,
    if there is one."""
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
    """Seconds that this machine has slept, since some moment in the past: the difference of two
    clocks that nobody sets. Always 0 where the monotonic clock goes on meanwhile (Windows), or
    where no clock tells.
    """
    if _CLOCK_WITH_SLEEP is None:
        return 0.0
    return time.clock_gettime(_CLOCK_WITH_SLEEP) - monotonic()


def monotonic_with_sleep(monotonic: Monotonic = monotonic) -> float:
    """Monotonic seconds, those included that the machine has slept."""
    return monotonic() if _CLOCK_WITH_SLEEP is None else time.clock_gettime(_CLOCK_WITH_SLEEP)
