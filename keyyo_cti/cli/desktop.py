"""Questions and errors in windows of the desktop, for a command that a web page starts.

Its terminal, if it has one, belongs to the browser and may be out of sight.
"""

import html
import os
import shutil
import subprocess
import sys
from typing import Dict, Iterator, List, Optional

from . import tk_dialog
from .terminal import stdin_is_terminal

_TITLE = "keyyo-cti"

#: Seconds for an answer of the user, and for a program that does not ask.
_ANSWER_TIMEOUT = 300.0
_PROGRAM_TIMEOUT = 10.0

#: Characters of an error in a window.
_MAX_LENGTH = 600

_YES, _NO = 0, 1

#: The arguments of each program. The text follows, and cannot be an option.
_QUESTION: Dict[str, List[str]] = {
    # The return key, pressed for another program, must not be a yes.
    "zenity": ["--question", "--no-markup", "--default-cancel", "--ok-label=Call",
               "--cancel-label=Do not call", f"--title={_TITLE}", "--text={}"],
    "kdialog": ["--title", _TITLE, "--yes-label", "Call", "--no-label", "Do not call",
                "--warningyesno", "{}"],
}
_ERROR: Dict[str, List[str]] = {
    "zenity": ["--error", "--no-markup", f"--title={_TITLE}", "--text={}"],
    "kdialog": ["--title", _TITLE, "--error", "{}"],
}


def uses_windows() -> bool:
    """True if questions and errors belong in windows, not on the terminal."""
    if sys.platform in ("win32", "darwin"):
        return not stdin_is_terminal()
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def find_dialogs() -> List[str]:
    """Return the programs that can open windows, the desktop's own first."""
    found = [name for name in _QUESTION if shutil.which(name)]
    if "KDE" in os.environ.get("XDG_CURRENT_DESKTOP", "").upper():
        found.reverse()
    return found


def ask(question: str) -> Optional[bool]:
    """Ask a yes-or-no question in a window.

    :returns: the answer; None if no window can be opened. No answer in time is a no.
    """
    for command in _list_commands("question", _QUESTION, question):
        try:
            status = subprocess.run(
                command, stdin=subprocess.DEVNULL, timeout=_ANSWER_TIMEOUT, check=False
            ).returncode
        except OSError:
            continue
        except subprocess.TimeoutExpired:
            return False
        if status in (_YES, _NO):
            return status == _YES
    return None


def show_error(text: str) -> None:
    """Show an error as a notification, or else in a window, or else in the system's log."""
    text = text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}..."
    if _run(["notify-send", f"--app-name={_TITLE}", "--", _TITLE, html.escape(text, quote=False)]):
        return
    for command in _list_commands("error", _ERROR, text):
        if _run(command, _ANSWER_TIMEOUT):
            return
    try:
        import syslog
    except ImportError:
        return  # Windows
    syslog.openlog(_TITLE)
    syslog.syslog(syslog.LOG_ERR, text)


def _list_commands(kind: str, programs: Dict[str, List[str]], text: str) -> Iterator[List[str]]:
    for name in find_dialogs():
        yield [name, *(each.replace("{}", text) for each in programs[name])]
    # Without the user's packages and variables, which it does not need.
    yield [sys.executable, "-I", tk_dialog.__file__, kind, _TITLE, text]


def _run(command: List[str], timeout: float = _PROGRAM_TIMEOUT) -> bool:
    """Run a program, and return True if it succeeds."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, timeout=timeout, check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
