"""A program that a test starts, reads line by line with a deadline, and types into."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any, Dict, List, Optional

ROOT = Path(__file__).resolve().parents[2]

#: Seconds until something that is expected counts as not coming.
DEADLINE = 60.0


def allow(seconds: float) -> float:
    """Return the seconds for what takes so many at most on a machine that does nothing else."""
    began, computed, sample = time.perf_counter(), time.thread_time(), 0.05
    while time.thread_time() - computed < sample:
        pass
    return seconds * max(1.0, (time.perf_counter() - began) / sample)


class Running:
    """A Python program in a process of its own; use it in a ``with`` statement.

    :param arguments: those of the interpreter.
    :param stdin: as for Popen.
    :param stdout: as for Popen; what goes elsewhere than into a pipe cannot be read here.
    :param variables: added to the environment.
    """

    def __init__(
        self,
        *arguments: str,
        stdin: Any = subprocess.PIPE,
        stdout: Any = subprocess.PIPE,
        **variables: str,
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(**variables),
            # What runs tests in the background may ignore Ctrl-C, and children inherit that.
            preexec_fn=None if sys.platform == "win32" else heed_ctrl_c,
        )
        self._queues: Dict[str, "queue.Queue[Optional[str]]"] = {}
        streams = {"out": self.process.stdout, "err": self.process.stderr}
        self._threads = [
            self._pump(name, stream) for name, stream in streams.items() if stream is not None
        ]

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.kill()
        self.process.wait(DEADLINE)
        for thread in self._threads:
            thread.join(DEADLINE)
        if self.process.stdin is not None:
            # What was typed and never read is not missed.
            self.process.stdin.close()

    def type(self, line: str) -> None:
        """Types a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def stop_typing(self) -> None:
        """Nothing more is typed: who reads to the end of stdin gets there."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def interrupt(self) -> None:
        """Presses Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def until(self, part: str, stream: str = "out", timeout: float = DEADLINE) -> str:
        """Reads on until a line with this in it has come, and gives that line.

        :param timeout: seconds that each line may take.
        """
        seen: List[str] = []
        while True:
            try:
                line = self._queues[stream].get(timeout=timeout)
            except queue.Empty:
                raise AssertionError(f"{part!r} did not come, only {seen}") from None
            if line is None:
                raise AssertionError(f"{part!r} did not come before the end, only {seen}")
            if part in line:
                return line
            seen.append(line)

    def rest(self, stream: str = "out") -> List[str]:
        """The lines that were not read yet, up to the end of the program."""
        return list(iter(lambda: self._queues[stream].get(timeout=DEADLINE), None))

    def end(self, timeout: float = DEADLINE) -> int:
        """Waits for the end, and gives the exit code."""
        return self.process.wait(timeout)

    def _pump(self, name: str, stream: IO[str]) -> threading.Thread:
        lines: "queue.Queue[Optional[str]]" = queue.Queue()
        self._queues[name] = lines

        def pump() -> None:
            with stream:
                for line in stream:
                    lines.put(line.rstrip("\n"))
            lines.put(None)

        thread = threading.Thread(target=pump, daemon=True)
        thread.start()
        return thread


def environment(**variables: str) -> Dict[str, str]:
    """The environment for a program of this checkout."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **variables}


def heed_ctrl_c() -> None:
    """Done in a new process: Ctrl-C is heeded, whoever started it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
