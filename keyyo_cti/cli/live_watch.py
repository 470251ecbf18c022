"""``keyyo-cti watch`` on a terminal: the calls as a live table."""

import threading
import time
from collections import deque
from typing import Deque, Optional, Sequence, Tuple

from ..call import Call
from ..catch_up import CaughtUp
from .account_names import AccountNames
from .record_printer import format_record
from .screen import Screen
from .session_command import ConnectionStatus
from .session_config import SessionConfig
from .table import TableView, render
from .terminal import Terminal
from .watch_session import HEALTH_KEY, WatchSession

#: Messages shown below the table, the last ones.
_MAX_NOTES = 3

#: Lines; more than any table has.
_UNBOUNDED = 100_000


class LiveWatch(WatchSession):
    """Shows calls in a table while the session lasts, and leaves the last table behind.

    :param also: numbers to watch besides the line's own.
    :param out: a terminal with ``can_redraw``.
    """

    draws = True

    def __init__(
        self,
        config: SessionConfig,
        also: Sequence[str],
        out: Terminal,
        err: Terminal,
        names: Optional[AccountNames] = None,
    ) -> None:
        super().__init__(config, also, err, names)
        self._out = out
        self._screen = Screen(out, self._keys)
        self._status = ConnectionStatus.CONNECTING
        # Guards notes and screen.entered. Otherwise a message during a change of screen could be
        # printed twice, or not at all.
        self._notes_lock = threading.Lock()
        self._began_at: Optional[str] = None
        # Each with the time of day.
        self._notes: Deque[Tuple[str, str]] = deque(maxlen=_MAX_NOTES)
        self._shows_health = False

    def run(self) -> int:
        try:
            return super().run()
        finally:
            self._leave_screen()

    def on_connected(self) -> None:
        self._began_at = time.strftime("%H:%M:%S")
        super().on_connected()

    def on_call(self, call: Call) -> None:
        self.refresh_soon()

    def on_caught_up(self, caught_up: CaughtUp) -> None:
        # Calls of the table have their end there.
        records = [record for record in caught_up if record not in caught_up.calls]
        if len(records) > _MAX_NOTES:
            missed = sum(record.missed for record in records)
            self.print_status(
                f"{len(records)} calls while there was no connection, {missed} of them missed; "
                f'"keyyo-cti history" shows them'
            )
        else:
            for record in records:
                self.print_status(format_record(record, self._out, self.names))
        self.refresh_soon()

    def on_key(self, key: str) -> None:
        if key == HEALTH_KEY:
            self._shows_health = not self._shows_health
            self.refresh_soon()
        else:
            self.print_status(f"keys: {HEALTH_KEY} health of the connection, Ctrl-C end")

    def refresh(self) -> None:
        if self._status is ConnectionStatus.CONNECTING:
            # An error before the session is open needs no table.
            return
        if not self._screen.entered:
            with self._notes_lock:
                self._screen.enter()
        columns, lines = self._screen.get_size()
        # One column stays free: a line that fills the last one may wrap.
        width = max(1, columns - 1)
        self._screen.draw(render(self._make_view(), width, lines, self._out.coloured))

    def print_status(self, message: str) -> None:
        with self._notes_lock:
            if self._screen.entered:
                self._notes.append((time.strftime("%H:%M:%S"), message))
            if not self._screen.entered or not self._err.is_terminal:
                self._err.print_line(message)
        self.refresh_soon()

    def set_status(self, status: ConnectionStatus, message: str) -> None:
        super().set_status(status, message)
        self._status = status
        self.refresh_soon()

    def close_session(self) -> None:
        # First the terminal, because the server may take its time.
        self._leave_screen()
        super().close_session()

    def _make_view(self) -> TableView:
        with self._notes_lock:
            notes = ["  ".join(note) for note in self._notes]
        calls = self.cti.get_calls()
        help_ = f"{HEALTH_KEY}: health" if self._keys.available else ""
        health = str(self.cti.health()) if self._shows_health else ""
        return TableView(
            self.cti.number, self._status, calls, notes, self._began_at, help_, health, self.names
        )

    def _leave_screen(self) -> None:
        with self._notes_lock:
            if not self._screen.entered:
                return
            self._screen.leave()
            notes = [message for _, message in self._notes]
        calls = self.cti.get_calls()
        if calls:
            columns, _ = self._screen.get_size()
            view = TableView(self.cti.number, self._status, calls, names=self.names)
            for line in render(view, max(1, columns - 1), _UNBOUNDED, self._out.coloured):
                self._out.print_line(line)
        if self._err.is_terminal:
            for note in notes:
                self._err.print_line(note)
