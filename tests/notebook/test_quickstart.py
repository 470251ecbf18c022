"""The quickstart notebook: it runs from top to bottom, and is kept without what it printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest

from ..helpers.running import ROOT, Running

QUICKSTART = ROOT / "samples" / "quickstart.ipynb"

#: The first test that runs waits for the kernel too.
pytestmark = pytest.mark.watchdog(400)

#: In a process of its own, for the warnings of Jupyter's libraries are not ours.
EXECUTE = """
import sys
import nbformat
from nbclient import NotebookClient

notebook = nbformat.read(sys.argv[1], 4)
NotebookClient(notebook, timeout=200, startup_timeout=200, kernel_name="python3").execute()
nbformat.write(notebook, sys.argv[2])
"""

Cells = Dict[str, Dict[str, Any]]


def cells(path: Path) -> Cells:
    """The cells of a notebook, by id."""
    return {cell["id"]: cell for cell in json.loads(path.read_text("utf-8"))["cells"]}


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Cells:
    """The notebook after a kernel has run it, without a front end."""
    place = tmp_path_factory.mktemp("executed")
    with Running("-c", EXECUTE, str(QUICKSTART), str(place / QUICKSTART.name)) as running:
        assert running.end(300) == 0, running.rest("err")
    return cells(place / QUICKSTART.name)


def shown(cell: Dict[str, Any]) -> List[Dict[str, Any]]:
    """What a cell shows, each with its forms by MIME type."""
    return [output["data"] for output in cell["outputs"] if "data" in output]


def test_kept_without_outputs() -> None:
    """In the repository there is nothing but what a person wrote."""
    for cell in cells(QUICKSTART).values():
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
        assert cell["metadata"] == {}


@pytest.mark.slow
def test_every_cell_runs(executed: Cells) -> None:
    """Every cell runs to its end, and none prints or complains."""
    assert executed.keys() == cells(QUICKSTART).keys()
    for cell in executed.values():
        assert [each for each in cell.get("outputs", []) if "data" not in each] == []


def test_what_it_shows(executed: Cells) -> None:
    """The session, the calls and the error are shown as HTML, the board as a widget, and the day
    as a picture; the session id is nowhere."""
    [session] = shown(executed["connect"])
    assert "+33 1 99 00 00 01" in "".join(session["text/html"])
    assert "hidden" in "".join(session["text/html"]) and "hidden" in session["text/plain"][0]
    sim, cti = shown(executed["people"])
    assert "Alice" in "".join(sim["text/html"]) and "33199020000" in sim["text/plain"][0]
    assert "connected" in "".join(cti["text/html"]) and cti["text/plain"][0].startswith("<CTI ")
    [board] = shown(executed["board"])
    assert "application/vnd.jupyter.widget-view+json" in board
    [call] = shown(executed["answer"])
    assert "talking" in "".join(call["text/html"])
    assert call["text/plain"][0].startswith("<Call ")
    [error] = shown(executed["dial"])
    assert "RPC invalid params" in "".join(error["text/html"])
    [calls] = shown(executed["calls"])
    assert "".join(calls["text/html"]).count("<tr>") == 3
    [day] = shown(executed["day"])
    assert len(day["image/png"]) > 10_000
    assert shown(executed["own"]) == []
