"""The timeline: what is drawn of which call."""

from __future__ import annotations

import datetime
import io
import math
import sys
import time
from typing import Any, Dict, List, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.dates import date2num, num2date
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.patches import Rectangle

from keyyo_cti import CTI
from keyyo_cti._display.paris import in_paris
from keyyo_cti.call import Call
from keyyo_cti.call_history import CallRecord
from keyyo_cti.notebook import board, timeline, timeline_figure

from ..unit.display.test_html import ANY_JSON, CALL_FIELDS
from ..unit.test_call import FakeLine

ALICE, BOB = "33199000001", "33199020000"

#: Noon in local time, wherever that is.
NOON = time.mktime((2026, 3, 2, 12, 0, 0, 0, 0, -1))
DAY = datetime.date(2026, 3, 2)

RINGING = timeline_figure._RINGING
TALKING = timeline_figure._TALKING
MISSED = timeline_figure._MISSED


def a_call(
    begin: float,
    rang: Optional[float] = None,
    talked: Optional[float] = None,
    *,
    now: float = NOON,
    **fields: Any,
) -> Call:
    """A call that began so many seconds after noon; what has no duration goes on."""
    told: Dict[str, Any] = {"caller": BOB, "callee": ALICE, "setup_date": NOON + begin}
    told["state"] = "SETUP"
    if rang is not None:
        told.update(state="MISSED", release_date=NOON + begin + rang)
    if rang is not None and talked is not None:
        connected = NOON + begin + rang
        told.update(
            state="RELEASE", connect_date=connected, release_date=connected + talked
        )
    call = Call(FakeLine(now), f"ref-{begin}")
    call.update({**told, **fields})
    return call


def bars(figure: Figure) -> List[Any]:
    """The bars of the lower axes: colour, line, seconds after noon, seconds long."""
    going = figure.axes[1]
    start = date2num(datetime.datetime.fromtimestamp(NOON))
    return sorted(
        (
            to_hex(each.get_facecolor()),
            round(each.get_y() + each.get_height() / 2),
            round((each.get_x() - start) * 86_400),
            round(each.get_width() * 86_400),
        )
        for each in going.patches
        if isinstance(each, Rectangle)
    )


def labels(figure: Figure) -> List[str]:
    return [each.get_text() for each in figure.axes[1].get_yticklabels()]


def title(figure: Figure) -> str:
    return figure.get_suptitle()


def crosses(figure: Figure, axes: int) -> int:
    """How many calls are marked as missed."""
    marked: List[Any] = [line for line in figure.axes[axes].lines if line.get_marker() == "X"]
    return sum(len(line.get_xdata()) for line in marked)


def test_ringing_and_talking() -> None:
    """Each call is a line with a bar for its ringing and one for its talking; a missed call has
    another colour, and a cross."""
    figure = timeline([a_call(0, 20, 300), a_call(600, 35)])
    assert bars(figure) == sorted(
        [(RINGING, 0, 0, 20), (TALKING, 0, 20, 300), (MISSED, 1, 600, 35)]
    )
    assert crosses(figure, 0) == crosses(figure, 1) == 1
    assert title(figure) == "2026-03-02: 2 calls, 1 missed, longest wait 0:35"


def test_waiting() -> None:
    """The upper axes show how long each one waited."""
    figure = timeline([a_call(0, 20, 300), a_call(600, 35)])
    tops = [
        max(y for _, y in segment)
        for lines in figure.axes[0].collections
        for segment in lines.get_segments()  # type: ignore[attr-defined]
    ]
    assert tops == [20, 35]


def test_a_call_that_goes_on() -> None:
    """Calls that go on are drawn up to now, and are not missed."""
    ringing = a_call(0, now=NOON + 45)
    talking = a_call(
        10, now=NOON + 45, state="CONNECT", connect_date=NOON + 15
    )
    figure = timeline([ringing, talking])
    assert bars(figure) == sorted(
        [(RINGING, 0, 0, 45), (RINGING, 1, 10, 5), (TALKING, 1, 15, 30)]
    )
    assert crosses(figure, 1) == 0


@pytest.mark.parametrize("calls", [[], [None], [a_call(0, setup_date=None)]])
def test_no_calls(calls: List[Any]) -> None:
    """Without calls the chart is empty, and says so."""
    figure = timeline(calls)
    assert bars(figure) == []
    assert [text.get_text() for text in figure.axes[1].texts] == ["no calls"]
    assert title(figure).startswith("no calls")
    assert figure._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]


def test_undated() -> None:
    """A call without a date is not drawn, but counted."""
    figure = timeline([a_call(0, 20), a_call(0, setup_date="noon"), a_call(0, setup_date=1e300)])
    assert title(figure).endswith("2 without a date not shown")
    assert len(bars(figure)) == 1


def test_the_last_day() -> None:
    """Of several days the last one is drawn, or the one that is asked for."""
    calls = [a_call(-86_400, 20), a_call(0, 21), a_call(60, 22)]
    assert [each[3] for each in bars(timeline(calls))] == [21, 22]
    yesterday = timeline(calls, DAY - datetime.timedelta(days=1))
    assert [each[3] for each in bars(yesterday)] == [20]
    assert title(yesterday).startswith("2026-03-01: 1 call, 1 missed")
    assert title(timeline(calls, datetime.date(2026, 1, 1))) == "2026-01-01: no calls"


