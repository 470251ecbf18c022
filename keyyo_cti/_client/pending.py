"""Commands that wait for their answer, each completed exactly once.

A request is taken out of the table under its lock, and whoever takes it out completes it: the
reply, its deadline, or the end of the connection. A Future refuses to be set twice, so that a
mistake here would be loud.
"""

import itertools
import threading
from collections import deque
from concurrent.futures import Future
from functools import partial
from typing import Any, Callable, ContextManager, Deque, Dict, List, Optional, Protocol

from .._net.clock import NEVER, Monotonic, monotonic
from .._net.reentrant import interrupts_itself, longest_wait
from .._net.user_code import require_function
from .._sockjs import Departure
from ..errors import KeyyoError
from .callback import Callback
from .wire import Command

#: What the SDK itself does with an answer, before its Future is completed. A command that it
#: returns is asked instead, and its answer is the request's.
Reaction = Callable[[Optional[KeyyoError], Any], Optional[Command]]

#: Seconds that a wait for an answer may take before it looks whether it waits for itself.
_FIRST_WAIT = 0.05

#: The module of the callback by which ``asyncio.wrap_future`` learns of an answer.
_ASYNCIO = "asyncio.futures"


class Desk(Protocol):
    """Where user code runs; a dispatcher."""

    def deliver(self, function: Callable[..., object], *arguments: Any) -> None:
        """Has user code run there."""

    def attending(self) -> ContextManager[None]:
        """For the time in which that very code waits for an answer."""

    def answered(self, request: object) -> None:
        """A command that was asked has its answer."""


class Answer(Future):  # type: ignore[type-arg]
    """The Future of a command.

    What ``add_done_callback`` adds runs where callbacks run, never on the reader thread, which
    completes the Future; only asyncio's own callback, which hands the answer to a loop, does not
    wait for the handlers before it: one of them may be waiting for that loop. It cannot be
    cancelled: what is on the wire cannot be taken back.

    In a signal handler or ``__del__`` that interrupted the SDK itself, to wait for it raises
    RuntimeError: the thread that is interrupted may have to go on before there is an answer.
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        # Closed until there is an answer. The Future's own condition is left alone: who is woken
        # by it finds it held by the thread that wakes, and has to wait once more.
        self._gate = threading.Lock()
        self._gate.acquire()
        self.set_running_or_notify_cancel()

    def add_done_callback(self, fn: Callable[[Any], object]) -> None:
        require_function("fn", fn)
        if getattr(fn, "__module__", None) == _ASYNCIO:
            super().add_done_callback(partial(self._hand_to_loop, fn))
        else:
            super().add_done_callback(lambda answer: self._desk.deliver(fn, answer))

    def _hand_to_loop(self, fn: Callable[[Any], object], answer: Any) -> None:
        try:
            fn(answer)
        except Exception:
            # The loop is closed. Once more, where what goes wrong is logged and reported.
            self._desk.deliver(fn, answer)

    def set_result(self, result: Any) -> None:
        super().set_result(result)
        self._gate.release()

    def set_exception(self, exception: Optional[BaseException]) -> None:
        super().set_exception(exception)
        self._gate.release()

    def result(self, timeout: Optional[float] = None) -> Any:
        self._wait(timeout)
        return super().result(0)

    def exception(self, timeout: Optional[float] = None) -> Optional[BaseException]:
        self._wait(timeout)
        return super().exception(0)

    def _wait(self, timeout: Optional[float]) -> None:
        if self.done():
            return
        until = None if timeout is None else monotonic() + timeout
        with self._desk.attending():
            longest = _FIRST_WAIT
            while not self.done():
                left = longest if until is None else max(0.0, until - monotonic())
                if self._gate.acquire(timeout=min(left, longest)):
                    # For the next who waits.
                    self._gate.release()
                    return
                if left <= longest and until is not None:
                    return
                if interrupts_itself():
                    raise RuntimeError(
                        "this signal handler interrupted the SDK on the thread that the answer "
                        "may need: pass a callback, or wait for the Future outside the handler"
                    )
                longest = longest_wait()


class Request:
    """A command as somebody asked it: with a Future, and perhaps a callback.

    :ivar departure: how far it has come on its way to the server.
    :ivar asked_at: monotonic time at which it was about to be sent.
    :ivar deadline: monotonic time at which it is given up.
    :ivar opens_session: whether it is one that makes a connection worth having.
    """

    __slots__ = (
        "command", "desk", "callback", "react", "opens_session", "departure", "asked_at",
        "deadline", "future",
    )

    def __init__(
        self,
        command: Command,
        desk: Desk,
        callback: Optional[Callback] = None,
        react: Optional[Reaction] = None,
    ) -> None:
        self.command = command
        self.desk = desk
        self.callback = callback
        self.react = react
        self.opens_session = False
        self.departure = Departure()
        self.asked_at = -NEVER
        self.deadline = NEVER
        self.future: "Future[Any]" = Answer(desk)

    def complete(self, error: Optional[KeyyoError], result: Any) -> None:
        """Completes the Future, and then has the callback called: so ``result()`` works in any
        handler. For the one who took the request out of the table."""
        if error is not None:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)
        if self.callback is not None:
            self.desk.deliver(self.callback, error, result)
        self.desk.answered(self)


class Pending:
    """The table: id -> request. Thread-safe.

    :param timeout: seconds that a command may take, the same for all, so that the first in the
        table is always the first to be late.
    """

    def __init__(self, timeout: float, clock: Monotonic = monotonic) -> None:
        self._timeout = timeout
        self._clock = clock
        # No lock, because a signal handler may come to any of this on the thread that it
        # interrupts. Each change is one step of the dict, which the interpreter does as a whole.
        self._requests: Dict[int, Request] = {}
        self._ids = itertools.count(1)
        # More than there are threads between an id and its entry here.
        self._given: Deque[int] = deque([0], maxlen=1000)
        self._closed = False

    def add(self, request: Request) -> Optional[int]:
        """The id under which it waits, or None when the table is closed."""
        if self._closed:
            return None
        number = next(self._ids)
        self._given.append(number)
        request.asked_at = self._clock()
        request.deadline = request.asked_at + self._timeout
        self._requests[number] = request
        # If it was closed meanwhile, one of the two takes it out.
        if self._closed and self.take(number) is request:
            return None
        return number

    def take(self, number: int) -> Optional[Request]:
        """The request with this id, or None when nobody waits for it."""
        return self._requests.pop(number, None)

    def take_late(self, now: float) -> List[Request]:
        """Those whose deadline has come, in the order they were asked."""
        late = [key for key, each in list(self._requests.items()) if each.deadline <= now]
        return self._take_all(late)

    def close(self) -> List[Request]:
        """All, in the order they were asked. Nothing is added from here on."""
        self._closed = True
        return self._take_all(sorted(list(self._requests)))

    def _take_all(self, numbers: List[int]) -> List[Request]:
        taken = map(self.take, numbers)
        return [request for request in taken if request is not None]

    def any(self) -> bool:
        """True if a request waits."""
        return bool(self._requests)

    def known(self, number: int) -> bool:
        """Whether an id was ever given out."""
        return 0 < number <= max(list(self._given))

    def due(self) -> float:
        """When to look for late ones, in monotonic seconds. Never later than a time-out from
        now, because what is added while the reader sleeps is due no sooner."""
        first = self._first()
        latest = self._clock() + self._timeout
        return latest if first is None else min(latest, first.deadline)

    def _first(self) -> Optional[Request]:
        while True:
            try:
                return next(iter(self._requests.values()), None)
            except RuntimeError:
                pass  # It was changed between the two calls.
