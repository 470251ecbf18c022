"""The rows of a board: active calls first, then those that have ended."""

from typing import Any, List, Optional, Sequence, Tuple

from ipywidgets import Layout, VBox

from .._display.dates import as_date
from .._display.names import Names
from ..call import Call
from .call_row import CallRow, SendCommand, is_ringing_here
from .styles import MOVED_CLASSES, Styles


class RowList(VBox):
    """The rows of a board.

    A row with an active call moves up only when a call above it ends. Where a row has buttons in
    the place of another one's, the browser ignores clicks for a moment: they were meant for the
    other call.

    Each row stays in one slot, and the slots change places by their style. If the children were
    reordered, the browser would make them again, and a field would lose what is being typed.

    :param max_rows: maximum number of calls with a row.
    :param names: names beside numbers; None for those of the notebook.
    :ivar rows: the rows, from above.
    """

    def __init__(
        self,
        max_rows: int,
        send_command: SendCommand,
        styles: Styles,
        names: Optional[Names] = None,
    ) -> None:
        self.rows: List[CallRow] = []
        self._max_rows = max_rows
        self._send_command = send_command
        self._names = names
        self._styles = styles
        super().__init__(layout=styles.rows)

    def close(self) -> None:
        """Remove the rows from the notebook."""
        for row in vars(self).get("rows", ()):
            row.close()
        for slot in getattr(self, "children", ()):
            slot.layout.close()
            slot.close()
        super().close()

    def refresh(self, active: Sequence[Call], number: Optional[str], connected: bool) -> None:
        """Show the present state of the calls.

        Each call gets a row while rows are free, first the calls that ring at this line.

        :param active: the active calls.
        :param number: the line's own number.
        :param connected: True if commands can be sent.
        """
        before = [(row, row.has_buttons) for row in self.rows]
        shown = {id(row.call) for row, _ in before}
        waiting = [call for call in active if id(call) not in shown]
        waiting.sort(key=lambda call: not is_ringing_here(call, number))
        for row in self.rows:
            row.refresh(number, connected)
        for call in waiting:
            at = self._find_place()
            if at is None:
                break
            row = CallRow(call, self._send_command, self._styles, self._names)
            row.refresh(number, connected)
            self._put(row, at)
        # Not sort(): another thread would see an empty list meanwhile.
        self.rows = sorted(self.rows, key=_rank)
        for at, row in enumerate(self.rows):
            slot = self._find_slot(row)
            if row.has_buttons and any(old is not row and had for old, had in before[at : at + 1]):
                # Before the row moves: a click in between would go to another call.
                _hold_clicks(slot)
            slot.layout.order = str(at)

    def _put(self, row: CallRow, at: int) -> None:
        if at == len(self.rows):
            self.rows.append(row)
            self.children += (VBox([row], layout=Layout(order=str(at), **self._styles.slot)),)
        else:
            old, self.rows[at] = self.rows[at], row
            self._find_slot(old).children = (row,)
            old.close()

    def _find_place(self) -> Optional[int]:
        """Return the index for a new row: at the end, or that of the call that ended first."""
        if len(self.rows) < self._max_rows:
            return len(self.rows)
        ended = [at for at, row in enumerate(self.rows) if row.call.ended or row.call.stale]
        return min(ended, key=lambda at: _get_release_time(self.rows[at].call), default=None)

    def _find_slot(self, row: CallRow) -> Any:
        return next(slot for slot in self.children if slot.children[0] is row)


def _hold_clicks(slot: Any) -> None:
    # Another name than the last one starts the animation again.
    first, second = MOVED_CLASSES
    old, new = (second, first) if second in slot._dom_classes else (first, second)
    slot.remove_class(old)
    slot.add_class(new)


def _rank(row: CallRow) -> Tuple[int, float]:
    """Return active calls first, in their order, then stale ones, then the last to have ended."""
    call = row.call
    if call.ended:
        return 2, -_get_release_time(call)
    return int(call.stale), 0.0


def _get_release_time(call: Call) -> float:
    return as_date(call.release_date) or 0.0
