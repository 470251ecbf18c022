"""A limit for repeated log records and errors."""

from typing import Optional

from .clock import Monotonic, monotonic


class RateLimit:
    """A limit of events in each period, with a count of the others. Not thread-safe.

    :param most: events in each period.
    :param period: seconds.
    :ivar left_out: the count of the others.
    """

    def __init__(self, most: int, period: float, clock: Monotonic = monotonic) -> None:
        self._most = most
        self._period = period
        self._clock = clock
        self._began: Optional[float] = None
        self._passed = 0
        self.left_out = 0

    def allows(self) -> bool:
        """Return True if this event is allowed; otherwise count it in ``left_out``."""
        if self._began is None or self._clock() - self._began >= self._period:
            self._began, self._passed = self._clock(), 0
        if self._passed < self._most:
            self._passed += 1
            return True
        self.left_out += 1
        return False

    def due(self) -> Optional[float]:
        """Return the monotonic time at which to report ``left_out``, or None if it is 0."""
        if self._began is None or not self.left_out:
            return None
        return self._began + self._period

    def take_left_out(self) -> int:
        """Return ``left_out``, and reset it."""
        count, self.left_out = self.left_out, 0
        return count
