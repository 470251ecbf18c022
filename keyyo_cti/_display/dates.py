"""The dates of a call, of which its durations are made. Pure.

The server's dates are whole Unix seconds on its own clock. It may send 0, "" or nothing for a date
that it does not know, and later leave out a date that it sent before.
"""

from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional

from .._net.javascript import as_number

#: A tuple: whatever the server sends as a state can be compared, but not always hashed.
ENDED = ("RELEASE", "MISSED")

#: The year 10000 in Unix seconds. Above it are junk and milliseconds, not dates.
_MAX_DATE = 253_402_300_800


class Dates(NamedTuple):
    """When a call was set up, picked up, and ended, in Unix seconds; None where unknown."""

    setup: Optional[float] = None
    connect: Optional[float] = None
    release: Optional[float] = None


class DatedFields(Dict[str, Any]):
    """Fields of a call, with dates that the server did not send with them."""

    __slots__ = ("dates",)

    dates: Dates

    def __init__(self, fields: Mapping[str, Any], dates: Dates) -> None:
        super().__init__(fields)
        self.dates = dates


def as_date(value: Any) -> Optional[float]:
    """Return a date in Unix seconds, or None for 0, "" and all else that is no date."""
    if type(value) is int and 0 < value < _MAX_DATE:
        return value
    number = as_number(value)
    return number if number is not None and 0 < number < _MAX_DATE else None


def dates_of(fields: Mapping[str, Any]) -> Dates:
    """Return the dates of a call that are known."""
    if isinstance(fields, DatedFields):
        return fields.dates
    return _sent(fields)


def latest_date(fields: Mapping[str, Any]) -> Optional[float]:
    """Return the date of the last event that the server sent with these fields, or None."""
    get = fields.get
    value = get("release_date") or get("connect_date") or get("setup_date")
    if type(value) is int and 0 < value < _MAX_DATE:
        return value
    # Junk in one of them does not hide the others.
    dates = map(as_date, (get("release_date"), get("connect_date"), get("setup_date")))
    return next((date for date in dates if date is not None), None)


def follow(
    known: Mapping[str, Any], fields: Mapping[str, Any], now: Callable[[], float]
) -> Mapping[str, Any]:
    """Return the fields of a call with the dates that earlier ones had and these lack.

    :param known: the fields of the call's last notification; empty for the first one.
    :param now: returns the server's Unix time, at which a call ended whose end has no date.
    """
    if _is_complete(known, fields):
        return fields
    before, told = dates_of(known), dates_of(fields)
    dates = told
    if before != _UNKNOWN and not _is_another_call(known, before, fields, told):
        dates = _fill(before, told)
        if known.get("state") in ENDED and before.release is not None:
            if as_date(fields.get("release_date")) is None:
                # Notified again, it still ended when it did.
                dates = dates._replace(release=before.release)
    if dates.release is None and fields.get("state") in ENDED:
        dates = dates._replace(release=now())
    return fields if dates == told else DatedFields(fields, dates)


_UNKNOWN = Dates()


def _is_complete(known: Mapping[str, Any], fields: Mapping[str, Any]) -> bool:
    """True if fields lack nothing that earlier ones had, as nearly all of them.

    Otherwise each notification would cost three times what it costs to read it.
    """
    if type(known) is not dict:
        return False
    get = fields.get
    setup, connect = get("setup_date"), get("connect_date")
    return (
        ((type(setup) is int and 0 < setup < _MAX_DATE) or not known)
        and ((type(connect) is int and 0 < connect < _MAX_DATE) or "connect_date" not in known)
        and (get("state") not in ENDED or as_date(get("release_date")) is not None)
    )


def _sent(fields: Mapping[str, Any]) -> Dates:
    get = fields.get
    return Dates(
        as_date(get("setup_date")), as_date(get("connect_date")), as_date(get("release_date"))
    )


def _fill(before: Dates, told: Dates) -> Dates:
    return Dates(
        before.setup if told.setup is None else told.setup,
        before.connect if told.connect is None else told.connect,
        told.release,
    )


def _is_another_call(
    known: Mapping[str, Any], before: Dates, fields: Mapping[str, Any], told: Dates
) -> bool:
    """True if the callref was given to another call, which has no date of the first one."""
    if known.get("state") in ENDED and fields.get("state") not in ENDED:
        return True
    return None not in (before.setup, told.setup) and before.setup != told.setup
