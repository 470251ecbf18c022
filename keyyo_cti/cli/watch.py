"""``keyyo-cti watch``: the calls of a line as they change."""

import argparse
import importlib.util
from abc import abstractmethod
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
    return _chosen(arguments, out, err).run()


def _chosen(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> "Watch":
    opening = opened(arguments)
    plain = arguments.plain or arguments.json or not out.takes_pictures
    if plain or importlib.util.find_spec("rich") is None:
        return LineWatch(opening, arguments.also, Calls(out, arguments.json), err)
    # Only now: it needs an extra.
    from .live import LiveWatch

    return LiveWatch(opening, arguments.also, out, err)


class Watch(Attending):
    """Shows calls.

    :param also: numbers to watch besides the line's own.
    """

    restores = True

    def __init__(self, opening: Opening, also: Sequence[str], err: Terminal) -> None:
        super().__init__(opening, err)
        self._also = also

    def connected(self) -> None:
        for number in self._also:
            self.cti.subscribe(number, partial(self._subscribed, number))

    @abstractmethod
    def on_call(self, call: Call) -> None: ...

    def _subscribed(self, number: str, err: Optional[KeyyoError], res: Any) -> None:
        if err:
            self.end(FAILED, f"cannot watch {printable(number)}: {printable(err)}")
        else:
            self.say(f"also watching {printable(number)}")


class LineWatch(Watch):
    """Shows each change of a call as a line.

    :param calls: shows them.
    """

    def __init__(
        self, opening: Opening, also: Sequence[str], calls: Calls, err: Terminal
    ) -> None:
        super().__init__(opening, also, err)
        self._calls = calls

    def on_call(self, call: Call) -> None:
        self._calls.show(call)
