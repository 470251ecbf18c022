"""``keyyo-cti lines``: the lines of the account."""

import argparse
import json

from .exit_codes import OK
from .login_account import required
from .terminal import Terminal, printable


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Runs the command."""
    lines = required(arguments.ca_certs, arguments.allow_http).client.lines()
    if arguments.json:
        out.line(json.dumps(lines, indent=2))
        return OK
    if not lines:
        err.line("the account has no line")
    rows = [
        [printable(value or "") for value in (line.csi, line.short_number, line.name)]
        for line in lines
    ]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths)]
        out.line("  ".join(cells).rstrip())
    return OK
