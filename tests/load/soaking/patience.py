"""How long is waited for what is owed, on a machine that has other things to do."""

from __future__ import annotations

from typing import Callable, TypeVar

T = TypeVar("T")

#: Seconds that anything may take that has an end of its own.
PATIENCE = 180.0

#: How often a simulator is asked that does not get round to answering.
_TRIES = 20


def patiently(do: Callable[[], T]) -> T:
    """Does something to a simulator, whose methods have an end of their own that a loaded machine
    can miss. What is done so may be done twice.

    :raises TimeoutError: it is in vain, many times.
    """
    for _ in range(_TRIES):
        try:
            return do()
        except TimeoutError:
            continue
    return do()
