"""Where handlers and callbacks run: one at a time, in order, never on the reader thread.

Three kinds, by the option ``dispatch``: a thread of the SDK's own (None), whoever calls
``cti.poll()`` ("manual"), or a function of the user's that is handed each piece of work.
"""

import contextlib
import logging
import threading
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

from .._net import process
from .._net.reentrant import Section, Turn, Wakeup
from .._net.user_code import name_of, refuse_coroutine, require_function
from .backlog import Task, Work
from .dispatcher import ALONE, SLOW, Dispatcher, Running

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
        # Guards what begins and ends the thread.
        self._life = Section()
        self._thread: Optional[threading.Thread] = None
        # The last thread that found nothing to do, for finish() to wait for its very end.
        self._leaving: Optional[threading.Thread] = None
        self._holds = 0
        self._ended = Wakeup()
        # True if the work is done by a thread that brought some, because none can be started.
        self._works_here = False
        # User code that was waited for by who wants to finish, and since when.
        self._awaited: Optional[Tuple[Callable[..., object], float]] = None
        self._awaited_since = 0.0

    def put(self, work: Task, size: int = 0) -> None:
        # The work first, then the look at the thread, which does both the other way round.
        self._backlog.put(work, size)
        if self._thread is None and not self._works_here:
            self._start_for_work()

    def hold(self) -> None:
        # Now, and not with the first work: that may come when the interpreter is shutting down,
        # and no thread can be started any more.
        failures: List[RuntimeError] = []

        def work() -> None:
            self._holds += 1
            self._ensure_thread(failures)

        self._life.run(work)
        if failures:
            self.release()
            raise failures[0]

    def release(self) -> None:
        self._life.run(self._release)

    def _release(self) -> None:
        self._holds -= 1
        if self._thread is not None:
            self._backlog.put(_look, 0)

    def finish(self, timeout: float) -> None:
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
        running = self._running
        if running is None or running is not self._awaited:
            self._awaited, self._awaited_since = running, self._clock()
        return self._clock() - self._awaited_since

    def _start_for_work(self) -> None:
        failures: List[RuntimeError] = []

        def work() -> None:
            # A thread that has ended meanwhile may have done it; another one would never end.
            if self._backlog.waiting():
                self._ensure_thread(failures)
                self._works_here = self._works_here or bool(failures)

        def do() -> None:
            if failures:
                # The system has no thread to give. A callback that is due comes all the same.
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
        """Do all the work in the thread that brought it; what others bring meanwhile too."""
        leaves = True
        try:
            while True:
                taken = self._backlog.take_now()
                if taken is None:
                    break
                self._do_safely(*taken)
            leaves = False
        finally:
            # Ctrl-C or sys.exit() in the main thread leaves the rest to the next who brings work:
            # otherwise this flag would stay set, and no thread would do it.
            self._works_here = False
        if not leaves and self._backlog.waiting() and self._thread is None:
            self._start_for_work()

    def _do_safely(self, work: Task, size: int) -> None:
        try:
            if work is not _look:
                self._take_up(work, size)
        except process.OtherProcess:
            raise  # User code has forked; the parent's thread does the rest.
        except Exception:
            # User code is caught where it is called, so this is a bug of ours; callbacks are
            # still owed to those that wait in the queue.
            _log.exception("an event could not be delivered")

    def _run(self) -> None:
        try:
            while True:
                self._do_safely(*self._backlog.take())
                process.check(self._process)
                if self._holds <= 0 and not self._backlog.waiting() and self._end():
                    return
        except process.OtherProcess:
            pass

    def _end(self) -> bool:
        """True if no work is to be expected, so that the thread ends."""

        def work() -> bool:
            # First: work that comes later starts a thread, and what came before is found here.
            thread = self._leaving = self._thread
            self._thread = None
            if self._holds > 0 or self._backlog.waiting():
                self._thread = thread
                return False
            return True

        ends = self._life.call(work)
        if ends:
            self._ended.notify_all()
        return ends


def _look() -> None:
    """Work that only wakes the event thread, to look whether it is to end."""


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
        self._polling = Turn(is_waited_for=False)
        self._filled = Wakeup()

    def put(self, work: Task, size: int = 0) -> None:
        self._backlog.put(work, size)
        if self._filled.waiters:
            self._filled.notify_all()

    def poll(self, timeout: float) -> int:
        """Does the work that is there, and waits for the first so many seconds.

        :returns: how many pieces were done; those that come meanwhile are for the next poll, so
            that a window's own events get their turn.
        """
        me = object()
        try:
            if not self._polling.take(me):
                # In a handler that runs a window's loop of its own, say. What is due comes when
                # the poll that is under way goes on.
                return 0
            self._filled.wait_for(self._backlog.waiting, min(timeout, threading.TIMEOUT_MAX))
            there = self._backlog.waiting()
            for done in range(there):
                taken = self._backlog.take_now()
                if taken is None:
                    return done
                self._take_up(*taken)
                process.check(self._process)
            return there
        finally:
            self._polling.give_back(me)


class Foreign(EventThread):
    """Each piece of work is handed to a function of the user's, which is to run it soon, in
    order, one at a time. What is handed over and not yet done counts as backlog too."""

    def __init__(self, hand_over: Callable[[Work], object], *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._hand_over = hand_over
        # Handed over and not done yet; a dict, which changes in one step.
        self._handed: Dict[object, None] = {}
        self._done = Wakeup()

    def _take_up(self, work: Task, size: int) -> None:
        if self._room.waiters:
            self.wake()
        self._done.wait_for(self._takes_more)
        handed = _Handed(self, work, size)
        self._handed[handed] = None
        try:
            refuse_coroutine(self._hand_over(handed))
        except BaseException as error:
            process.check(self._process)
            # It cannot be reported through the very function that fails.
            self._failed(self._hand_over, type(error).__name__)
            handed.return_()

    def do(self, work: Task) -> None:
        """Does work that was handed over."""
        self._do(work, [])

    def do_alone(self, work: Task) -> None:
        """Does the SDK's own part of work that nobody took: calls change and connections end,
        though nobody is told."""
        self._do(work, ALONE)

    def release(self) -> None:
        super().release()
        self._done.notify_all()

    def _takes_more(self) -> bool:
        # Once nothing holds it any more, what is owed is handed over at once: a loop that has
        # stopped must not keep a thread.
        most = self._max_backlog
        return self._holds <= 0 or most is None or len(self._handed) < most

    def account(self, handed: object, size: int) -> None:
        """What was handed over is done, or nobody will do it."""
        self._handed.pop(handed, None)
        self._backlog.release(size)
        self._done.notify_all()
        self._room.notify_all()


class _Handed:
    """A piece of work in the hands of the user's function."""

    def __init__(self, foreign: Foreign, work: Task, size: int) -> None:
        self._foreign = foreign
        self._work = work
        self._size = size
        self._taken = threading.Lock()

    def __call__(self) -> None:
        # A handler that has forked: the parent's loop does the rest.
        with contextlib.suppress(process.OtherProcess):
            self._once(self._foreign.do)

    def return_(self) -> None:
        """The function failed; if it did not run the work before, nobody will."""
        self._once(self._foreign.do_alone)

    def _once(self, do: Callable[[Task], object]) -> None:
        if self._taken.acquire(blocking=False):
            try:
                do(self._work)
            finally:
                self._foreign.account(self, self._size)


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
