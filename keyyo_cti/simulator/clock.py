"""Clocks and timers: a clock that a test moves by hand, and the scheduler interface."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from typing import Any, Callable, List, Protocol, Tuple

Clock = Callable[[], float]


class Timer(Protocol):
    """A scheduled callback that can be cancelled."""

    def cancel(self) -> None:
        """Cancel it; harmless after it has run."""


class Scheduler(Protocol):
    """An object that runs callbacks later: the running loop, or a `ManualClock`."""

    def call_later(self, delay: float, callback: Callable[[], Any]) -> Timer:
        """Run `callback` after `delay` seconds."""


class LoopScheduler:
    """The scheduler of the running loop.

    It looks the loop up at each call, because the loop starts after the simulator is created.
    """

    def call_later(self, delay: float, callback: Callable[[], Any]) -> Timer:
        """Run `callback` after `delay` seconds; only on the loop's thread."""
        return asyncio.get_running_loop().call_later(delay, callback)


class ManualClock:
    """A clock that moves only by `advance`, which runs the timers that fall due.

    Pass one to ``Simulator(clock=ManualClock())`` and move it with ``Simulator.elapse``.
    It has no lock: use it in one thread at a time.

    :param now: the initial time in Unix seconds.
    """

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._due: List[Tuple[float, int, _ManualTimer]] = []
        self._order = itertools.count()

    def __call__(self) -> float:
        return self._now

    def call_later(self, delay: float, callback: Callable[[], Any]) -> Timer:
        """Run `callback` when `advance` has moved the clock by `delay` seconds."""
        timer = _ManualTimer(callback)
        heapq.heappush(self._due, (self._now + delay, next(self._order), timer))
        return timer

    def advance(self, seconds: float) -> None:
        """Move the clock forward and run each timer at its due time.

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
