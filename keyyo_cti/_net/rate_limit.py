"""How often the same complaint is made."""

from typing import Optional

from .clock import Monotonic, monotonic


class RateLimit:
    """Lets through so many in a period, and counts the others.

    Not thread-safe: for one thread, or under a lock.

    :param most: how many in each period.
    :param period: seconds.
    """

    def __init__(self, most: int, period: float, clock: Monotonic = monotonic) -> None:
        self._most = most
        self._period = period
        self._clock = clock
        self._began: Optional[float] = None
        self._passed = 0
        self.left_out = 0

    def allows(self) -> bool:
        """True if this one may pass; otherwise it is counted in ``left_out``."""
        if self._began is None or self._clock() - self._began >= self._period:
            self._began, self._passed = self._clock(), 0
        if self._passed < self._most:
            self._passed += 1
            return True
        self.left_out += 1
        return False

    def due(self) -> Optional[float]:
        """The monotonic time at which those that were left out are to be summed up, if any."""
        if self._began is None or not self.left_out:
            return None
        return self._began + self._period

    def take_left_out(self) -> int:
        """How many were left out since the last time."""
        count, self.left_out = self.left_out, 0
        return count
