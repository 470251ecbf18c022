"""The calls of a day as a chart: missed calls and waiting times."""

import datetime
import io
from typing import Any, Callable, Iterable, List, NamedTuple, Optional, Sequence

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, DateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from .._display.call_state import MISSED, RINGING, TALKING
from .._display.dates import as_date
from .._display.html import format_number_safely, was_picked_up
from .._display.names import Names, find_name, get_shown
from .._display.paris import in_paris
from .._display.readable_time import format_duration
from ..call import Call
from ..call_history import CallRecord
from .history_calls import split_calls

# The background is transparent. These colours have enough contrast on white and on the near black
# of a dark theme, which the kernel cannot know.
_RINGING, _TALKING, _MISSED, _INK = "#c56a12", "#178a42", "#dc2626", "#797979"

#: Up to this number, each call has its own line with a label; more calls share lines.
MAX_LABELLED_CALLS = 40

#: Inches. A notebook shrinks a wider chart, with its text, to the width of a narrow window.
_WIDTH = 8

#: Inches of one line of calls, and of all lines; more lines become thinner.
_LINE_HEIGHT = 0.24
_MAX_LINES_HEIGHT = _LINE_HEIGHT * MAX_LABELLED_CALLS

#: Seconds.
_DAY = 24 * 60 * 60

#: Seconds. A call with wrong dates would otherwise stretch the chart.
_MAX_DURATION = 366 * _DAY

#: Characters of a name. A longer one would leave no room for the calls.
_MAX_NAME_LENGTH = 24

#: Days, as in matplotlib. Minimum width of the chart.
_MINUTE = 60 / _DAY


class Bar(NamedTuple):
    """A call as a bar of the chart.

    :ivar begin: in local time, or in the time of Paris.
    :ivar rang: seconds; 0 if only the history knows the call.
    :ivar talked: seconds; 0 for an unanswered call.
    :ivar missed: True if it ended unanswered.
    :ivar stale: True if it may have ended. Its unknown durations are 0.
    :ivar caller: name and number, formatted for people.
    :ivar callee: name and number, formatted for people.
    :ivar recorded: True if only the history knows the call. How long it rang is unknown.
    """

    begin: datetime.datetime
    rang: int
    talked: int
    missed: bool
    stale: bool
    caller: str
    callee: str
    recorded: bool = False

    @property
    def picked_up(self) -> datetime.datetime:
        return self.begin + datetime.timedelta(seconds=self.rang)

    @property
    def end(self) -> datetime.datetime:
        return self.picked_up + datetime.timedelta(seconds=self.talked)


class Timeline(Figure):
    """A Figure that a notebook displays without pyplot."""

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png")
        return picture.getvalue()


def draw_timeline(
    calls: Iterable[Any], day: Optional[datetime.date], names: Optional[Names] = None
) -> Timeline:
    """Draw the calls of a day, see ``keyyo_cti.notebook.timeline``."""
    live, records = split_calls(calls)
    # The history is in the time of Paris, wherever the notebook is.
    tell_time = in_paris if records else datetime.datetime.fromtimestamp
    bars_of_all = [make_bar(call, names, tell_time) for call in live]
    bars_of_all += [make_recorded_bar(record, names) for record in records]
    dated = [found for found in bars_of_all if found is not None]
    undated = len(bars_of_all) - len(dated)
    if day is None and dated:
        day = max(each.begin for each in dated).date()
    bars = sorted(each for each in dated if each.begin.date() == day)
    lines = assign_lines(bars)
    height = 2.6 + min(_LINE_HEIGHT * max(4, len(set(lines))), _MAX_LINES_HEIGHT)
    size = (_WIDTH, height if bars else 1)
    figure = Timeline(figsize=size, layout="constrained", facecolor="none")
    waiting, calls_axes = figure.subplots(2, 1, sharex=True, height_ratios=[2, height - 2])
    title = figure.suptitle(_make_title(bars, day, undated), fontsize="medium", color=_INK)
    for axes in (waiting, calls_axes):
        _set_colours(axes)
    if not bars:
        _draw_nothing(waiting, calls_axes)
        # Otherwise it would say the same twice.
        title.set_visible(title.get_text() != "no calls")
        return figure
    _draw_waiting(waiting, bars)
    _draw_calls(calls_axes, bars, lines)
    _set_times(calls_axes, bars)
    calls_axes.set_xlabel("time in Paris" if records else "local time")
    return figure


