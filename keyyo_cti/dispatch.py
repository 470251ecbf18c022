"""Where handlers and callbacks run: one at a time, in order, never on the reader thread.

Three kinds, by the option ``dispatch``: a thread of the SDK's own (None), whoever calls
``cti.poll()`` ("manual"), or a function of the user's that is handed each piece of work.
"""

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, Callable, ContextManager, Deque, Iterator, Optional, Union

from .clock import Monotonic

_log = logging.getLogger("keyyo_cti")

Work = Callable[[], None]

#: The option ``dispatch``.
Choice = Union[None, str, Callable[[Work], object]]

#: Seconds after which a handler that still runs is named in a warning.
SLOW = 5.0


class Running:
    """User code that runs now."""

    __slots__ = ("function", "since")

    def __init__(self, function: Callable[..., object], since: float) -> None:
        self.function = function
        self.since = since


class Dispatcher(ABC):
    """A queue of work and the one who does it.

    :param max_backlog: events that may wait; None for no bound.
    :param report: is told of an exception in user code, after it was logged.
    """

    def __init__(
        self,
        max_backlog: Optional[int],
        report: Callable[[BaseException], None],
        clock: Monotonic = time.monotonic,
    ) -> None:
        self._max_backlog = max_backlog
        self._report = report
        self._clock = clock
        self._lock = threading.Lock()
        # Several may wait for each of these at once, so each is always notified to all.
        self._filled = threading.Condition(self._lock)
        self._room = threading.Condition(self._lock)
        self._queue: Deque[Work] = deque()
        self._doing = threading.local()
        self._attending = 0
        self._running: Optional[Running] = None
        # Who is about to wait, which is done with the lock, says so here first and then looks
        # once more; who adds to the queue or takes from it does that first and then looks here.
        # One of the two sees the other, so that the lock is needed only when somebody waits.
        self._asleep = False
        self._crowded = 0

    def put(self, work: Work) -> None:
        """Queues work. Never waits: a callback may be owed by the very thread that works."""
        self._queue.append(work)
        if self._asleep:
            self._rouse()

    def deliver(self, function: Callable[..., object], *arguments: Any) -> None:
        """Queues a call of user code."""
        self.put(partial(self.call, function, *arguments))

    def wait_for_room(self, timeout: float, given_up: Callable[[], bool]) -> bool:
        """Whether the backlog is below its bound or it was given up, now or after at most so
        many seconds."""
        if self.has_room():
            return True
        with self._lock:
            self._crowded += 1
            try:
                return self._room.wait_for(lambda: self.has_room() or given_up(), timeout)
            finally:
                self._crowded -= 1

    def has_room(self) -> bool:
        """Whether the backlog is below its bound."""
        bound = self._max_backlog
        return bound is None or len(self._queue) < bound or self._attending > 0

    def attending(self) -> ContextManager[None]:
        """While a handler waits for an answer, the backlog has no bound: the answer may be
        behind the events for which there is no room."""
        return self._unbounded() if self.inside() else nullcontext()

    @contextmanager
    def _unbounded(self) -> Iterator[None]:
        with self._lock:
            self._attending += 1
            self._room.notify_all()
        try:
            yield
        finally:
            with self._lock:
                self._attending -= 1

    def wake(self) -> None:
        """Lets a ``wait_for_room`` look whether it was given up."""
        with self._lock:
            self._room.notify_all()

    def call(self, function: Callable[..., object], *arguments: Any) -> None:
        """Runs user code. What it raises is logged with its traceback, reported, and stops
        nothing. Only inside work."""
        assert self.inside()
        if getattr(self._doing, "alone", False):
            return
        outer, self._running = self._running, Running(function, self._clock())
        try:
            function(*arguments)
        except BaseException as error:
            main = threading.current_thread() is threading.main_thread()
            if main and isinstance(error, KeyboardInterrupt):
                raise
            self._failed(function, type(error).__name__)
            self._tell(error)
        finally:
            self._running = outer

    def running(self) -> Optional[Running]:
        """The user code that runs now, if any does."""
        return self._running

    def waiting(self) -> int:
        """How many pieces of work are queued."""
        return len(self._queue)

    def inside(self) -> bool:
        """Whether this thread is doing work now."""
        return getattr(self._doing, "work", False)

    @abstractmethod
    def hold(self) -> None:
        """Work may come: stay ready."""

    @abstractmethod
    def release(self) -> None:
        """Undoes one ``hold``."""

    @abstractmethod
    def finish(self, timeout: float) -> None:
        """Waits until the queue is done and no thread is left, as far as that is ours to do and
        does not mean to wait for oneself."""

    def poll(self, timeout: float) -> int:
        raise RuntimeError('poll() is for CTI(dispatch="manual")')

    def _do(self, work: Work) -> None:
        """Does one piece of work in this thread."""
        # A handler may run a loop of its own, in which other work is done.
        outer, self._doing.work = self.inside(), True
        try:
            work()
        finally:
            self._doing.work = outer

    def _rouse(self) -> None:
        """Wakes who waits for work."""
        with self._lock:
            self._filled.notify_all()

    def _take(self) -> Work:
        """The next work.

        :raises IndexError: there is none.
        """
        work = self._queue.popleft()
        if self._crowded:
            self.wake()
        return work

    def _tell(self, error: BaseException) -> None:
        """Reports, but not what goes wrong while reporting."""
        if getattr(self._doing, "telling", False):
            return
        self._doing.telling = True
        try:
            self._report(error)
        finally:
            self._doing.telling = False

    def _failed(self, function: Callable[..., object], what: str) -> None:
        _log.error("%s in %s", what, name_of(function), exc_info=True)


