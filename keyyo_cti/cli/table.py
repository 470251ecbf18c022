"""The calls of a line as a table: the active calls, and the last ended ones."""

import io
import time
from dataclasses import dataclass
from typing import Any, List, Sequence

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from .._display.dates import as_date
from .._display.readable_time import format_duration, local_time
from .._net.clock import NEVER
from ..call import Call
from .session_command import ConnectionStatus
from .terminal import escape

#: Ended calls that are shown, the last ones.
MAX_ENDED_CALLS = 10

#: Lines above the calls: line and connection, an empty one, and the headings.
_HEADER_LINES = 3

#: Characters of a text from others. What does not fit is cut anyway.
_MAX_TEXT_LENGTH = 200

_STATUS_STYLES = {
    ConnectionStatus.CONNECTING: "yellow",
    ConnectionStatus.CONNECTED: "green",
    ConnectionStatus.RESTORING: "bold red",
    ConnectionStatus.RESTORED: "green",
}

_STATES = {
    "SETUP": ("ringing", "yellow"),
    "CONNECT": ("talking", "green"),
    "RELEASE": ("ended", "blue"),
    "MISSED": ("missed", "red"),
}


@dataclass(frozen=True)
class TableView:
    """Content of the screen.

    :ivar number: the line's number; None before it is known.
    :ivar calls: all known calls, in the order of their last notification.
    :ivar notes: messages for a person, the oldest first.
    """

    number: Any
    status: ConnectionStatus
    calls: Sequence[Call]
    notes: Sequence[str] = ()


def render(view: TableView, width: int, height: int, coloured: bool) -> List[str]:
    """Return the lines of the screen: at most ``height``, none wider than ``width``."""
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        height=height,
        force_terminal=True,
        legacy_windows=False,
        color_system="standard",
        no_color=not coloured,
    )
    console.print(_make_content(view, height), no_wrap=True, overflow="ellipsis", crop=True)
    return [line.rstrip() for line in out.getvalue().splitlines()][:height]


def _make_content(view: TableView, height: int) -> Group:
    # In a low window, calls come before notes: there is always room for one call.
    notes = view.notes[max(0, len(view.notes) - max(0, height - _HEADER_LINES - 2)) :]
    room = max(1, height - _HEADER_LINES - (len(notes) + 1 if notes else 0))
    head = Text(_cut(view.number or ""), "bold")
    head.append(f"  {view.status.value}", _STATUS_STYLES[view.status])
    parts: List[Any] = [head, Text(), _make_table(view.calls, room)]
    if notes:
        parts += [Text(), *(Text(_cut(note), "dim") for note in notes)]
    return Group(*parts)


def _make_table(calls: Sequence[Call], room: int) -> Any:
    active: List[Call] = []
    ended: List[Call] = []
    for call in calls:
        (ended if call.ended else active).append(call)
    if not active and not ended:
        return Text("no calls yet", "dim")
    active.sort(key=_get_setup_time)
    # The line that counts the hidden calls takes the place of a call.
    hidden = len(active) - room + 1 if len(active) > room else 0
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("since", "from", "to", "state", "rang", "talked", "slot"):
        # In a narrow window rich shrinks the columns that may wrap: those with text from others.
        # Their cells are cut, so that none does wrap.
        foreign = heading in ("from", "to", "slot")
        right = heading in ("rang", "talked")
        table.add_column(heading, justify="right" if right else "left", no_wrap=not foreign)
    for call in active[hidden:]:
        table.add_row(*_make_row(call))
    if hidden:
        return Group(table, Text(f"and {hidden} older active calls", "dim"))
    for call in list(reversed(ended))[: min(MAX_ENDED_CALLS, room - len(active))]:
        table.add_row(*_make_row(call), style="dim")
    return table


def _make_row(call: Call) -> List[Text]:
    word, colour = _STATES.get(str(call.state), (_cut(call.state), "bold"))
    if call.stale:
        word, colour = f"{word}?", "magenta"
    talked = str(call.state) in ("CONNECT", "RELEASE")
    slot = call.callpark_slot
    return [
        Text(_format_time_of_day(call.setup_date)),
        _make_foreign_text(call.caller),
        _make_foreign_text(call.callee),
        Text(word, colour),
        Text(format_duration(call.get_ringing_duration())),
        Text(format_duration(call.get_duration()) if talked else ""),
        _make_foreign_text("" if slot is None else slot, "magenta"),
    ]


def _get_setup_time(call: Call) -> float:
    seconds = as_date(call.setup_date)
    return NEVER if seconds is None else seconds


def _make_foreign_text(text: object, style: str = "") -> Text:
    """Return text from others, which must not act as markup or as an escape sequence."""
    return Text(_cut(text), style, no_wrap=True, overflow="ellipsis")


def _cut(text: object) -> str:
    return escape(str(text)[:_MAX_TEXT_LENGTH])


def _format_time_of_day(date: Any) -> str:
    then = local_time(date)
    return "" if then is None else time.strftime("%H:%M:%S", then)
