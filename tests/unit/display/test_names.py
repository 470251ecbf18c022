"""Names beside numbers."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from keyyo_cti._display.names import find_name


class Names:
    """One name for every number, or an error."""

    def __init__(self, name: Any) -> None:
        self.name = name

    def name_of(self, number: Any) -> Optional[str]:
        if isinstance(self.name, Exception):
            raise self.name
        return self.name  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Zoë Example (Ex)", "Zoë Example (Ex)"),
        (None, ""), ("", ""), ("  a\n b\t", "a b"),
        ("\x1b[2J\x1b]0;x\x07", "\\x1b[2J\\x1b]0;x\\x07"),
        ("a\u202eb\u2066c\u200fd", "a\\u202eb\\u2066c\\u200fd"),
        ("\x9b31m", "\\x9b31m"), ("\ud800", "\\ud800"), (5, "5"),
        ("x" * 1000, "x" * 79 + "…"),
        (RuntimeError("no"), ""),
    ],
)
def test_name_is_printable_and_short(name: Any, shown: str) -> None:
    assert find_name(Names(name), "33199000001") == shown
    assert find_name(None, "33199000001") == ""