def make_bar(
    call: Any,
    names: Optional[Names] = None,
    tell_time: Callable[[float], datetime.datetime] = datetime.datetime.fromtimestamp,
) -> Optional[Bar]:
    """Return the bar of a call; None for anything else, and for a call without a date.

    :param names: names beside numbers; None for those of the notebook.
    :param tell_time: returns the date and the time at a Unix time.
    """
    if not isinstance(call, Call):
        return None
    began = as_date(call.setup_date)
    if began is None or not _can_be_drawn(began):
        return None
    answered = was_picked_up(call)
    rang = 0 if call.stale and not answered else min(call.get_ringing_duration(), _MAX_DURATION)
    talked = 0 if call.stale or not answered else min(call.get_duration(), _MAX_DURATION)
    parties = _format_party(call.caller, names), _format_party(call.callee, names)
    return Bar(
        tell_time(began).replace(tzinfo=None), rang, talked,
        call.state == "MISSED", call.stale, *parties,
    )


def make_recorded_bar(record: CallRecord, names: Optional[Names] = None) -> Optional[Bar]:
    """Return the bar of a call of the history, in the time of Paris; None as for ``make_bar``."""
    if not _can_be_drawn(record.start_time):
        return None
    return Bar(
        record.start.replace(tzinfo=None), 0, min(record.seconds or 0, _MAX_DURATION),
        record.missed, False,
        "hidden" if record.caller is None else _format_party(record.caller, names),
        "unknown" if record.callee is None else _format_party(record.callee, names),
        True,
    )


def _can_be_drawn(began: float) -> bool:
    # Within the range of datetime, in any time zone, and after the longest durations.
    return _DAY < began < 253_402_300_800 - 400 * _DAY


def _format_party(number: Any, names: Optional[Names]) -> str:
    name = find_name(get_shown() if names is None else names, number)
    if len(name) > _MAX_NAME_LENGTH:
        name = f"{name[: _MAX_NAME_LENGTH - 1]}…"
    return " ".join(filter(None, [name, format_number_safely(number)]))


def make_labels(bars: Sequence[Bar]) -> List[str]:
    """Return the labels: both parties, or the other one if all calls share a line."""
    own = set.intersection(*({each.caller, each.callee} for each in bars))
    if len(own) != 1:
        return [f"{each.caller} → {each.callee}" for each in bars]
    return [
        f"from {each.caller}" if each.callee in own else f"to {each.callee}" for each in bars
    ]


def assign_lines(bars: Sequence[Bar]) -> List[int]:
    """Return the line of each bar: its own, or with many bars the first free one."""
    if len(bars) <= MAX_LABELLED_CALLS:
        return list(range(len(bars)))
    free: List[datetime.datetime] = []
    found = []
    for each in bars:
        at = next((at for at, until in enumerate(free) if until < each.begin), len(free))
        free[at : at + 1] = [each.end]
        found.append(at)
    return found


def _make_title(bars: Sequence[Bar], day: Optional[datetime.date], undated: int) -> str:
    parts = ["no calls"]
    if bars:
        missed = sum(each.missed for each in bars)
        waits = [each.rang for each in bars if not each.recorded]
        parts = [f"{len(bars)} call{'s' * (len(bars) > 1)}", f"{missed} missed"]
        parts += [f"longest wait {format_duration(max(waits))}"] if waits else []
        recorded = len(bars) - len(waits)
        parts += [f"{recorded} from the history"] if recorded else []
        stale = sum(each.stale for each in bars)
        if stale:
            parts.append(f"{stale} may have ended")
    if undated:
        parts.append(f"{undated} without a date not shown")
    return f"{day.isoformat()}: {', '.join(parts)}" if day is not None else ", ".join(parts)


def _set_colours(axes: Axes) -> None:
    axes.set_facecolor("none")
    axes.tick_params(colors=_INK)
    for spine in axes.spines.values():
        spine.set_color(_INK)
    axes.xaxis.label.set_color(_INK)
    axes.yaxis.label.set_color(_INK)


