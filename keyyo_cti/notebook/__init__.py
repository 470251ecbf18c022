"""For notebooks: a live board of a line's calls, and a chart of the calls of a day::

    from keyyo_cti.notebook import board, timeline

    board(cti)                      # last in its cell, so that Jupyter shows it
    timeline(cti.get_calls())
    timeline([*cti.get_calls(), *manager.history(csi, since).result()])     # a whole day
    show_names(directory)           # names beside numbers, also in tables of calls

The board needs ipywidgets, the chart matplotlib. The extra ``notebook`` has both.
"""

# No module of this package may be named board or timeline: once imported, it would replace the
# function of that name.

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any, Iterable, Optional

from .._display.extras import install_hint
from .._display.names import Names, set_shown
from ..cti import CTI

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .board_widget import Board

_EXTRA = install_hint("notebook")


def board(cti: CTI, rows: int = 8, names: Optional[Names] = None) -> Board:
    """Return a live board of a line's calls.

    It has a field to dial, and buttons to answer, reject, hang up, park and transfer. A call shows
    only those that can succeed in its state. Enter in a field dials or transfers. Active calls
    stand above those that have ended.

    While the board is visible it has its own handlers, beside those of your program. It removes
    them when its cell runs again, when its output is cleared, and on ``close()``; shown again, it
    continues. While a cell runs, as in ``cti.wait()``, calls are shown, but most notebooks deliver
    no clicks.

    :param rows: maximum number of rows, one for each call; the board counts the other active
        calls.
    :param names: names beside numbers, such as a ``Directory``; by default those of
        ``show_names``.
    :returns: a ``VBox`` of ipywidgets.
    :raises TypeError: ``cti`` is not a CTI, ``rows`` is not an int, or ``names`` has no names.
    :raises ValueError: ``rows`` is below 1.
    :raises ImportError: ipywidgets is not installed.
    """
    if not isinstance(cti, CTI):
        raise TypeError(f"cti: expected a CTI, got {type(cti).__name__}")
    if type(rows) is not int:
        raise TypeError(f"rows: expected a whole number, got {type(rows).__name__}")
    if rows < 1:
        raise ValueError(f"rows: expected 1 or more, got {rows}")
    _check_names(names)
    try:
        import ipywidgets  # noqa: F401
    except ImportError as error:
        raise ImportError(f"the board needs ipywidgets: {_EXTRA}") from error
    from .board_widget import Board

    return Board(cti, rows, names)


def load_ipython_extension(shell: Any) -> None:
    """Register ``%%keyyo_js``, whose cell is JavaScript; for ``%load_ext keyyo_cti.notebook``.

    :raises ImportError: the extra ``translate`` is not installed.
    """
    from . import keyyo_js

    keyyo_js.load_ipython_extension(shell)


def timeline(
    calls: Iterable[Any],
    day: Optional[datetime.date] = None,
    names: Optional[Names] = None,
) -> Figure:
    """Return a chart of a day's calls: ringing, talking, missed calls and waiting times.

    :param calls: such as ``cti.get_calls()``; active calls are drawn up to now. Records of the
        history, as from ``manager.history(...).result()``, may be among them: each call is drawn
        once, and an outline is a call that only the history knows.
    :param day: in local time, or in the time of Paris if there are records; by default the last
        day with a call.
    :param names: names beside numbers; by default those of ``show_names``.
    :returns: a matplotlib ``Figure`` with two axes, which a notebook displays. It is transparent,
        and readable on a light and on a dark theme. ``pyplot`` does not know it, so that you need
        not close it.
    :raises TypeError: ``names`` has no names.
    :raises ImportError: matplotlib is not installed.
    """
    _check_names(names)
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(f"the timeline needs matplotlib: {_EXTRA}") from error
    from .timeline_figure import draw_timeline

    return draw_timeline(calls, day, names)


def show_names(names: Optional[Names]) -> None:
    """Show names beside numbers, in all tables of calls, boards and charts from now on.

    :param names: anything with ``name_of(number)``, such as a ``Directory``; None for no names.
    :raises TypeError: it has no ``name_of``.
    """
    _check_names(names)
    set_shown(names)


def _check_names(names: Optional[Names]) -> None:
    if names is not None and not callable(getattr(names, "name_of", None)):
        raise TypeError(f"names: expected a Directory, got {type(names).__name__}")
