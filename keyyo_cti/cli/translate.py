"""``keyyo-cti translate``: JavaScript for Keyyo's SDK as Python for this one."""

import argparse
import sys
from pathlib import Path

from .._display.extras import install_hint
from ..translate import translate
from .exit_codes import FAILED, OK, CommandFailed, UsageError
from .terminal import Terminal, escape

#: No page is longer.
_MAX_BYTES = 8_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = (
        "The exit code is 1 if a part could not be translated: it stands in the output as a "
        f"comment. The command needs an extra: {install_hint('translate')}."
    )
    parser.add_argument(
        "file",
        nargs="?",
        default="-",
        metavar="FILE",
        help="a .js or .mjs file, or an .html page, whose scripts are taken; - is stdin",
    )


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Print the Python, and the notes on standard error.

    :returns: the exit code: 1 if a part could not be translated.
    """
    translation = translate(_decode(arguments.file, _read(arguments.file), err))
    for line in translation.python.splitlines():
        out.print_line(line)
    for note in translation.notes:
        err.print_line(escape(note))
    return OK if translation.complete else FAILED


def _read(name: str) -> bytes:
    if name == "-":
        data = sys.stdin.buffer.read(_MAX_BYTES + 1)
    else:
        try:
            with Path(name).open("rb") as file:
                data = file.read(_MAX_BYTES + 1)
        except OSError as error:
            raise UsageError(f"cannot read {name}: {error.strerror or error}") from error
    if len(data) > _MAX_BYTES:
        raise CommandFailed(
            f"{name} has more than {_MAX_BYTES} bytes: translate its scripts one by one"
        )
    return data


def _decode(name: str, data: bytes, err: Terminal) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        err.print_line(f"{escape(name)} is not UTF-8: it is read as Windows-1252")
        return data.decode("cp1252", "replace")
