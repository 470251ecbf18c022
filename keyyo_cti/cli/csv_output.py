"""Rows as CSV, for spreadsheets."""

import csv
import io
import re
from typing import Iterable, Sequence

from .terminal import Terminal, escape

#: What a spreadsheet would run as a formula, other than numbers such as +33199000001.
_FORMULA = re.compile(r"[=@\t\r]|[+-](?![0-9 .()/;+-]*$)")


def print_csv(out: Terminal, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows below a header, separated by commas; None is an empty cell.

    A text that a spreadsheet would run as a formula gets an apostrophe in front. Otherwise a name
    in the directory could run a command on the machine of a reader.
    """
    for row in (header, *rows):
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(list(map(_make_cell, row)))
        text = line.getvalue()
        out.print_line(escape(text) if out.is_terminal else text)


def _make_cell(value: object) -> str:
    # On one line, so that tools that read lines can read it.
    text = "" if value is None else " ".join(str(value).split())
    return f"'{text}" if _FORMULA.match(text) else text
