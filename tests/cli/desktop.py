"""A desktop whose programs are scripts of the test, or are missing."""

from __future__ import annotations

from pathlib import Path
from typing import List

import pytest


class Desktop:
    """The folder of the only programs that a command finds.

    :param folder: an empty one.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        folder.mkdir()
        monkeypatch.setenv("PATH", str(folder))
        # No window of this test can be opened on the screen of the person who runs it.
        monkeypatch.setenv("DISPLAY", ":no-screen")
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        monkeypatch.delenv("XDG_CURRENT_DESKTOP", raising=False)

    def add(self, name: str, status: int = 0, action: str = "") -> None:
        """Add a program that notes its arguments.

        :param status: its exit code.
        :param action: what it does before, for the shell.
        """
        path = self.folder / name
        note = f"for each; do printf '%s\\0' \"$each\"; done >> '{path}.seen'"
        path.write_text(f"#!/bin/sh\n{note}\n{action}\nexit {status}\n")
        path.chmod(0o755)

    def seen(self, name: str) -> List[str]:
        """The arguments that a program was started with."""
        path = self.folder / f"{name}.seen"
        return path.read_text("utf-8").split("\0")[:-1] if path.exists() else []
