"""Rows as CSV that is safe to open in a spreadsheet."""

import re
import unicodedata
from typing import Iterable, Sequence

from .terminal import Terminal, escape

#: A spreadsheet takes a cell that begins so for a formula, which can run programs. The last one is
#: the minus sign, which is no form of the hyphen.
_FORMULA_STARTS = ("=", "+", "-", "@", "\u2212")

#: A telephone number, which a spreadsheet cannot run.
_NUMBER = re.compile(r"\+[0-9]{1,3}[0-9 ]{5,20}")

#: What a cell needs quotes for, in one spreadsheet or another.
_QUOTED = re.compile('[,;"]')


def print_csv(out: Terminal, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows below a header."""
    for row in (header, *rows):
        out.print_line(format_row(row))


def format_row(cells: Iterable[object]) -> str:
    """Return a row, separated by commas, on one line; None is an empty cell.

    What a spreadsheet would run as a formula gets an apostrophe in front. Otherwise a name in the
    directory could run a command on the machine of a reader.
    """
    return ",".join(map(_format_cell, cells))


def _format_cell(cell: object) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    # On one line, so that tools that read lines can read it.
    text = "" if cell is None else escape(" ".join(str(cell).split()))
    # A spreadsheet that separates by semicolons splits this cell, even if it is in quotes, because
    # the quotes are not at the beginning of its own cell.
    text = ";".join(map(_protect, text.split(";")))
    # By hand, because csv.writer only knows the separator that it writes.
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


def _protect(part: str) -> str:
    # Spreadsheets skip blanks, and quotes at the beginning are theirs. NFKC turns full-width and
    # small forms into plain ones, as they do.
    first = unicodedata.normalize("NFKC", part.lstrip(' "')[:1])
    is_formula = first.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(part.strip())
    return f"'{part}" if is_formula else part
