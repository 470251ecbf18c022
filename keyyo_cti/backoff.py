"""The pauses between attempts. Pure, except for the jitter that is passed in."""

import random
from typing import Any, Callable, NamedTuple, Optional

#: Maximum seconds of a pause: more than any platform's waits need.
_MAX_SECONDS = 2_000_000

#: Maximum number of doublings. A pause has reached its limit long before, and 2.0 ** 1024 raises.
_MAX_DOUBLINGS = 64


class _Pauses(NamedTuple):
    attempts: Optional[int]
    first: float
    longest: float
    spread: float
    jitter: Callable[[], float]


class Backoff(_Pauses):
    """Pauses that double, with jitter, so that many clients do not return at the same moment.

    :ivar attempts: maximum number of attempts; None for no limit.
    :ivar first: seconds of the first pause.
    :ivar longest: seconds of the longest pause. A server that asks for a longer one is not asked
        again.
    :ivar spread: the fraction of a pause that jitter may remove, from 0 to 1.
    :ivar jitter: a function that returns a new number from 0 to 1 each time.
    :raises TypeError: a value is of a wrong type.
    :raises ValueError: a value is out of its range.
    """

    __slots__ = ()

    # No dataclass: importing dataclasses takes longer than the rest of the package.
    def __new__(
        cls,
        attempts: Optional[int] = None,
        first: float = 1.0,
        longest: float = 60.0,
        spread: float = 1.0,
        jitter: Callable[[], float] = random.random,
    ) -> "Backoff":
        if not (attempts is None or _is_number(attempts, int)):
            raise TypeError("attempts: expected a whole number or None")
        for name, value in (("first", first), ("longest", longest), ("spread", spread)):
            if not _is_number(value, (int, float)):
                raise TypeError(f"{name}: expected a number")
        if not callable(jitter):
            raise TypeError("jitter: expected a function")
        if attempts is not None and attempts < 1:
            raise ValueError("attempts: expected 1 or more, or None for no end")
        if not 0 < first <= longest <= _MAX_SECONDS:
            raise ValueError(f"first and longest: expected 0 < first <= longest <= {_MAX_SECONDS}")
        if not 0 <= spread <= 1:
            raise ValueError("spread: expected 0 to 1")
        return super().__new__(cls, attempts, first, longest, spread, jitter)

    def pause(self, attempt: int, retry_after: Optional[float] = None) -> Optional[float]:
        """Return the seconds until the next attempt, or None if there is none.

        :param attempt: number of attempts so far.
        :param retry_after: seconds to wait, as the server asked, or None.
        """
        over = self.attempts is not None and attempt >= self.attempts
        if over or (retry_after or 0.0) > self.longest:
            return None
        return max(retry_after or 0.0, self.length(attempt))

    def length(self, number: int) -> float:
        """Return the seconds of one pause, with new jitter each time.

        :param number: 1 for the first pause.
        """
        doublings = min(max(0, number - 1), _MAX_DOUBLINGS)
        pause = min(self.longest, self.first * 2.0**doublings)
        return pause * (1.0 - self.spread * (1.0 - self.jitter()))


def _is_number(value: Any, kinds: Any) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)
