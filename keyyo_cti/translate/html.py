"""The scripts of a page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import List, Optional, Tuple

_TYPES = ("", "text/javascript", "module", "application/javascript", "text/ecmascript")

_BEGINNING = r"<(!doctype|html|head|body|script)\b"


def scripts(source: str) -> str:
    """Return the scripts of an HTML page at their lines, or a script as it is."""
    # A script may begin with <!--, too.
    if not re.match(rf"\s*(<!--.*?-->\s*)*{_BEGINNING}", source, re.I | re.S):
        return source
    parser = _Scripts()
    try:
        parser.feed(source)
        parser.close()
    except AssertionError:
        return source
    lines: List[str] = []
    for line, code in parser.found:
        while len(lines) < line - 1:
            lines.append("")
        if len(lines) == line - 1:
            lines.append("")
        first, *rest = code.split("\n")
        lines[-1] = f"{lines[-1]} {first}".strip() if lines[-1] else first
        lines.extend(rest)
    return "\n".join(lines)


class _Scripts(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: List[Tuple[int, str]] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: List[Tuple[str, Optional[str]]]) -> None:
        given = dict(attrs)
        kind = (given.get("type") or "").lower()
        self._inside = tag == "script" and "src" not in given and kind in _TYPES

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside and data:
            if self.found and self.found[-1][0] == self.getpos()[0]:
                line, code = self.found.pop()
                data = code + data
                self.found.append((line, data))
            else:
                self.found.append((self.getpos()[0], data))
