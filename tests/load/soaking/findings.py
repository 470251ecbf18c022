"""What is wrong, as the model found it."""

from __future__ import annotations

import threading
from typing import Callable, Dict, List, NamedTuple, Sequence

#: What was sent and acknowledged, or owed, and never came.
LOST = "lost"

#: What came twice.
REPEATED = "repeated"

#: What happened, and was neither told nor in an announced gap.
OUTSIDE = "outside gaps"

#: Anything else that must not be.
WRONG = "wrong"

#: How many are kept in detail; the rest is counted.
_KEPT = 50


class Finding(NamedTuple):
    """Something that is wrong.

    :ivar kind: LOST, REPEATED, OUTSIDE or WRONG.
    :ivar who: the client, or what else it is about.
    :ivar what: in words.
    :ivar context: what happened around it, oldest first.
    """

    kind: str
    who: str
    what: str
    context: Sequence[str] = ()

    def __str__(self) -> str:
        lines = [f"{self.kind.upper()}: {self.who}: {self.what}", *self.context]
        return "\n    ".join(lines)


class Findings:
    """All that was found. Thread-safe.

    :param say: is told each of the first ones at once.
    """

    def __init__(self, say: Callable[[str], object] = lambda line: None) -> None:
        self._say = say
        self._lock = threading.Lock()
        self._counts: Dict[str, int] = {
            LOST: 0, REPEATED: 0, OUTSIDE: 0, WRONG: 0}
        self._first: List[Finding] = []

    def add(self, kind: str, who: str, what: str, context: Sequence[str] = ()) -> None:
        with self._lock:
            self._counts[kind] += 1
            if len(self._first) >= _KEPT:
                return
            self._first.append(Finding(kind, who, what, tuple(context)))
            self._say(str(self._first[-1]))

    def counts(self) -> Dict[str, int]:
        """How many there are of each kind."""
        with self._lock:
            return dict(self._counts)

    def first(self) -> List[Finding]:
        """The first ones, in detail."""
        with self._lock:
            return list(self._first)
