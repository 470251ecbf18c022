"""Unknown kinds of notifications: which of them to report."""

from typing import Set

#: Kinds that the JavaScript SDK names and that carry nothing for a program.
_SILENT = frozenset({"log", "error"})

#: Maximum number of kinds to remember. Otherwise a server that invents kinds would cost memory.
_MAX_KINDS = 100


class UnknownKinds:
    """The unknown kinds on one connection. Not thread-safe."""

    def __init__(self) -> None:
        self._seen: Set[str] = set()

    def is_new(self, kind: str) -> bool:
        """Return True if a kind is to be reported: once, unless the JavaScript SDK names it."""
        if kind in _SILENT or kind in self._seen or len(self._seen) >= _MAX_KINDS:
            return False
        self._seen.add(kind)
        return True
