"""Names beside numbers, as text for people."""

from typing import Any, Dict, Optional, Protocol

from .._net.text import plain

#: Characters of a name. A directory may contain longer ones.
_MAX_NAME_LENGTH = 80


class Names(Protocol):
    """Anything that has names for numbers, such as a Directory."""

    def name_of(self, number: Any, /) -> Optional[str]:
        """Return the name for a number, or None. It must return at once."""


_shown: Dict[str, Optional[Names]] = {"names": None}


def set_shown(names: Optional[Names]) -> None:
    """Set the names that notebooks show beside numbers."""
    _shown["names"] = names


def get_shown() -> Optional[Names]:
    """Return the names that notebooks show beside numbers."""
    return _shown["names"]


def find_name(names: Optional[Names], number: Any) -> str:
    """Return the name for a number, printable and shortened; empty if there is none.

    Escape sequences, line breaks, and marks that change the direction of text are escaped. The
    result is not escaped for HTML. It never raises.
    """
    try:
        name = None if names is None else names.name_of(number)
        text = "" if name is None else " ".join(str(name).split())
    except Exception:
        # A display must not end because of an object of the program.
        return ""
    short = text if len(text) <= _MAX_NAME_LENGTH else text[: _MAX_NAME_LENGTH - 1] + "…"
    return plain(short)
