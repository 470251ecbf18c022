"""The dates of a call, from which its durations are computed. Pure.

The server's dates are whole Unix seconds on its own clock. For an unknown date, it may send 0, ""
or nothing. It may also leave out a date that it sent before.
"""

from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional, Tuple

from .._net.javascript import as_number

#: A tuple, not a set: the server may send a state that cannot be hashed.
ENDED = ("RELEASE", "MISSED")

#: The year 10000 in Unix seconds. Greater values are invalid or in milliseconds.
_MAX_DATE = 253_402_300_800


class Dates(NamedTuple):
    """The setup, the connection and the end of a call in Unix seconds; None if unknown."""

    setup: Optional[float] = None
    connect: Optional[float] = None
    release: Optional[float] = None


#: As ``Dates``. Python makes five of them in the time of one ``Dates``.
_Dates = Tuple[Optional[float], Optional[float], Optional[float]]


class DatedFields(Dict[str, Any]):
    """Fields of a call, with additional dates from other notifications.

    :ivar dates: as ``dates_of`` returns them.
    """

    __slots__ = ("dates",)

    dates: _Dates


def as_date(value: Any) -> Optional[float]:
    """Return a date in Unix seconds, or None for 0, "" and other invalid values."""
    if type(value) is int:
        return value if 0 < value < _MAX_DATE else None
    if not value:
        return None
    number = as_number(value)
    return number if number is not None and 0 < number < _MAX_DATE else None


def dates_of(fields: Mapping[str, Any]) -> Dates:
    """Return the known dates of a call."""
    return Dates(*_known_dates(fields))


def latest_date(fields: Mapping[str, Any]) -> Optional[float]:
    """Return the latest date of these fields, or None."""
    get = fields.get
    value = get("release_date") or get("connect_date") or get("setup_date")
    if type(value) is int and 0 < value < _MAX_DATE:
        return value
    # An invalid date must not hide the others.
    dates = map(as_date, (get("release_date"), get("connect_date"), get("setup_date")))
    return next((date for date in dates if date is not None), None)


def follow(
    known: Mapping[str, Any], fields: Mapping[str, Any], now: Callable[[], float]
) -> Mapping[str, Any]:
    """Return the fields of a call, completed with the dates of earlier fields.

    :param known: the fields of the call's last notification; empty for the first one.
    :param now: returns the server's Unix time, for an end without a date.
    """
    if _is_complete(known, fields):
        return fields
    setup, connect, release = sent = _sent(fields)
    ended = fields.get("state") in ENDED
    was_setup, was_connect, was_release = _known_dates(known)
    had_ended = known.get("state") in ENDED
    if (ended or not had_ended) and (setup is None or was_setup in (None, setup)):
        setup = was_setup if setup is None else setup
        connect = was_connect if connect is None else connect
        # A repeated notification of the end does not change its date.
        release = was_release if had_ended and release is None else release
    # Otherwise the server has reused the callref for another call.
    if release is None and ended:
        release = now()
    if (setup, connect, release) == sent:
        return fields
    dated = DatedFields(fields)
    dated.dates = setup, connect, release
    return dated


def _is_complete(known: Mapping[str, Any], fields: Mapping[str, Any]) -> bool:
    """Return True if fields lack no date of earlier ones, as nearly all do.

    Without this shortcut, each notification would cost three times as much as its parsing.
    """
    if type(known) is DatedFields:
        setup_before, connect_before, _ = known.dates
    else:
        # An invalid date may count as one here: then the rest looks closely.
        setup_before, connect_before = known.get("setup_date"), known.get("connect_date")
    setup, connect = fields.get("setup_date"), fields.get("connect_date")
    return (
        ((type(setup) is int and 0 < setup < _MAX_DATE) or not setup_before)
        and ((type(connect) is int and 0 < connect < _MAX_DATE) or not connect_before)
        and (fields.get("state") not in ENDED or as_date(fields.get("release_date")) is not None)
    )


def _known_dates(fields: Mapping[str, Any]) -> _Dates:
    return fields.dates if type(fields) is DatedFields else _sent(fields)


def _sent(fields: Mapping[str, Any]) -> _Dates:
    get = fields.get
    return as_date(get("setup_date")), as_date(get("connect_date")), as_date(get("release_date"))
