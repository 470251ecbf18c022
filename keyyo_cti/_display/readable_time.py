"""Dates in local time and durations, for people."""

import time
from typing import Any, Optional

from .dates import as_date


def local_time(date: Any) -> Optional[time.struct_time]:
    """Return a date of the server in local time, or None for an invalid one."""
    seconds = as_date(date)
    try:
        return None if seconds is None else time.localtime(seconds)
    except (OverflowError, ValueError, OSError):
        return None


def format_duration(seconds: int) -> str:
    """Return a duration as minutes and seconds, such as 1:05, or with hours."""
    minutes, left = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"
