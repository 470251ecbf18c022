"""The alternate screen of a terminal, which leaves the previous content intact."""

import os
import signal
from contextlib import suppress
from typing import Any, Dict, List, Optional, Tuple

from .keys import KeyReader
from .terminal import Terminal

# Save the cursor and switch to the alternate screen; hide the cursor.
_ENTER = "\x1b[?1049h\x1b[?25l"
_LEAVE = "\x1b[?25h\x1b[?1049l"
_HOME = "\x1b[H"
_CLEAR_TO_END_OF_LINE = "\x1b[K"
_CLEAR_TO_END_OF_SCREEN = "\x1b[J"

#: Size of a terminal that does not report one.
_DEFAULT_COLUMNS, _DEFAULT_LINES = 80, 24


class Screen:
    """Draws frames, each in place of the last one. For the main thread, which handles signals.

    :param out: a terminal with ``can_redraw``.
    :param keys: are read at once while the screen is shown.
    """

    def __init__(self, out: Terminal, keys: Optional[KeyReader] = None) -> None:
        self._fd = out.fileno()
        self._keys = keys
        self._frame: Optional[Tuple[Any, ...]] = None
        self._old_handlers: Dict[int, Any] = {}
        self.entered = False

    def enter(self) -> None:
        """Switch to the alternate screen."""
        # Ctrl-\ sends SIGQUIT, and a terminal that closes sends SIGHUP.
        for name in ("SIGTERM", "SIGQUIT", "SIGHUP"):
            self._handle(name, self._on_end)
        self._handle("SIGTSTP", self._on_ctrl_z)
        self.entered = True
        self._show()

    def leave(self) -> None:
        """Switch back. It may be called more than once."""
        if not self.entered:
            return
        self._restore_terminal()
        self.entered = False
        for number, handler in self._old_handlers.items():
            signal.signal(number, handler)
        self._old_handlers.clear()

    def get_size(self) -> Tuple[int, int]:
        """Return the present number of columns and lines."""
        columns, lines = 0, 0
        with suppress(OSError):
            columns, lines = os.get_terminal_size(self._fd)
        return columns or _DEFAULT_COLUMNS, lines or _DEFAULT_LINES

    def draw(self, lines: List[str]) -> None:
        """Draw a frame, unless it is on the screen already.

        :param lines: narrower than the screen, so that none wraps.
        """
        frame = (self.get_size(), *lines)
        if frame != self._frame:
            # Set before the frame is written. Otherwise a Ctrl-Z meanwhile, which resets it, would
            # leave an incomplete frame on the screen.
            self._frame = frame
            body = f"{_CLEAR_TO_END_OF_LINE}\n".join(lines)
            self._write(f"{_HOME}{body}{_CLEAR_TO_END_OF_SCREEN}")

    def _write(self, text: str) -> None:
        # Bypasses the stream, which a signal handler cannot enter again while it writes.
        # rich.live.Live would hold output back until a frame is complete. A Ctrl-Z meanwhile
        # would stop the program on the alternate screen, without a cursor.
        data = text.encode()
        while data:
            data = data[os.write(self._fd, data) :]

    def _show(self) -> None:
        if self._keys is not None:
            self._keys.grab()
        self._write(_ENTER)

    def _restore_terminal(self) -> None:
        if self._keys is not None:
            self._keys.release()
        # The terminal may have been closed.
        with suppress(OSError):
            self._write(_LEAVE)

    def _handle(self, name: str, handler: Any) -> None:
        number = getattr(signal, name, None)
        # A signal that is ignored, as SIGHUP below nohup, stays so.
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            self._old_handlers[number] = signal.signal(number, handler)

    def _on_end(self, number: int, frame: object) -> None:
        self.leave()
        os.kill(os.getpid(), number)

    def _on_ctrl_z(self, number: int, frame: object) -> None:
        self._restore_terminal()
        signal.signal(number, signal.SIG_DFL)
        # Stops the process here, until the shell continues it.
        os.kill(os.getpid(), number)
        signal.signal(number, self._on_ctrl_z)
        self._frame = None
        self._show()
