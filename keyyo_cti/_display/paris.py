"""The time of day in Paris, which the Manager API uses. Pure."""

from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Optional

_HOUR = timedelta(hours=1)

#: Hours of the last Sundays of March and October, in UTC, at which the time changes.
_CHANGE = 1


@lru_cache(maxsize=1)
def paris() -> tzinfo:
    """Return the time zone Europe/Paris; without the system's data, by the rule of the EU."""
    try:
        from zoneinfo import ZoneInfo

        return ZoneInfo("Europe/Paris")
    except (ImportError, KeyError, OSError, ValueError):
        # Windows has no data, and neither have small containers.
        return EuropeanTime()


def in_paris(seconds: float) -> datetime:
    """Return the date and the time in Paris at a Unix time."""
    return datetime.fromtimestamp(seconds, paris())


class EuropeanTime(tzinfo):
    """Central European Time, with the summer time that the EU has had since 1996."""

    def utcoffset(self, moment: Optional[datetime]) -> timedelta:
        """Return the hours ahead of UTC at a local time."""
        return _HOUR + self.dst(moment)

    def dst(self, moment: Optional[datetime]) -> timedelta:
        """Return an hour in summer. ``fold`` decides in the hours that two offsets share."""
        if moment is None:
            return timedelta(0)
        local = moment.replace(tzinfo=None, fold=0)
        # In March the clock goes from 2 to 3, in October from 3 to 2.
        begin = _last_sunday(local.year, 3, _CHANGE + 1) + _HOUR * (1 - moment.fold)
        end = _last_sunday(local.year, 10, _CHANGE + 2) - _HOUR * moment.fold
        return _HOUR if begin <= local < end else timedelta(0)

    def tzname(self, moment: Optional[datetime]) -> str:
        """Return CEST in summer, else CET."""
        return "CEST" if self.dst(moment) else "CET"

    def fromutc(self, moment: datetime) -> datetime:
        """Return the local time of a time in UTC."""
        utc = moment.replace(tzinfo=None)
        end = _last_sunday(utc.year, 10, _CHANGE)
        summer = _last_sunday(utc.year, 3, _CHANGE) <= utc < end
        local = moment + _HOUR * (2 if summer else 1)
        return local.replace(fold=1 if end <= utc < end + _HOUR else 0)


def _last_sunday(year: int, month: int, hour: int) -> datetime:
    """Return an hour of the last Sunday of a month with 31 days."""
    last = datetime(year, month, 31, hour)
    return last - timedelta(days=(last.weekday() + 1) % 7)
