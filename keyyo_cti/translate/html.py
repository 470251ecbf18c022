"""The scripts of a page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Callable, List, NamedTuple, Optional, Tuple

from .notes import Note

_TYPES = ("", "text/javascript", "module", "application/javascript", "text/ecmascript")

#: JavaScript begins in no such way.
_PAGE = re.compile(r"\s*(<!--.*?-->\s*)*<(!doctype|[a-z])", re.I | re.S)

#: Scripts of others that a translation does without.
_KNOWN = re.compile(r"keyyo|jquery|sockjs", re.I)

_Attributes = List[Tuple[str, Optional[str]]]


class Page(NamedTuple):
    """The JavaScript of a source.

    :ivar script: the scripts at their lines.
    :ivar notes: what else the page runs.
    """

    script: str
    notes: List[Note]


def read_page(source: str, closing_of: Callable[[str], str] = lambda _: "") -> Page:
    """Return the scripts of an HTML page, or a script as it is.

    :param closing_of: returns the brackets that a script lacks, for which the next ones would be
        taken as its rest.
    """
    if not _PAGE.match(source):
        return Page(_without_marks(source), [])
    parser = _Scripts()
    try:
        parser.feed(source)
        notes = parser.finish()
    except AssertionError:
        return Page(source, [])
    lines: List[str] = []
    for line, code in parser.found:
        while len(lines) < line - 1:
            lines.append("")
        closing = closing_of(code) if len(parser.found) > 1 else ""
        if closing:
            notes.append(Note(
                line, "<script>", "closing brackets were missing, and were added",
                "Check that the script is whole",
            ))
            code += closing
        lines.extend(_without_marks(code).split("\n"))
    return Page("\n".join(lines), notes)


def _without_marks(code: str) -> str:
    """Return a script whose ``<!--`` and ``-->``, once for old browsers, are comments."""
    if not re.match(r"\s*<!--", code):
        return code
    code = re.sub(r"^(\s*)<!--", r"\1// ", code)
    return re.sub(r"(^|\n)([ \t]*)-->", r"\1\2// ", code)


class _Scripts(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: List[Tuple[int, str]] = []
        self._notes: List[Note] = []
        self._inside = False
        self._begun = 0

    def finish(self) -> List[Note]:
        """Read the rest of the page, and return the notes."""
        if self._inside:
            self._note("<script>", "it has no end", "Check that the page is whole")
            # Otherwise the parser gives no part of it.
            self.feed("</script>")
        self.close()
        if not self.found and not self._notes:
            self._note("the page", "it has no script", "Nothing, if that is right")
        return self._notes

    def handle_starttag(self, tag: str, attrs: _Attributes) -> None:
        given = {name: value or "" for name, value in attrs}
        for name, value in given.items():
            if name.startswith("on"):
                self._handler(tag, name, value)
            elif value.lstrip().lower().startswith("javascript:"):
                self._note(f"{name} of <{tag}>", "it runs JavaScript, which is left out",
                           "Call the function from your own input")
        if tag != "script":
            return
        self._inside = "src" not in given and given.get("type", "").lower() in _TYPES
        self._begun = len(self.found)
        if "src" in given and not _KNOWN.search(given["src"]):
            self._note(given["src"], "a script of its own, which is left out",
                       "Translate that file, too")

    def _handler(self, tag: str, name: str, code: str) -> None:
        if (tag, name) == ("body", "onload"):
            line = self.getpos()[0]
            self.found.append((line, f"window.onload = function() {{ {code} }};"))
        else:
            self._note(f"{name} of <{tag}>", "a handler of the page, which is left out",
                       "Call the function from your own input")

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if not self._inside or not data:
            return
        if len(self.found) > self._begun:
            line, code = self.found.pop()
            self.found.append((line, code + data))
        else:
            self.found.append((self.getpos()[0], data))

    def _note(self, what: str, why: str, action: str) -> None:
        self._notes.append(Note(self.getpos()[0], what, why, action))
