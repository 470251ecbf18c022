"""The common part of dispatchers: a queue, and user code that is run and watched."""

import threading
from abc import ABC, abstractmethod
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, Callable, ContextManager, Dict, Iterator, List, NamedTuple, Optional, Tuple

from .._net import process
from .._net.clock import Monotonic, monotonic
from .._net.reentrant import Wakeup
from .._net.user_code import name_of, refuse_coroutine
from . import user_errors
from .backlog import Backlog, Task
from .handler_times import HandlerTimes, Timed

#: Seconds after which a warning names a handler that is still running.
SLOW = 5.0


#: In the place of an event, for user code that is no handler of one.
CALLBACK = "callback"


class Running(NamedTuple):
    """User code that is running.

    :ivar since: start in monotonic seconds.
    :ivar event: the event whose handler it is, or ``callback``.
    """

    function: Callable[..., object]
    since: float
    event: str = CALLBACK


#: The context of a wait for a reply outside handlers, where nothing need be noted.
_OUTSIDE: ContextManager[None] = nullcontext()

#: Replaces the list of commands that work has sent, if only the SDK's own part is to run.
SDK_ONLY: List[object] = []


class _Doing(threading.local):
    """What a thread does for a dispatcher.

    The attributes are of the class, because a missing one is slow to look up.

    :ivar work: the commands that the thread's current work has sent; None outside work.
    :ivar reporting: True while handlers of ``error`` run.
    """

    work: Optional[List[object]] = None
    reporting = False


