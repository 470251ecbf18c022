"""The alternate screen of a terminal: what was there before is there again afterwards."""

import os
import signal
from contextlib import suppress
from typing import Any, Dict, List, Optional, Tuple

from .terminal import Terminal

# Save the cursor and go to the alternate screen; hide the cursor.
_ENTER = "\x1b[?1049h\x1b[?25l"
_LEAVE = "\x1b[?25h\x1b[?1049l"
_HOME = "\x1b[H"
_CLEAR_TO_END_OF_LINE = "\x1b[K"
# Of the screen, and of the line that the cursor is in.
_CLEAR_TO_END = "\x1b[J"

#: Where a terminal does not tell.
_COLUMNS, _LINES = 80, 24


class Screen:
    """Shows pictures, each in place of the last. For the main thread, which signals are for.

    :param out: a terminal that takes pictures.
    """

    def __init__(self, out: Terminal) -> None:
        self._fd = out.fileno()
        self._picture: Optional[Tuple[Any, ...]] = None
        self._handlers: Dict[int, Any] = {}
        self.entered = False

    def enter(self) -> None:
        """Turns the page."""
        self._handle("SIGTERM", self._on_end)
        self._handle("SIGTSTP", self._on_suspension)
        self.entered = True
        self._write(_ENTER)

    def leave(self) -> None:
        """Turns it back. Once is enough; more does no harm."""
        if not self.entered:
            return
        self._turn_back()
        self.entered = False
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._handlers.clear()

    def size(self) -> Tuple[int, int]:
        """Columns and lines, as they are now."""
        columns, lines = 0, 0
        with suppress(OSError):
            columns, lines = os.get_terminal_size(self._fd)
        return columns or _COLUMNS, lines or _LINES

    def show(self, lines: List[str]) -> None:
        """Shows a picture, unless it is there already.

        :param lines: narrower than the screen, so that none wraps.
        """
        picture = (self.size(), *lines)
        if picture != self._picture:
            # Before it is written: Ctrl-Z may come meanwhile, after which it has to be shown anew.
            self._picture = picture
            body = f"{_CLEAR_TO_END_OF_LINE}\n".join(lines)
            self._write(f"{_HOME}{body}{_CLEAR_TO_END}")

    def _write(self, text: str) -> None:
        # Bypasses the stream: a signal may come while it writes, and it cannot be entered twice.
        # rich.live.Live keeps its output back until a picture is complete. So Ctrl-Z in the
        # middle of a picture would stop the program on the alternate screen, without a cursor.
        data = text.encode()
        while data:
            data = data[os.write(self._fd, data) :]

    def _turn_back(self) -> None:
        # A terminal that is gone needs no order.
        with suppress(OSError):
            self._write(_LEAVE)

    def _handle(self, name: str, handler: Any) -> None:
        number = getattr(signal, name, None)
        if number is not None:
            self._handlers[number] = signal.signal(number, handler)

    def _on_end(self, number: int, frame: object) -> None:
        self.leave()
        os.kill(os.getpid(), number)

    def _on_suspension(self, number: int, frame: object) -> None:
        self._turn_back()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        # Here it goes on when somebody brings it to the foreground again.
        signal.signal(number, self._on_suspension)
        self._picture = None
        self._write(_ENTER)
