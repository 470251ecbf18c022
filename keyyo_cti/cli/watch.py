"""``keyyo-cti watch``: the calls of a line as they change."""

import argparse
import importlib.util
from typing import Sequence

from ..call import Call
from .call_printer import Calls
from .session_config import Opening, opened
from .terminal import Terminal
from .watching import Watch


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Runs the command."""
    return _chosen(arguments, out, err).run()


def _chosen(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> "Watch":
    opening = opened(arguments)
    plain = arguments.plain or arguments.json or not out.takes_pictures
    if plain or importlib.util.find_spec("rich") is None:
        return LineWatch(opening, arguments.also, Calls(out, arguments.json), err)
    # Only now: it needs an extra.
    from .live_watch import LiveWatch

    return LiveWatch(opening, arguments.also, out, err)


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
