"""Moments on the command line: 2026-11-27, '2026-11-27 14:30', 7d or 36h."""

import argparse
import re
from datetime import datetime

from .._display.paris import paris
from .._net.clock import DAY, system_time

FORMS = "such as 7d, 36h, 2026-11-27 or '2026-11-27 14:30' in Paris time"

_AGO = re.compile(r"([0-9]{1,4})([dh])")
_SECONDS = {"d": DAY, "h": 3600.0}


def read_moment(text: str) -> float:
    """Return a moment in Unix seconds.

    :raises argparse.ArgumentTypeError: it is none, or is before 1970.
    """
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        return system_time() - int(ago[1]) * _SECONDS[ago[2]]
    try:
        found = datetime.fromisoformat(text.strip())
        if found.utcoffset() is None:
            found = found.replace(tzinfo=paris())
        seconds = found.timestamp()
    except (ValueError, OverflowError):
        seconds = -1.0
    if seconds < 0:
        raise argparse.ArgumentTypeError(f"expected a moment {FORMS}")
    return seconds
