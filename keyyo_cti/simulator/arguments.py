"""What a caller may pass: checks that name the argument that is wrong."""

from __future__ import annotations

from typing import Any, Iterable, Optional, Tuple


def require_integer(value: int, argument: str, low: int, high: int) -> int:
    """An integer from `low` to `high`.

    :raises TypeError: it is no integer.
    :raises ValueError: it is out of its range.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{argument}: expected an integer, got {type(value).__name__}")
    if not low <= value <= high:
        raise ValueError(f"{argument}: expected {low} to {high}, got {value!r}")
    return value


def require_times(times: Optional[int]) -> Optional[int]:
    """How often a fault happens; None is for ever.

    :raises TypeError: it is no integer.
    :raises ValueError: it is below 1.
    """
    if times is not None and (isinstance(times, bool) or not isinstance(times, int)):
        raise TypeError(f"times: expected an integer or None, got {type(times).__name__}")
    if times is not None and times < 1:
        raise ValueError(f"times: expected 1 or more, got {times!r}")
    return times


def require_one_of(value: str, allowed: Any, argument: str) -> str:
    """One of the `allowed` words.

    :raises ValueError: it is another one.
    """
    if value not in allowed:
        raise ValueError(f"{argument}: expected one of {', '.join(allowed)}; got {value!r}")
    return value


def require_some_of(values: Iterable[str], allowed: Any, argument: str) -> Tuple[str, ...]:
    """Any of the `allowed` words, also none.

    :raises TypeError: it is one string.
    :raises ValueError: there is another word.
    """
    if isinstance(values, str):
        raise TypeError(f"{argument}: expected a list of strings, got str")
    return tuple(require_one_of(value, allowed, argument) for value in values)


def require_text(value: str, argument: str) -> str:
    """A string that is not empty; what it holds stays out of the complaint.

    :raises TypeError: it is no string.
    :raises ValueError: it is empty.
    """
    if not isinstance(value, str):
        raise TypeError(f"{argument}: expected a string, got {type(value).__name__}")
    if not value:
        raise ValueError(f"{argument}: expected a string that is not empty")
    return value
