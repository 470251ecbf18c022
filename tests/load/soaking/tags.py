"""Tags: numbers that no two commands share, written so that the server's side shows them.

They look like telephone numbers, but are longer than any.
"""

from __future__ import annotations

import itertools
import re
import threading
from typing import Any, Mapping, Optional

_PREFIX = "3319900"
_DIGITS = 8
_TAGGED = re.compile(rf"{_PREFIX}([0-9]{{{_DIGITS}}})(?: |$)")


class Tags:
    """Gives out tags. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    def new(self) -> int:
        with self._lock:
            return next(self._numbers)


def as_number(tag: int) -> str:
    """The tag as a telephone number of 15 digits."""
    return f"{_PREFIX}{tag:0{_DIGITS}d}"


def tag_of(fields: Mapping[str, Any]) -> Optional[int]:
    """The tag in the fields of a command, if it has one."""
    for name in ("number", "to", "message"):
        value = fields.get(name)
        found = _TAGGED.match(value) if isinstance(value, str) else None
        if found:
            return int(found[1])
    return None