def _draw_waiting(axes: Axes, bars: Sequence[Bar]) -> None:
    """Draw how long the callers waited, as far as the CTI told it: the history does not know."""
    bars = [each for each in bars if not each.recorded]
    for missed, colour in ((False, _RINGING), (True, _MISSED)):
        some = [each for each in bars if each.missed is missed]
        begins = [date2num(each.begin) for each in some]
        waits = [each.rang for each in some]
        axes.vlines(begins, 0, waits, colors=colour, linewidth=1.5)
        axes.plot(begins, waits, "X" if missed else "o", color=colour, markersize=5)
    axes.set_ylabel("waited (s)")
    if not bars:
        axes.text(
            0.5, 0.5, "not in the history", ha="center", va="center", color=_INK,
            transform=axes.transAxes,
        )
    longest = max((each.rang for each in bars), default=0)
    axes.set_ylim(bottom=0, top=max(1.0, 1.15 * longest))
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.grid(axis="y", color=_INK, alpha=0.3)


def _draw_calls(axes: Axes, bars: Sequence[Bar], lines: Sequence[int]) -> None:
    labelled = len(bars) <= MAX_LABELLED_CALLS
    # Points. The edge keeps a call of some seconds visible in a chart of hours. With many calls, a
    # wider one would cover the neighbours, and so would crosses.
    edge = 1.5 if labelled else 0.4
    for each, line in zip(bars, lines):
        if each.recorded:
            _draw_recorded(axes, each, line)
        else:
            _draw_live(axes, each, line, edge)
        if each.missed and labelled:
            axes.plot([date2num(each.end)], [line], "X", color=_MISSED, markersize=7)
    axes.set_ylim(max(lines) + 0.6, -0.6)
    if labelled:
        # Otherwise matplotlib would parse a caller named "$x$" as mathematics.
        axes.set_yticks(lines, make_labels(bars), fontsize="small", parse_math=False)
    else:
        axes.set_yticks([])
        axes.set_ylabel("calls at once")
    legend = [
        Patch(color=_RINGING, label=RINGING),
        Patch(color=_TALKING, label=TALKING),
        Line2D([], [], color=_MISSED, marker="X", linewidth=0, label=MISSED),
    ]
    if any(each.recorded for each in bars):
        legend.append(Patch(edgecolor=_TALKING, fill=False, label="talking, from the history"))
    axes.figure.legend(
        handles=legend, loc="outside lower center", ncols=len(legend), frameon=False,
        labelcolor=_INK,
    )


def _draw_live(axes: Axes, bar: Bar, line: int, edge: float) -> None:
    if bar.talked:
        _draw_bar(axes, bar.picked_up, bar.talked, line, _TALKING, edge)
    _draw_bar(axes, bar.begin, bar.rang, line, _MISSED if bar.missed else _RINGING, edge)


def _draw_recorded(axes: Axes, bar: Bar, line: int) -> None:
    """Draw an outline: the history does not know how much of the time before was ringing."""
    colour = _MISSED if bar.missed else _TALKING if bar.talked else _RINGING
    _draw_bar(axes, bar.begin, bar.talked, line, colour, 1.5, fill=False)


def _draw_bar(
    axes: Axes,
    begin: datetime.datetime,
    length: int,
    line: int,
    colour: str,
    edge: float,
    fill: bool = True,
) -> None:
    axes.barh(
        line,
        length / _DAY,
        left=date2num(begin),
        height=0.7,
        facecolor=colour if fill else "none",
        edgecolor=colour,
        linewidth=edge,
    )


def _set_times(axes: Axes, bars: Sequence[Bar]) -> None:
    first = date2num(bars[0].begin)
    last = max(date2num(each.end) for each in bars)
    spare = max(0.03 * (last - first), (_MINUTE - (last - first)) / 2)
    axes.set_xlim(first - spare, last + spare)
    of_minutes = last - first < 6 * _MINUTE
    # Otherwise labels with seconds would overlap beside long names.
    axes.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=8 if of_minutes else 10))
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M:%S" if of_minutes else "%H:%M"))


def _draw_nothing(waiting: Axes, calls_axes: Axes) -> None:
    waiting.set_axis_off()
    calls_axes.set_axis_off()
    calls_axes.text(
        0.5, 0.5, "no calls", ha="center", va="center", color=_INK, transform=calls_axes.transAxes
    )
