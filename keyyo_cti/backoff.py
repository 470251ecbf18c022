"""How long to wait before something is tried again. Pure, but for the jitter that is given."""

import random
from typing import Any, Callable, NamedTuple, Optional

#: Seconds: what the waits of every platform can take.
_LONGEST = 2_000_000

#: Doublings after which a pause has long reached any bound. 2.0 ** 1024 is an error.
_MOST_DOUBLINGS = 64


class _Pauses(NamedTuple):
    attempts: Optional[int]
    first: float
    longest: float
    spread: float
    jitter: Callable[[], float]


class Backoff(_Pauses):
    """Pauses that double, with jitter, so that many clients do not come back at once.

    :ivar attempts: how often something is tried in all; None for no end.
    :ivar first: seconds of the first pause.
    :ivar longest: seconds of the longest; a server that asks for more is not asked again.
    :ivar spread: the part of a pause that jitter may take away, from 0 to 1.
    :ivar jitter: a number from 0 to 1 that is new each time.
    :raises TypeError: a value is of a wrong kind.
    :raises ValueError: a value is out of its range.
    """

    __slots__ = ()

    # No dataclass: to import what makes those takes longer than all the rest of the package.
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
        if not 0 < first <= longest <= _LONGEST:
            raise ValueError(f"first and longest: expected 0 < first <= longest <= {_LONGEST}")
        if not 0 <= spread <= 1:
            raise ValueError("spread: expected 0 to 1")
        return super().__new__(cls, attempts, first, longest, spread, jitter)

    def pause(self, attempt: int, retry_after: Optional[float] = None) -> Optional[float]:
        """Seconds until the next attempt, or None when there is to be none.

        :param attempt: how often it was tried.
        :param retry_after: seconds that the server wants to be left in peace, or None.
        """
        over = self.attempts is not None and attempt >= self.attempts
        if over or (retry_after or 0.0) > self.longest:
            return None
        return max(retry_after or 0.0, self.length(attempt))

    def length(self, number: int) -> float:
        """Seconds of one pause, new each time.

        :param number: 1 for the first.
        """
        doublings = min(max(0, number - 1), _MOST_DOUBLINGS)
        pause = min(self.longest, self.first * 2.0**doublings)
        return pause * (1.0 - self.spread * (1.0 - self.jitter()))


def _is_number(value: Any, kinds: Any) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)
