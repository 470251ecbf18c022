"""The period of a history, in the dates that the Manager API takes. Pure."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple, Optional, Union

from .._display.paris import in_paris, paris
from ..errors import invalid_params

#: A moment: an aware datetime, or Unix seconds.
Moment = Union[datetime, float]

#: The year 3000 in Unix seconds. Greater values are in milliseconds.
_MAX_MOMENT = 32_503_680_000

#: Seconds that a request begins too early. No document says for certain that the dates are in
#: Paris time, and in the night of the winter time an hour comes twice.
_MARGIN = 7200

#: Seconds that the clock of this computer may be slow, if no end is given.
_MAX_SLOW_CLOCK = 86_400


class Period(NamedTuple):
    """From ``since`` until before ``until``, in Unix seconds."""

    since: float
    until: float


class Window(NamedTuple):
    """A part of a period, and the parameters of its requests.

    :ivar period: the records that belong to it; the response may have others.
    """

    period: Period
    date_start: str
    date_end: str


def read_period(since: Any, until: Any, now: float) -> Period:
    """Return the period of the arguments ``since`` and ``until``.

    :param now: Unix time in seconds.
    :raises KeyyoError: one of them is not a moment, or they are in the wrong order.
    """
    begin = _read_moment("since", since)
    if until is None:
        return Period(begin, max(begin, now) + _MAX_SLOW_CLOCK)
    end = _read_moment("until", until)
    if end < begin:
        raise invalid_params("until", "expected a moment that is not before since")
    return Period(begin, end)


def make_window(period: Period, days: int) -> Window:
    """Return the first days of a period that is not empty.

    ``date_end`` is exclusive for certain only for whole days, so it is a midnight.
    """
    end = min(_midnight(period.since, days), period.until)
    # The midnight that is the end, or the first one after it.
    last = end if end == _midnight(end, 0) else _midnight(end, 1)
    return Window(Period(period.since, end), _format(period.since - _MARGIN), _format(last))


def _read_moment(name: str, value: Any) -> float:
    seconds: Optional[float] = None
    if isinstance(value, datetime) and value.utcoffset() is not None:
        seconds = value.timestamp()
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = value
    if seconds is None:
        raise invalid_params(name, "expected a datetime with a time zone, or Unix seconds")
    # No function of math: they raise OverflowError for integers that are too large.
    if not 0 <= seconds < _MAX_MOMENT:
        raise invalid_params(name, "expected a moment since 1970, in seconds")
    return float(seconds)


def _midnight(seconds: float, days: int) -> float:
    """Return the midnight in Paris so many days after the one at or before a Unix time."""
    day = in_paris(seconds).date() + timedelta(days=days)
    return datetime(day.year, day.month, day.day, tzinfo=paris()).timestamp()


def _format(seconds: float) -> str:
    return f"{in_paris(max(0.0, seconds)):%Y-%m-%d %H:%M}"
