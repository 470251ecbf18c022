"""Whether a measure grows."""

import random

from .trend import Trend


def test_straight_line() -> None:
    """A straight line has its slope, without an error, and exceeds what is below it."""
    trend = Trend.of([0, 1, 2, 5], [7, 9, 11, 17])
    assert abs(trend.slope - 2) < 1e-9 and trend.error < 1e-9
    assert trend.exceeds(1.9) and not trend.exceeds(2.1)


def test_noise() -> None:
    """A slope that noise may have made exceeds nothing; one that is steeper does."""
    chance = random.Random(1)
    x = list(range(200))
    noise = [chance.gauss(0, 10) for _ in x]
    assert not Trend.of(x, noise).exceeds(0)
    assert Trend.of(x, [each + 0.2 * at for at, each in zip(x, noise)]).exceeds(0)
