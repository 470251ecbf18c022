"""``keyyo-cti lines``: the lines of the account."""

import argparse
import json

from .exit_codes import OK
from .login_account import require_account
from .parser import add_json, add_trust
from .terminal import Terminal, escape


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_json(parser, "all fields of the lines")
    add_trust(parser)


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Run the command."""
    lines = require_account(arguments.ca_certs, arguments.allow_http).client.lines()
    if arguments.json:
        out.print_line(json.dumps(lines, indent=2))
        return OK
    if not lines:
        err.print_line("the account has no line")
    rows = [
        [escape(value or "") for value in (line.csi, line.short_number, line.name)]
        for line in lines
    ]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths)]
        out.print_line("  ".join(cells).rstrip())
    return OK
