"""The session of ``keyyo-cti watch``, and its form for pipes: one line per change."""

from abc import abstractmethod
from functools import partial
from typing import Any, ClassVar, Optional, Sequence

from .._display.telephone_number import parse_number
from ..call import Call
from ..catch_up import CaughtUp
from ..errors import KeyyoError
from .account_names import AccountNames
from .call_printer import CallPrinter
from .exit_codes import FAILED
from .keys import KeyReader
from .record_printer import PrintRecord
from .session_command import SessionCommand
from .session_config import SessionConfig
from .terminal import Terminal, escape

#: The key that shows the health of the connection.
HEALTH_KEY = "h"

_HELP = f"for the health of the connection, press {HEALTH_KEY}"


class WatchSession(SessionCommand):
    """A session that also subscribes to other numbers, and is restored when it is lost.

    :cvar draws: True if it draws on the terminal, where other output would break the picture.
    :param also: numbers to watch besides the line's own.
    """

    restores = True
    draws: ClassVar[bool] = False

    def __init__(
        self,
        config: SessionConfig,
        also: Sequence[str],
        err: Terminal,
        names: Optional[AccountNames] = None,
    ) -> None:
        super().__init__(config, err, names)
        self._also = also
        self._keys = KeyReader(self.on_key)
        self._last_problem: Optional[str] = None
        self.cti.onCaughtUp = self._on_caught_up

    def run(self) -> int:
        with self._keys:
            return super().run()

    def end(self, exit_code: int, message: Optional[str] = None) -> None:
        self._keys.stop()
        super().end(exit_code, message)

    @abstractmethod
    def on_key(self, key: str) -> None:
        """Handle a key, on a thread of its own."""

    @abstractmethod
    def on_caught_up(self, caught_up: CaughtUp) -> None:
        """Show the calls that began or ended while there was no connection."""

    def on_connected(self) -> None:
        for written in self._also:
            number = parse_number(written, self.cti.number)
            self.cti.subscribe(number, partial(self._on_subscribed, number))

    def _on_caught_up(self, caught_up: CaughtUp) -> None:
        self.on_caught_up(caught_up)
        problem = None if caught_up.error is None else escape(caught_up.error)
        # Each gap of an account that may not read the history has the same error.
        if problem is not None and problem != self._last_problem:
            self.print_status(f"calls of the last gap may be missing: {problem}")
        self._last_problem = problem

    def _on_subscribed(self, number: str, err: Optional[KeyyoError], res: Any) -> None:
        if err:
            self.end(FAILED, f"cannot watch {escape(number)}: {escape(err)}")
        else:
            self.print_status(f"also watching {escape(number)}")


class LineWatch(WatchSession):
    """Prints each change of a call as a line.

    :param printer: prints the calls.
    :param print_record: prints a call of the history.
    """

    def __init__(
        self,
        config: SessionConfig,
        also: Sequence[str],
        printer: CallPrinter,
        print_record: PrintRecord,
        err: Terminal,
        names: Optional[AccountNames] = None,
    ) -> None:
        super().__init__(config, also, err, names)
        self._printer = printer
        self._print_record = print_record

    def on_connected(self) -> None:
        if self._printer.is_for_person:
            # The server sends no active calls to a new session.
            self.print_status("calls that began earlier are not shown until they change")
            if self._keys.available:
                self.print_status(f"{_HELP} and Enter")
        super().on_connected()

    def on_key(self, key: str) -> None:
        # On stderr, so that the calls stay apart.
        self.print_status(escape(self.cti.health()) if key == HEALTH_KEY else f"{_HELP} and Enter")

    def on_call(self, call: Call) -> None:
        self._printer.print_call(call)

    def on_caught_up(self, caught_up: CaughtUp) -> None:
        for record in caught_up:
            call = caught_up.calls.get(record)
            if call is None:
                self._print_record(record)
            else:
                self._printer.print_settled(call, record)
