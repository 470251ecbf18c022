"""Checks of arguments; each error names the wrong argument."""

from __future__ import annotations

from typing import Any, Iterable, Optional, Tuple


def require_integer(value: int, argument: str, low: int, high: int) -> int:
    """Return `value` if it is an integer from `low` to `high`.

    :raises TypeError: it is not an integer.
    :raises ValueError: it is out of range.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{argument}: expected an integer, got {type(value).__name__}")
    if not low <= value <= high:
        raise ValueError(f"{argument}: expected {low} to {high}, got {value!r}")
    return value


def require_seconds(value: float, argument: str, *, zero: bool = False) -> float:
    """Return `value` if it is a positive number of seconds.

    :param zero: True if it may be 0.
    :raises TypeError: it is not a number.
    :raises ValueError: it is not above 0.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{argument}: expected seconds, got {type(value).__name__}")
    if not (value > 0 or (zero and value == 0)):
        raise ValueError(f"{argument}: expected more than 0 seconds, got {value!r}")
    return value


def require_times(times: Optional[int]) -> Optional[int]:
    """Return `times` if it is a positive integer, or None for no limit.

    :raises TypeError: it is not an integer.
    :raises ValueError: it is below 1.
    """
    if times is not None and (isinstance(times, bool) or not isinstance(times, int)):
        raise TypeError(f"times: expected an integer or None, got {type(times).__name__}")
    if times is not None and times < 1:
        raise ValueError(f"times: expected 1 or more, got {times!r}")
    return times


def require_one_of(value: str, allowed: Any, argument: str) -> str:
    """Return `value` if it is one of the `allowed` words.

    :raises ValueError: it is another word.
    """
    if value not in allowed:
        raise ValueError(f"{argument}: expected one of {', '.join(allowed)}; got {value!r}")
    return value


def require_some_of(values: Iterable[str], allowed: Any, argument: str) -> Tuple[str, ...]:
    """Return `values` if each is one of the `allowed` words; none is valid too.

    :raises TypeError: it is a single string.
    :raises ValueError: it has another word.
    """
    if isinstance(values, str):
        raise TypeError(f"{argument}: expected a list of strings, got str")
    return tuple(require_one_of(value, allowed, argument) for value in values)


def require_text(value: str, argument: str) -> str:
    """Return `value` if it is a string that is not empty; errors never contain it.

    :raises TypeError: it is not a string.
    :raises ValueError: it is empty.
    """
    if not isinstance(value, str):
        raise TypeError(f"{argument}: expected a string, got {type(value).__name__}")
    if not value:
        raise ValueError(f"{argument}: expected a string that is not empty")
    return value
