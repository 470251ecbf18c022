"""What the command line prints: whole lines, harmless, in colour only where somebody looks."""

import io
import logging
import os
import sys
import threading
from typing import Iterator, Optional, TextIO

from ..errors import plain

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "magenta": "35", "bold": "1"}

#: Characters of a typed line. Otherwise a line without an end fills the memory.
_MAX_LINE = 100_000


class Terminal:
    """A stream that takes lines, from any thread.

    :param stream: such as ``sys.stdout``; None, as when it is closed, takes nothing.
    """

    def __init__(self, stream: Optional[TextIO]) -> None:
        self._stream = stream or io.StringIO()
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self._lock = threading.Lock()
        self._coloured = _takes_colours(self._stream)

    def line(self, text: str = "") -> None:
        """Prints a line at once, because the reader of a pipe waits for it too."""
        # A terminal in an old encoding must not turn a name into an exception.
        encodable = text.encode(self._encoding, "backslashreplace").decode(self._encoding)
        with self._lock:
            self._stream.write(encodable + "\n")
            self._stream.flush()

    @property
    def coloured(self) -> bool:
        """Whether colours are wanted."""
        return self._coloured

    @property
    def somebody_looks(self) -> bool:
        """Whether it is a terminal, and not a pipe or a file."""
        return self._stream.isatty()

    @property
    def takes_pictures(self) -> bool:
        """Whether it is a terminal that can be painted on, with every letter."""
        # On Windows nobody has tried it.
        utf = self._encoding.lower().replace("-", "").startswith("utf")
        return utf and sys.platform != "win32" and _obeys_codes(self._stream)

    def fileno(self) -> int:
        """The descriptor of the stream."""
        return self._stream.fileno()

    def paint(self, colour: str, text: str) -> str:
        """The text in a colour, or plain where no colours are wanted."""
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self._coloured else text


class Warnings(logging.Handler):
    """Prints what the SDK warns of, inside a with statement.

    :param stream: where.
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
        self._stream.line(printable(record.getMessage()))


def somebody_types() -> bool:
    """Whether stdin is a terminal."""
    return sys.stdin is not None and sys.stdin.isatty()


def typed_lines() -> Iterator[str]:
    """Yield the lines of stdin up to its end, whatever bytes they are made of.

    A line that is longer than any that makes sense is cut.
    """
    if isinstance(sys.stdin, io.TextIOWrapper):
        # Otherwise one letter in another encoding ends the loop that reads.
        sys.stdin.reconfigure(errors="backslashreplace")
    begun = True
    while True:
        try:
            part = "" if sys.stdin is None else sys.stdin.readline(_MAX_LINE)
        except (OSError, ValueError):
            # The terminal is gone, or stdin is closed.
            return
        if not part:
            return
        if begun:
            yield part
        begun = part.endswith("\n")


def typed_line() -> str:
    """The next line of stdin; nothing at its end, or when there is no stdin."""
    return "" if sys.stdin is None else sys.stdin.readline().strip()


def printable(text: object) -> str:
    """Text of somebody else's with its control characters escaped.

    A caller may have named himself with an escape sequence, and a terminal would obey.
    """
    return plain(str(text))


def _takes_colours(stream: TextIO) -> bool:
    return not os.environ.get("NO_COLOR") and _obeys_codes(stream)


def _obeys_codes(stream: TextIO) -> bool:
    if os.environ.get("TERM") == "dumb":
        return False
    # The old console of Windows would show the codes themselves.
    return stream.isatty() and (sys.platform != "win32" or "WT_SESSION" in os.environ)
