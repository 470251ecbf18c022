"""The calls of a line as a table, for eyes: the ones that go on, and the last that have ended."""

import io
import time
from dataclasses import dataclass
from typing import Any, List, Sequence

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from .._display.dates import as_date
from .._display.readable_time import local_time, stopwatch
from .._net.clock import NEVER
from ..call import Call
from .session_command import Standing
from .terminal import printable

#: How many of the ended calls are shown, the last ones.
ENDED = 10

#: Rows that are not for calls: the line and its connection, an empty one, the headings.
_AROUND = 3

#: Letters of somebody else's that are looked at: what does not fit is cut anyhow.
_LONGEST = 200

_STANDINGS = {
    Standing.CONNECTING: "yellow",
    Standing.CONNECTED: "green",
    Standing.RESTORING: "bold red",
    Standing.RESTORED: "green",
}

_STATES = {
    "SETUP": ("ringing", "yellow"),
    "CONNECT": ("talking", "green"),
    "RELEASE": ("ended", "blue"),
    "MISSED": ("missed", "red"),
}


@dataclass(frozen=True)
class View:
    """What there is to see.

    :ivar number: the line's, as far as it is known.
    :ivar calls: all that are known, the last notified last.
    :ivar notes: what a person was told, the last one last.
    """

    number: Any
    standing: Standing
    calls: Sequence[Call]
    notes: Sequence[str] = ()


def drawn(view: View, width: int, height: int, coloured: bool) -> List[str]:
    """The lines of the picture: at most so many, and none wider."""
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
    console.print(_picture(view, height), no_wrap=True, overflow="ellipsis", crop=True)
    return [line.rstrip() for line in out.getvalue().splitlines()][:height]


def _picture(view: View, height: int) -> Group:
    # On a low window the calls come first: there has to be room for one at least.
    notes = view.notes[max(0, len(view.notes) - max(0, height - _AROUND - 2)) :]
    room = max(1, height - _AROUND - (len(notes) + 1 if notes else 0))
    head = Text(_cut(view.number or ""), "bold")
    head.append(f"  {view.standing.value}", _STANDINGS[view.standing])
    parts: List[Any] = [head, Text(), _table(view.calls, room)]
    if notes:
        parts += [Text(), *(Text(_cut(note), "dim") for note in notes)]
    return Group(*parts)


def _table(calls: Sequence[Call], room: int) -> Any:
    active: List[Call] = []
    ended: List[Call] = []
    for call in calls:
        (ended if call.ended else active).append(call)
    if not active and not ended:
        return Text("no calls yet", "dim")
    active.sort(key=_began)
    # The line that says so takes the place of one, too.
    hidden = len(active) - room + 1 if len(active) > room else 0
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("since", "from", "to", "state", "rang", "talked", "slot"):
        # In a narrow window what is somebody else's gives way first: rich takes from those that
        # wrap. None does, for the texts in them are cut.
        theirs = heading in ("from", "to", "slot")
        right = heading in ("rang", "talked")
        table.add_column(heading, justify="right" if right else "left", no_wrap=not theirs)
    for call in active[hidden:]:
        table.add_row(*_row(call))
    if hidden:
        return Group(table, Text(f"and {hidden} that have gone on for longer", "dim"))
    for call in list(reversed(ended))[: min(ENDED, room - len(active))]:
        table.add_row(*_row(call), style="dim")
    return table


def _row(call: Call) -> List[Text]:
    word, colour = _STATES.get(str(call.state), (_cut(call.state), "bold"))
    if call.stale:
        # The connection was lost meanwhile: nobody knows whether it still is so.
        word, colour = f"{word}?", "magenta"
    talked = str(call.state) in ("CONNECT", "RELEASE")
    slot = call.callpark_slot
    return [
        Text(_time_of_day(call.setup_date)),
        _theirs(call.caller),
        _theirs(call.callee),
        Text(word, colour),
        Text(stopwatch(call.get_ringing_duration())),
        Text(stopwatch(call.get_duration()) if talked else ""),
        _theirs("" if slot is None else slot, "magenta"),
    ]


def _began(call: Call) -> float:
    seconds = as_date(call.setup_date)
    return NEVER if seconds is None else seconds


def _theirs(text: object, style: str = "") -> Text:
    """Text of somebody else's, which is no markup and no command."""
    return Text(_cut(text), style, no_wrap=True, overflow="ellipsis")


def _cut(text: object) -> str:
    return printable(str(text)[:_LONGEST])


def _time_of_day(date: Any) -> str:
    then = local_time(date)
    return "" if then is None else time.strftime("%H:%M:%S", then)
