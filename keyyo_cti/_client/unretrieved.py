"""Warnings about failed commands whose outcome the program never asked for.

Otherwise a refused ``cti.dial(number)`` without a callback would do nothing at all. A Future that
is dropped unread tells: its finalizer runs on any thread, perhaps inside a lock that a log handler
needs. So the finalizer only queues the warning, and another thread logs it. In a program that has
not configured logging, the warning goes to stderr.
"""

import logging
import sys
import threading
from collections import deque
from typing import Callable, Deque, Dict, Optional, Protocol, Tuple
from weakref import ref

from .._net import process
from .._net.reentrant import Wakeup
from . import stderr_log

_log = logging.getLogger("keyyo_cti")

#: Queues work if a thread is there to run it; returns False otherwise.
PutIfRunning = Callable[[Callable[[], object]], bool]


class WatchedFuture(Protocol):
    """The Future of a command without a callback.

    :ivar unasked: the command, or None once the program has asked for the outcome.
    """

    unasked: Optional[str]

    def exception_now(self) -> Optional[BaseException]:
        """Return the error of the command, without asking for it."""


# Each change of these is one atomic step, because finalizers and signal handlers make some.

#: Failed, unasked and still held by the program: the id of the Future -> a reference.
_failed: "Dict[int, ref[WatchedFuture]]" = {}

#: Failed and dropped: the command and its error, to be logged.
_dropped: Deque[Tuple[str, BaseException]] = deque()

#: One entry for each thread that has taken some of them, until it has logged them.
_busy: Dict[object, None] = {}

_idle = Wakeup()

#: Seconds that the end of the program waits for these threads.
_TIMEOUT = 1.0

#: One entry while a thread of this module logs them, so that there is at most one.
_logging: Dict[None, object] = {}


def remember(future: WatchedFuture) -> None:
    """Note that a command has failed, before the program has asked."""
    _failed[id(future)] = ref(future)


def forget(future: WatchedFuture) -> None:
    """Note that the program has asked."""
    _failed.pop(id(future), None)


def drop(future: WatchedFuture, put: PutIfRunning) -> None:
    """Have the failure of a Future that is being dropped logged. For finalizers: do not block."""
    if not _move(id(future), future) or sys.is_finalizing() or put(_log_dropped) or _logging:
        return
    try:
        # The dispatcher must not start a thread here: if it could not, it would run user code.
        threading.Thread(target=_log_in_turn, name="keyyo-cti-warning", daemon=True).start()
    except RuntimeError:
        pass  # log_all does it at the end of the program.


def log_all() -> None:
    """Log all failures that nothing can ask for any more. At the end of the program."""
    for key, known in list(_failed.items()):
        future = known()
        if future is not None:
            _move(key, future)
    _log_dropped()
    # The program would end with a daemon that has taken a failure and not logged it yet.
    _idle.wait_for(lambda: not _busy, _TIMEOUT)


def _move(key: int, future: WatchedFuture) -> bool:
    """Queue the failure of a Future for the log, once."""
    command, error = future.unasked, future.exception_now()
    if _failed.pop(key, None) is None or command is None or error is None:
        return False
    _dropped.append((command, error))
    return True


def _log_in_turn() -> None:
    me = object()
    # Checked again after the turn: a finalizer may have relied on it.
    while _dropped and _logging.setdefault(None, me) is me:
        try:
            _log_dropped()
        finally:
            _logging.clear()


def _log_dropped() -> None:
    me = object()
    _busy[me] = None
    try:
        _log_each()
    finally:
        _busy.pop(me, None)
        _idle.notify_all()


def _log_each() -> None:
    while True:
        try:
            command, error = _dropped.popleft()
        except IndexError:
            return
        text = f"{command}() failed: {error} (no callback, and result() was not called)"
        _log.warning("%s", text)
        # A handler that takes only worse records is a decision of the program, too.
        if _log.isEnabledFor(logging.WARNING) and not stderr_log.is_seen(_log, logging.CRITICAL):
            stderr_log.write(f"keyyo_cti: {text}")


def _after_fork() -> None:
    # The parent logs its own failures.
    global _idle
    _idle = Wakeup()
    for each in (_failed, _dropped, _logging, _busy):
        each.clear()


process.run_in_child(_after_fork)
