"""The layout of ``--help``: one column, readable on a narrow terminal."""

import argparse
import shutil
from typing import Any, List

#: Spaces before the help of an argument, which stands below it.
_INDENT = 6

#: Characters of a line. Longer ones are hard to read.
_MAX_WIDTH = 88


class HelpFormatter(argparse.HelpFormatter):
    """Writes the help of an argument below it, and keeps the lines of an epilog."""

    def __init__(self, prog: str, **options: Any) -> None:
        # As argparse does: the last column stays free.
        width = min(_MAX_WIDTH, shutil.get_terminal_size().columns - 2)
        super().__init__(prog, **{"max_help_position": _INDENT, "width": width, **options})

    def _split_lines(self, text: str, width: int) -> List[str]:
        return _wrap(text, width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        def fill(line: str) -> str:
            return "\n".join(indent + part for part in _wrap(line, width - len(indent)))

        # A line that begins with a space is a row of a list.
        return "\n".join(
            line if line.startswith(" ") else fill(line)
            for line in text.splitlines()
        )


def _wrap(text: str, width: int) -> List[str]:
    # Imported late, as argparse does: only help needs it.
    import textwrap

    # Not at a hyphen, which may be in a command to copy.
    return textwrap.wrap(" ".join(text.split()), width, break_on_hyphens=False)
