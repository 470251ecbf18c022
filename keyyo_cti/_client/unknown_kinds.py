"""Kinds of notifications that this SDK passes over, and which of them are news."""

from typing import Set

#: Kinds that the JavaScript SDK names and that carry nothing for a program.
_SILENT = frozenset({"log", "error"})

#: Kinds that are remembered, so that a server that invents them costs no memory.
_MAX_KINDS = 100


class UnknownKinds:
    """The kinds that came on one connection. Not thread-safe."""

    def __init__(self) -> None:
        self._seen: Set[str] = set()

    def is_news(self, kind: str) -> bool:
        """True if a kind is to be reported: once, unless the JavaScript SDK names it."""
        if kind in _SILENT or kind in self._seen or len(self._seen) >= _MAX_KINDS:
            return False
        self._seen.add(kind)
        return True
