"""Moments as people write them, in Paris time. Pure."""

import re
from datetime import datetime, timedelta

from .._display.paris import in_paris, paris
from .exit_codes import UsageError

#: For the help of arguments.
MOMENT_FORMS = "such as 2h, 7d, today, yesterday, 2026-11-27 or '2026-11-27 08:30' in Paris time"

_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}

_AGO = re.compile(r"([0-9]{1,6})\s*([mhdw])")

_DAYS = {"today": 0, "yesterday": 1}


def parse_moment(option: str, text: str, now: float) -> float:
    """Return a moment in Unix seconds.

    :param option: for errors.
    :param now: Unix time in seconds.
    :raises UsageError: it is in no known form.
    """
    word = text.strip().lower()
    ago = _AGO.fullmatch(word)
    if ago is not None:
        return max(0.0, now - int(ago[1]) * _SECONDS[ago[2]])
    if word in _DAYS:
        return start_of_day(now, _DAYS[word])
    try:
        # Python 3.9 and 3.10 do not read the Z of UTC.
        moment = datetime.fromisoformat(re.sub("[zZ]$", "+00:00", text.strip()))
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=paris())
        return aware.timestamp()
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"{option}: expected a moment, {MOMENT_FORMS}") from None


def start_of_day(now: float, days: int = 0) -> float:
    """Return the midnight in Paris at which today began, or so many days earlier."""
    day = in_paris(now).date() - timedelta(days=days)
    return datetime(day.year, day.month, day.day, tzinfo=paris()).timestamp()
