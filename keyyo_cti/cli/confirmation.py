"""Asks the user before a call, and shows the failure of a command in a window."""

import sys
from typing import Callable, List

from .desktop import ask, show_error, uses_windows
from .exit_codes import OK, CommandFailed
from .failure import FAILURES, explain
from .terminal import Terminal, escape, is_in_background, read_line, stdin_is_terminal


class Declined(CommandFailed):
    """The user does not want the call."""


def confirm(question: str, err: Terminal) -> None:
    """Ask the user, in a window on a desktop, else on the terminal.

    :raises Declined: the user does not want it.
    :raises CommandFailed: the user cannot be asked.
    """
    answer = ask(question) if uses_windows() else None
    if answer is None:
        if not stdin_is_terminal() or not err.is_terminal or is_in_background():
            raise CommandFailed(
                "nothing is called, because you cannot be asked: there is no terminal and no "
                "window; install zenity or kdialog, or Python's tkinter"
            )
        err.print_line(f"{question} [y/N]")
        answer = read_line().lower() in ("y", "yes")
    if not answer:
        raise Declined("not called")


class RecordingTerminal(Terminal):
    """Stderr, whose lines are recorded."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self.lines: List[str] = []

    def print_line(self, text: str = "") -> None:
        self.lines.append(text)
        super().print_line(text)


def show_failures(command: Callable[[Terminal], int], name: str) -> int:
    """Run a command, and show in a window why it failed, if it was started from a desktop.

    :param command: takes its stderr, and returns its exit code.
    :param name: of the command.
    """
    err = RecordingTerminal()
    try:
        status = command(err)
    except Declined:
        raise
    except Exception as error:
        if uses_windows():
            said = explain(error, name)[1] if isinstance(error, FAILURES) else [_name(error)]
            show_error("\n".join([*err.lines, *said]))
        raise
    if status != OK and uses_windows():
        show_error("\n".join(err.lines))
    return status


def _name(error: Exception) -> str:
    return f"a fault of this program: {type(error).__name__}: {escape(error)}"
