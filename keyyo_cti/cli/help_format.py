"""The layout of ``--help``: one column, readable on a narrow terminal."""

import argparse
import shutil
from typing import Any

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

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        fill = super()._fill_text
        # A line that begins with a space is a row of a list.
        return "\n".join(
            line if line.startswith(" ") else fill(line, width, indent)
            for line in text.splitlines()
        )
