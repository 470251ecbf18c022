"""Whether the cell of a board is run again."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any, Callable, Dict, List, Optional

import pytest

from keyyo_cti import CTI
from keyyo_cti.notebook import board
from keyyo_cti.notebook.cell import Cell

from .conftest import Kernel


class Shell:
    """As much of IPython's shell as there must be."""

    def __init__(self) -> None:
        self.callbacks: List[Callable[[Any], None]] = []
        self.events = self
        self.request: Any = None

    def register(self, event: str, callback: Callable[[Any], None]) -> None:
        assert event == "pre_run_cell"
        self.callbacks.append(callback)

    def unregister(self, event: str, callback: Callable[[Any], None]) -> None:
        assert event == "pre_run_cell"
        self.callbacks.remove(callback)

    def get_parent(self) -> Any:
        return self.request

    def run(self, cell_id: Optional[str]) -> None:
        """A cell begins to run."""
        self.request = {"metadata": {"cellId": cell_id}}
        for callback in list(self.callbacks):
            callback(SimpleNamespace(cell_id=cell_id))


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell in which the test runs."""
    there = Shell()
    monkeypatch.setattr("IPython.get_ipython", lambda: there)
    return there


def test_run_again(shell: Shell) -> None:
    """It is told when the same cell runs again, and no other."""
    seen: List[int] = []
    shell.run("ours")
    cell = Cell(lambda: seen.append(1))
    shell.run("another")
    shell.run(None)
    assert seen == []
    shell.run("ours")
    assert seen == [1]
    cell.unregister()
    cell.unregister()
    assert shell.callbacks == []


REQUESTS: List[Any] = [None, {}, {"metadata": None}, {"metadata": {}}, {"metadata": {"cellId": 3}}]


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_front_end_that_does_not_tell(shell: Shell, request_: Dict[str, Any]) -> None:
    """Where it is not told which cell it is, nothing happens."""
    shell.request = request_
    cell = Cell(lambda: pytest.fail("called"))
    assert shell.callbacks == []
    cell.unregister()


def test_without_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside a notebook, in IPython's terminal, and without IPython, nothing happens."""
    Cell(lambda: None).unregister()
    monkeypatch.setattr("IPython.get_ipython", object)
    Cell(lambda: None).unregister()
    monkeypatch.setitem(sys.modules, "IPython", None)
    Cell(lambda: None).unregister()


@pytest.mark.fault(34)
def test_a_board_closes_with_its_cell(shell: Shell, cti: CTI, kernel: Kernel) -> None:
    """When the cell of a board runs again, the board is closed before the cell makes another
    one, and nothing of it is left; run ever so often, there are the handlers of one."""
    for _ in range(5):
        shell.run("ours")
        assert cti.handlers("newCall") == []
        assert kernel.open == {}
        there = board(cti)
        assert len(cti.handlers("newCall")) == 1
        assert len(shell.callbacks) == 1
    shell.run("another")
    assert there.following
    there.close()
    assert shell.callbacks == []
