"""Locks that bear signal handlers and finalizers.

Python runs a signal handler, and ``__del__``, between any two instructions of a thread, also
while this thread holds a lock. A plain lock would then wait for its own thread without end.
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

#: Seconds. Python may overlook a signal that comes just before a wait begins, and runs its
#: handler when the wait ends; on Windows no signal ends a wait.
MAX_WAIT = 1.0

#: Every lock and turn that other threads may need before they can answer.
_known: "Dict[int, ref[Any]]" = {}


def _remember(lock: Any) -> None:
    key = id(lock)
    # Not a WeakSet, which another thread may change while this one goes through it.
    _known[key] = ref(lock, lambda _: _known.pop(key, None))


def new_lock() -> Any:
    """Return an RLock for code that bears being entered again at any of its instructions."""
    lock = threading.RLock()
    _remember(lock)
    return lock


def interrupts_itself() -> bool:
    """True if this is a signal handler or ``__del__`` inside the SDK's own work on this thread.

    It must not wait for other threads then: they may need what this thread holds.
    """
    locks = [known() for known in list(_known.values())]
    return any(lock is not None and lock._is_owned() for lock in locks)


class Section:
    """A critical section. Work of other threads waits; work of a signal handler that interrupted
    work of the same thread runs right after it.

    Such work therefore returns nothing: its result goes into a Future, or into the state that
    the section guards.
    """

    def __init__(self) -> None:
        self._process = process.current()
        # Its owner tells whether this thread is inside. A flag could stay set for ever, when a
        # signal handler raises just before it would be reset.
        self._lock = new_lock()
        self._deferred: Deque[Tuple[Work, Optional[Work]]] = deque()

    def run(self, work: Work, then: Optional[Work] = None) -> bool:
        """Run work alone, and then ``then``, without the lock.

        :returns: False if both are deferred, because this thread is inside already.
        :raises OtherProcess: in a forked child, where the lock may be held without end.
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
        """Run work alone and return its result. For what no signal handler does.

        :raises OtherProcess: in a forked child.
        """
        process.check(self._process)
        try:
            with self._lock:
                return work()
        finally:
            # Looked at without the lock: what a signal handler adds later finds it free.
            if self._deferred and not self.is_inside():
                self._run_deferred()

    def is_inside(self) -> bool:
        """True if this thread runs work now: this is a signal handler or ``__del__`` then."""
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
                # Not the fault of the work that was interrupted.
                _log.exception("what a signal handler began has failed")


class Turn:
    """The right to do something alone, for as long as it takes.

    Not a lock: between the call that takes one and the next instruction, a signal handler may
    raise, and nothing would ever release it.

    :param is_waited_for: True if other threads may need it before they can answer.
    """

    def __init__(self, is_waited_for: bool = True) -> None:
        self._process = process.current()
        # The one entry is the ticket of the holder, and its thread.
        self._holder: Dict[None, Tuple[object, int]] = {}
        self._free = Wakeup()
        if is_waited_for:
            _remember(self)

    def take(self, ticket: object, timeout: float = 0.0) -> bool:
        """Wait for the turn.

        :param ticket: made by the caller, who gives it back whatever happens.
        :returns: False if the time was up first.
        :raises OtherProcess: in a forked child.
        """
        process.check(self._process)
        mine = ticket, threading.get_ident()

        def taken() -> bool:
            return self._holder.setdefault(None, mine)[0] is ticket

        return taken() or (timeout > 0 and self._free.wait_for(taken, timeout))

    def give_back(self, ticket: object) -> None:
        """End the turn, if it is the ticket's."""
        if self.is_of(ticket):
            del self._holder[None]
            self._free.notify_all()

    def is_of(self, ticket: object) -> bool:
        """True if it is the ticket's turn."""
        holder = self._holder.get(None)
        return holder is not None and holder[0] is ticket

    def _is_owned(self) -> bool:
        """True if it is this thread's. The name is RLock's."""
        holder = self._holder.get(None)
        return holder is not None and holder[1] == threading.get_ident()


class Wakeup:
    """A condition without a lock of its own: the state that it is about is read without one.

    A notification is never missed: a waiter enters the list before it looks at the state.
    """

    __slots__ = ("waiters",)

    def __init__(self) -> None:
        #: To look whether anything waits.
        self.waiters: List[threading.Lock] = []

    def notify_all(self) -> None:
        """Wake every waiter, so that it looks at the state again. Never blocks."""
        for waiter in list(self.waiters):
            try:
                waiter.release()
            except RuntimeError:
                # Another notification came first, and it has not woken up yet.
                pass

    def wait_for(self, predicate: Callable[[], Any], timeout: Optional[float] = None) -> bool:
        """Wait until a predicate holds.

        :param timeout: seconds, None for no end.
        :returns: False if the time was up first.
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

    Only the main thread runs signal handlers; the others need not wake up for them.
    """
    main = threading.current_thread() is threading.main_thread()
    return MAX_WAIT if main else threading.TIMEOUT_MAX


class Flag:
    """An event, as ``threading.Event``, that bears signal handlers."""

    __slots__ = ("_set", "_wakeup")

    def __init__(self) -> None:
        self._set = False
        self._wakeup = Wakeup()

    def is_set(self) -> bool:
        """True once ``set`` was called."""
        return self._set

    def set(self) -> None:
        """Set it, for good."""
        self._set = True
        self._wakeup.notify_all()

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Wait until it is set.

        :param timeout: seconds, None for no end.
        :returns: False if the time was up first.
        """
        return self._wakeup.wait_for(self.is_set, timeout)
