"""The board of a line: its calls as they go, with buttons."""

import threading
from concurrent.futures import Future
from contextvars import copy_context
from typing import Any, Callable, Dict, List, Optional

from ipywidgets import HTML, Button, HBox, Text, VBox

from .._client.callback import Callback
from .._display import html
from .._display.dates import as_date
from .._display.telephone_number import as_dialled
from ..call import Call
from ..cti import CTI
from ..errors import KeyyoError
from ..results import Restored
from .call_row import CallRow
from .cell import Cell
from .refresh_thread import Painter
from .styles import Looks

_BAD = html.STATES["MISSED"][1]
_GOOD = html.STATES["CONNECT"][1]


class Board(VBox):
    """A board; ``keyyo_cti.notebook.board`` makes one.

    A call that has ended keeps its row until another one needs it, so that no row moves under a
    pointer that is about to click.

    :ivar rows: the calls that are shown, each with its buttons.
    """

    def __init__(self, cti: CTI, most: int) -> None:
        self._cti = cti
        self._most = most
        self._looks = looks = Looks()
        # The kernel's: what is painted later is an answer to this cell too.
        self._context = copy_context()
        # Of whether it follows: a kernel may tell of clicks in another thread than of cells.
        self._changing = threading.RLock()
        self._painter: Optional[Painter] = None
        self._closed = False
        self._said = ""
        # Shown while nothing is connected.
        self._lost = ""
        self._handlers: Dict[str, Callable[..., object]] = {
            "newCall": self._wake,
            "disconnected": self._on_disconnected,
            "restored": self._on_restored,
            "lost": self._on_lost,
        }
        self.rows: List[CallRow] = []
        self.status = HTML(layout=looks.about, style=looks.html)
        self.to = Text(placeholder="number to dial", layout=looks.number, style=looks.text)
        self.dial = Button(description="Dial", layout=looks.short, style=looks.plain)
        self.dial.on_click(self._on_dial)
        self.more = HTML(layout=looks.line, style=looks.html)
        self.message = HTML(layout=looks.line, style=looks.html)
        self._bar = HBox([self.status, self.to, self.dial], layout=looks.bar)
        # Set to a number, it is the number of places where the front end shows the board.
        super().__init__(layout=looks.board, _view_count=0)
        self._paint()
        self._cell = Cell(self.close)
        self.observe(self._seen, "_view_count")
        self._follow()

    def __repr__(self) -> str:
        return f"<Board of {self._cti!r}>"

    @property
    def following(self) -> bool:
        """Whether it has handlers at the CTI."""
        return self._painter is not None

    def close(self) -> None:
        """Ends it: its handlers are off the CTI, its thread has ended, and the notebook shows it
        no more. Harmless to repeat."""
        # ipywidgets calls this also for what could not be made.
        if "_cell" in vars(self):
            with self._changing:
                self._closed = True
                self._rest()
            self._cell.forget()
            for each in (*self.rows, *self._bar.children, self._bar, self.more, self.message):
                each.close()
            self._looks.close()
        super().close()

    def _follow(self) -> None:
        with self._changing:
            if self._painter is None and not self._closed:
                self._painter = Painter(self._paint, self._context)
                self._painter.start()
                for event, handler in self._handlers.items():
                    self._cti.on(event, handler)
                self._wake()

    def _rest(self) -> None:
        with self._changing:
            if self._painter is not None:
                for event, handler in self._handlers.items():
                    self._cti.off(event, handler)
                self._painter.stop()
                self._painter = None

    def _seen(self, change: Any) -> None:
        if change["new"]:
            self._follow()
        else:
            self._rest()

    # On the event thread.

    def _wake(self, *_: Any) -> None:
        painter = self._painter
        if painter is not None:
            painter.wake()

    def _say(self, what: str) -> None:
        self._said = what
        self._wake()

    def _on_disconnected(self) -> None:
        # That of a connection before this one.
        self._lost = ""
        self._wake()

    def _on_restored(self, info: Restored) -> None:
        self._say(f"restored: what happened in {info.gap:.0f} s is not shown")

    def _on_lost(self, err: KeyyoError) -> None:
        self._lost = f"the session is lost: {err._repr_html_()}"
        self._say("")

    # When somebody clicks.

    def _on_dial(self, _: Button) -> None:
        number = as_dialled(self.to.value, self._cti.number)
        self._ask("dial", lambda answered: self._cti.dial(number, answered))

    def _ask(self, what: str, ask: Callable[[Callback], "Future[Any]"]) -> None:
        def answered(err: Optional[KeyyoError], res: Any) -> None:
            self._say(f"cannot {what}: {err._repr_html_()}" if err else "")

        ask(answered)

    # In the painter's thread.

    def _paint(self) -> None:
        cti = self._cti
        connected, number = cti.connected, cti.number
        calls = [call for call in cti.get_calls() if not call.ended]
        self._seat([call for call in calls if not call.stale])
        for row in self.rows:
            row.paint(number, connected)
        self.status.value = _status(connected, number)
        self.dial.disabled = self.to.disabled = not connected
        self.more.value = self._others(calls)
        self.message.value = (not connected and self._lost) or self._said
        below = [each for each in (self.more, self.message) if each.value]
        # The same ones again are no change, and nothing is sent.
        self.children = (self._bar, *self.rows, *below)

    def _seat(self, calls: List[Call]) -> None:
        """Gives each call a row, as far as there are any, first to those that ring for us."""
        seated = {id(row.call) for row in self.rows}
        waiting = [call for call in calls if id(call) not in seated]
        for call in sorted(waiting, key=self._turn):
            at = self._place()
            if at is None:
                return
            if at < len(self.rows):
                self.rows[at].close()
            self.rows[at : at + 1] = [CallRow(call, self._ask, self._looks)]

    def _turn(self, call: Call) -> bool:
        return not (call.state == "SETUP" and call.callee == self._cti.number)

    def _place(self) -> Optional[int]:
        """Where there is room for a row: at the end, or instead of the call that is over for the
        longest time."""
        if len(self.rows) < self._most:
            return len(self.rows)
        over = [at for at, row in enumerate(self.rows) if row.call.ended or row.call.stale]
        return min(over, key=lambda at: _ended(self.rows[at].call), default=None)

    def _others(self, calls: List[Call]) -> str:
        seated = {id(row.call) for row in self.rows}
        left = [call for call in calls if id(call) not in seated]
        if not left:
            return "" if self.rows else "no calls"
        ringing = sum(call.state == "SETUP" for call in left)
        return f"and {len(left)} more that go on, {ringing} of them ringing"


def _status(connected: bool, number: Any) -> str:
    word, colour = ("connected", _GOOD) if connected else ("not connected", _BAD)
    line = f" &ensp;<b>{html.number(number)}</b>" if number is not None else ""
    return html.chip(word, colour) + line


def _ended(call: Call) -> float:
    return as_date(call.release_date) or 0.0
