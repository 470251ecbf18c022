"""``keyyo-cti dial``: a line's telephone calls a number."""

import argparse
from typing import Any, Optional

from ..call import Call
from ..cti import CTI
from ..errors import KeyyoError
from .attending import Attending
from .exit_codes import FAILED, OK
from .opening import opened
from .shown import Calls
from .terminal import Terminal, printable


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Runs the command."""
    opening = opened(arguments, arguments.auto_answer)
    calls = Calls(out, arguments.json) if arguments.follow else None
    return Dial(opening.cti(), arguments.number, calls, err).run(opening)


class Dial(Attending):
    """Calls a number.

    :param number: whom to call.
    :param calls: shows the call until it is over; None for not waiting for that.
    """

    def __init__(self, cti: CTI, number: str, calls: Optional[Calls], err: Terminal) -> None:
        super().__init__(cti, err)
        self._number = number
        self._calls = calls
        self._call: Optional[Call] = None

    def connected(self) -> None:
        self.cti.dial(self._number, self._dialled)

    def on_call(self, call: Call) -> None:
        # The first one that this line makes, whatever Keyyo makes of the number.
        if self._call is None and call.caller == self.cti.number and not call.ended:
            self._call = call
        if self._calls is None or call is not self._call:
            return
        self._calls.show(call)
        if call.ended:
            self.end(FAILED if call.state == "MISSED" else OK)

    def leave(self) -> None:
        # What goes on is left alone, and the session with it: it ends by itself.
        if self._call is not None and self._call.ended:
            super().leave()

    def _dialled(self, err: Optional[KeyyoError], res: Any) -> None:
        if err:
            self.end(FAILED, printable(err))
            return
        self.say(f"dialling {printable(self._number)}: pick up the telephone of the line")
        if self._calls is None:
            self.end(OK)
