"""The server's clock, by the times that it sends."""

import threading
from typing import Any, Callable, Optional, Tuple

from .._display.dates import as_date
from .._net.clock import NEVER, Monotonic, lasting, wall_clock

#: Seconds that two clocks may go apart in one, with a margin; a month of it would be minutes.
_MAX_DRIFT = 1e-4

#: Seconds that a date may be ahead of the server's clock; one beyond it is no date. The clock may
#: lag behind because the machine has slept, where no clock tells that.
_MAX_LEAP = 86_400.0

#: Seconds that the way to the server may take. A reply that takes longer was waited for.
_MAX_LATENCY = 1.0


class _Offset:
    """From the monotonic clock to the server's time, and the last time that was told by it."""

    __slots__ = ("seconds", "told")

    def __init__(self, seconds: float, told: float) -> None:
        self.seconds = seconds
        self.told = told


class ServerClock:
    """The server's Unix time, which the dates of a call are on.

    It is an offset to the monotonic clock that goes on while the machine sleeps, so that a local
    clock that is wrong or stepped does no harm. Before there is a session it is the local clock.

    The server cuts its times to whole seconds. Each of them tells that the offset lies between
    two bounds, a second and the way to the server apart, and together they tell it better. If the
    local clock lies between the bounds, it is taken for right; otherwise the middle is, which is
    right on average. Thread-safe.
    """

    def __init__(
        self, monotonic: Monotonic = lasting, wall: Callable[[], float] = wall_clock
    ) -> None:
        self._monotonic = monotonic
        self._wall = wall
        # For those that change the clock. It is read without, as a signal handler may read it.
        self._lock = threading.Lock()
        self._offset: Optional[_Offset] = None
        # The bounds of the offset, and when they held; the last date; the way to the server.
        self._low = self._high = self._at = 0.0
        self._newest = -NEVER
        self._latency = 0.0

    def set(self, now: Any, round_trip: float = 0.0) -> None:
        """Take over the server's ``now``, in Unix seconds; what is no date is passed over.

        :param round_trip: seconds from the command to its reply, between which ``now`` was true.
        """
        seconds = as_date(now)
        if seconds is None:
            return
        with self._lock:
            at = self._monotonic()
            self._latency = min(max(0.0, round_trip), _MAX_LATENCY)
            low, high = self._bounds(seconds, at)
            old_low, old_high = self._aged_bounds(at)
            if self._offset is not None and low < old_high and old_low < high:
                low, high = max(low, old_low), min(high, old_high)
            else:
                # Another server, or one whose clock was set: time may go back.
                self._offset, self._newest = None, -NEVER
            self._newest = max(self._newest, seconds)
            self._settle(low, high, at)

    def learn(self, date: Optional[float]) -> None:
        """Take in a date that the server has just sent, and that has therefore passed there.

        :param date: in Unix seconds, or None.
        """
        # Without the lock: nearly every notification brings dates that are not news.
        if date is None or date <= self._newest or self._offset is None:
            return
        with self._lock:
            at = self._monotonic()
            low, high = self._bounds(date, at)
            old_low, old_high = self._aged_bounds(at)
            if low > old_high + _MAX_LEAP:
                return
            if low < old_high:
                # A new date is from this very second, unless it was held up on its way. Then it
                # may be older than is possible.
                was_held_up = high <= old_low
                low, high = max(low, old_low), old_high if was_held_up else min(high, old_high)
            self._newest = max(self._newest, date)
            self._settle(low, high, at)

    def now(self) -> float:
        """Return the server's Unix time in seconds; it never goes back within a session."""
        offset = self._offset
        if offset is None:
            return self._wall()
        offset.told = max(offset.told, offset.seconds + self._monotonic())
        return offset.told

    def _bounds(self, seconds: float, at: float) -> Tuple[float, float]:
        """Return the bounds of the offset that a time of the server says, received at ``at``."""
        cut = 1.0 if seconds == int(seconds) else 0.0
        return seconds - at, seconds - at + cut + self._latency

    def _aged_bounds(self, at: float) -> Tuple[float, float]:
        drift = _MAX_DRIFT * (at - self._at)
        return self._low - drift, self._high + drift

    def _settle(self, low: float, high: float, at: float) -> None:
        self._low, self._high, self._at = low, high, at
        local = self._wall() - at
        seconds = local if low <= local < high else (low + high) / 2
        self._offset = _Offset(seconds, -NEVER if self._offset is None else self._offset.told)
