"""How long to wait before a request is repeated. Pure, but for the jitter that is given."""

import email.utils
import random
from dataclasses import dataclass
from datetime import timezone
from typing import Callable, Mapping, Optional

from .clock import as_seconds


@dataclass(frozen=True)
class Backoff:
    """Pauses that double, with jitter, so that many clients do not come back at once.

    :ivar attempts: how often something is asked in all.
    :ivar first: seconds of the first pause.
    :ivar longest: seconds of the longest; a server that asks for more is not asked again.
    :ivar jitter: a number from 0 to 1 that is new each time.
    """

    attempts: int = 4
    first: float = 0.5
    longest: float = 30.0
    jitter: Callable[[], float] = random.random

    def pause(self, attempt: int, retry_after: Optional[float]) -> Optional[float]:
        """Seconds until the next attempt, or None when there is to be none.

        :param attempt: how often it was asked.
        :param retry_after: seconds that the server wants to be left in peace, or None.
        """
        if attempt >= self.attempts or (retry_after or 0.0) > self.longest:
            return None
        pause = min(self.longest, self.first * 2.0 ** (attempt - 1))
        return max(retry_after or 0.0, pause * (0.5 + self.jitter() / 2))


def retry_after(headers: Mapping[str, str], now: float) -> Optional[float]:
    """The seconds that an answer's ``Retry-After`` asks for, as a number or as a date; None when
    it does not, or nobody understands it.

    :param now: Unix time in seconds.
    """
    value = headers.get("Retry-After", "")
    seconds = as_seconds(value)
    if seconds is None:
        try:
            date = email.utils.parsedate_to_datetime(value)
            if date.tzinfo is None:
                # As HTTP has it.
                date = date.replace(tzinfo=timezone.utc)
            seconds = date.timestamp() - now
        except (TypeError, ValueError, OverflowError):
            return None
    return max(0.0, seconds)
