"""``keyyo-cti simulator`` in a process of its own: its input may be anything, and may end."""

import shutil
import signal
import subprocess
import sys

import pytest
import requests

from ..helpers.running import DEADLINE, Running, allow

if sys.platform == "win32":
    pytest.skip("needs POSIX", allow_module_level=True)

from .tty import Tty

COMMAND = ("-m", "keyyo_cti", "simulator")

#: Closes stdin, as a shell does for "<&-", and becomes the command.
CLOSE_STDIN = f"""
import os, sys
os.close(0)
os.execv(sys.executable, [sys.executable, *{COMMAND}])
"""


#: Runs the command with a stdin that never blocks, as programs on an event loop leave it.
UNBLOCK = f"""
import os, sys
os.set_blocking(0, False)
os.execv(sys.executable, [sys.executable, *{COMMAND}])
"""

#: Runs the command as nohup does: a stdin that cannot be read.
NOHUP = f"""
import os, sys
os.dup2(os.open(os.devnull, os.O_WRONLY), 0)
os.execv(sys.executable, [sys.executable, *{COMMAND}])
"""


def started(stdin: str) -> Running:
    """The command with a stdin that is empty, closed, unreadable, or ends later."""
    if stdin == "does not block":
        return Running("-c", UNBLOCK)
    if stdin == "unreadable":
        return Running("-c", NOHUP)
    if stdin == "empty":
        return Running(*COMMAND, stdin=subprocess.DEVNULL)
    if stdin == "closed":
        return Running("-c", CLOSE_STDIN)
    running = Running(*COMMAND)
    running.type("phones")
    running.stop_typing()
    return running


@pytest.mark.slow
@pytest.mark.fault(76)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "stdin", ["empty", "closed", "unreadable", "does not block", "ends later"]
)
def test_simulator_without_input_waits_for_a_signal(number: signal.Signals, stdin: str) -> None:
    """As a service, without a person who types, it serves on and ends cleanly."""
    with started(stdin) as running:
        endpoint = running.until("simulator at ").split()[-1]
        running.until("Ctrl-C or SIGTERM")
        assert requests.get(endpoint + "/info", timeout=DEADLINE).status_code == 200
        running.process.send_signal(number)
        assert running.end(timeout=allow(5)) == 0
        assert running.rest("err") == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_simulator_in_the_background_of_a_shell_goes_on() -> None:
    """A read of the terminal there would stop it; in the foreground again, it reads."""
    shell = ["bash", "--norc", "--noprofile", "-i"]
    with Tty(*shell, columns=120, PS1="shell> ", HISTFILE="") as tty:
        tty.until_shown("shell>")
        tty.press(f"{sys.executable} {' '.join(COMMAND)} &\n".encode())
        text = tty.until_shown("no more input")
        endpoint = text.partition("simulator at ")[2].split()[0]
        assert requests.get(endpoint + "/info", timeout=DEADLINE).status_code == 200
        tty.press(b"jobs\n")
        tty.until_shown("Running")
        tty.press(b"fg\nphones\n")
        tty.until_shown("33199000001 idle")
        tty.press(b"\x04")
        tty.press(b"exit 0\n")
        assert tty.end() == 0


def test_sigterm_ends_the_simulator_while_a_person_types() -> None:
    with Running(*COMMAND) as running:
        running.until("type \"help\"")
        running.process.terminate()
        assert running.end(timeout=allow(5)) == 0
        assert running.rest("err") == []


@pytest.mark.fault(76)
def test_any_bytes_typed_leave_the_console_working() -> None:
    """Not UTF-8, no line end for long, and a NUL: the next line is done as usual."""
    with Running(*COMMAND) as running:
        running.until("type \"help\"")
        assert running.process.stdin is not None
        with open(running.process.stdin.fileno(), "wb", closefd=False) as typed:
            typed.write(b"\xff\xfe call\n")
            typed.write(b"call \x00 " + b"9" * 5_000_000 + b"\n\r\n")
        running.type("phones")
        running.until("33199000001 idle")
        assert running.process.poll() is None
