"""Whether a measure grows: a straight line through many of its values, and how sure it is."""

from math import sqrt
from typing import NamedTuple, Sequence


class Trend(NamedTuple):
    """A slope and its standard error, both in units of ``y`` for each of ``x``."""

    slope: float
    error: float

    @classmethod
    def of(cls, x: Sequence[float], y: Sequence[float]) -> "Trend":
        """The line of least squares through at least three points."""
        count = len(x)
        middle_x, middle_y = sum(x) / count, sum(y) / count
        spread = sum((each - middle_x) ** 2 for each in x)
        slope = sum((a - middle_x) * (b - middle_y) for a, b in zip(x, y)) / spread
        rest = sum((b - middle_y - slope * (a - middle_x)) ** 2 for a, b in zip(x, y))
        return cls(slope, sqrt(rest / (count - 2) / spread))

    def exceeds(self, bound: float) -> bool:
        """Whether the slope is above that, beyond the noise."""
        return self.slope - 2 * self.error > bound
