"""The board of a line: its active calls, with buttons."""

import threading
from concurrent.futures import Future
from contextvars import copy_context
from typing import Any, Callable, Dict, List, Optional

from ipywidgets import HTML, Button, HBox, VBox

from .._client.callback import Callback
from .._display import html
from .._display.call_state import RINGING
from .._display.names import Names
from .._display.telephone_number import parse_number
from ..call import Call
from ..cti import CTI
from ..errors import KeyyoError
from ..results import Restored
from .call_row import CallRow
from .cell import Cell
from .number_field import NumberField
from .refresh_thread import RefreshThread
from .row_list import RowList
from .styles import CSS, Styles


class Board(VBox):
    """The widget that ``keyyo_cti.notebook.board`` returns.

    :param max_rows: maximum number of calls with a row. An ended call keeps its row, below the
        active ones, until another call needs it.
    :param names: names beside numbers; None for those of the notebook.
    """

    def __init__(self, cti: CTI, max_rows: int, names: Optional[Names] = None) -> None:
        self._cti = cti
        self._names = names
        self._styles = styles = Styles()
        # Messages that are sent in this context belong to this cell.
        self._context = copy_context()
        # Guards _thread and _closed: a kernel may deliver clicks and cells on different threads.
        self._lock = threading.RLock()
        self._thread: Optional[RefreshThread] = None
        self._closed = False
        self._message = ""
        # Shown instead of the message while there is no connection.
        self._loss = ""
        self._handlers: Dict[str, Callable[..., object]] = {
            "newCall": self._wake,
            "disconnected": self._on_disconnected,
            "restored": self._on_restored,
            "lost": self._on_lost,
        }
        self.status = HTML(layout=styles.about, style=styles.html)
        self.to = NumberField("number to dial", self._dial, styles)
        self.dial = Button(description="Dial", layout=styles.short, style=styles.plain)
        self.dial.on_click(self._on_dial)
        self._list = RowList(max_rows, self._send_command, styles, names)
        self.more = HTML(layout=styles.line, style=styles.html)
        self.message = HTML(layout=styles.line, style=styles.html)
        self._bar = HBox(layout=styles.bar)
        # With a number in _view_count, the front end counts the views of the board there.
        super().__init__(layout=styles.board, _view_count=0)
        self._refresh()
        self._cell = Cell(self.close)
        self.observe(self._on_view_count, "_view_count")
        self._follow()

    def __repr__(self) -> str:
        return f"<Board of {self._cti!r}>"

    @property
    def rows(self) -> List[CallRow]:
        """The rows, from above."""
        return self._list.rows

    @property
    def following(self) -> bool:
        """True if the board has handlers at the CTI."""
        return self._thread is not None

    def close(self) -> None:
        """Remove the handlers, the thread and the widgets. It may be called more than once."""
        # ipywidgets also closes a board whose __init__ has failed.
        if "_cell" in vars(self):
            with self._lock:
                self._closed = True
                self._unfollow()
            self._cell.unregister()
            self._close_parts()
        super().close()

    def _close_parts(self) -> None:
        bar = (self._bar, self.status, self.to, self.dial)
        for each in (*bar, self._list, self.more, self.message, self._styles):
            each.close()

    def _follow(self) -> None:
        with self._lock:
            if self._thread is None and not self._closed:
                self._thread = RefreshThread(self._refresh, self._context)
                self._thread.start()
                for event, handler in self._handlers.items():
                    self._cti.on(event, handler)
                self._wake()

    def _unfollow(self) -> None:
        with self._lock:
            if self._thread is not None:
                for event, handler in self._handlers.items():
                    self._cti.off(event, handler)
                self._thread.stop()
                self._thread = None

    def _on_view_count(self, change: Any) -> None:
        if change["new"]:
            self._follow()
        else:
            self._unfollow()

    # On the event thread.

    def _wake(self, *_: Any) -> None:
        thread = self._thread
        if thread is not None:
            thread.wake()

    def _set_message(self, message: str) -> None:
        self._message = message
        self._wake()

    def _on_disconnected(self) -> None:
        # Otherwise the loss of an earlier session would be shown.
        self._loss = ""
        self._wake()

    def _on_restored(self, info: Restored) -> None:
        self._set_message(f"restored: changes of the last {info.gap:.0f} s are not shown")

    def _on_lost(self, err: KeyyoError) -> None:
        self._loss = f"the session is lost: {err._repr_html_()}"
        self._set_message("")

    # On a click.

    def _on_dial(self, _: Button) -> None:
        self._dial()

    def _dial(self) -> None:
        number = parse_number(self.to.value, self._cti.number)
        self._send_command("dial", lambda callback: self._cti.dial(number, callback))

    def _send_command(self, name: str, command: Callable[[Callback], "Future[Any]"]) -> None:
        def on_reply(err: Optional[KeyyoError], res: Any) -> None:
            self._set_message(f"cannot {name}: {err._repr_html_()}" if err else "")

        command(on_reply)

    # On the refresh thread.

    def _refresh(self) -> None:
        try:
            self._update()
        finally:
            if self._closed:
                # The board was closed while this thread was late.
                self._close_parts()

    def _update(self) -> None:
        cti = self._cti
        connected, number = cti.connected, cti.number
        calls = [call for call in cti.get_calls() if not call.ended]
        self._list.refresh([call for call in calls if not call.stale], number, connected)
        self.status.value = _format_status(connected, number, self._names)
        self.dial.disabled = self.to.disabled = not connected
        self._bar.children = (self.status, *((self.to, self.dial) if connected else ()))
        self.more.value = self._count_others(calls)
        self.message.value = (not connected and self._loss) or self._message
        below = [each for each in (self.more, self.message) if each.value]
        # ipywidgets sends nothing if the children are the same.
        self.children = (self._bar, self._list, *below)

    def _count_others(self, calls: List[Call]) -> str:
        shown = {id(row.call) for row in self.rows}
        left = [call for call in calls if id(call) not in shown]
        if not left:
            return "" if self.rows else "no calls"
        ringing = sum(call.state == "SETUP" for call in left)
        return f"and {len(left)} more active calls, {ringing} of them {RINGING}"


def _format_status(connected: bool, number: Any, names: Optional[Names]) -> str:
    word, colour = ("connected", html.GOOD) if connected else ("not connected", html.BAD)
    line = f" &ensp;<b>{html.render_party(number, names)}</b>" if number is not None else ""
    return f"<style>{CSS}</style>{html.render_chip(word, colour)}{line}"
