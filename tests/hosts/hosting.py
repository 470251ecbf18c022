"""Programs in hosts, each in a process of its own."""

import importlib.util
import os
import subprocess
import sys

import pytest

from ..helpers.running import environment

#: Seconds that a program may take.
_DEADLINE = 60.0


def needs(*modules: str) -> pytest.MarkDecorator:
    """Skip a test unless these modules are installed."""
    missing = [each for each in modules if importlib.util.find_spec(each) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def run(program: str, *arguments: str, **variables: str) -> str:
    """Run a Python program, which must end well and complain of nothing.

    :param arguments: its ``sys.argv[1:]``.
    :param variables: added to its environment.
    :returns: what it printed.
    """
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=_DEADLINE,
        cwd=os.environ["HOME"],
        env=environment(**variables),
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout
