"""When things arrive, and how long they took."""

from __future__ import annotations

import statistics
import threading
import time
from typing import Dict, List, Optional, Sequence

#: Seconds that a sample may take.
PATIENCE = 300.0


class Arrivals:
    """Counts notifications.

    :param expected: how many there are to be.
    """

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._count = 0
        self._first = self._last = 0.0
        self._all = threading.Event()
        #: Seconds from the sending of each, where it tells when that was.
        self.delays: List[float] = []

    def add(self, sent_at: Optional[float] = None) -> None:
        """One is there."""
        self._count += 1
        if self._count == 1:
            self._first = time.monotonic()
        if sent_at is not None:
            self.delays.append(time.monotonic() - sent_at)
        if self._count == self._expected:
            self._last = time.monotonic()
            self._all.set()

    @property
    def complete(self) -> bool:
        return self._all.is_set()

    def wait(self) -> None:
        if not self._all.wait(PATIENCE):
            raise AssertionError(f"{self._count} of {self._expected} have arrived")

    def rate(self) -> float:
        """How many a second."""
        return (self._expected - 1) / (self._last - self._first)


def spread(seconds: Sequence[float]) -> Dict[str, float]:
    """The median and the 99th percentile."""
    ordered = sorted(seconds)
    return {"median": statistics.median(ordered), "p99": ordered[int(len(ordered) * 0.99)]}
