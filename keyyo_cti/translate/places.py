"""In which functions of the translation a name is taken."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Dict, List, Optional

from .syntax import FUNCTIONS, Node


class Places:
    """The functions that have a variable of one name; None is the module.

    A page has hundreds of functions with the same few names, so that no function is compared with
    all the others.
    """

    def __init__(self) -> None:
        self._counts: Dict[Optional[int], int] = {}
        self._starts: List[int] = []

    def add(self, function: Optional[Node]) -> None:
        """Record a variable of a function."""
        key = _key(function)
        self._counts[key] = self._counts.get(key, 0) + 1
        if function is not None:
            insort(self._starts, function.start)

    def remove(self, function: Optional[Node]) -> None:
        """Forget what was added."""
        self._counts[_key(function)] -= 1
        if function is not None:
            del self._starts[bisect_left(self._starts, function.start)]

    def touch(self, function: Optional[Node]) -> bool:
        """True if this function, one around it or one in it has such a variable."""
        if function is None:
            return any(self._counts.values())
        first = bisect_left(self._starts, function.start)
        if first < len(self._starts) and self._starts[first] < function.end:
            return True
        around: Optional[Node] = function
        while around is not None:
            around = around.inside(FUNCTIONS)
            if self._counts.get(_key(around)):
                return True
        return False


def _key(function: Optional[Node]) -> Optional[int]:
    return id(function) if function is not None else None
