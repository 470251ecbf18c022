"""Where handlers and callbacks run: one at a time, in order, never on the reader thread.

Three kinds, by the option ``dispatch``: a thread of the SDK's own (None), whoever calls
``cti.poll()`` ("manual"), or a function of the user's that is handed each piece of work.
"""

import logging
import threading
from typing import Any, Callable, Optional, Tuple, Union

from .backlog import Work
from .dispatcher import ALONE, SLOW, Dispatcher, Running
from .user_code import name_of, refuse_coroutine, require_function

__all__ = [
    "SLOW", "Choice", "Dispatcher", "EventThread", "Foreign", "Manual", "Running", "Work",
    "chosen", "name_of",
]

_log = logging.getLogger("keyyo_cti")

#: The option ``dispatch``.
Choice = Union[None, str, Callable[[Work], object]]


class EventThread(Dispatcher):
    """Work is done in a thread of the SDK's own, which lives while there is any to expect."""

    def __init__(self, name: str, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._name = name
        self._thread: Optional[threading.Thread] = None
        # The last thread that found nothing to do, for finish() to wait for its very end.
        self._leaving: Optional[threading.Thread] = None
        self._holds = 0
        self._ended = threading.Condition(self._lock)
        # Whether the work is done by a thread that brought some, because none can be started.
        self._works_here = False
        # A thread that is not there has to be roused too.
        self._asleep = True
        # User code that was waited for by who wants to finish, and since when.
        self._awaited: Optional[Tuple[Callable[..., object], float]] = None
        self._awaited_since = 0.0

    def hold(self) -> None:
        with self._lock:
            # Now, and not with the first work: that may come when the interpreter is shutting
            # down, and no thread can be started any more.
            self._holds += 1
            try:
                self._ensure_thread()
            except BaseException:
                self._holds -= 1
                raise

    def release(self) -> None:
        with self._lock:
            self._holds -= 1
            self._filled.notify_all()

    def finish(self, timeout: float) -> None:
        with self._lock:
            thread, leaving = self._thread, self._leaving
            if thread is threading.current_thread():
                return
            if thread is not None:
                left = timeout - self._awaited_for()
                if not self._ended.wait_for(lambda: self._thread is not thread, left):
                    return
        # Nothing but their last few instructions is left of them.
        for each in (leaving, thread):
            if each is not None:
                each.join(timeout)

    def _awaited_for(self) -> float:
        """Seconds for which what runs now was waited for already: two that finish in a row, as
        when Ctrl-C ends a wait in a ``with`` block, take no longer than one."""
        assert self._lock.locked()
        if self._running is None or self._running is not self._awaited:
            self._awaited, self._awaited_since = self._running, self._clock()
        return self._clock() - self._awaited_since

    def _rouse(self) -> None:
        with self._lock:
            self._filled.notify_all()
            try:
                self._ensure_thread()
                return
            except RuntimeError:
                self._works_here = True
        # The system has no thread to give. A callback that is due comes all the same.
        self._work_here()

    def _work_here(self) -> None:
        """Does all the work in the thread that brought it; what others bring meanwhile too."""
        leaves = False
        while self._queue:
            try:
                self._do_next()
            except Exception:
                _log.exception("an event could not be delivered")
            except BaseException:
                # Ctrl-C or sys.exit() in the main thread. What is left is for the next who brings
                # work: otherwise this flag would stay set, and no thread would do it.
                leaves = True
                raise
            finally:
                with self._lock:
                    self._works_here = bool(self._queue) and not leaves

    def _ensure_thread(self) -> None:
        assert self._lock.locked()
        if self._thread is None and not self._works_here:
            thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            thread.start()
            self._thread = thread

    def _run(self) -> None:
        # Before the first look at the queue, as always.
        self._asleep = False
        while self._queue or self._wait_for_work():
            try:
                self._do_next()
            except BaseException:
                # User code is caught where it is called, so this is a fault of the SDK's own;
                # callbacks are still owed to those who wait in the queue.
                _log.exception("an event could not be delivered")

    def _wait_for_work(self) -> bool:
        """Whether there is work; if not, none is to be expected, and this thread is at its
        end."""
        with self._lock:
            self._asleep = True
            self._filled.wait_for(lambda: self._queue or not self._holds)
            if self._queue:
                self._asleep = False
                return True
            self._thread, self._leaving = None, self._thread
            self._ended.notify_all()
            return False


class Manual(Dispatcher):
    """Work is done by whoever polls, in that thread."""

    def hold(self) -> None:
        """Nothing: there is no thread."""

    def release(self) -> None:
        """Nothing: there is no thread."""

    def finish(self, timeout: float) -> None:
        """Nothing: what is left is done by the next poll, if there is one."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._polling = threading.Lock()

    def poll(self, timeout: float) -> int:
        """Does the work that is there, and waits for the first so many seconds.

        :returns: how many pieces were done; those that come meanwhile are for the next poll, so
            that a window's own events get their turn.
        """
        if not self._polling.acquire(blocking=False):
            # In a handler that runs a window's loop of its own, say. What is due comes when the
            # poll that is under way goes on.
            return 0
        try:
            with self._lock:
                self._asleep = True
                self._filled.wait_for(lambda: self._queue, min(timeout, threading.TIMEOUT_MAX))
                self._asleep = False
                there = len(self._queue)
            for _ in range(there):
                self._do_next()
            return there
        finally:
            self._polling.release()


class Foreign(EventThread):
    """Each piece of work is handed to a function of the user's, which is to run it soon, in
    order, one at a time. What is handed over and not yet done counts as backlog too."""

    def __init__(self, hand_over: Callable[[Work], object], *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._hand_over = hand_over
        self._handed = 0
        self._done = threading.Condition(self._lock)

    def _do_next(self) -> None:
        work, size = self._backlog.take()
        if self._crowded:
            self.wake()
        with self._lock:
            self._done.wait_for(self._takes_more)
            self._handed += 1
        handed = _Handed(self, work, size)
        try:
            refuse_coroutine(self._hand_over(handed))
        except BaseException as error:
            # It cannot be reported through the very function that fails.
            self._failed(self._hand_over, type(error).__name__)
            handed.return_()

    def do(self, work: Work) -> None:
        """Does work that was handed over."""
        self._do(work, [])

    def do_alone(self, work: Work) -> None:
        """Does the SDK's own part of work that nobody took: calls change and connections end,
        though nobody is told."""
        self._do(work, ALONE)

    def release(self) -> None:
        super().release()
        with self._lock:
            self._done.notify_all()

    def _takes_more(self) -> bool:
        # Once nothing holds it any more, what is owed is handed over at once: a loop that has
        # stopped must not keep a thread.
        return not self._holds or self._max_backlog is None or self._handed < self._max_backlog

    def _account(self, size: int) -> None:
        with self._lock:
            self._handed -= 1
            self._backlog.release(size)
            self._done.notify_all()
            self._room.notify_all()


class _Handed:
    """A piece of work in the hands of the user's function."""

    def __init__(self, foreign: Foreign, work: Work, size: int) -> None:
        self._foreign = foreign
        self._work = work
        self._size = size
        self._taken = threading.Lock()

    def __call__(self) -> None:
        self._once(self._foreign.do)

    def return_(self) -> None:
        """The function failed; if it did not run the work before, nobody will."""
        self._once(self._foreign.do_alone)

    def _once(self, do: Callable[[Work], None]) -> None:
        if self._taken.acquire(blocking=False):
            try:
                do(self._work)
            finally:
                self._foreign._account(self._size)


def chosen(
    kind: Choice,
    name: str,
    max_backlog: Optional[int],
    report: Callable[[BaseException], None],
    max_bytes: Optional[int] = None,
) -> Dispatcher:
    """The dispatcher that the option ``dispatch`` asks for.

    :param kind: None, ``"manual"``, or a function that is handed each piece of work.
    :param name: of its thread, if it has one.
    :raises TypeError: the option is none of these.
    """
    if kind is None:
        return EventThread(name, max_backlog, report, max_bytes=max_bytes)
    if callable(kind):
        require_function("dispatch", kind)
        return Foreign(kind, name, max_backlog, report, max_bytes=max_bytes)
    if kind == "manual":
        return Manual(max_backlog, report, max_bytes=max_bytes)
    raise TypeError('dispatch: expected None, "manual" or a function')
