"""Dates and durations as people read them, in local time."""

import time
from typing import Any, Optional

from .dates import as_date


def local_time(date: Any) -> Optional[time.struct_time]:
    """A date of the server in local time; None for what is none, or is in no calendar."""
    seconds = as_date(date)
    try:
        return None if seconds is None else time.localtime(seconds)
    except (OverflowError, ValueError, OSError):
        return None


def format_duration(seconds: int) -> str:
    """A duration as on a stop-watch, 1:05."""
    minutes, left = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"
