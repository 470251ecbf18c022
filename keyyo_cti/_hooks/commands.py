"""Runs a command for each event. The event is in its environment, never in its arguments."""

import os
import queue
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any, Dict, List, Optional, Sequence, Set

from .._net.clock import monotonic
from . import threads
from .events import HookEvent, make_environment
from .failure_log import FailureLog

#: Commands that run at the same time, and events that wait for one of them to end.
_MAX_COMMANDS = 4
_MAX_WAITING = 100

#: Seconds between the request to end and the end by force, and for the end by force.
_TERM_TIMEOUT = 1.0
_KILL_TIMEOUT = 5.0

#: Variables of the watch with this prefix are not passed on: some are secrets.
_OWN_PREFIX = "KEYYO_"

_GROUPS = sys.platform != "win32"


def split_command(text: str) -> List[str]:
    """Return the words of a command line, as a POSIX shell splits them. Nothing is expanded.

    :raises ValueError: it is empty, a quote is open, or there is no such program.
    """
    words = shlex.shlex(text, posix=True, punctuation_chars=False)
    words.whitespace_split, words.commenters = True, ""
    if not _GROUPS:
        # On Windows it separates folders.
        words.escape = ""
    try:
        found = list(words)
    except ValueError as error:
        raise ValueError(f"{error}".lower()) from None
    if not found:
        raise ValueError("it is empty")
    if shutil.which(found[0]) is None:
        raise ValueError(f"there is no program {found[0]}")
    return found


class CommandRunner:
    """Runs a command for each event, on a few threads of its own.

    :param words: program and arguments.
    :param timeout: seconds until a command is ended.
    :param output: file descriptor of its output; None to discard it.
    """

    def __init__(
        self, words: Sequence[str], timeout: float, output: Optional[int], failures: FailureLog
    ) -> None:
        self._words = words
        self._timeout = timeout
        self._output = subprocess.DEVNULL if output is None else output
        self._failures = failures
        self._queue: "queue.Queue[Optional[HookEvent]]" = queue.Queue(_MAX_WAITING)
        self._threads: List[threading.Thread] = []
        self._lock = threading.Lock()
        # Guarded by the lock.
        self._running: "Set[subprocess.Popen[bytes]]" = set()
        self._stopping = False

    def receive(self, event: HookEvent) -> None:
        """Run the command for an event, without waiting. For one thread."""
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            message = f"{_MAX_WAITING} events wait already: the command is not run for others"
            self._failures.tell("full", message)
            return
        count = len(self._threads)
        if count < _MAX_COMMANDS and self._queue.unfinished_tasks > count:
            message = f"cannot run {self._words[0]}"
            threads.start(
                self._threads, "keyyo-cti-run", self._work, self._failures, message
            )

    def close(self, until: float) -> None:
        """Wait for the commands, and end them at a deadline.

        :param until: monotonic time.
        """
        done = self._queue.all_tasks_done
        with done:
            done.wait_for(lambda: not self._queue.unfinished_tasks, max(0.0, until - monotonic()))
        self._discard_waiting()
        with self._lock:
            self._stopping = True
            running = len(self._running)
        if running:
            self._failures.tell("ended", f"commands that still ran are ended: {running}")
        for _ in self._threads:
            self._queue.put(None)
        for number, timeout in ((signal.SIGTERM, _TERM_TIMEOUT), (_KILL, _KILL_TIMEOUT)):
            self._signal(number)
            until = monotonic() + timeout
            for thread in self._threads:
                thread.join(max(0.0, until - monotonic()))

    def kill(self) -> None:
        """End all commands by force, at once. For signal handlers: it takes no lock."""
        self._stopping = True
        for process in list(self._running):
            _send(process, _KILL)

    def _discard_waiting(self) -> None:
        count = 0
        with suppress(queue.Empty):
            while True:
                self._queue.get_nowait()
                count += 1
        if count:
            self._failures.tell("not run", f"events for which the command was not run: {count}")

    def _work(self) -> None:
        while True:
            event = self._queue.get()
            if event is None:
                return
            try:
                self._run(event)
            finally:
                self._queue.task_done()

    def _run(self, event: HookEvent) -> None:
        try:
            process = self._start(event)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            reason = getattr(error, "strerror", None) or error
            self._failures.tell(("start", str(reason)), f"cannot run {self._words[0]}: {reason}")
            return
        with self._lock:
            self._running.add(process)
        try:
            status = self._wait(process)
        finally:
            with self._lock:
                self._running.discard(process)
        if status:
            how = f"failed with exit code {status}" if status > 0 else f"ended by signal {-status}"
            self._failures.tell(("status", status), f"{self._words[0]} {how}")

    def _start(self, event: HookEvent) -> "subprocess.Popen[bytes]":
        # In a session of its own, a command cannot read keys, and all that it starts is ended
        # with it.
        return subprocess.Popen(
            self._words,
            env=_encodable({**_inherited(), **make_environment(event)}),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            start_new_session=_GROUPS,
        )

    def _wait(self, process: "subprocess.Popen[bytes]") -> int:
        """Return the exit code of a command; 0 if it was ended."""
        try:
            # If the end of the watch came before this command was known, nothing else ends it.
            status = process.wait(0 if self._stopping else self._timeout)
        except subprocess.TimeoutExpired:
            if not self._stopping:
                late = f"{self._words[0]} took longer than {self._timeout:g} s: it is ended"
                self._failures.tell("late", late)
            _send(process, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_TERM_TIMEOUT)
            _send(process, _KILL)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_KILL_TIMEOUT)
            return 0
        if self._stopping:
            # What it has started may ignore SIGTERM.
            _send(process, _KILL)
            return 0
        return status

    def _signal(self, number: int) -> None:
        with self._lock:
            running = list(self._running)
        for process in running:
            _send(process, number)


_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


def _send(process: "subprocess.Popen[bytes]", number: int) -> None:
    """Send a signal to a command and to what it has started. On Windows, only to the command."""
    with suppress(OSError):
        if _GROUPS:
            os.killpg(process.pid, number)
        else:
            process.kill()


def _inherited() -> Dict[str, str]:
    return {
        name: value for name, value in os.environ.items()
        if not name.upper().startswith(_OWN_PREFIX)
    }


def _encodable(variables: Dict[str, str]) -> Dict[str, Any]:
    """Return variables whose new values the system can encode."""
    encoding = sys.getfilesystemencoding()
    return {
        name: value.encode(encoding, "backslashreplace").decode(encoding)
        if name.startswith(_OWN_PREFIX) else value
        for name, value in variables.items()
    }
