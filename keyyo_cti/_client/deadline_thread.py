"""A thread that handles deadlines while no connection does, or any."""

import contextlib
import threading
from typing import Callable, Optional

from .._net import process
from .._net.clock import NEVER, Monotonic, monotonic
from .._net.reentrant import Section, Wakeup


class DeadlineThread:
    """Handles many deadlines on one thread, which lives while there are any.

    The reader thread cannot: it lives only with a connection, and nothing wakes it early.

    :param due: returns the earliest deadline in monotonic seconds; NEVER without any.
    :param expire: handles the deadlines that have passed.
    """

    def __init__(
        self,
        name: str,
        due: Callable[[], float],
        expire: Callable[[], object],
        clock: Monotonic = monotonic,
    ) -> None:
        self._name = name
        self._due = due
        self._expire = expire
        self._clock = clock
        # Guards the start and the end of the thread.
        self._life = Section()
        self._changed = Wakeup()
        self._is_changed = False
        self._target = NEVER
        self._runs = False
        self._thread: Optional[threading.Thread] = None

    def on_added(self, deadline: float) -> None:
        """Heed a deadline that ``due`` returns from now on."""

        def work() -> None:
            if not self._runs:
                self._start()
            elif deadline < self._target:
                self.wake()

        self._life.run(work)

    def wake(self) -> None:
        """Make the thread ask for the earliest deadline again."""
        self._is_changed = True
        self._changed.notify_all()

    def is_running(self) -> bool:
        """Return True unless the system could start no thread, or none is needed."""
        return self._runs

    def finish(self, timeout: float) -> None:
        """Wait for the end of the thread, if no deadline is left."""
        thread = self._thread
        if thread not in (None, threading.current_thread()) and self._due() == NEVER:
            assert thread is not None
            thread.join(timeout)

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return  # The system has no thread left. result() times out by itself.
        self._thread, self._runs = thread, True

    def _run(self) -> None:
        # Code of the program may fork here. The child must not handle the parent's deadlines.
        with contextlib.suppress(process.OtherProcess):
            self._handle_deadlines()

    def _handle_deadlines(self) -> None:
        while not self._life.call(self._end):
            # First: a deadline that is added from here on wakes the thread.
            self._is_changed, self._target = False, NEVER
            self._target = due = self._due()
            self._changed.wait_for(lambda: self._is_changed, max(0.0, due - self._clock()))
            self._expire()

    def _end(self) -> bool:
        """Return True if no deadline is left. A later one starts a new thread."""
        self._runs = self._due() < NEVER
        return not self._runs
