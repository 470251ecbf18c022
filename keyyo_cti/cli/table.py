"""The calls of a line as a table: the active calls, and the last ended ones."""

import io
import textwrap
import time
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from .._display.call_state import describe_state
from .._display.dates import as_date
from .._display.names import Names
from .._display.readable_time import format_duration, local_time
from .._net.clock import NEVER
from ..call import Call
from .call_printer import STATE_COLOURS, format_party
from .session_command import ConnectionStatus
from .terminal import escape

#: Ended calls that are shown, the last ones.
MAX_ENDED_CALLS = 10

#: Lines above the calls: line and connection, a remark, and the headings.
_HEADER_LINES = 3

#: Characters of a text from others. What does not fit is cut anyway.
_MAX_TEXT_LENGTH = 200

_STATUS_STYLES = {
    ConnectionStatus.CONNECTING: "yellow",
    ConnectionStatus.CONNECTED: "green",
    ConnectionStatus.RESTORING: "bold red",
    ConnectionStatus.RESTORED: "green",
}

#: The cells of a call, by column.
Row = Dict[str, Text]

#: The columns in the order of the screen.
_COLUMNS = ("since", "from", "to", "call", "state", "rang", "talked", "time", "slot")

#: The columns of a screen, from a wide one to a narrow one. The first one that fits is used: the
#: slot goes first, because the state says "parked", and the other party stays to the end.
#: "time" is the duration that matters in the state, "call" the party that is not this line.
_LAYOUTS = (
    ("since", "from", "to", "state", "rang", "talked", "slot"),
    ("since", "from", "to", "state", "rang", "talked"),
    ("since", "from", "to", "state", "time"),
    ("from", "to", "state", "time"),
    ("call", "state", "time"),
    ("call", "state"),
)

#: Columns with text from others -> the characters that a layout reserves for them. A longer text
#: is cut in a narrow window; a number such as +33 1 99 00 00 01 is not.
_FOREIGN = {"from": 17, "to": 17, "call": 22, "slot": 11}

_RIGHT = ("rang", "talked", "time")

#: Spaces between two columns.
_GAP = 2


@dataclass(frozen=True)
class TableView:
    """Content of the screen.

    :ivar number: the line's number; None before it is known.
    :ivar calls: all known calls, in the order of their last notification.
    :ivar notes: messages for a person, the oldest first.
    :ivar began: the time of day when the session began; None before.
    :ivar keys: the keys that can be pressed; empty if none can.
    :ivar health: the health of the connection, to be shown below the notes; empty if it is not.
    :ivar names: names beside numbers; None to show none.
    """

    number: Any
    status: ConnectionStatus
    calls: Sequence[Call]
    notes: Sequence[str] = ()
    began: Optional[str] = None
    keys: str = ""
    health: str = ""
    names: Optional[Names] = None


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
    console.print(_make_content(view, width, height), no_wrap=True, overflow="ellipsis", crop=True)
    return [line.rstrip() for line in out.getvalue().splitlines()][:height]


def _make_content(view: TableView, width: int, height: int) -> Group:
    # In a low window, calls come before notes: there is always room for one call.
    notes = [_cut(note) for note in view.notes] + textwrap.wrap(escape(view.health), width)
    notes = notes[max(0, len(notes) - max(0, height - _HEADER_LINES - 2)) :]
    room = max(1, height - _HEADER_LINES - (len(notes) + 1 if notes else 0))
    head = Text(_cut("" if view.number is None else format_party(view.number, view.names)), "bold")
    head.append(f"  {view.status.value}", _STATUS_STYLES[view.status])
    parts: List[Any] = [head, _make_remark(view, width), _make_table(view, width, room)]
    if notes:
        parts += [Text(), *(Text(note, "dim") for note in notes)]
    return Group(*parts)


def _make_remark(view: TableView, width: int) -> Text:
    """Return what the table lacks: the server sends no active calls to a new session.

    The keys are behind it, as far as there is room.
    """
    if view.began is None:
        return Text()
    short = f"calls before {view.began} are not shown"
    whole = f"{short} until they change"
    keys = f"  {view.keys}" if view.keys else ""
    remarks = (f"{whole}{keys}", f"{short}{keys}", short)
    return Text(next((each for each in remarks if len(each) <= width), short), "dim")


def _make_table(view: TableView, width: int, room: int) -> Any:
    active: List[Call] = []
    ended: List[Call] = []
    for call in view.calls:
        (ended if call.ended else active).append(call)
    if not active and not ended:
        return Text("no calls yet", "dim")
    active.sort(key=_get_setup_time)
    # The line that counts the hidden calls takes the place of a call.
    hidden = len(active) - room + 1 if len(active) > room else 0
    last = [] if hidden else list(reversed(ended))[: min(MAX_ENDED_CALLS, room - len(active))]
    rows = [_make_row(call, view) for call in (*active[hidden:], *last)]
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="dim")
    layout = _select_layout(rows, width)
    for heading in layout:
        # In a narrow window rich shrinks the columns that may wrap: those with text from others.
        # Their cells are cut, so that none does wrap.
        justify: Any = "right" if heading in _RIGHT else "left"
        table.add_column(heading, justify=justify, no_wrap=heading not in _FOREIGN)
    for number, row in enumerate(rows):
        is_active = number < len(active) - hidden
        table.add_row(*(row[heading] for heading in layout), style="" if is_active else "dim")
    if hidden:
        return Group(table, Text(f"and {hidden} older active calls", "dim"))
    return table


def _select_layout(rows: Sequence[Row], width: int) -> Sequence[str]:
    """Return the first layout that fits, or the last one if none does."""
    needs = {
        heading: max(
            [len(heading)]
            + [min(row[heading].cell_len, _FOREIGN.get(heading, width)) for row in rows]
        )
        for heading in _COLUMNS
    }
    for layout in _LAYOUTS:
        if sum(needs[heading] for heading in layout) + _GAP * (len(layout) - 1) <= width:
            return layout
    return _LAYOUTS[-1]


def _make_row(call: Call, view: TableView) -> Row:
    word = _cut(describe_state(call.state, call.callpark_slot))
    colour = STATE_COLOURS.get(word, "bold")
    if call.stale:
        word, colour = f"{word}?", "magenta"
    talked = str(call.state) in ("CONNECT", "RELEASE")
    durations = format_duration(call.get_ringing_duration()), (
        format_duration(call.get_duration()) if talked else ""
    )
    slot = call.callpark_slot
    return {
        "since": Text(_format_time_of_day(call.setup_date)),
        "from": _make_foreign_text(_format_party(call.caller, view)),
        "to": _make_foreign_text(_format_party(call.callee, view)),
        "call": _make_foreign_text(_format_other_party(call, view)),
        "state": Text(word, colour),
        "rang": Text(durations[0]),
        "talked": Text(durations[1]),
        "time": Text(durations[1] or durations[0]),
        "slot": _make_foreign_text("" if slot is None else slot, "magenta"),
    }


def _format_other_party(call: Call, view: TableView) -> str:
    if call.other_side == "callee":
        return f"to {_format_party(call.callee, view)}"
    return f"from {_format_party(call.caller, view)}"


def _format_party(number: Any, view: TableView) -> str:
    # The name of the line is in the heading. In each row it would take room from the other name.
    return format_party(number, None if number == view.number else view.names)


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
