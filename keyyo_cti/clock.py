"""Time: deadlines that a stepped clock cannot move, and the server's clock."""

import sys
import threading
import time
from typing import Any, Callable, Optional

from .javascript import as_number

#: Seconds that only ever go forward; the zero is arbitrary. Injected in tests.
Monotonic = Callable[[], float]

NEVER = float("inf")


def _sleepless() -> Optional[int]:
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


_SLEEPLESS = _sleepless()


def slept() -> float:
    """Seconds that this machine has slept, since some moment in the past: the difference of two
    clocks that nobody sets. Always 0 where the monotonic clock goes on meanwhile (Windows), or
    where no clock tells.
    """
    if _SLEEPLESS is None:
        return 0.0
    return time.clock_gettime(_SLEEPLESS) - time.monotonic()


def lasting() -> float:
    """Monotonic seconds, those included that the machine has slept."""
    return time.monotonic() + slept()


class ServerClock:
    """The server's Unix time, which the dates of a call are on.

    It is the session's ``now`` plus the monotonic time since, so that a local clock that is
    wrong or stepped does no harm. Before there is a session it is the local clock.
    Thread-safe.
    """

    def __init__(
        self, monotonic: Monotonic = time.monotonic, wall: Callable[[], float] = time.time
    ) -> None:
        self._monotonic = monotonic
        self._wall = wall
        self._lock = threading.Lock()
        self._offset: Optional[float] = None

    def set(self, now: Any) -> None:
        """Takes over the server's ``now``, in Unix seconds; what is no number is passed over."""
        seconds = as_seconds(now)
        if seconds is not None:
            with self._lock:
                self._offset = seconds - self._monotonic()

    def now(self) -> float:
        """The server's Unix time in seconds."""
        with self._lock:
            offset = self._offset
        return self._wall() if offset is None else offset + self._monotonic()


def as_seconds(date: Any) -> Optional[float]:
    """Return a date or a duration of the server in seconds, or None where it is not one."""
    return as_number(date)
