"""JavaScript for Keyyo's SDK as Python for this one.

``translate(source)`` returns a program that does what the JavaScript does, as a person would write
it, and notes about what differs. What cannot be said in Python is never guessed: it stands as a
comment with an exception behind it.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Collection, Iterator

from .._display.extras import install_hint

if TYPE_CHECKING:
    from .notes import Note
    from .program import Translation

__all__ = ["Note", "Translation", "translate"]

#: A longer source is refused: it is no page that a person pastes.
MAX_CHARACTERS = 2_000_000


def translate(
    source: str, *, waits: bool = True, known: "Collection[str]" = ()
) -> "Translation":
    """Return the translation of a JavaScript source, or of the scripts of an HTML page.

    It returns a translation that compiles for any text.

    :param waits: False for a part that must end, such as a cell of a notebook.
    :param known: Python names that are defined already, such as those of earlier cells: a name
        that the source does not define is taken for one of them.
    :raises ImportError: the extra ``translate`` is not installed.
    """
    from .html import read_page

    program = _program()
    found: Translation
    if not isinstance(source, str):
        raise TypeError(f"source: expected a string, got {type(source).__name__}")
    page = read_page(source.replace("\r\n", "\n").replace("\r", "\n"), program.closing_of)
    text = page.script.encode("utf-8", "replace").decode("utf-8")
    if len(text) > MAX_CHARACTERS:
        found = program.untranslated("", "the source is too long")
        return found
    try:
        with _uncollected():
            found = program.translate_program(text, waits, known)
    except RecursionError:
        found = program.untranslated(text, "the source is nested too deeply")
    except Exception as error:
        found = program.untranslated(
            text, f"the translator failed ({type(error).__name__})"
        )
    if page.notes:
        found = found._replace(notes=sorted([*page.notes, *found.notes]))
    return found


@contextmanager
def _uncollected() -> Iterator[None]:
    """Stop Python's collector: it would look at the growing tree again and again.

    That doubles the time, and finds nothing, as all of the tree is in use.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _program() -> Any:
    try:
        from . import program
    except ImportError as error:
        raise ImportError(
            f"tree-sitter is missing: {install_hint('translate')}"
        ) from error
    return program


def __getattr__(name: str) -> Any:
    if name in ("Note", "Translation"):
        return getattr(_program(), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