class EventThread(Dispatcher):
    """Work is done in a thread of the SDK's own, which lives while there is any to expect."""

    def __init__(self, name: str, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._name = name
        self._thread: Optional[threading.Thread] = None
        self._holds = 0
        self._ended = threading.Condition(self._lock)
        # A thread that is not there has to be roused too.
        self._asleep = True
        # User code that was waited for by who wants to finish, and since when.
        self._awaited: Optional[Running] = None
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
            thread = self._thread
            if thread is None or thread is threading.current_thread():
                return
            left = timeout - self._awaited_for()
            if not self._ended.wait_for(lambda: self._thread is not thread, left):
                return
        # Nothing but its last few instructions is left of it.
        thread.join(timeout)

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
            self._ensure_thread()

    def _ensure_thread(self) -> None:
        assert self._lock.locked()
        if self._thread is None:
            thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            thread.start()
            self._thread = thread

    def _run(self) -> None:
        # Before the first look at the queue, as always.
        self._asleep = False
        while self._queue or self._wait_for_work():
            work = self._take()
            try:
                self._execute(work)
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
            self._thread = None
            self._ended.notify_all()
            return False

    def _execute(self, work: Work) -> None:
        self._do(work)


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
                self._do(self._take())
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

    def _execute(self, work: Work) -> None:
        with self._lock:
            self._done.wait_for(self._takes_more)
            self._handed += 1
        handed = _Handed(self, work)
        try:
            self._hand_over(handed)
        except BaseException as error:
            # It cannot be reported through the very function that fails.
            self._failed(self._hand_over, type(error).__name__)
            handed.return_()

    def do_alone(self, work: Work) -> None:
        """Does the SDK's own part of work that nobody took: calls change and connections end,
        though nobody is told."""
        self._doing.alone = True
        try:
            self._do(work)
        finally:
            self._doing.alone = False

    def release(self) -> None:
        super().release()
        with self._lock:
            self._done.notify_all()

    def _takes_more(self) -> bool:
        # Once nothing holds it any more, what is owed is handed over at once: a loop that has
        # stopped must not keep a thread.
        return not self._holds or self._max_backlog is None or self._handed < self._max_backlog

    def _account(self) -> None:
        with self._lock:
            self._handed -= 1
            self._done.notify_all()


class _Handed:
    """A piece of work in the hands of the user's function."""

    def __init__(self, foreign: Foreign, work: Work) -> None:
        self._foreign = foreign
        self._work = work
        self._taken = threading.Lock()

    def __call__(self) -> None:
        self._once(self._foreign._do)

    def return_(self) -> None:
        """The function failed; if it did not run the work before, nobody will."""
        self._once(self._foreign.do_alone)

    def _once(self, do: Callable[[Work], None]) -> None:
        if self._taken.acquire(blocking=False):
            try:
                do(self._work)
            finally:
                self._foreign._account()


def chosen(
    kind: Choice,
    name: str,
    max_backlog: Optional[int],
    report: Callable[[BaseException], None],
) -> Dispatcher:
    """The dispatcher that the option ``dispatch`` asks for.

    :param kind: None, ``"manual"``, or a function that is handed each piece of work.
    :param name: of its thread, if it has one.
    :raises TypeError: the option is none of these.
    """
    if kind is None:
        return EventThread(name, max_backlog, report)
    if callable(kind):
        return Foreign(kind, name, max_backlog, report)
    if kind == "manual":
        return Manual(max_backlog, report)
    raise TypeError('dispatch: expected None, "manual" or a function')


def name_of(function: Callable[..., object]) -> str:
    """A function's name and where it stands, as a person would look for it."""
    inner = function.func if isinstance(function, partial) else function
    code = getattr(inner, "__code__", None)
    where = f" ({code.co_filename}:{code.co_firstlineno})" if code is not None else ""
    return getattr(inner, "__qualname__", type(inner).__name__) + where
