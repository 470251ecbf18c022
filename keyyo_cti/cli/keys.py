"""The keys that a person presses while a command runs, on a terminal."""

import os
import re
import select
import sys
import threading
from contextlib import suppress
from typing import Any, Callable, List, Optional

from .terminal import is_in_background, stdin_is_terminal

if sys.platform != "win32":
    import termios

#: Seconds between two checks for the end of the command, or for the foreground.
_POLL_INTERVAL = 0.3

#: A key that is several characters, such as an arrow.
_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;]*[~A-Za-z]|O?.)?")

#: Bytes of one read. No key has more.
_MAX_KEY_BYTES = 64


class KeyReader:
    """Reads keys on a thread of its own, inside a ``with`` statement.

    It does nothing without a terminal, on Windows, and while the process is in the background,
    where the system would stop a process that reads.

    :param on_key: called on that thread with each printable key.
    :ivar available: True if there is a terminal to read from.
    """

    def __init__(self, on_key: Callable[[str], object]) -> None:
        self.available = sys.platform != "win32" and stdin_is_terminal()
        self._on_key = on_key
        self._ended = threading.Event()
        self._wants_raw = False
        # The modes of the terminal before it was changed; None while it is not.
        self._old_modes: Optional[List[Any]] = None

    def __enter__(self) -> None:
        if self.available:
            threading.Thread(target=self._run, name="keyyo-cti-keys", daemon=True).start()

    def __exit__(self, *exception: object) -> None:
        self.stop()
        self.release()

    def stop(self) -> None:
        """Read no more keys. What is typed from now on is for the shell."""
        self._ended.set()

    def grab(self) -> None:
        """Get each key at once, and let the terminal not show it.

        Otherwise keys come with Enter, as the terminal's line.
        """
        self._wants_raw = True
        self._set_raw()

    def release(self) -> None:
        """Set the terminal as it was before. A signal handler may call it."""
        self._wants_raw = False
        modes, self._old_modes = self._old_modes, None
        if modes is not None:
            self._set_modes(modes)

    def _set_raw(self) -> None:
        if sys.platform == "win32" or not self.available or self._old_modes is not None:
            return
        # In the background, the terminal belongs to another program, and a change would stop
        # this process.
        with suppress(termios.error, OSError, ValueError):
            if not is_in_background():
                old = self._old_modes = termios.tcgetattr(sys.stdin.fileno())
                modes = termios.tcgetattr(sys.stdin.fileno())
                # Signals stay on, so that Ctrl-C and Ctrl-Z work.
                modes[3] &= ~(termios.ICANON | termios.ECHO)
                self._set_modes(modes)
                if not self._wants_raw:
                    # Ctrl-Z or the end came in between, and may have set them back already.
                    self._old_modes = None
                    self._set_modes(old)

    def _set_modes(self, modes: List[Any]) -> None:
        if sys.platform != "win32":
            with suppress(termios.error, OSError, ValueError):
                if not is_in_background():
                    termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, modes)

    def _run(self) -> None:
        # The terminal may be closed at any moment.
        with suppress(OSError, ValueError):
            while not self._ended.is_set():
                self._read()

    def _read(self) -> None:
        if is_in_background():
            self._ended.wait(_POLL_INTERVAL)
            return
        if self._wants_raw:
            # After "bg" and "fg" in the shell.
            self._set_raw()
        there, _, _ = select.select([sys.stdin.fileno()], [], [], _POLL_INTERVAL)
        if not there or self._ended.is_set() or is_in_background():
            return
        data = os.read(sys.stdin.fileno(), _MAX_KEY_BYTES)
        if not data:
            self._ended.set()
        text = _ESCAPE_SEQUENCE.sub("", data.decode("utf-8", "ignore"))
        # Of a line, the first character is the key.
        for key in text if self._wants_raw else text[:1]:
            if key.isprintable():
                self._on_key(key)
