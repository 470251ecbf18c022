"""Pending commands, each completed exactly once.

The caller that removes a request from the table completes it: on its reply, at its deadline, or
at the end of the connection. A Future cannot be set twice, so a mistake here would raise.
"""

import itertools
import threading
from collections import deque
from concurrent.futures import Future
from concurrent.futures._base import PENDING, RUNNING
from functools import partial
from typing import (
    Any,
    Callable,
    ContextManager,
    Deque,
    Dict,
    List,
    NoReturn,
    Optional,
    Protocol,
    Tuple,
)

from .._net import process
from .._net.clock import NEVER, Monotonic, monotonic, wall_clock
from .._net.reentrant import get_max_wait, interrupts_itself
from .._net.user_code import require_function
from .._sockjs import SendProgress
from ..errors import KeyyoError
from . import event_check, unretrieved
from .callback import Callback
from .number_hints import add_number_hint
from .wire import Command, describe_command

#: The SDK's own reaction to a reply, before the Future is completed. If it returns a command,
#: that command is sent instead, and its reply completes the request.
Reaction = Callable[[Optional[KeyyoError], Any], Optional[Command]]

#: Seconds of the first wait for a reply, before it checks whether it waits for itself.
_FIRST_WAIT = 0.05

#: The module of the callback with which ``asyncio.wrap_future`` observes a Future.
_ASYNCIO = "asyncio.futures"


class CallbackDispatcher(Protocol):
    """The part of a dispatcher that requests use."""

    def deliver(self, function: Callable[..., object], *arguments: Any) -> None:
        """Queue a call of user code."""

    def waiting_in_handler(self) -> ContextManager[None]:
        """Return a context for a wait of user code for a reply."""

    def answered(self, request: object) -> None:
        """Note that a command has its reply."""


class CommandFuture(Future):  # type: ignore[type-arg]
    """The Future of a command. It cannot be cancelled: a sent command cannot be taken back.

    Functions added with ``add_done_callback`` run where callbacks run, not on the reader thread.
    asyncio's own function is the exception: it only passes the result to a loop, and must not
    wait for a handler that may itself wait for that loop.

    In a signal handler or ``__del__`` that interrupted the SDK, a wait raises RuntimeError: the
    reply may need the interrupted thread.

    :param subject: what it waits for, for people, such as "dial 33199020000".
    :ivar unasked: the command whose failure is logged if the program never asks for the outcome;
        None if it has asked or need not.
    """

    unasked: Optional[str] = None

    # True for the Future of an event, which no other side knows of.
    _cancellable = False

    def __init__(self, dispatcher: CallbackDispatcher, subject: str = "a command") -> None:
        super().__init__()
        self._dispatcher = dispatcher
        self._subject = subject
        self._began = wall_clock()
        # Locked until the Future is completed. The Future's own condition would be slower: its
        # notifier still holds it when a waiter wakes.
        self._answered = threading.Lock()
        self._answered.acquire()
        self._process = process.current()
        if not self._cancellable:
            # As set_running_or_notify_cancel, whose lock nothing else can want yet.
            self._state = RUNNING

    def watch(self, command: str, put: unretrieved.PutIfRunning) -> None:
        """Log a warning if the command fails and the program never asks for its outcome.

        :param command: the name of the method.
        :param put: queues the warning if a thread is there to log it.
        """
        self._put_warning = put
        self.unasked = command

    def exception_now(self) -> Optional[BaseException]:
        """Return the error, or None if there is none yet."""
        return self._exception

    def __del__(self) -> None:
        # The attribute is of the class, in case __init__ has failed.
        if self.unasked is not None:
            unretrieved.drop(self, self._put_warning)

    def __await__(self) -> NoReturn:
        raise TypeError(
            "await does not work on this Future, which is one of threads: "
            "use await asyncio.wrap_future(future)"
        )

    def _ask(self) -> None:
        if self.unasked is not None:
            self.unasked = None
            if self.done():
                unretrieved.forget(self)

    def __repr__(self) -> str:
        from .._display import outcome

        return outcome.describe(outcome.Outcome(*self._look()))

    def _repr_html_(self) -> str:
        from .._display import outcome

        return outcome.render(outcome.Outcome(*self._look()))

    def _look(self) -> Tuple[str, float, bool, Optional[BaseException], Any]:
        # Not by exception() and result(), which would count as asking for the outcome.
        return self._subject, self._began, self.done(), self._exception, self._result

    def add_done_callback(self, fn: Callable[[Any], object]) -> None:
        require_function("fn", fn)
        self._ask()
        if getattr(fn, "__module__", None) == _ASYNCIO:
            super().add_done_callback(partial(self._hand_to_loop, fn))
        else:
            super().add_done_callback(lambda answer: self._dispatcher.deliver(fn, answer))

    def _hand_to_loop(self, fn: Callable[[Any], object], answer: Any) -> None:
        try:
            fn(answer)
        except Exception:
            # The loop is closed. Call it again where exceptions are logged and reported.
            self._dispatcher.deliver(fn, answer)

    def set_result(self, result: Any) -> None:
        super().set_result(result)
        self._answered.release()

    def set_exception(self, exception: Optional[BaseException]) -> None:
        super().set_exception(exception)
        if self.unasked is not None:
            unretrieved.remember(self)
            if self.unasked is None:
                # Another thread has asked in between.
                unretrieved.forget(self)
        self._answered.release()

    def result(self, timeout: Optional[float] = None) -> Any:
        self._ask()
        self._wait(timeout)
        return super().result(0)

    def exception(self, timeout: Optional[float] = None) -> Optional[BaseException]:
        self._ask()
        self._wait(timeout)
        return super().exception(0)

    def done(self) -> bool:
        # Without the condition, whose holder may have to run first.
        return self._state not in (PENDING, RUNNING)

    def _wait(self, timeout: Optional[float]) -> None:
        if self.done():
            return
        # In a forked child nothing completes it.
        process.check(self._process)
        if event_check.is_running():
            raise RuntimeError(
                "a check of wait_for runs on the thread that reads replies: it must not wait for "
                "one; wait after result()"
            )
        until = None if timeout is None else monotonic() + timeout
        with self._dispatcher.waiting_in_handler():
            longest = _FIRST_WAIT
            while not self.done():
                left = longest if until is None else max(0.0, until - monotonic())
                if self._answered.acquire(timeout=min(left, longest)):
                    # For the next waiter.
                    self._answered.release()
                    return
                if left <= longest and until is not None:
                    return
                if interrupts_itself():
                    raise RuntimeError(
                        "this signal handler interrupted the SDK on a thread that the reply may "
                        "need: pass a callback, or wait for the Future outside the handler"
                    )
                longest = get_max_wait()


