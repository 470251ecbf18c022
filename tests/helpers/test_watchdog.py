"""What is around the tests: a test that hangs says where, and Ctrl-C is heeded in the background.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Sequence

import pytest

from .running import ROOT, environment

CONFTEST = """
from tests.helpers import watchdog as plugin
from tests.helpers.watchdog import pytest_configure, watchdog
plugin.WATCHDOG = 1.0
"""

HANGING = """
import threading

def where_it_hangs():
    threading.Event().wait(60)

def test_that_hangs():
    print("captured")
    where_it_hangs()
"""

#: Seconds until the watchdog has long ended a test, or a test has long passed.
PATIENCE = 110.0


@pytest.mark.slow
@pytest.mark.fault(74)
@pytest.mark.parametrize(
    "options",
    [[], ["-s"], ["--capture=sys"], ["-n1", "--max-worker-restart=0"],
     ["-p", "no:faulthandler"]],
    ids=" ".join,
)
def test_that_hangs_says_where(tmp_path: Path, options: Sequence[str]) -> None:
    """The stack of every thread is on the real stderr, whatever captures the test's own."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_hanging.py").write_text(HANGING)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *options, "test_hanging.py"],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=PATIENCE,
    )
    assert done.returncode != 0
    assert "Timeout (0:00:01)!" in done.stderr
    assert "in where_it_hangs" in done.stderr and "in test_that_hangs" in done.stderr


def ignore_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.mark.slow
@pytest.mark.fault(74)
@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
@pytest.mark.parametrize(
    "test",
    ["cli/test_watch.py::test_ctrl_c_ends_it_and_destroys_the_session",
     "cli/test_watch.py::test_ctrl_c_ends_it_though_the_server_is_silent",
     "cli/test_cli.py::test_ctrl_c_ends_it",
     "cli/test_live_watch.py::test_ctrl_c",
     "wire/test_scripts.py::test_ctrl_c_at_wait",
     "unit/net/test_single_flight.py::test_interrupted"],
)
def test_ctrl_c_in_the_background(test: str) -> None:
    """A test of Ctrl-C passes where Ctrl-C is ignored: with ``nohup``, and behind ``&``."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-m", "", "-p", "no:cacheprovider",
         f"tests/{test}"],
        cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=PATIENCE,
        preexec_fn=ignore_ctrl_c,
    )
    assert done.returncode == 0, done.stdout + done.stderr
