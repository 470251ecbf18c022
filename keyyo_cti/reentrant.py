"""Locks that bear signal handlers and finalizers.

Python runs a signal handler, and ``__del__``, between any two instructions of a thread, also
while this thread holds a lock. A plain lock would then wait for its own thread without end.
"""

import threading
import time
from collections import deque
from typing import Callable, Deque, List, Optional

Work = Callable[[], object]

#: Seconds. Python may overlook a signal that comes just before a wait begins, and runs its
#: handler when the wait ends; on Windows no signal ends a wait.
_LONGEST_WAIT = 1.0


class Section:
    """A critical section. Work of other threads waits; work of a signal handler that interrupted
    work of the same thread runs right after it.

    Such work therefore returns nothing: its result goes into a Future, or into the state that
    the section guards.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        # Guarded by the lock, like the work itself.
        self._busy = False
        self._queue: Deque[Work] = deque()

    def run(self, work: Work) -> bool:
        """Run work alone.

        :returns: False if it is deferred, because this thread is inside already.
        """
        with self._lock:
            self._queue.append(work)
            if self._busy:
                return False
            # An interruption up to here, and after each round, finds nothing under way and runs
            # what is queued; one in between leaves its work to the round.
            while self._queue:
                self._run_queued()
            return True

    def _run_queued(self) -> None:
        self._busy = True
        try:
            while self._queue:
                self._queue.popleft()()
        finally:
            self._busy = False


class Wakeup:
    """A condition without a lock of its own: the state that it is about is read without one.

    A notification is never missed: a waiter enters the list before it looks at the state.
    """

    def __init__(self) -> None:
        self._waiters: List[threading.Lock] = []

    def notify_all(self) -> None:
        """Wake every waiter, so that it looks at the state again. Never blocks."""
        for waiter in list(self._waiters):
            try:
                waiter.release()
            except RuntimeError:
                # Another notification came first, and it has not woken up yet.
                pass

    def wait_for(self, predicate: Callable[[], bool], timeout: Optional[float] = None) -> bool:
        """Wait until a predicate holds.

        :param timeout: seconds, None for no end.
        :returns: False if the time was up first.
        """
        until = None if timeout is None else time.monotonic() + timeout
        waiter = threading.Lock()
        waiter.acquire()
        self._waiters.append(waiter)
        try:
            while not predicate():
                left = _LONGEST_WAIT if until is None else until - time.monotonic()
                if left <= 0:
                    return False
                waiter.acquire(timeout=min(left, _LONGEST_WAIT))
            return True
        finally:
            self._waiters.remove(waiter)
