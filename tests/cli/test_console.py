"""``keyyo-cti simulator`` in a process of its own: its input may be anything, and may end."""

import signal
import subprocess
import sys

import pytest
import requests

from ..helpers.running import DEADLINE, Running

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")

COMMAND = ("-m", "keyyo_cti", "simulator")

#: Closes stdin, as a shell does for "<&-", and becomes the command.
CLOSE_STDIN = f"""
import os, sys
os.close(0)
os.execv(sys.executable, [sys.executable, *{COMMAND}])
"""


def started(stdin: str) -> Running:
    """The command with a stdin that is empty, closed, or ends later."""
    if stdin == "empty":
        return Running(*COMMAND, stdin=subprocess.DEVNULL)
    if stdin == "closed":
        return Running("-c", CLOSE_STDIN)
    running = Running(*COMMAND)
    running.type("phones")
    running.stop_typing()
    return running


@pytest.mark.fault(76)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("stdin", ["empty", "closed", "ends later"])
def test_simulator_without_input_waits_for_a_signal(number: signal.Signals, stdin: str) -> None:
    """As a service, without a person who types, it serves on and ends cleanly."""
    with started(stdin) as running:
        endpoint = running.until("simulator at ").split()[-1]
        running.until("Ctrl-C or SIGTERM")
        assert requests.get(endpoint + "/info", timeout=DEADLINE).status_code == 200
        running.process.send_signal(number)
        assert running.end(timeout=5) == 0
        assert running.rest("err") == []


def test_sigterm_ends_the_simulator_while_a_person_types() -> None:
    with Running(*COMMAND) as running:
        running.until("type \"help\"")
        running.process.terminate()
        assert running.end(timeout=5) == 0
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
