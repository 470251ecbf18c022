"""The calls of a day as a chart: what was missed, and how long people waited."""

import datetime
import io
from typing import Any, Iterable, List, NamedTuple, Optional, Sequence

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, DateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from .._display.dates import as_date
from .._display.html import STATES, as_written_safely, was_picked_up
from .._display.readable_time import stopwatch
from ..call import Call

_RINGING, _TALKING, _MISSED = (STATES[state][1] for state in ("SETUP", "CONNECT", "MISSED"))

#: So many calls have a line of their own, with a label; more share lines.
MOST_LABELLED = 40

_DAY = 24 * 60 * 60

#: In days, as matplotlib counts. No picture is narrower.
_MINUTE = 60 / _DAY


class Bar(NamedTuple):
    """A call as it is drawn.

    :ivar begin: local time.
    :ivar rang: seconds.
    :ivar talked: seconds, 0 when nobody picked up.
    :ivar missed: whether it has ended and nobody picked up.
    :ivar stale: whether it may have ended: its durations up to now mean nothing, and are 0.
    :ivar caller: as people write it.
    :ivar callee: as people write it.
    """

    begin: datetime.datetime
    rang: int
    talked: int
    missed: bool
    stale: bool
    caller: str
    callee: str

    @property
    def picked_up(self) -> datetime.datetime:
        return self.begin + datetime.timedelta(seconds=self.rang)

    @property
    def end(self) -> datetime.datetime:
        return self.picked_up + datetime.timedelta(seconds=self.talked)


class Timeline(Figure):
    """A Figure that shows itself in a notebook, without pyplot."""

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png")
        return picture.getvalue()


def draw(calls: Iterable[Any], day: Optional[datetime.date]) -> Timeline:
    """See ``keyyo_cti.notebook.timeline``."""
    known = list(calls)
    dated = [found for found in map(bar, known) if found is not None]
    undated = len(known) - len(dated)
    if day is None and dated:
        day = max(each.begin for each in dated).date()
    bars = sorted(each for each in dated if each.begin.date() == day)
    lines = places(bars)
    height = 2.6 + 0.24 * max(4, len(set(lines)))
    figure = Timeline(figsize=(10, height), layout="constrained")
    waiting, going = figure.subplots(2, 1, sharex=True, height_ratios=[2, height - 2])
    figure.suptitle(_title(bars, day, undated), fontsize="medium")
    if not bars:
        _draw_nothing(waiting, going)
        return figure
    _draw_waiting(waiting, bars)
    _draw_going(going, bars, lines)
    _set_times(going, bars)
    return figure


def bar(call: Any) -> Optional[Bar]:
    """A call as it is drawn; None for what is no call, or has no date."""
    if not isinstance(call, Call):
        return None
    began = as_date(call.setup_date)
    # With a day to spare on both sides, for the time zone.
    if began is None or not _DAY < began < 253_402_300_800 - 400 * _DAY:
        return None
    longest = 366 * _DAY
    talks = was_picked_up(call)
    rang = 0 if call.stale and not talks else min(call.get_ringing_duration(), longest)
    talked = 0 if call.stale or not talks else min(call.get_duration(), longest)
    who = as_written_safely(call.caller), as_written_safely(call.callee)
    return Bar(
        datetime.datetime.fromtimestamp(began), rang, talked,
        call.state == "MISSED", call.stale, *who,
    )


def labels(bars: Sequence[Bar]) -> List[str]:
    """Who with whom; with one line in all of them, only who is on the other side."""
    own = set.intersection(*({each.caller, each.callee} for each in bars))
    if len(own) != 1:
        return [f"{each.caller} → {each.callee}" for each in bars]
    return [
        f"from {each.caller}" if each.callee in own else f"to {each.callee}" for each in bars
    ]


