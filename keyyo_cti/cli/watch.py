"""``keyyo-cti watch``: the calls of a line as they change, one line per change."""

import argparse
from functools import partial
from typing import Any, Optional, Sequence

from ..call import Call
from ..errors import KeyyoError
from .attending import Attending
from .exit_codes import FAILED
from .opening import Opening, opened
from .shown import Calls
from .terminal import Terminal, printable


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Runs the command."""
    return Watch(opened(arguments), arguments.also, Calls(out, arguments.json), err).run()


class Watch(Attending):
    """Shows calls.

    :param also: numbers to watch besides the line's own.
    :param calls: shows them.
    """

    restores = True

    def __init__(
        self, opening: Opening, also: Sequence[str], calls: Calls, err: Terminal
    ) -> None:
        super().__init__(opening, err)
        self._also = also
        self._calls = calls

    def connected(self) -> None:
        for number in self._also:
            self.cti.subscribe(number, partial(self._subscribed, number))

    def on_call(self, call: Call) -> None:
        self._calls.show(call)

    def _subscribed(self, number: str, err: Optional[KeyyoError], res: Any) -> None:
        if err:
            self.end(FAILED, f"cannot watch {printable(number)}: {printable(err)}")
        else:
            self.say(f"also watching {printable(number)}")