def test_who() -> None:
    """Each line says who was on the other side; with no line in common, who with whom."""
    incoming, outgoing = a_call(0, 5), a_call(10, 5, caller=ALICE, callee=BOB + "1")
    assert labels(timeline([incoming, outgoing])) == [
        "from +33 1 99 02 00 00", "to 331990200001"
    ]
    assert labels(timeline([incoming])) == ["+33 1 99 02 00 00 → +33 1 99 00 00 01"]


@pytest.mark.slow
def test_many_calls() -> None:
    """Many calls share lines, none of which has two at once; the picture stays as high."""
    calls = [a_call(60 * number, 50, 100) for number in range(300)]
    figure = timeline(calls)
    assert labels(figure) == []
    assert len({each[1] for each in bars(figure)}) == 3
    assert figure.get_figheight() < 5
    found = [bar for bar in map(timeline_figure.make_bar, calls) if bar is not None]
    lines = timeline_figure.assign_lines(found)
    for line in set(lines):
        own = [bar for bar, at in zip(found, lines) if at == line]
        assert all(one.end < next_.begin for one, next_ in zip(own, own[1:]))


def contrast(colour: str, background: str) -> float:
    """The contrast of WCAG 2, from 1 to 21."""

    def luminance(each: str) -> float:
        parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
                 for part in to_rgb(each)]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts))

    dark, light = sorted(map(luminance, (colour, background)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("calls", [[], [a_call(0, 20, 300), a_call(600, 35)]])
def test_chart_is_readable_on_a_light_and_on_a_dark_page(calls: List[Any]) -> None:
    figure = timeline(calls)
    picture = imread(io.BytesIO(figure._repr_png_()))  # type: ignore[attr-defined]
    seen = picture[picture[..., 3] > 0.9][:, :3]
    # Transparent but for what is drawn, at the edge and inside the axes.
    assert picture[0, 0, 3] == 0 and (picture[..., 3] == 0).mean() > 0.5
    colours = {to_hex(colour) for colour in seen}
    assert timeline_figure._INK in colours
    for colour in {timeline_figure._INK, RINGING, TALKING, MISSED}:
        for background in ("#ffffff", "#111111", "#1e1e1e", "#212121"):
            assert contrast(colour, background) >= 3
    # Nothing is drawn in matplotlib's own black, which a dark page would hide.
    assert min(contrast(colour, "#111111") for colour in colours) > 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "calls",
    [
        [a_call(60 * number, 20, 100) for number in range(150)],
        [a_call(number / 10, 20, 100) for number in range(150)],
        [a_call(number / 10, 20) for number in range(150)],
        [a_call(20 * (number % 10), 5, 9, caller=f"331990{number:05}") for number in range(150)],
        [a_call(0, 20, 30 * number) for number in range(timeline_figure.MAX_LABELLED_CALLS)],
        *([a_call(0, 9, 60 * minutes)] for minutes in (0.1, 1, 4, 5.9, 6, 9, 11, 59, 600)),
    ],
)
def test_labels_of_a_chart_do_not_overlap(calls: List[Any]) -> None:
    figure = timeline(calls)
    assert figure.get_figheight() <= 12.5
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    for axis in (figure.axes[0].yaxis, figure.axes[1].yaxis, figure.axes[1].xaxis):
        boxes = [label.get_window_extent() for label in axis.get_ticklabels() if label.get_text()]
        assert len(boxes) <= 40
        assert axis is not figure.axes[1].xaxis or len(boxes) >= 2
        assert not any(one.overlaps(other) for one, other in zip(boxes, boxes[1:]))
    [low, high] = figure.axes[1].get_window_extent().intervaly
    assert high - low > 60


@pytest.mark.fault(33)
@pytest.mark.promise(10)
@pytest.mark.parametrize("name", ["$x$", r"$\frac{1$", "<script>", "\n", "\ud800", None, []])
def test_hostile_names(name: Any) -> None:
    """Whatever a caller is called is drawn as text."""
    figure = timeline([a_call(0, 20, caller=name), a_call(1, 2)])
    assert figure._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]
    [label] = [each for each in labels(figure) if "+33" not in each]
    assert str(name).replace("\n", "\\n").replace("\ud800", "\\ud800") in label


@pytest.mark.slow
@settings(deadline=None, derandomize=True, database=None, max_examples=60)
@given(
    st.lists(st.fixed_dictionaries({}, optional={name: ANY_JSON for name in CALL_FIELDS})),
    st.floats(0, 2e9),
)
def test_any_calls(several: List[Dict[str, Any]], now: float) -> None:
    """Whatever the server sends of calls, there is a chart."""
    calls = []
    for fields in several:
        calls.append(Call(FakeLine(now), "ref"))
        calls[-1].update({"setup_date": now, **fields})
    figure = timeline(calls)
    assert len(figure.axes) == 2
    assert all(math.isfinite(edge) for edge in figure.axes[1].get_xlim())


