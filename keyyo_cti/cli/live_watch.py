"""``keyyo-cti watch`` at a terminal: the calls as a table that changes with them."""

import threading
import time
from collections import deque
from typing import Deque, Sequence, Tuple

from ..call import Call
from .screen import Screen
from .session_command import Standing
from .session_config import Opening
from .table import View, drawn
from .terminal import Terminal
from .watching import Watch

#: How many of the things that a person was told last are shown.
_NOTES = 3

#: Lines; more than any table has.
_UNBOUNDED = 100_000


class LiveWatch(Watch):
    """Shows calls in a table, from when there is a session to the end.

    What is on the screen then stays behind as the last picture.

    :param also: numbers to watch besides the line's own.
    :param out: a terminal that takes pictures.
    """

    def __init__(
        self, opening: Opening, also: Sequence[str], out: Terminal, err: Terminal
    ) -> None:
        super().__init__(opening, also, err)
        self._out = out
        self._screen = Screen(out)
        self._standing = Standing.CONNECTING
        # Held while something is said: either it is a note or a line, but not both or neither.
        self._saying = threading.Lock()
        # Each with the time of day.
        self._notes: Deque[Tuple[str, str]] = deque(maxlen=_NOTES)

    def run(self) -> int:
        try:
            return super().run()
        finally:
            self._turn_back()

    def on_call(self, call: Call) -> None:
        self.stir()

    def look(self) -> None:
        if self._standing is Standing.CONNECTING:
            # What goes wrong before there is a session needs no table.
            return
        if not self._screen.entered:
            with self._saying:
                self._screen.enter()
        columns, lines = self._screen.size()
        # One column is left free: a line that fills the last one may wrap.
        width = max(1, columns - 1)
        self._screen.show(drawn(self._view(), width, lines, self._out.coloured))

    def say(self, message: str) -> None:
        with self._saying:
            if self._screen.entered:
                self._notes.append((time.strftime("%H:%M:%S"), message))
            if not self._screen.entered or not self._err.somebody_looks:
                self._err.line(message)
        self.stir()

    def stand(self, standing: Standing, message: str) -> None:
        super().stand(standing, message)
        self._standing = standing
        self.stir()

    def leave(self) -> None:
        # First of all: the server has time to answer, a person has not.
        self._turn_back()
        super().leave()

    def _view(self) -> View:
        with self._saying:
            notes = ["  ".join(note) for note in self._notes]
        return View(self.cti.number, self._standing, self.cti.get_calls(), notes)

    def _turn_back(self) -> None:
        with self._saying:
            if not self._screen.entered:
                return
            self._screen.leave()
            notes = [message for _, message in self._notes]
        calls = self.cti.get_calls()
        if calls:
            columns, _ = self._screen.size()
            view = View(self.cti.number, self._standing, calls)
            for line in drawn(view, max(1, columns - 1), _UNBOUNDED, self._out.coloured):
                self._out.line(line)
        if self._err.somebody_looks:
            for note in notes:
                self._err.line(note)
