"""Time that a test moves by hand, and the little that is asked of any scheduler."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from typing import Any, Callable, List, Protocol, Tuple

Clock = Callable[[], float]


class Timer(Protocol):
    """Something due later that can be called off."""

    def cancel(self) -> None:
        """Call it off; harmless once it is over."""


class Scheduler(Protocol):
    """Whatever runs a callback later: the running loop, or a `ManualClock`."""

    def call_later(self, delay: float, callback: Callable[[], Any]) -> Timer:
        """Run `callback` after `delay` seconds."""


class LoopScheduler:
    """The loop that runs now, which is there only once the server's thread is."""

    def call_later(self, delay: float, callback: Callable[[], Any]) -> Timer:
        """Run `callback` after `delay` seconds; only on the loop's thread."""
        return asyncio.get_running_loop().call_later(delay, callback)


class ManualClock:
    """A clock that stands still until it is advanced, and runs the timers that fall due.

    Give one to ``Simulator(clock=ManualClock())`` and move it with ``Simulator.elapse``.
    It is not locked: only one thread at a time may use it.

    :param now: where it starts, in Unix seconds.
    """

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._due: List[Tuple[float, int, _ManualTimer]] = []
        self._order = itertools.count()

    def __call__(self) -> float:
        return self._now

    def call_later(self, delay: float, callback: Callable[[], Any]) -> Timer:
        """Run `callback` when the clock has been advanced by `delay` seconds."""
        timer = _ManualTimer(callback)
        heapq.heappush(self._due, (self._now + delay, next(self._order), timer))
        return timer

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`, running each timer at the very time it is due.

        :raises ValueError: `seconds` is negative.
        """
        if seconds < 0:
            raise ValueError(f"seconds: expected 0 or more, got {seconds!r}")
        end = self._now + seconds
        while self._due and self._due[0][0] <= end:
            self._now, _, timer = heapq.heappop(self._due)
            timer.run()
        self._now = end


class _ManualTimer:
    def __init__(self, callback: Callable[[], Any]) -> None:
        self._callback = callback
        self._cancelled = False

    def cancel(self) -> None:
        self._cancelled = True

    def run(self) -> None:
        if not self._cancelled:
            self._callback()