def test_nothing_is_left() -> None:
    """The figure is none of pyplot's, which would keep it and show it twice."""
    from matplotlib._pylab_helpers import Gcf

    timeline([a_call(0, 20)])
    assert Gcf.figs == {}


def test_a_call_that_may_have_ended() -> None:
    """A call of which nobody has told since the connection was lost makes no wait: for how long
    it rang or was talked, nobody knows."""
    known = a_call(0, 20, 60)
    stale = [a_call(60, now=NOON + 90_000), a_call(120, 5, 30, now=NOON + 90_000)]
    stale[1].update({**stale[1].fields, "state": "CONNECT", "release_date": None})
    for each in stale:
        each.stale = True
    figure = timeline([known, *stale])
    assert "longest wait 0:20, 2 may have ended" in figure.get_suptitle()
    assert max(length for _, _, _, length in bars(figure)) <= 60


class Names:
    """A long name, and one that would be mathematics."""

    def name_of(self, number: Any) -> Optional[str]:
        return {BOB: "$x$ " + "B" * 99, ALICE: "Alice"}.get(number)


def test_labels_have_names_that_leave_room_for_the_calls() -> None:
    figure = timeline([a_call(0, 5, 5)], names=Names())
    assert labels(figure) == [
        f"$x$ {'B' * 19}… +33 1 99 02 00 00 → Alice +33 1 99 00 00 01"]
    figure.savefig(io.BytesIO())


def a_record(begin: float, seconds: int = 0, **fields: Any) -> CallRecord:
    """An incoming call of the history that began so many seconds after noon."""
    told = {"csi": ALICE, "caller": BOB, "callee": ALICE, "direction": "in", **fields}
    return CallRecord(f"cdr-{begin}", start_time=NOON + begin, seconds=seconds, **told)


def outlines(figure: Figure) -> List[Any]:
    """The outlines of the lower axes: colour, line, time of day, seconds long."""
    return [
        (
            to_hex(each.get_edgecolor()),
            round(each.get_y() + each.get_height() / 2),
            num2date(each.get_x()).strftime("%H:%M:%S"),
            round(each.get_width() * 86_400),
        )
        for each in figure.axes[1].patches
        if isinstance(each, Rectangle) and not each.get_facecolor()[-1]
    ]


def test_records_of_the_history_are_outlines_beside_live_calls() -> None:
    figure = timeline([
        a_call(0, 20, 300), a_record(7200), a_record(3600, 90),
        a_record(9000, direction="out", caller=ALICE, callee="33199020001"),
    ])
    at = [f"{in_paris(NOON + each):%H:%M:%S}" for each in (3600, 7200, 9000)]
    assert outlines(figure) == [(TALKING, 1, at[0], 90), (MISSED, 2, at[1], 0),
                                (RINGING, 3, at[2], 0)]
    assert crosses(figure, 1) == 1 and crosses(figure, 0) == 0
    assert title(figure) == (
        "2026-03-02: 4 calls, 1 missed, longest wait 0:20, 3 from the history")
    assert labels(figure)[-1] == "to +33 1 99 02 00 01"
    assert figure.axes[1].get_xlabel() == "time in Paris"
    assert timeline([a_call(0, 20)]).axes[1].get_xlabel() == "local time"
    assert figure._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]


def test_call_that_is_live_and_recorded_is_drawn_once() -> None:
    live, missed = a_call(0, 20, 300), a_call(600, 9, caller="+" + BOB)
    intern = {"callee": "33199000002"}
    figure = timeline([
        a_record(601), a_record(2, 300), live, missed, a_record(900, 5, unit="sms"),
        a_record(1800, 60, csi=ALICE, caller=ALICE, direction="out", **intern),
        a_record(1800, 60, csi="33199000002", caller=ALICE, **intern),
    ])
    assert title(figure).startswith("2026-03-02: 3 calls, 1 missed, ")
    assert len(outlines(figure)) == 1


def test_day_of_records_alone_is_that_of_paris() -> None:
    """Half an hour past midnight in Paris, in winter and in summer, is a day before in UTC."""
    for month, day, hour in ((3, 2, 23), (7, 2, 22)):
        late = datetime.datetime(2026, month, day, hour, 30, tzinfo=datetime.timezone.utc)
        record = a_record(late.timestamp() - NOON, 0, caller=None)
        figure = timeline([record])
        assert title(figure) == f"2026-0{month}-0{day + 1}: 1 call, 1 missed, 1 from the history"
        assert labels(figure) == ["hidden → +33 1 99 00 00 01"]
        assert outlines(figure)[0][2] == "00:30:00"
        assert [text.get_text() for text in figure.axes[0].texts] == ["not in the history"]
    figure._repr_png_()  # type: ignore[attr-defined]


@pytest.mark.parametrize("module, show, words", [
    ("matplotlib", lambda: timeline([]), "timeline needs matplotlib: .*notebook"),
    ("ipywidgets", lambda: board(CTI(cookie_auto=False)), "board needs ipywidgets: .*notebook"),
])
def test_missing_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, module: str, show: Any, words: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=words):
        show()
