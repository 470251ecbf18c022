"""The window of ``dial --confirm``, with real keys on a screen that nobody sees."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path

import pytest

from keyyo_cti.simulator import Line, Phone, Simulator

from ..cli.kept import keep_login
from ..helpers.running import Running
from .screen import PATIENCE, Screen, missing

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
]

zenity = pytest.param(
    "zenity", marks=pytest.mark.skipif(shutil.which("zenity") is None, reason="needs zenity")
)


def press(program: str, key: str, tmp_path: Path) -> int:
    """Presses a key until the window has gone, and gives the exit code of the command."""
    (tmp_path / "programs").mkdir()
    if program != "tkinter":
        (tmp_path / "programs" / program).symlink_to(str(shutil.which(program)))
    command = ["-m", "keyyo_cti", "dial", "--confirm", "--", "tel:+33199020000"]
    with Screen() as screen, Running(
        *command, DISPLAY=screen.display, WAYLAND_DISPLAY="", PATH=str(tmp_path / "programs")
    ) as running:
        while True:
            # A window takes keys only some time after it is seen, and may go meanwhile.
            with contextlib.suppress(subprocess.SubprocessError):
                screen.press("keyyo-cti", key)
            with contextlib.suppress(subprocess.TimeoutExpired):
                return running.end(2)


@pytest.mark.watchdog(3 * PATIENCE)
@pytest.mark.parametrize("program", ["tkinter", zenity])
@pytest.mark.parametrize("key", ["Return", "Escape"])
def test_key_that_was_meant_for_another_window_calls_nobody(
    sim: Simulator, alice: Line, tmp_path: Path, program: str, key: str
) -> None:
    keep_login(sim)
    assert press(program, key, tmp_path) == 1
    assert sim.received() == []


def test_yes_calls(sim: Simulator, alice: Line, bob: Phone, tmp_path: Path) -> None:
    keep_login(sim)
    assert press("tkinter", "alt+y", tmp_path) == 0
    bob.wait_until("ringing")
