"""Dates, which are aware datetimes of the local zone."""

import time
from datetime import datetime, timedelta, timezone


def js_now():
    """Return the milliseconds since 1970."""
    return int(time.time() * 1000)


def js_date(value=None):
    """Return a date: now, of milliseconds since 1970, or of an ISO text."""
    if value is None:
        return datetime.now().astimezone()
    if isinstance(value, str):
        date = datetime.fromisoformat(value.replace("Z", "+00:00"))
        if len(value) == 10:
            date = date.replace(tzinfo=timezone.utc)
        return date.astimezone()
    if isinstance(value, datetime):
        return value
    return datetime.fromtimestamp(value / 1000).astimezone()


def js_date_of(*parts):
    """Return a date of its parts."""
    return js_clock(*parts).astimezone()


def js_utc(*parts):
    """Return the milliseconds since 1970 of a date in the zone UTC."""
    return js_time(js_clock(*parts).replace(tzinfo=timezone.utc))


def js_clock(year, month, day=1, *clock):
    """Return a date without a zone; a part that is too large counts up."""
    year += 1900 if 0 <= year < 100 else 0
    hours, minutes, seconds, milliseconds = (*clock, 0, 0, 0, 0)[:4]
    first = datetime(year + month // 12, month % 12 + 1, 1)
    return (first + timedelta(
        days=day - 1, hours=hours, minutes=minutes, seconds=seconds,
        milliseconds=milliseconds,
    ))


def js_time(date):
    """Return the milliseconds since 1970 of a date."""
    return int(round(date.timestamp() * 1000))


def js_iso(date):
    """Return a date in ISO format, in UTC with milliseconds."""
    text = date.astimezone(timezone.utc).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def js_date_set(date, part, *values):
    """Return a date with other parts, from one on."""
    parts = [
        date.year, date.month - 1, date.day, date.hour, date.minute,
        date.second, date.microsecond // 1000,
    ]
    names = "FullYear Month Date Hours Minutes Seconds Milliseconds"
    first = names.split().index(part)
    parts[first:first + len(values)] = values
    return js_date_of(*parts)
