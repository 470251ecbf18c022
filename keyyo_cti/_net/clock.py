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
wall_clock: Callable[[], float] = partial(time.time)

NEVER = float("inf")


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
    return monotonic() if _CLOCK_WITH_SLEEP is None else time.clock_gettime(_CLOCK_WITH_SLEEP)
