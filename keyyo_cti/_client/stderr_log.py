"""Text on stderr, for programs that have not configured logging."""

import logging
import os
import sys
import traceback
from typing import Callable, Optional

from .._net.redaction import redact
from ..errors import plain

#: The variable that prints the wire log, see ``wire_log``.
VARIABLE = "KEYYO_CTI_DEBUG"

_OFF = ("", "0", "false", "no", "off")

_TIME = logging.Formatter("%(asctime)s")


def write(text: str) -> None:
    """Write lines to stderr, without secrets and control characters. Never raise.

    There may be no stderr, as with pythonw, or a closed one.
    """
    try:
        stream = sys.stderr
        shown = "\n".join(plain(redact(line)) for line in text.splitlines())
        encoding = getattr(stream, "encoding", None) or "utf-8"
        # One write for each text. Otherwise the lines of two threads would mix.
        stream.write(shown.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()
    except Exception:
        pass


def format_error(error: BaseException) -> str:
    """Return the traceback of an exception, with its causes."""
    try:
        return "".join(traceback.format_exception(type(error), error, error.__traceback__))
    except Exception as failure:
        return f"{type(error).__name__}: no traceback, because of {type(failure).__name__}"


def is_seen(
    logger: logging.Logger,
    level: int,
    counts: Callable[[logging.Handler], bool] = lambda handler: True,
) -> bool:
    """Return True if a handler of the program gets the records of a logger at a level.

    :param counts: returns False for a handler that is to be ignored.
    """
    if not logger.isEnabledFor(level):
        return False
    found = False
    each: Optional[logging.Logger] = logger
    while each is not None:
        for handler in list(each.handlers):
            found = True
            gets_it = level >= handler.level and not isinstance(handler, logging.NullHandler)
            if gets_it and counts(handler):
                return True
        each = each.parent if each.propagate else None
    # Without any handler, not even the SDK's NullHandler, logging itself prints to stderr.
    last = logging.lastResort
    return not found and last is not None and level >= last.level


class DebugPrinter(logging.Handler):
    """Prints the wire log, and the SDK's warnings, to stderr with the time.

    A record that another handler shows on the screen is left to it.
    """

    def emit(self, record: logging.LogRecord) -> None:
        logger = logging.getLogger(record.name)
        if not is_seen(logger, record.levelno, self._is_on_screen):
            write(self.format(record))

    def format(self, record: logging.LogRecord) -> str:
        level = "" if record.levelno == logging.DEBUG else f" {record.levelname}"
        line = f"{_TIME.formatTime(record)} {getattr(record, 'cti', record.name)}{level} "
        error = record.exc_info[1] if record.exc_info else None
        after = "" if error is None else f"\n{format_error(error)}"
        return f"{line}{record.getMessage()}{after}"

    def _is_on_screen(self, handler: logging.Handler) -> bool:
        if isinstance(handler, logging.StreamHandler):
            # Not a file, nor a buffer, as of pytest.
            return handler.stream in (sys.stderr, sys.stdout, sys.__stderr__, sys.__stdout__)
        # Rich's handler has a console. Any other may write to a file or to the network.
        return hasattr(handler, "console")


def print_wire_log() -> Callable[[], None]:
    """Print the wire log to stderr from now on.

    :returns: a function that ends it.
    """
    log = logging.getLogger("keyyo_cti")
    wire, printer = log.getChild("wire"), DebugPrinter()
    if any(isinstance(handler, DebugPrinter) for handler in log.handlers):
        return lambda: None
    before = wire.level
    wire.setLevel(logging.DEBUG)
    log.addHandler(printer)

    def end() -> None:
        log.removeHandler(printer)
        wire.setLevel(before)

    return end


def print_wire_log_if_asked() -> None:
    """Print the wire log if the environment asks for it."""
    if os.environ.get(VARIABLE, "").strip().lower() not in _OFF:
        print_wire_log()
