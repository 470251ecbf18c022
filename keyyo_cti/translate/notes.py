"""What the reader of a translation has to know."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Tuple


class Note(NamedTuple):
    """A place where the translation is not the same as the source, or cannot be.

    :ivar line: of the JavaScript.
    :ivar what: the words of the source, or its subject.
    :ivar why: the difference.
    :ivar action: what to do.
    """

    line: int
    what: str
    why: str
    action: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}: {self.why}. {self.action}."


class Unsupported(Exception):
    """Something that Python cannot say, or that the translator does not know.

    :ivar action: what to do about it.
    """

    def __init__(self, what: str, action: str = "Write this part by hand") -> None:
        super().__init__(what)
        self.action = action


class Notes:
    """Collects notes; of the same difference in several lines, the first with the other lines."""

    def __init__(self) -> None:
        self._found: List[Tuple[Note, bool]] = []

    @property
    def complete(self) -> bool:
        """True if everything could be translated."""
        return not any(failed for _, failed in self._found)

    def add(self, line: int, what: str, why: str, action: str) -> None:
        """Add a note about a difference in meaning."""
        self._found.append((Note(line, what, why, action), False))

    def fail(self, line: int, what: str, why: str, action: str) -> None:
        """Add a note about something that could not be translated."""
        self._found.append((Note(line, what, why, action), True))

    def mark(self) -> int:
        """Return a state to go back to."""
        return len(self._found)

    def reset(self, state: int) -> None:
        """Forget what was added since the mark."""
        del self._found[state:]

    def all(self) -> List[Note]:
        """Return the notes in the order of their lines."""
        merged: Dict[Tuple[str, str, str], List[int]] = {}
        for note, _ in self._found:
            merged.setdefault((note.what, note.why, note.action), []).append(note.line)
        found = []
        for (what, why, action), all_lines in merged.items():
            lines = sorted(set(all_lines))
            if len(lines) > 1:
                shown = ", ".join(map(str, lines[1:6])) + (", ..." if len(lines) > 6 else "")
                why = f"{why} (also in line {shown})"
            found.append(Note(lines[0], what, why, action))
        return sorted(found)


def as_unsupported(error: Exception) -> Unsupported:
    """Return why a statement is refused whose rule has met an exception."""
    if isinstance(error, Unsupported):
        return error
    if isinstance(error, RecursionError):
        return Unsupported("so deep a nesting is not supported")
    return Unsupported("a call without the arguments that it needs")


def short(text: str) -> str:
    """Return the beginning of a statement."""
    first = text.strip().splitlines()[0] if text.strip() else ""
    return first if len(first) <= 60 else f"{first[:57]}..."
