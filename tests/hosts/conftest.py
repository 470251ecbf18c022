"""A folder with the module that the examples of samples/HOSTS.md share."""

from pathlib import Path

import pytest

from keyyo_cti.simulator import Line, Simulator

from .page import write
from .whole_way import BOB


@pytest.fixture
def folder(tmp_path: Path, sim: Simulator, alice: Line) -> Path:
    """The folder of a program, with ``line.py`` in it. Bob's telephone can be called."""
    sim.phone(BOB)
    write(tmp_path, "line.py", "One rule", sim, sim.token(alice))
    return tmp_path
