"""``keyyo-cti dial``: a line's telephone calls a number."""

import argparse
from dataclasses import replace
from typing import Any, Optional

from .._display.dates import as_date
from ..call import Call
from ..errors import ConnectionClosed, KeyyoError
from .call_printer import Calls
from .exit_codes import FAILED, OK
from .session_command import Attending
from .session_config import Opening, opened
from .terminal import Terminal, printable


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Runs the command."""
    calls = Calls(out, arguments.json) if arguments.follow else None
    opening = opened(arguments, arguments.auto_answer)
    if arguments.only is not None:
        opening = replace(opening, may_dial=arguments.only.fullmatch)
    return Dial(opening, arguments.number, calls, err).run()


class Dial(Attending):
    """Calls a number.

    :param number: whom to call.
    :param calls: shows the call until it is over; None for not waiting for that.
    """

    def __init__(
        self, opening: Opening, number: str, calls: Optional[Calls], err: Terminal
    ) -> None:
        super().__init__(opening, err)
        self._number = number
        self._calls = calls
        self._call: Optional[Call] = None
        self._placed = False

    def connected(self) -> None:
        self.cti.dial(self._number, self._dialled)

    def on_call(self, call: Call) -> None:
        # The first one that this line makes, whatever Keyyo makes of the number.
        if self._call is None and call.caller == self.cti.number and self._is_new(call):
            self._call = call
        if self._calls is None or call is not self._call:
            return
        self._calls.show(call)
        if call.ended:
            self.end(FAILED if call.state == "MISSED" else OK)

    def leave(self) -> None:
        # What goes on is left alone, and the session with it: it ends by itself.
        if not self._placed or (self._call is not None and self._call.ended):
            super().leave()

    def _is_new(self, call: Call) -> bool:
        """Whether it began in this session."""
        placed = as_date(call.setup_date)
        return placed is None or self.began is None or placed >= int(self.began)

    def _dialled(self, err: Optional[KeyyoError], res: Any) -> None:
        if err:
            self._placed = isinstance(err, ConnectionClosed) and err.sent
            if self._placed:
                self.say(f"whether {printable(self._number)} is called, nobody knows")
            self.fail(err)
            return
        self._placed = True
        ringing = self.opening.auto_answer is False
        then = ": pick up the telephone of the line" if ringing else ""
        self.say(f"calling {printable(self._number)}{then}")
        if self._calls is None:
            self.end(OK)