class Dispatcher(ABC):
    """A queue of work, and the means to run it.

    :param max_backlog: maximum number of queued events; None for no limit.
    :param report: receives exceptions of user code, after they are logged. If it returns False or
        None, the exception is printed if the program has not configured logging.
    :param max_bytes: maximum memory of these events; None for no limit.
    """

    def __init__(
        self,
        max_backlog: Optional[int],
        report: Callable[[BaseException], object],
        clock: Monotonic = monotonic,
        max_bytes: Optional[int] = None,
    ) -> None:
        self._max_backlog = max_backlog
        self._report = report
        self._clock = clock
        self._process = process.current()
        # No lock: a signal handler may call any of this on the thread that it interrupts. Each
        # change is one atomic step, and then wakes the waiters.
        self._room = Wakeup()
        self._backlog = Backlog(max_backlog, max_bytes)
        #: Returns True if the reader may read on: the backlog is below its limits, or a reply is
        #: pending and it is below the hard limit.
        self.has_room = self._backlog.has_room
        self._doing = _Doing()
        # The threads of the program that run work now, by a key each.
        self._at_work: Dict[object, int] = {}
        self._work_ended = Wakeup()
        # The user code that runs now, by a key each, the oldest first: a handler may run an event
        # loop of its own, and the program may run work on several threads. The values are the
        # fields of Running, as plain tuples, because one is made for each call of user code.
        self._running: Dict[object, Tuple[Callable[..., object], float, str]] = {}
        self._times = HandlerTimes()

    @abstractmethod
    def put(self, work: Task, size: int = 0) -> None:
        """Queue work. Never block: the callback of a command may come from the working thread.

        :param size: memory of the work in bytes. Only one thread at a time may queue work with a
            size.
        """

    def put_if_running(self, work: Task) -> bool:
        """Queue work if a thread is there to run it. Start none: finalizers may call it.

        :returns: False if there may be none.
        """
        return False

    def deliver(self, function: Callable[..., object], *arguments: Any) -> None:
        """Queue a call of user code."""
        self.put(partial(self.call, function, arguments))

    def wait_for_room(self, timeout: float, given_up: Callable[[], bool]) -> bool:
        """Wait until the backlog has room, overflows, or is given up.

        :param timeout: maximum seconds to wait.
        :returns: True if one of them is the case.
        """
        return self._room.wait_for(
            lambda: self.has_room() or self.overflows() or given_up(), timeout
        )

    def overflows(self) -> bool:
        """Return True if the backlog is at its hard limit while a handler waits for a reply.

        Then only the end of the connection helps.
        """
        return self._backlog.overflows()

    def expect(self, request: object) -> None:
        """Note that a command is about to be sent.

        Reading goes on until its reply has come or the handler that sent it has returned.
        Otherwise the handler would wait for events that are queued behind it.
        """
        work = self._work()
        inside = work is not None and work is not SDK_ONLY
        if work is not None and inside:
            work.append(request)
        self._backlog.expect(request, inside)
        if self._room.waiters:
            self.wake()

    def answered(self, request: object) -> None:
        """Note that the command has its reply."""
        self._backlog.answered(request)

    def waiting_in_handler(self) -> ContextManager[None]:
        """Return a context for a wait for a reply, also to another thread's command.

        Inside a handler, reading goes on meanwhile.
        """
        return self._unbounded() if self.inside() else _OUTSIDE

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
        """Make ``wait_for_room`` check again whether it is given up."""
        self._room.notify_all()

    def call(
        self,
        function: Callable[..., object],
        arguments: Tuple[Any, ...] = (),
        event: str = CALLBACK,
    ) -> bool:
        """Run user code, inside a piece of work. Log and report what it raises, then go on.

        :param arguments: the arguments of the function. They are one tuple because a call with a
            star takes much longer, and this runs for each handler.
        :param event: the event whose handler it is.
        :returns: False if it did not run, because the program did not take the work.
        :raises OtherProcess: the code has forked, and this is the child.
        :raises KeyboardInterrupt: in the main thread, where it ends the program.
        :raises SystemExit: likewise.
        """
        me, began = object(), self._clock()
        self._running[me] = function, began, event
        try:
            try:
                result = function(*arguments)
                if result is not None:
                    refuse_coroutine(result)
            finally:
                # Before the handlers of error run, which have their own time.
                self._running.pop(me, None)
                ended, times = self._clock(), self._times
                if ended - began > times.longest or ended >= times.hour_ends_at:
                    times.record(event, function, began, ended)
        except BaseException as error:
            main = threading.current_thread() is threading.main_thread()
            if main and isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
            process.check(self._process)
            self._failed(function, error)
        process.check(self._process)
        return True

    def running(self) -> Optional[Running]:
        """Return the running user code that began last, or None."""
        running = list(self._running.values())
        return Running(*running[-1]) if running else None

    def slowest(self, now: float) -> Optional[Timed]:
        """Return the slowest call of user code of the last day, perhaps the running one, or None.

        :param now: monotonic seconds, including the time that the machine was suspended.
        """
        all_running, slowest = list(self._running.values()), self._times.slowest(now)
        if not all_running:
            return slowest
        # The oldest: below it, its own event loop may run others.
        running = Running(*all_running[0])
        seconds = self._clock() - running.since
        if slowest is not None and slowest.seconds >= seconds:
            return slowest
        return Timed(running.event, name_of(running.function), seconds, now, running=True)

    def waiting(self) -> int:
        """Return the number of queued pieces of work."""
        return self._backlog.waiting()

    def count_backlog(self) -> int:
        """Return the number of pieces of work that have not begun."""
        return self.waiting()

    def inside(self) -> bool:
        """Return True if this thread is running work."""
        return self._work() is not None

    @abstractmethod
    def acquire(self) -> None:
        """Get ready for work, until ``release``."""

    @abstractmethod
    def release(self) -> None:
        """Undo one ``acquire``."""

    @abstractmethod
    def finish(self, timeout: float) -> None:
        """Wait until the queue is empty and the thread has ended, except on that very thread.

        :param timeout: maximum seconds.
        """

    def poll(self, timeout: float) -> int:
        raise RuntimeError('poll() is for CTI(dispatch="manual")')

    def settle(self, timeout: float) -> None:
        """Wait for work that a thread of the program runs now, unless it is this thread.

        A handler that checked just before ``close()`` whether it may start starts in this time.
        """
        me = threading.get_ident()
        # Not later work, of which there may be no end.
        running = [key for key, thread in list(self._at_work.items()) if thread != me]

        def is_settled() -> bool:
            return not any(key in self._at_work for key in running)

        self._work_ended.wait_for(is_settled, timeout)

    def _do_for_program(self, do: Callable[..., object], *arguments: Any) -> None:
        """Run work on a thread of the program, so that ``settle`` waits for it."""
        me = object()
        try:
            self._at_work[me] = threading.get_ident()
            do(*arguments)
        finally:
            self._at_work.pop(me, None)
            if self._work_ended.waiters:
                self._work_ended.notify_all()

    def _do(self, work: Task, asked: List[object]) -> None:
        """Run one piece of work on this thread.

        :param asked: receives the commands that the work sends.
        """
        doing = self._doing
        # A handler may run an event loop of its own, which runs other work.
        outer = doing.work
        doing.work = asked
        try:
            work()
        finally:
            doing.work = outer
            if asked:
                self._backlog.handler_ended(asked)

    def _work(self) -> Optional[List[object]]:
        """Return the commands sent by this thread's current work, or None outside work."""
        return self._doing.work

    def _take_up(self, work: Task, size: int) -> None:
        """Run work that was taken from the backlog."""
        self._backlog.release(size)
        if self._room.waiters:
            self.wake()
        self._do(work, [])

    @contextmanager
    def reporting(self) -> Iterator[bool]:
        """Return a context in which handlers of ``error`` run: their own exceptions are not
        reported.

        :yields: False inside such a context.
        """
        doing = self._doing
        outer = doing.reporting
        doing.reporting = True
        try:
            yield not outer
        finally:
            doing.reporting = outer

    def _failed(
        self, function: Callable[..., object], error: BaseException, reports: bool = True
    ) -> None:
        """Log and report an exception of user code.

        :param reports: False if no handler can run.
        """
        where = name_of(function)
        user_errors.log(where, error)
        with self.reporting() as outermost:
            reported = reports and outermost and self._report(error)
        if not reported:
            user_errors.show(where, error)