def places(bars: Sequence[Bar]) -> List[int]:
    """The line on which each is drawn: its own, or, of many, the first that is free."""
    if len(bars) <= MOST_LABELLED:
        return list(range(len(bars)))
    free: List[datetime.datetime] = []
    found = []
    for each in bars:
        at = next((at for at, until in enumerate(free) if until < each.begin), len(free))
        free[at : at + 1] = [each.end]
        found.append(at)
    return found


def _title(bars: Sequence[Bar], day: Optional[datetime.date], undated: int) -> str:
    parts = ["no calls"]
    if bars:
        missed = sum(each.missed for each in bars)
        longest = max(each.rang for each in bars)
        parts = [
            f"{len(bars)} call{'s' * (len(bars) > 1)}",
            f"{missed} missed",
            f"longest wait {stopwatch(longest)}",
        ]
        stale = sum(each.stale for each in bars)
        if stale:
            parts.append(f"{stale} may have ended")
    if undated:
        parts.append(f"{undated} without a date not shown")
    return f"{day.isoformat()}: {', '.join(parts)}" if day is not None else ", ".join(parts)


def _draw_waiting(axes: Axes, bars: Sequence[Bar]) -> None:
    for missed, colour in ((False, _RINGING), (True, _MISSED)):
        some = [each for each in bars if each.missed is missed]
        begins = [date2num(each.begin) for each in some]
        waits = [each.rang for each in some]
        axes.vlines(begins, 0, waits, colors=colour, linewidth=1.5)
        axes.plot(begins, waits, "X" if missed else "o", color=colour, markersize=5)
    axes.set_ylabel("waited (s)")
    axes.set_ylim(bottom=0, top=max(1.0, 1.15 * max(each.rang for each in bars)))
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.grid(axis="y", alpha=0.3)


def _draw_going(axes: Axes, bars: Sequence[Bar], lines: Sequence[int]) -> None:
    for each, line in zip(bars, lines):
        if each.talked:
            _draw_bar(axes, each.picked_up, each.talked, line, _TALKING)
        _draw_bar(axes, each.begin, each.rang, line, _MISSED if each.missed else _RINGING)
        if each.missed:
            axes.plot([date2num(each.end)], [line], "X", color=_MISSED, markersize=7)
    axes.set_ylim(max(lines) + 0.6, -0.6)
    if len(bars) <= MOST_LABELLED:
        # A caller may be called "$x$", which is mathematics to matplotlib.
        axes.set_yticks(lines, labels(bars), fontsize="small", parse_math=False)
    else:
        axes.set_yticks([])
    legend = [
        Patch(color=_RINGING, label="ringing"),
        Patch(color=_TALKING, label="talking"),
        Line2D([], [], color=_MISSED, marker="X", linewidth=0, label="missed"),
    ]
    axes.figure.legend(handles=legend, loc="outside lower center", ncols=3, frameon=False)


def _draw_bar(
    axes: Axes, begin: datetime.datetime, length: int, line: int, colour: str
) -> None:
    # With an edge, so that a call of seconds can be seen in a picture of hours.
    axes.barh(
        line,
        length / _DAY,
        left=date2num(begin),
        height=0.7,
        color=colour,
        edgecolor=colour,
        linewidth=1.5,
    )


def _set_times(axes: Axes, bars: Sequence[Bar]) -> None:
    first = date2num(bars[0].begin)
    last = max(date2num(each.end) for each in bars)
    spare = max(0.03 * (last - first), (_MINUTE - (last - first)) / 2)
    axes.set_xlim(first - spare, last + spare)
    axes.xaxis.set_major_locator(AutoDateLocator(maxticks=10))
    of_minutes = last - first < 10 * _MINUTE
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M:%S" if of_minutes else "%H:%M"))
    axes.set_xlabel("local time")


def _draw_nothing(waiting: Axes, going: Axes) -> None:
    for axes in (waiting, going):
        axes.set_xticks([])
        axes.set_yticks([])
    waiting.set_ylabel("waited (s)")
    going.text(0.5, 0.5, "no calls", ha="center", va="center", transform=going.transAxes)
