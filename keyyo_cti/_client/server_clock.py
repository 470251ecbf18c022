"""The server's clock, derived from the times that it sends."""

import threading
from typing import Any, Callable, Optional, Tuple

from .._display.dates import as_date
from .._net.clock import NEVER, Monotonic, monotonic_with_sleep, wall_clock

#: Maximum drift of two clocks, in seconds per second, with a margin. A month adds minutes.
_MAX_DRIFT = 1e-4

#: Maximum seconds of a date ahead of the server's clock; beyond it, the date is wrong. The clock
#: may lag after a suspend, on systems whose clocks do not count it.
_MAX_LEAP = 86_400.0

#: Maximum seconds of the network latency. A longer round trip was spent waiting.
_MAX_LATENCY = 1.0


def as_latency(round_trip: float) -> float:
    """Return the seconds of a round trip that the network may have taken."""
    return min(max(0.0, round_trip), _MAX_LATENCY)


class _Offset:
    """The offset from the monotonic clock to the server's, and the latest time it returned."""

    __slots__ = ("seconds", "latest")

    def __init__(self, seconds: float, latest: float) -> None:
        self.seconds = seconds
        self.latest = latest


class ServerClock:
    """The server's Unix time, on which a call's dates are.

    It is an offset to a monotonic clock that runs during a suspend, so a local clock that is
    wrong or stepped does no harm. Without a session it is the local clock. Thread-safe.

    The server truncates its times to whole seconds. Each of them bounds the offset to a second
    plus the latency, and together they narrow it. If the local clock lies within the bounds, it
    is taken as right. Otherwise the middle is used, which is right on average.
    """

    def __init__(
        self, monotonic: Monotonic = monotonic_with_sleep, wall: Callable[[], float] = wall_clock
    ) -> None:
        self._monotonic = monotonic
        self._wall = wall
        # Guards changes. Reads take no lock, because a signal handler may read.
        self._lock = threading.Lock()
        self._offset: Optional[_Offset] = None
        # The bounds of the offset, and when they held; the newest date; the latency.
        self._low = self._high = self._at = 0.0
        self._newest = -NEVER
        self._latency = 0.0

    def set(self, now: Any, round_trip: float = 0.0) -> None:
        """Set the clock from the server's ``now``; ignore a value that is not a date.

        :param now: Unix time in seconds.
        :param round_trip: seconds from the command to its reply; ``now`` was true in between.
        """
        seconds = as_date(now)
        if seconds is None:
            return
        with self._lock:
            at = self._monotonic()
            self._latency = as_latency(round_trip)
            low, high = self._bounds(seconds, at)
            old_low, old_high = self._aged_bounds(at)
            if self._offset is not None and low < old_high and old_low < high:
                low, high = max(low, old_low), min(high, old_high)
            else:
                # Another server, or its clock was set: the time may go back.
                self._offset, self._newest = None, -NEVER
            self._newest = max(self._newest, seconds)
            self._settle(low, high, at)

    def learn(self, date: Optional[float]) -> None:
        """Narrow the offset with a date that the server has just sent and that is therefore past.

        :param date: Unix time in seconds, or None.
        """
        # Without the lock: most notifications bring no newer date.
        if date is None or date <= self._newest or self._offset is None:
            return
        with self._lock:
            at = self._monotonic()
            low, high = self._bounds(date, at)
            old_low, old_high = self._aged_bounds(at)
            if low > old_high + _MAX_LEAP:
                return
            if low < old_high:
                # A new date is from this very second, unless the notification was delayed. Then
                # it may be older than the bounds allow.
                was_held_up = high <= old_low
                low, high = max(low, old_low), old_high if was_held_up else min(high, old_high)
            self._newest = max(self._newest, date)
            self._settle(low, high, at)

    def now(self) -> float:
        """Return the server's Unix time in seconds. It never goes back within a session."""
        offset = self._offset
        if offset is None:
            return self._wall()
        offset.latest = max(offset.latest, offset.seconds + self._monotonic())
        return offset.latest

    def _bounds(self, seconds: float, at: float) -> Tuple[float, float]:
        """Return the bounds of the offset for a server time received at ``at``."""
        cut = 1.0 if seconds == int(seconds) else 0.0
        return seconds - at, seconds - at + cut + self._latency

    def _aged_bounds(self, at: float) -> Tuple[float, float]:
        drift = _MAX_DRIFT * (at - self._at)
        return self._low - drift, self._high + drift

    def _settle(self, low: float, high: float, at: float) -> None:
        self._low, self._high, self._at = low, high, at
        local = self._wall() - at
        seconds = local if low <= local < high else (low + high) / 2
        self._offset = _Offset(seconds, -NEVER if self._offset is None else self._offset.latest)
