"""Periodic work on the reader thread: pings, and warnings about slow handlers."""

from typing import Callable, Optional

from .._net.clock import NEVER
from .._net.log_thread import ThreadedLogger
from .dispatch import SLOW, Dispatcher, Running, name_of

_log = ThreadedLogger("keyyo_cti")


class Pinger:
    """Schedules pings. Source: JavaScript SDK 1.1, option ``ping_auto``.

    :param interval: seconds, or None for no pings.
    :param ping: sends a ping.
    """

    def __init__(self, interval: Optional[float], ping: Callable[[], None], now: float) -> None:
        self._interval = interval
        self._ping = ping
        self._due = NEVER if interval is None else now + interval

    def due(self) -> float:
        return self._due

    def on_due(self, now: float) -> None:
        if self._interval is not None and now >= self._due:
            self._due = now + self._interval
            self._ping()


class HandlerWatch:
    """Logs a warning about a handler that blocks the others, once per call of it.

    :param limit: seconds.
    """

    def __init__(self, dispatcher: Dispatcher, limit: float = SLOW) -> None:
        self._dispatcher = dispatcher
        self._limit = limit
        self._named: Optional[Running] = None

    def due(self, now: float) -> float:
        """Return the time of the next check; NEVER while no work is queued or running."""
        running = self._dispatcher.running()
        if running is not None and running != self._named:
            return running.since + self._limit
        return now + self._limit if self._dispatcher.waiting() else NEVER

    def on_due(self, now: float) -> None:
        running = self._dispatcher.running()
        if running is None or running == self._named or now < running.since + self._limit:
            return
        self._named = running
        _log.warning(
            "%s has been running for %.0f s: %d events and callbacks wait behind it",
            name_of(running.function),
            now - running.since,
            self._dispatcher.waiting(),
        )
