"""A screen that nobody sees, and a hand on its mouse and keyboard: Xvfb and xdotool."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from typing import Optional

#: Seconds until a program that is expected to do something counts as stuck.
PATIENCE = 60.0


def missing() -> Optional[str]:
    """Why there can be no window of Tk, for ``pytest.mark.skipif``; None when there can be one."""
    if importlib.util.find_spec("_tkinter") is None:
        return "this Python was built without tkinter"
    for program in ("Xvfb", "xdotool"):
        if shutil.which(program) is None:
            return f"needs {program}"
    return None


class Screen:
    """Starts Xvfb; use it in a ``with`` statement.

    :ivar display: for the variable DISPLAY of whoever is to be seen on it.
    """

    def __init__(self) -> None:
        reader, writer = os.pipe()
        try:
            self._server = subprocess.Popen(
                # It takes the first display that is free, and says which when it is ready.
                ["Xvfb", "-displayfd", str(writer), "-nolisten", "tcp", "-noreset"],
                pass_fds=[writer],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        finally:
            os.close(writer)
        with open(reader, encoding="ascii") as told:
            self.display = ":" + told.readline().strip()
        assert self.display != ":", "Xvfb does not start"

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.terminate()
        self._server.wait(PATIENCE)

    def click(self, x: int, y: int) -> None:
        """Moves the mouse there, and clicks."""
        self._xdotool("mousemove", str(x), str(y), "click", "1")

    def type(self, text: str) -> None:
        """Types a text wherever the focus is."""
        self._xdotool("type", text)

    def wait_for_window(self, title: str) -> None:
        """Waits until a window with this title is seen."""
        self._xdotool("search", "--sync", "--onlyvisible", "--name", f"^{title}$")

    def press(self, title: str, key: str) -> None:
        """Presses a key in the window with this title, once it is seen."""
        search = ["search", "--sync", "--onlyvisible", "--name", f"^{title}$"]
        self._xdotool(*search, "windowfocus", "--sync", "key", key)

    def _xdotool(self, *arguments: str) -> None:
        subprocess.run(
            ["xdotool", *arguments],
            check=True,
            timeout=PATIENCE,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "DISPLAY": self.display},
        )