class Request:
    """A command of the program, with its Future and perhaps a callback.

    :param name: the method of the command; by default the action.
    :ivar progress: how much of it was sent.
    :ivar asked_at: monotonic seconds just before it was sent.
    :ivar deadline: monotonic seconds at which it times out.
    :ivar opens_session: True for create_session and restore_session.
    :ivar line: the number of the line, for hints about other numbers; None if unknown.
    """

    __slots__ = (
        "command", "dispatcher", "callback", "react", "opens_session", "progress", "asked_at",
        "deadline", "line", "future",
    )

    def __init__(
        self,
        command: Command,
        dispatcher: CallbackDispatcher,
        callback: Optional[Callback] = None,
        react: Optional[Reaction] = None,
        name: Optional[str] = None,
    ) -> None:
        self.command = command
        self.dispatcher = dispatcher
        self.callback = callback
        self.react = react
        self.opens_session = False
        self.progress = SendProgress()
        self.asked_at = -NEVER
        self.deadline = NEVER
        self.line: Optional[str] = None
        self.future = CommandFuture(dispatcher, describe_command(command, name))

    def complete(self, error: Optional[KeyyoError], result: Any) -> None:
        """Complete the Future, then queue the callback, so that ``result()`` works in a handler.

        Only for the caller that removed the request from the table.
        """
        if error is not None:
            add_number_hint(error, self.command, self.line)
            self.future.set_exception(error)
        else:
            self.future.set_result(result)
        # A reaction holds the request. Otherwise a dropped Future would wait for the garbage
        # collector before its failure is logged.
        self.react = None
        if self.callback is not None:
            self.dispatcher.deliver(self.callback, error, result)
        self.dispatcher.answered(self)


class Pending:
    """The table of pending requests by id. Thread-safe.

    :param timeout: seconds for each command. It is the same for all, so the first request in the
        table is always the first to time out.
    """

    def __init__(self, timeout: float, clock: Monotonic = monotonic) -> None:
        self._timeout = timeout
        self._clock = clock
        # No lock: a signal handler may call any of this on the thread that it interrupts. Each
        # change of the dict is one atomic step.
        self._requests: Dict[int, Request] = {}
        self._ids = itertools.count(1)
        # Long enough for each thread that has an id but no entry in the table yet.
        self._issued: Deque[int] = deque([0], maxlen=1000)
        self._closed = False
        #: Seconds from the last answered request to its reply; None before the first.
        self.round_trip: Optional[float] = None

    def add(self, request: Request) -> Optional[int]:
        """Add a request and return its id, or None if the table is closed."""
        if self._closed:
            return None
        number = next(self._ids)
        self._issued.append(number)
        request.asked_at = self._clock()
        request.deadline = request.asked_at + self._timeout
        self._requests[number] = request
        # If it was closed in between, either this thread or the closing one removes the request.
        if self._closed and self.take(number) is request:
            return None
        return number

    def take(self, number: int) -> Optional[Request]:
        """Remove and return the request with this id, or None if it is not pending."""
        return self._requests.pop(number, None)

    def take_answered(self, number: int) -> Optional[Request]:
        """Remove and return the request whose reply has come, or None if it is not pending."""
        request = self.take(number)
        if request is not None:
            self.round_trip = self._clock() - request.asked_at
        return request

    def take_late(self, now: float) -> List[Request]:
        """Remove and return the requests past their deadline, oldest first."""
        late = [key for key, each in list(self._requests.items()) if each.deadline <= now]
        return self._take_all(late)

    def close(self) -> List[Request]:
        """Close the table, then remove and return all requests, oldest first."""
        self._closed = True
        return self._take_all(sorted(list(self._requests)))

    def _take_all(self, numbers: List[int]) -> List[Request]:
        taken = map(self.take, numbers)
        return [request for request in taken if request is not None]

    def any(self) -> bool:
        """Return True if a request is pending."""
        return bool(self._requests)

    def was_issued(self, number: int) -> bool:
        """Return True if this id was ever used."""
        return 0 < number <= max(list(self._issued))

    def due(self) -> float:
        """Return the monotonic time of the next check for late requests.

        It is at most one timeout from now: requests added while the reader sleeps are due later.
        """
        first = self._first()
        latest = self._clock() + self._timeout
        return latest if first is None else min(latest, first.deadline)

    def _first(self) -> Optional[Request]:
        while True:
            try:
                return next(iter(self._requests.values()), None)
            except RuntimeError:
                pass  # The dict changed between the two calls.
