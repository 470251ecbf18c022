"""A simulator whose time a test moves by hand, with waits and assertions."""

from __future__ import annotations

import threading
import traceback
from typing import Any, Callable, Dict, List, NamedTuple, Optional, TypeVar

from .._client import user_errors
from .._net.clock import NEVER, HandClock, monotonic, set_hand_clock, wall_clock
from ..cti import CTI
from ..simulator import ManualClock, Simulator
from ..simulator.clients import Passage
from ..simulator.phones import NumberLike
from .clients import find_clients
from .settling import Settling

T = TypeVar("T")

#: Seconds between two checks of a condition that no event announces.
_POLL_INTERVAL = 0.01

_MAX_SHOWN_COMMANDS = 20


class HandlerError(NamedTuple):
    """An exception that a handler, a callback or another function of the program has raised.

    :ivar where: the name of the function.
    """

    where: str
    error: BaseException

    def __str__(self) -> str:
        lines = traceback.format_exception(
            type(self.error), self.error, self.error.__traceback__)
        return f"{self.where} raised:\n{''.join(lines)}"


class TimedSimulator(Simulator):
    """The part of `SimulatedKeyyo` without rehearsals.

    :param settings: those of `Simulator`, except for `clock`.
    :ivar handler_errors: a `HandlerError` for each exception of a handler, callback, ``check``,
        ``token_provider`` or ``may_dial``.
    """

    def __init__(self, **settings: Any) -> None:
        # A whole second: the service sends whole seconds, and so each duration is exact.
        self._hand = HandClock(float(int(wall_clock())))
        self._manual = ManualClock(self._hand.wall)
        super().__init__(clock=self._manual, **settings)
        self.handler_errors: List[HandlerError] = []
        self._before: Optional[HandClock] = None
        self._observers_before: List[user_errors.Observer] = []
        self._messages = 0
        self._pause = threading.Event()

    def start(self) -> None:
        """Start the server, and stop the time."""
        super().start()
        self._before = set_hand_clock(self._hand)
        # A rehearsal within a test keeps its exceptions to itself.
        self._observers_before[:] = user_errors.on_exception
        user_errors.on_exception[:] = [self._on_exception]
        self.on_traffic(self._on_message)

    def stop(self) -> None:
        """Stop the server, and let time go on; harmless to repeat."""
        super().stop()
        if self._on_exception in user_errors.on_exception:
            user_errors.on_exception[:] = self._observers_before
            set_hand_clock(self._before)

    # Time

    def now(self) -> float:
        """Return the time of the service, in Unix seconds."""
        return self._hand.wall

    def elapse(self, seconds: float, *, settle: bool = True) -> None:
        """Let time pass at once: tokens and sessions expire, ringing times out, durations grow.

        :param seconds: 0 or more.
        :param settle: True settles before and after it; see `settle`.
        :raises ValueError: `seconds` is negative, infinite or not a number.
        """
        if not 0 <= seconds < NEVER:
            raise ValueError(f"seconds: expected 0 or more, got {seconds!r}")
        if settle:
            self.settle()
        self._thread.call(self._advance, seconds)
        if settle:
            self.settle()

    def _advance(self, seconds: float) -> None:
        # First the SDK: it takes a date ahead of its clock for a sign that its clock is slow.
        self._hand.advance(seconds)
        self._manual.advance(seconds)

    # Clients

    def connect(self, line: NumberLike, **options: Any) -> CTI:
        """Return a CTI with an open session of a line.

        Its session is restored after a drop, with a new token each time.

        :param options: further options of the CTI.
        """
        given: Dict[str, Any] = {
            "endpoint": self.endpoint, "cookie_auto": False,
            "token_provider": lambda: self.token(line), **options,
        }
        cti = CTI(given)
        cti.create_session(self.token(line)).result(10)
        return cti

    def close_clients(self) -> None:
        """Close every CTI of this process that is connected to this simulator."""
        for client in find_clients(self.endpoint):
            client.close()

    # Waits and assertions

    def settle(self, timeout: float = 5.0, *, polls: bool = True) -> None:
        """Wait until the program has handled everything, its own commands included.

        It sends pings. It does not wait for other threads of the program, as `eventually` does.

        :param timeout: seconds.
        :param polls: True if this thread runs the handlers of a CTI with ``dispatch="manual"``.
        :raises RuntimeError: a handler calls it.
        :raises TimeoutError: a handler did not return, or handlers always send new commands.
        """
        Settling(self.endpoint, self._count_messages).settle(timeout, polls)

    def eventually(self, check: Callable[[], T], timeout: float = 5.0) -> T:
        """Wait until a function returns something true, and return it.

        :param check: called again and again, on this thread.
        :param timeout: seconds.
        :raises AssertionError: it never did; the message shows the calls and the commands.
        """
        until = monotonic() + timeout
        unsettled: Optional[TimeoutError] = None
        while True:
            found = check()
            if found:
                return found
            if monotonic() >= until:
                raise AssertionError(
                    f"not true after {timeout:g} s: it returned {found!r}\n{self._describe()}"
                ) from unsettled
            try:
                self.settle(max(0.0, until - monotonic()))
            except TimeoutError as error:
                unsettled = error
            # Other threads of the program may change it, which no event announces.
            self._pause.wait(_POLL_INTERVAL)

    def assert_command(self, action: str, timeout: float = 5.0, **fields: Any) -> Dict[str, Any]:
        """Wait for a command with these fields, and return all of its fields.

        :param action: its name in the protocol, for example "answer_call".
        :param fields: for example ``call_ref="call-1"``.
        :raises AssertionError: it did not come; the message shows the calls and the commands.
        """
        def find() -> Optional[Dict[str, Any]]:
            commands = self.received(action)
            return next((each for each in commands if fields.items() <= each.items()), None)

        found = self.eventually(find, timeout)
        assert found is not None
        return found

    def assert_no_command(self, action: str, **fields: Any) -> None:
        """Settle, then check that no command with these fields has come.

        :raises AssertionError: there is one.
        """
        self.settle()
        found = [each for each in self.received(action) if fields.items() <= each.items()]
        if found:
            raise AssertionError(f"unexpected command: {found[0]}\n{self._describe()}")

    def check_handlers(self) -> None:
        """Check that no handler, callback or check has raised.

        :raises AssertionError: one has; the message has the tracebacks.
        """
        if self.handler_errors:
            raise AssertionError("\n".join(map(str, self.handler_errors)))

    # Private

    def _on_exception(self, where: str, error: BaseException) -> None:
        self.handler_errors.append(HandlerError(where, error))

    def _on_message(self, passage: Passage) -> None:
        self._messages += 1

    def _count_messages(self) -> int:
        # On the server's thread: a client may have a message before it is counted here.
        return self._thread.call(lambda: self._messages)

    def _describe(self) -> str:
        commands = [each for each in self.received() if each.get("action") != "ping"]
        lines = [
            *(f"call {each.callref} {each.caller} -> {each.callee} {each.state}"
              for each in self.calls()),
            *(f"command {each}" for each in commands[-_MAX_SHOWN_COMMANDS:]),
        ]
        return "\n".join(lines or ["There were no calls and no commands."])
