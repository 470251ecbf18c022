"""Figures that are added up from many threads."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Dict


class Tally:
    """Counts by name. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: "Counter[str]" = Counter()

    def add(self, name: str, count: int = 1) -> None:
        with self._lock:
            self._counts[name] += count

    def counts(self) -> Dict[str, int]:
        """Every count, the greatest first."""
        with self._lock:
            return dict(self._counts.most_common())

    def total(self) -> int:
        with self._lock:
            return sum(self._counts.values())
