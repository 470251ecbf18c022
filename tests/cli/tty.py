"""A terminal that a test sits at: a real pseudo-terminal, and what a person sees on it."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import subprocess
import termios
import threading
import time
from typing import IO, Callable, List, Optional

import pyte

from ..helpers.running import DEADLINE, environment, heed_ctrl_c

#: It clears what is below.
_END_OF_PICTURE = b"\x1b[J"


class Tty:
    """A terminal with a program on it; use it in a ``with`` statement.

    :param command: the program and its arguments.
    :param columns: width of the window.
    :param lines: its height.
    :param stderr: where it complains; by default on the terminal, too.
    :param variables: added to the environment.
    :ivar raw: all that the program has written.
    """

    def __init__(
        self,
        *command: str,
        columns: int = 80,
        lines: int = 24,
        stderr: Optional[IO[str]] = None,
        **variables: str,
    ) -> None:
        self._person, terminal = os.openpty()
        self._changed = threading.Condition()
        self.raw = b""
        self._ended = False
        self._screen = _Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._set_size(columns, lines)
        quiet = {"TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", "LINES": "", "COLUMNS": ""}
        self.process = subprocess.Popen(
            command,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal if stderr is None else stderr,
            env=environment(**{**quiet, **variables}),
            # A session of its own, so that its terminal sends it signals.
            preexec_fn=lambda: _sit_down(terminal),
        )
        os.close(terminal)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Tty:
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        os.close(self._person)

    def press(self, keys: bytes) -> None:
        """Presses keys, such as ``b"\\x03"`` for Ctrl-C."""
        os.write(self._person, keys)

    def resize(self, columns: int, lines: int) -> None:
        """Draws the window to another size."""
        with self._changed:
            self._screen.resize(lines, columns)
        self._set_size(columns, lines)

    def end(self, timeout: float = DEADLINE) -> int:
        """Waits for the end, and until all that was written is on the screen.

        :returns: the exit code.
        """
        status = self.process.wait(timeout)
        self._reader.join(DEADLINE)
        return status

    def lines(self) -> List[str]:
        """What is on the screen."""
        with self._changed:
            return [line.rstrip() for line in self._screen.display]

    def text(self) -> str:
        """The same as one text, without the empty lines at its end."""
        return "\n".join(self.lines()).rstrip()

    def until(self, seen: Callable[[str], bool], timeout: float = DEADLINE) -> str:
        """Waits until the screen is as wanted.

        :returns: what is on it then.
        """
        until = time.monotonic() + timeout
        with self._changed:
            while not (self._complete() and seen(self.text())):
                left = until - time.monotonic()
                if left <= 0 or self._ended:
                    raise AssertionError(f"this is not on the screen:\n{self.text()}")
                self._changed.wait(left)
            return self.text()

    def _complete(self) -> bool:
        """Whether there is a whole picture: what comes may come in pieces."""
        return not self._screen.alternate or self.raw.endswith(_END_OF_PICTURE)

    def until_shown(self, *parts: str) -> str:
        """Waits until all of these are on the screen."""
        return self.until(lambda text: all(part in text for part in parts))

    def colour_of(self, part: str) -> str:
        """The colour of a text that is on the screen once."""
        with self._changed:
            for row, line in enumerate(self._screen.display):
                if part in line:
                    return str(self._screen.buffer[row][line.index(part)].fg)
        raise AssertionError(f"{part!r} is not on the screen:\n{self.text()}")

    @property
    def cursor_shown(self) -> bool:
        """Whether the cursor is to be seen."""
        with self._changed:
            return not self._screen.cursor.hidden

    @property
    def echoes(self) -> bool:
        """Whether the terminal shows what is typed, line by line."""
        modes = termios.tcgetattr(self._person)[3]
        return bool(modes & termios.ECHO and modes & termios.ICANON)

    @property
    def alternate(self) -> bool:
        """Whether the alternate screen is to be seen."""
        with self._changed:
            return self._screen.alternate

    def _set_size(self, columns: int, lines: int) -> None:
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self._person, termios.TIOCSWINSZ, size)

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._person, 65536)
            except OSError:
                # As Linux tells that the program has gone.
                data = b""
            with self._changed:
                self.raw += data
                self._stream.feed(data)
                self._ended = not data
                self._changed.notify_all()
            if not data:
                return


class _Screen(pyte.Screen):
    """A screen that has, unlike pyte's own, another one to turn to."""

    _ALTERNATE = 1049

    def __init__(self, columns: int, lines: int) -> None:
        self.alternate = False
        super().__init__(columns, lines)

    def set_mode(self, *modes: int, **named: bool) -> None:
        if self._ALTERNATE in modes and named.get("private"):
            self.alternate = True
            self._kept = list(self.display)
            self.save_cursor()
            self.erase_in_display(2)
            return
        super().set_mode(*modes, **named)

    def reset_mode(self, *modes: int, **named: bool) -> None:
        if self._ALTERNATE in modes and named.get("private"):
            self.alternate = False
            self.erase_in_display(2)
            for number, line in enumerate(self._kept[: self.lines]):
                self.cursor_position(number + 1, 1)
                self.draw(line.rstrip()[: self.columns])
            hidden = self.cursor.hidden
            self.restore_cursor()
            # Unlike pyte's, a terminal does not keep that with the place.
            self.cursor.hidden = hidden
            return
        super().reset_mode(*modes, **named)


def _sit_down(terminal: int) -> None:
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    heed_ctrl_c()
    signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    # A parent such as nohup, or a shell in the background, may ignore it.
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
