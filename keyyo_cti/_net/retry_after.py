"""The ``Retry-After`` header. Pure."""

import re
from typing import Mapping, Optional

_NUMBER = re.compile(r"\s*-?[0-9]{1,18}(\.[0-9]{0,18})?\s*")


def read_retry_after(headers: Mapping[str, str], now: float) -> Optional[float]:
    """Return the seconds of ``Retry-After``, or None without a valid one.

    :param headers: of a response. The value is a number or a date.
    :param now: Unix time in seconds.
    """
    value = headers.get("Retry-After", "")
    seconds: float
    if _NUMBER.fullmatch(value):
        seconds = float(value)
    else:
        try:
            # Imported here only: they take longer to import than the rest of the module.
            import email.utils
            from datetime import timezone

            date = email.utils.parsedate_to_datetime(value)
            if date.tzinfo is None:
                # HTTP dates are UTC.
                date = date.replace(tzinfo=timezone.utc)
            seconds = date.timestamp() - now
        except (TypeError, ValueError, OverflowError):
            return None
    return max(0.0, seconds)
