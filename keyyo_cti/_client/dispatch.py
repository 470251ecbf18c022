"""The dispatchers: they run handlers and callbacks one at a time, in order.

The option ``dispatch`` chooses: the SDK's own event thread (None), the thread that calls
``cti.poll()`` ("manual"), or a function of the program that receives each piece of work.
"""

import contextlib
import logging
import threading
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

from .._net import process
from .._net.reentrant import Section, Turn, Wakeup
from .._net.user_code import name_of, refuse_coroutine, require_function
from .backlog import Task, Work
from .dispatcher import CALLBACK, SDK_ONLY, SLOW, Dispatcher, Running

__all__ = [
    "SLOW", "Choice", "Dispatcher", "EventThread", "ExternalDispatcher", "PolledDispatcher",
    "Running", "Work", "make_dispatcher", "name_of",
]

_log = logging.getLogger("keyyo_cti")

#: Type of the option ``dispatch``.
Choice = Union[None, str, Callable[[Work], object]]


class EventThread(Dispatcher):
    """Works on a thread of its own, which lives while it is acquired or work is queued."""

    def __init__(self, name: str, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._name = name
        # Guards the start and the end of the thread.
        self._life = Section()
        self._thread: Optional[threading.Thread] = None
        # The last thread that found no more work; finish() joins it.
        self._leaving: Optional[threading.Thread] = None
        self._acquired = 0
        self._ended = Wakeup()
        # True while the thread that put work runs it, because no thread can be started.
        self._works_here = False
        # The user code that finish() waits for, and since when.
        self._awaited: object = None
        self._awaited_since = 0.0

    def put(self, work: Task, size: int = 0) -> None:
        # Append, then check the thread. A thread that ends does the reverse, so no work is lost.
        self._backlog.put(work, size)
        if self._thread is None and not self._works_here:
            self._start_for_work()

    def put_if_running(self, work: Task) -> bool:
        if self._thread is None or self._process != process.current():
            return False
        self._backlog.put(work, 0)
        # It may have ended in between.
        return self._thread is not None

    def acquire(self) -> None:
        # Start the thread now: the first work may come during interpreter shutdown, when no thread
        # can be started.
        failures: List[RuntimeError] = []

        def work() -> None:
            self._acquired += 1
            self._ensure_thread(failures)

        self._life.run(work)
        if failures:
            self.release()
            raise failures[0]

    def release(self) -> None:
        self._life.run(self._release)

    def _release(self) -> None:
        self._acquired -= 1
        if self._thread is not None:
            self._backlog.put(_wake_up, 0)

    def finish(self, timeout: float) -> None:
        thread, leaving = self._thread, self._leaving
        if thread is threading.current_thread():
            return
        if thread is not None:
            left = timeout - self._awaited_for()
            if not self._ended.wait_for(lambda: self._thread is not thread, left):
                return
        # They have at most a few instructions left.
        for each in (leaving, thread):
            if each is not None:
                each.join(timeout)

    def _awaited_for(self) -> float:
        """Return the seconds that finish() has waited for the running code, in all calls.

        Two calls in a row, as when Ctrl-C ends a wait in a ``with`` block, share one timeout.
        """
        running = next(reversed(list(self._running)), None)
        if running is None or running is not self._awaited:
            self._awaited, self._awaited_since = running, self._clock()
        return self._clock() - self._awaited_since

    def _start_for_work(self) -> None:
        failures: List[RuntimeError] = []

        def work() -> None:
            # A thread that has just ended may have done it. A new one would wait without an end.
            if self._backlog.waiting():
                self._ensure_thread(failures)
                self._works_here = self._works_here or bool(failures)

        def do() -> None:
            if failures:
                # The system cannot start a thread, but callbacks must run all the same.
                self._work_here()

        self._life.run(work, do)

    def _ensure_thread(self, failures: List[RuntimeError]) -> None:
        if self._thread is not None or self._works_here:
            return
        thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            failures.append(error)
        else:
            self._thread = thread

    def _work_here(self) -> None:
        """Run all queued work on this thread, with the work that other threads add meanwhile."""
        try:
            while True:
                taken = self._backlog.take_now()
                if taken is None:
                    break
                self._do_safely(taken)
        finally:
            # After Ctrl-C or sys.exit() in the main thread, the next put does the rest. Otherwise
            # this flag would stay set, and no thread would do it.
            self._works_here = False
        # Another thread may have added work just before the flag was reset.
        self._start_for_work()

    def _do_safely(self, taken: Tuple[Task, int]) -> None:
        work, size = taken
        try:
            if work is not _wake_up:
                self._take_up(work, size)
        except process.OtherProcess:
            raise  # User code has forked, and this is the child.
        except Exception:
            # User code is caught elsewhere, so this is a bug. The callbacks in the queue must
            # still run.
            _log.exception("an event could not be delivered")

    def _run(self) -> None:
        take, do_safely = self._backlog.take, self._do_safely
        try:
            while True:
                # A name would keep the work, and its call, until the next event of a quiet line.
                do_safely(take())
                process.check(self._process)
                if self._acquired <= 0 and not self._backlog.waiting() and self._end():
                    return
        except process.OtherProcess:
            pass

    def _end(self) -> bool:
        """Return True if no more work is expected, so that the thread may end."""

        def work() -> bool:
            # First: later work starts a new thread, and the check below finds earlier work.
            thread = self._leaving = self._thread
            self._thread = None
            if self._acquired > 0 or self._backlog.waiting():
                self._thread = thread
                return False
            return True

        ends = self._life.call(work)
        if ends:
            self._ended.notify_all()
        return ends


def _wake_up() -> None:
    """Do nothing. As work, it makes the event thread check whether it may end."""


class PolledDispatcher(Dispatcher):
    """Works on the thread that calls ``poll``."""

    def acquire(self) -> None:
        """Do nothing: there is no thread."""

    def release(self) -> None:
        """Do nothing: there is no thread."""

    def finish(self, timeout: float) -> None:
        """Do nothing: the next poll does the rest, if there is one."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._polling = Turn(is_waited_for=False)
        self._filled = Wakeup()

    def put(self, work: Task, size: int = 0) -> None:
        self._backlog.put(work, size)
        if self._filled.waiters:
            self._filled.notify_all()

    def poll(self, timeout: float) -> int:
        """Run the queued work, after a wait for the first piece.

        Work that is added in the meantime is left to the next poll, so that a window's own events
        get their turn.

        :param timeout: maximum seconds to wait for the first piece.
        :returns: the number of pieces that ran.
        """
        me = object()
        try:
            if not self._polling.take(me):
                # Another poll is running, for example below a handler that runs a window's loop.
                # It will run the queued work.
                return 0
            self._filled.wait_for(self._backlog.waiting, min(timeout, threading.TIMEOUT_MAX))
            there = self._backlog.waiting()
            for done in range(there):
                taken = self._backlog.take_now()
                if taken is None:
                    return done
                self._do_for_program(self._take_up, *taken)
                process.check(self._process)
            return there
        finally:
            self._polling.give_back(me)


class ExternalDispatcher(EventThread):
    """Passes each piece of work to a function of the program, which runs it soon and in order.

    Work that was passed on and has not run counts as backlog too.
    """

    def __init__(self, hand_over: Callable[[Work], object], *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._hand_over = hand_over
        # Passed on and not run yet; a dict, because its changes are atomic.
        self._handed: Dict[_HandedWork, None] = {}
        self._done = Wakeup()

    def _take_up(self, work: Task, size: int) -> None:
        if self._room.waiters:
            self.wake()
        self._done.wait_for(self._takes_more)
        handed = _HandedWork(self, work, size)
        self._handed[handed] = None
        try:
            refuse_coroutine(self._hand_over(handed))
        except BaseException as error:
            process.check(self._process)
            # It cannot be reported through the function that has failed.
            self._failed(self._hand_over, error, reports=False)
            handed.fail()

    def call(
        self,
        function: Callable[..., object],
        arguments: Tuple[Any, ...] = (),
        event: str = CALLBACK,
    ) -> bool:
        # No other dispatcher has work that the program did not take.
        return self._work() is not SDK_ONLY and super().call(function, arguments, event)

    def do(self, work: Task) -> None:
        """Run work that was passed on."""
        self._do_for_program(self._do, work, [])

    def do_sdk_part(self, work: Task) -> None:
        """Run only the SDK's own part of work that the program did not take.

        Calls are updated and connections end, but no handler is called.
        """
        self._do(work, SDK_ONLY)

    def release(self) -> None:
        super().release()
        self._done.notify_all()

    def count_backlog(self) -> int:
        return self.waiting() + sum(not each.taken for each in list(self._handed))

    def _takes_more(self) -> bool:
        # After the last release, pass everything on at once. Otherwise a loop that has stopped
        # would keep the thread alive.
        most = self._max_backlog
        return self._acquired <= 0 or most is None or len(self._handed) < most

    def on_done(self, handed: "_HandedWork", size: int) -> None:
        """Count work as done, because it has run or will never run."""
        self._handed.pop(handed, None)
        self._backlog.release(size)
        self._done.notify_all()
        self._room.notify_all()


class _HandedWork:
    """A piece of work that was passed to the program's function."""

    def __init__(self, dispatcher: ExternalDispatcher, work: Task, size: int) -> None:
        self._dispatcher = dispatcher
        self._work = work
        self._size = size
        self._taken = threading.Lock()

    @property
    def taken(self) -> bool:
        """True if it has begun."""
        return self._taken.locked()

    def __call__(self) -> None:
        # In the child of a handler that has forked, the parent's loop does the rest.
        with contextlib.suppress(process.OtherProcess):
            self._once(self._dispatcher.do)

    def fail(self) -> None:
        """Run the SDK's part, because the function has failed. Work that has run is left alone."""
        self._once(self._dispatcher.do_sdk_part)

    def _once(self, do: Callable[[Task], object]) -> None:
        if self._taken.acquire(blocking=False):
            try:
                do(self._work)
            finally:
                self._dispatcher.on_done(self, self._size)


def make_dispatcher(
    kind: Choice,
    name: str,
    max_backlog: Optional[int],
    report: Callable[[BaseException], object],
    max_bytes: Optional[int] = None,
) -> Dispatcher:
    """Return the dispatcher for the option ``dispatch``.

    :param kind: None, ``"manual"``, or a function that receives each piece of work.
    :param name: the name of its thread, if it has one.
    :raises TypeError: the option is none of these.
    """
    if kind is None:
        return EventThread(name, max_backlog, report, max_bytes=max_bytes)
    if callable(kind):
        require_function("dispatch", kind)
        return ExternalDispatcher(kind, name, max_backlog, report, max_bytes=max_bytes)
    if kind == "manual":
        return PolledDispatcher(max_backlog, report, max_bytes=max_bytes)
    raise TypeError('dispatch: expected None, "manual" or a function')
