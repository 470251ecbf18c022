"""Input and output of the commands: whole lines, escaped, in colour only on a terminal."""

import io
import logging
import os
import sys
import threading
from typing import Iterator, Optional, TextIO

from ..errors import plain

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "magenta": "35", "bold": "1"}

#: Characters of an input line. Otherwise a line without an end would fill the memory.
_MAX_LINE_LENGTH = 100_000


class Terminal:
    """A stream for lines of text, from any thread.

    :param stream: such as ``sys.stdout``; None, as for a closed stdout, discards all text.
    """

    def __init__(self, stream: Optional[TextIO]) -> None:
        self._stream = stream or io.StringIO()
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self._lock = threading.Lock()
        self._coloured = not os.environ.get("NO_COLOR") and _supports_escape_codes(self._stream)

    def print_line(self, text: str = "") -> None:
        """Print a line, and flush it, because the reader of a pipe waits for it."""
        # Otherwise a name that the encoding lacks would raise an error.
        encodable = text.encode(self._encoding, "backslashreplace").decode(self._encoding)
        with self._lock:
            self._stream.write(encodable + "\n")
            self._stream.flush()

    @property
    def coloured(self) -> bool:
        """True if output is in colour."""
        return self._coloured

    @property
    def is_terminal(self) -> bool:
        """True if the stream is a terminal, not a pipe or a file."""
        return self._stream.isatty()

    @property
    def can_redraw(self) -> bool:
        """True if the stream is a terminal that supports escape codes and Unicode."""
        # Never tried on Windows.
        utf = self._encoding.lower().replace("-", "").startswith("utf")
        return utf and sys.platform != "win32" and _supports_escape_codes(self._stream)

    def fileno(self) -> int:
        """Return the file descriptor of the stream."""
        return self._stream.fileno()

    def colour(self, colour: str, text: str) -> str:
        """Return the text in a colour, or unchanged if output is not in colour."""
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self._coloured else text


class WarningPrinter(logging.Handler):
    """Prints the warnings of the SDK, inside a with statement.

    :param stream: where to print.
    """

    def __init__(self, stream: Terminal) -> None:
        super().__init__(logging.WARNING)
        self._stream = stream
        self._log = logging.getLogger("keyyo_cti")

    def __enter__(self) -> None:
        self._log.addHandler(self)

    def __exit__(self, *exception: object) -> None:
        self._log.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self._stream.print_line(escape(record.getMessage()))


def stdin_is_terminal() -> bool:
    """True if stdin is a terminal."""
    return sys.stdin is not None and sys.stdin.isatty()


def is_in_background() -> bool:
    """True if a shell runs this process in the background, where it cannot read the terminal."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) != os.getpgrp()
    except (AttributeError, OSError, ValueError):
        # Windows, or no terminal.
        return False


def read_lines() -> Iterator[str]:
    """Yield the lines of stdin up to its end. Overlong lines are cut."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        # Otherwise a byte that is not valid in the encoding would end the loop.
        sys.stdin.reconfigure(errors="backslashreplace")
    at_line_start = True
    while True:
        try:
            part = "" if sys.stdin is None else sys.stdin.readline(_MAX_LINE_LENGTH)
        except (OSError, ValueError, TypeError):
            # The terminal has been closed, or stdin. TypeError is Python's for a stdin that does
            # not block and has nothing to read now.
            return
        if not part:
            return
        if at_line_start:
            yield part
        at_line_start = part.endswith("\n")


def read_line() -> str:
    """Return the next line of stdin, without white space at its ends; empty at EOF."""
    return "" if sys.stdin is None else sys.stdin.readline().strip()


def escape(text: object) -> str:
    """Return text with its control characters escaped.

    Otherwise a caller whose name contains an escape sequence could control the terminal.
    """
    return plain(str(text))


def _supports_escape_codes(stream: TextIO) -> bool:
    if os.environ.get("TERM") == "dumb":
        return False
    # The old console of Windows shows escape codes as text.
    return stream.isatty() and (sys.platform != "win32" or "WT_SESSION" in os.environ)
