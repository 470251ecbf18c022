"""What every kind of dispatcher has: a queue, and user code that is run from it and watched."""

import logging
import threading
from abc import ABC, abstractmethod
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, Callable, ContextManager, Iterator, List, NamedTuple, Optional, Tuple

from .._net import process
from .._net.clock import Monotonic, monotonic
from .._net.reentrant import Wakeup
from .._net.user_code import name_of, refuse_coroutine
from .backlog import Backlog, Task

_log = logging.getLogger("keyyo_cti")

#: Seconds after which a handler that still runs is named in a warning.
SLOW = 5.0


class Running(NamedTuple):
    """User code that runs now.

    :ivar since: monotonic seconds.
    """

    function: Callable[..., object]
    since: float


#: In place of the commands that work asks: it runs no user code.
ALONE: List[object] = []


class Dispatcher(ABC):
    """A queue of work and the one who does it.

    :param max_backlog: events that may wait; None for no bound.
    :param report: gets an exception in user code, after it was logged.
    :param max_bytes: memory that these events may take; None for no bound.
    """

    def __init__(
        self,
        max_backlog: Optional[int],
        report: Callable[[BaseException], None],
        clock: Monotonic = monotonic,
        max_bytes: Optional[int] = None,
    ) -> None:
        self._max_backlog = max_backlog
        self._report = report
        self._clock = clock
        self._process = process.current()
        # No lock, because a signal handler may come to any of this on the thread that it
        # interrupts: each change is one step, and then it wakes those that wait for it.
        self._room = Wakeup()
        self._backlog = Backlog(max_backlog, max_bytes)
        self._doing = threading.local()
        # A function and since when it runs. Made for each call of user code, so a plain tuple.
        self._running: Optional[Tuple[Callable[..., object], float]] = None

    def put(self, work: Task, size: int = 0) -> None:
        """Queues work. Never waits: a callback may be owed by the very thread that works.

        :param size: bytes of memory that it takes; work with a size is queued by one thread at
            a time.
        """
        self._backlog.put(work, size)

    def deliver(self, function: Callable[..., object], *arguments: Any) -> None:
        """Queues a call of user code."""
        self.put(partial(self.call, function, *arguments))

    def wait_for_room(self, timeout: float, given_up: Callable[[], bool]) -> bool:
        """True if the backlog is below its bound, overflows or was given up, now or after at
        most so many seconds."""
        return self._room.wait_for(
            lambda: self.has_room() or self.overflows() or given_up(), timeout
        )

    def has_room(self) -> bool:
        """True if the reader may read on: the backlog is below its bounds, or an answer is due
        and it is below its very limit."""
        return self._backlog.has_room()

    def overflows(self) -> bool:
        """True if the backlog is at its very limit while a handler waits for an answer, so that
        only the end of the connection helps."""
        return self._backlog.overflows()

    def expect(self, request: object) -> None:
        """Note that a command goes out.

        Reading goes on until it is answered or the handler that asked it has returned. Otherwise
        a handler that waits would wait for events that wait for it.
        """
        work = self._work()
        inside = work is not None and work is not ALONE
        if work is not None and inside:
            work.append(request)
        self._backlog.expect(request, inside)
        if self._room.waiters:
            self.wake()

    def answered(self, request: object) -> None:
        """Note that the command has its answer."""
        self._backlog.answered(request)

    def attending(self) -> ContextManager[None]:
        """While a handler waits for an answer that another thread asked for, reading goes on as
        if the handler had asked."""
        return self._unbounded() if self.inside() else nullcontext()

    @contextmanager
    def _unbounded(self) -> Iterator[None]:
        waiting, me = self._backlog.waiting_handlers, object()
        try:
            waiting[me] = None
            self._room.notify_all()
            yield
        finally:
            waiting.pop(me, None)

    def wake(self) -> None:
        """Lets a ``wait_for_room`` look whether it was given up."""
        self._room.notify_all()

    def call(self, function: Callable[..., object], *arguments: Any) -> bool:
        """Runs user code. What it raises is logged with its traceback, reported, and stops
        nothing. Only inside work.

        :returns: False if it was not run, because the program did not take the work.
        :raises OtherProcess: the code has forked, and this is the child: the parent goes on with
            the work.
        :raises KeyboardInterrupt: in the main thread, where it is to end the program.
        :raises SystemExit: the same.
        """
        work = self._work()
        assert work is not None
        if work is ALONE:
            return False
        outer = self._running
        self._running = function, self._clock()
        try:
            result = function(*arguments)
            if result is not None:
                refuse_coroutine(result)
        except BaseException as error:
            main = threading.current_thread() is threading.main_thread()
            if main and isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
            process.check(self._process)
            self._failed(function, type(error).__name__)
            self._tell(error)
        finally:
            self._running = outer
        process.check(self._process)
        return True

    def running(self) -> Optional[Running]:
        """The user code that runs now, if any does."""
        running = self._running
        return None if running is None else Running(*running)

    def waiting(self) -> int:
        """How many pieces of work are queued."""
        return self._backlog.waiting()

    def inside(self) -> bool:
        """Whether this thread is doing work now."""
        return self._work() is not None

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

    def _do(self, work: Task, asked: List[object]) -> None:
        """Does one piece of work in this thread.

        :param asked: is filled with the commands that it asks.
        """
        doing = self._doing
        # A handler may run a loop of its own, in which other work is done.
        outer = getattr(doing, "work", None)
        doing.work = asked
        try:
            work()
        finally:
            doing.work = outer
            if asked:
                self._backlog.handler_ended(asked)

    def _work(self) -> Optional[List[object]]:
        """The commands that this thread asked in the work that it does now, or None outside."""
        return getattr(self._doing, "work", None)

    def _take_up(self, work: Task, size: int) -> None:
        """Do work that was taken from the backlog."""
        if size:
            self._backlog.release(size)
        if self._room.waiters:
            self.wake()
        self._do(work, [])

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
