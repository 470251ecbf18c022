"""Locks that are safe in signal handlers and finalizers.

Python runs a signal handler, and ``__del__``, between any two instructions of a thread, even while
this thread holds a lock. With a plain lock, the thread would deadlock with itself.
"""

import logging
import threading
from collections import deque
from typing import Any, Callable, Deque, Dict, List, Optional, Tuple, TypeVar
from weakref import ref

from . import process
from .clock import monotonic

_log = logging.getLogger("keyyo_cti")

Work = Callable[[], object]

T = TypeVar("T")

#: Seconds of one wait. Python may miss a signal just before a wait, and then runs its handler
#: after the wait. On Windows, no signal ends a wait.
MAX_WAIT = 1.0

#: Every lock and turn that other threads may need before they respond.
_known: "Dict[int, ref[Any]]" = {}


def _remember(lock: Any) -> None:
    key = id(lock)
    # Not a WeakSet, which another thread may change during an iteration.
    _known[key] = ref(lock, lambda _: _known.pop(key, None))


def new_lock() -> Any:
    """Return an RLock for code that may be re-entered at any instruction."""
    lock = threading.RLock()
    _remember(lock)
    return lock


def interrupts_itself() -> bool:
    """Return True in a signal handler or ``__del__`` that interrupts the SDK on this thread.

    It must not wait for other threads then: they may need a lock of this thread.
    """
    locks = [known() for known in list(_known.values())]
    return any(lock is not None and lock._is_owned() for lock in locks)


class Section:
    """A critical section that defers the work of a signal handler on the same thread.

    Other threads wait; the signal handler's work runs right after the interrupted work. Such work
    returns nothing: its result goes into a Future, or into the guarded state.
    """

    def __init__(self) -> None:
        self._process = process.current()
        # The owner shows if this thread is inside. A flag could stay set, if a signal handler
        # raises just before its reset.
        self._lock = new_lock()
        self._deferred: Deque[Tuple[Work, Optional[Work]]] = deque()

    def run(self, work: Work, then: Optional[Work] = None) -> bool:
        """Run work under the lock, and then ``then`` without it.

        :returns: False if both are deferred, because this thread is inside already.
        :raises OtherProcess: in a forked child, where the lock may never be released.
        """
        if self.is_inside():
            process.check(self._process)
            self._deferred.append((work, then))
            return False
        self.call(work)
        if then is not None:
            then()
        return True

    def call(self, work: Callable[[], T]) -> T:
        """Run work under the lock and return its result. Not for signal handlers.

        :raises OtherProcess: in a forked child.
        """
        process.check(self._process)
        try:
            with self._lock:
                return work()
        finally:
            # Checked without the lock: a later signal handler finds the lock free.
            if self._deferred and not self.is_inside():
                self._run_deferred()

    def is_inside(self) -> bool:
        """Return True if this thread is inside: this is a signal handler or ``__del__``."""
        owned: bool = self._lock._is_owned()
        return owned

    def _run_deferred(self) -> None:
        while self._deferred:
            try:
                with self._lock:
                    work, then = self._deferred.popleft()
                    work()
                if then is not None:
                    then()
            except IndexError:
                return  # Another thread was faster.
            except Exception:
                # Not raised: the interrupted work did not fail.
                _log.exception("work that a signal handler began has failed")


class Turn:
    """The exclusive right to do something, held under a ticket.

    Not a lock: a signal handler may raise right after the acquisition, and a lock would never be
    released.

    :param is_waited_for: True if other threads may need the turn before they respond.
    """

    def __init__(self, is_waited_for: bool = True) -> None:
        self._process = process.current()
        # One entry: the ticket of the holder, and its thread.
        self._holder: Dict[None, Tuple[object, int]] = {}
        self._free = Wakeup()
        if is_waited_for:
            _remember(self)

    def take(self, ticket: object, timeout: float = 0.0) -> bool:
        """Wait for the turn.

        :param ticket: any object. The caller gives it back in a ``finally`` clause.
        :returns: False after the timeout.
        :raises OtherProcess: in a forked child.
        """
        process.check(self._process)
        mine = ticket, threading.get_ident()

        def taken() -> bool:
            return self._holder.setdefault(None, mine)[0] is ticket

        return taken() or (timeout > 0 and self._free.wait_for(taken, timeout))

    def give_back(self, ticket: object) -> None:
        """End the turn, if the ticket holds it."""
        if self.is_of(ticket):
            del self._holder[None]
            if self._free.waiters:
                self._free.notify_all()

    def is_of(self, ticket: object) -> bool:
        """Return True if the ticket holds the turn."""
        holder = self._holder.get(None)
        return holder is not None and holder[0] is ticket

    def _is_owned(self) -> bool:
        """Return True if this thread holds the turn. Named as in RLock."""
        holder = self._holder.get(None)
        return holder is not None and holder[1] == threading.get_ident()


class Wakeup:
    """A condition without a lock, for state that is read without one.

    No notification is missed: a waiter enters the list, then checks the state.
    """

    __slots__ = ("waiters",)

    def __init__(self) -> None:
        #: The locks of the waiting threads.
        self.waiters: List[threading.Lock] = []

    def notify_all(self) -> None:
        """Wake every waiter, which checks the state again. Never blocks."""
        for waiter in list(self.waiters):
            try:
                waiter.release()
            except RuntimeError:
                # An earlier notification has released the lock already.
                pass

    def wait_for(self, predicate: Callable[[], Any], timeout: Optional[float] = None) -> bool:
        """Wait until a predicate holds.

        :param timeout: seconds, None for no limit.
        :returns: False after the timeout.
        """
        if predicate():
            return True
        until = None if timeout is None else monotonic() + timeout
        longest = get_max_wait()
        waiter = threading.Lock()
        waiter.acquire()
        self.waiters.append(waiter)
        try:
            while not predicate():
                left = longest if until is None else until - monotonic()
                if left <= 0:
                    return False
                waiter.acquire(timeout=min(left, longest))
            return True
        finally:
            self.waiters.remove(waiter)


def get_max_wait() -> float:
    """Return the seconds that this thread may wait in one call.

    Only the main thread wakes up for signal handlers, which run there.
    """
    main = threading.current_thread() is threading.main_thread()
    return MAX_WAIT if main else threading.TIMEOUT_MAX


class Flag:
    """An event as ``threading.Event``, but safe in signal handlers."""

    __slots__ = ("_set", "_wakeup")

    def __init__(self) -> None:
        self._set = False
        self._wakeup = Wakeup()

    def is_set(self) -> bool:
        """Return True after ``set``."""
        return self._set

    def set(self) -> None:
        """Set the flag, which is never cleared."""
        self._set = True
        self._wakeup.notify_all()

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Wait until the flag is set.

        :param timeout: seconds, None for no limit.
        :returns: False after the timeout.
        """
        return self._wakeup.wait_for(self.is_set, timeout)
