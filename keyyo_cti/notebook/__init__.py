"""For notebooks: a live board of a line's calls, and a chart of a day's::

    from keyyo_cti.notebook import board, timeline

    board(cti)                      # last in its cell, so that it is shown
    timeline(cti.get_calls())

What stands behind them is imported when they are called: ipywidgets for the board, matplotlib for
the chart. The extra ``notebook`` has both.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, Iterable, Optional

from .._display.extras import install_hint
from ..cti import CTI

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .board_widget import Board

_EXTRA = install_hint("notebook")


def board(cti: CTI, rows: int = 8) -> Board:
    """A board of the calls of a line, live, with buttons to answer, hang up, transfer and park,
    and a field to dial.

    It is the line's for as long as somebody looks at it: it adds handlers of its own beside those
    of the program, and takes them away when its cell is run again, its output is cleared, or
    ``close()`` is called. Shown again, it goes on. While a cell runs, as in ``cti.wait()``, most
    notebooks tell nobody of clicks; calls are shown all the same.

    :param rows: how many calls have a row, those that go on first; the rest is counted.
    :returns: a widget, a ``VBox`` of ipywidgets.
    :raises TypeError: ``cti`` is no CTI, or ``rows`` no whole number.
    :raises ValueError: ``rows`` is below 1.
    :raises ImportError: ipywidgets is not there.
    """
    if not isinstance(cti, CTI):
        raise TypeError(f"cti: expected a CTI, got {type(cti).__name__}")
    if type(rows) is not int:
        raise TypeError(f"rows: expected a whole number, got {type(rows).__name__}")
    if rows < 1:
        raise ValueError(f"rows: expected 1 or more, got {rows}")
    try:
        import ipywidgets  # noqa: F401
    except ImportError as error:
        raise ImportError(f"the board needs ipywidgets: {_EXTRA}") from error
    from .board_widget import Board

    return Board(cti, rows)


def timeline(calls: Iterable[Any], day: Optional[datetime.date] = None) -> Figure:
    """A chart of the calls of a day: how long each rang and was talked, which were missed, and
    how long people waited.

    :param calls: such as ``cti.get_calls()``; those that go on are drawn up to now.
    :param day: in local time; by default the last one on which there was a call.
    :returns: a matplotlib ``Figure``, which shows itself in a notebook, with two axes. It is not
        one of ``pyplot``'s, so that it needs no closing.
    :raises ImportError: matplotlib is not there.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(f"the timeline needs matplotlib: {_EXTRA}") from error
    from . import timeline_figure as chart

    return chart.draw(calls, day)
