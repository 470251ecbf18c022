"""One thread for handlers, timers and promises."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from collections import deque
from typing import Any, Callable, Deque, List, Optional, Tuple

from .._net.clock import monotonic

log = logging.getLogger("keyyo_cti")


Work = Callable[[], object]


#: JavaScript has no shorter interval.
_MIN_INTERVAL = 0.001


class Timer:
    """A pending timer."""

    def __init__(self, work: Work, interval: Optional[float] = None) -> None:
        self.work = work
        self.interval = interval
        self.cancelled = False


class Page:
    """Runs work one piece at a time: events, then due timers; promises after each piece."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._events: Deque[Work] = deque()
        self._microtasks: Deque[Work] = deque()
        self._timers: List[Tuple[float, int, Timer]] = []
        self._closing: List[Work] = []
        self._numbers = itertools.count()
        self._thread: Optional[threading.Thread] = None
        self._stopped = False
        self._ending = False
        self._busy = 0

    def dispatch(self, work: Work) -> None:
        """Run a piece of work in the page's thread; ``CTI(dispatch=page.dispatch)``."""
        with self._changed:
            self._events.append(work)
            self._changed.notify_all()

    def microtask(self, work: Work) -> None:
        """Run a piece of work after the present one, before any other."""
        with self._changed:
            self._microtasks.append(work)
            self._changed.notify_all()

    def begin(self) -> None:
        """Record that work outside of the page will bring an event."""
        with self._changed:
            self._busy += 1

    def end(self, work: Work) -> None:
        """Deliver the event of work that has begun."""
        with self._changed:
            self._busy -= 1
            self._events.append(work)
            self._changed.notify_all()

    def after(self, timer: Timer, seconds: float) -> Timer:
        """Start a timer."""
        due = monotonic() + max(seconds, _MIN_INTERVAL)
        with self._changed:
            heapq.heappush(self._timers, (due, next(self._numbers), timer))
            self._changed.notify_all()
        return timer

    def start(self) -> None:
        """Start the page's thread, a daemon."""
        with self._changed:
            if self._thread is not None and self._thread.is_alive() and not self._stopped:
                return
            self._stopped = self._ending = False
            self._thread = threading.Thread(target=self._serve, name="keyyo-cti-page", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 2.0) -> None:
        """Discard all work that is pending, and end the page's thread.

        :param timeout: seconds to wait for the piece of work that runs.
        """
        self._discard()
        self._join(timeout)
        # What the last piece of work has added would run in a page that starts later.
        self._discard()

    def _discard(self) -> None:
        with self._changed:
            self._stopped = True
            self._timers.clear()
            self._events.clear()
            self._microtasks.clear()
            self._closing.clear()
            self._changed.notify_all()

    def _join(self, timeout: float) -> None:
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def __enter__(self) -> "Page":
        self.start()
        return self

    def __exit__(self, error: object, *_: Any) -> None:
        if error is None:
            self._close()
            self._finish()
        self.stop()

    def at_close(self, work: Work) -> None:
        """Run a piece of work before the page ends, as ``beforeunload`` does."""
        with self._changed:
            self._closing.append(work)

    def _close(self) -> None:
        closing, self._closing = self._closing, []
        for work in closing:
            self._do(work)

    def _finish(self, timeout: float = 2.0) -> None:
        """Run the events and promises that are there, such as callbacks of a lost connection."""
        with self._changed:
            self._timers.clear()
            self._ending = True
            self._changed.notify_all()
        self._join(timeout)

    def run(self) -> None:
        """Run in this thread until no event, timer or promise is left."""
        with self._changed:
            self._stopped = self._ending = False
            self._thread = threading.current_thread()
        self._serve(until_idle=True)
        self._close()
        self._serve(until_idle=True)
        self._thread = None

    def _serve(self, until_idle: bool = False) -> None:
        while True:
            work = self._next(until_idle)
            if work is None:
                return
            self._do(work)

    def _do(self, work: Work) -> None:
        try:
            work()
        except Exception:
            log.exception("an exception in a timer, a promise or a handler of the page")

    def _next(self, until_idle: bool) -> Optional[Work]:
        """Return the next piece of work, or None at the end."""
        with self._changed:
            # A thread whose last piece of work took too long to be waited for ends after it.
            while not self._stopped and self._thread is threading.current_thread():
                if self._microtasks:
                    return self._microtasks.popleft()
                if self._events:
                    return self._events.popleft()
                if self._ending:
                    return None
                wait = self._due()
                if wait is not None and wait <= 0:
                    return self._timer()
                if wait is None and until_idle and not self._busy:
                    return None
                self._changed.wait(wait)
        return None

    def _due(self) -> Optional[float]:
        while self._timers and self._timers[0][2].cancelled:
            heapq.heappop(self._timers)
        return self._timers[0][0] - monotonic() if self._timers else None

    def _timer(self) -> Work:
        timer = heapq.heappop(self._timers)[2]

        def fire() -> None:
            if timer.interval is not None and not timer.cancelled:
                self.after(timer, timer.interval)
            timer.work()

        return fire


#: The page of the program.
page = Page()
