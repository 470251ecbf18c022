"""The quickstart notebook in Jupyter Lab, in a real browser: a call rings on the board, and a
click answers it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Iterator

import pytest

from keyyo_cti.notebook.styles import MOVED_CLASSES

from ..helpers.chromium import missing, wait
from ..helpers.running import ROOT
from .lab import Lab, lab

QUICKSTART = ROOT / "samples" / "quickstart.ipynb"

HANDLERS = "print(len(cti.handlers('newCall')))"

pytestmark = [
    pytest.mark.watchdog(400),
    pytest.mark.skipif(missing() is not None, reason=missing() or ""),
    pytest.mark.skipif(find_spec("jupyterlab") is None, reason="needs jupyterlab"),
]


@pytest.fixture
def quickstart(tmp_path: Path) -> Iterator[Lab]:
    """The notebook, opened."""
    place = tmp_path / "notebooks"
    place.mkdir()
    with lab(QUICKSTART, place) as there:
        yield there


@pytest.mark.slow
@pytest.mark.fault(34)
def test_a_call_rings_and_a_click_answers_it(quickstart: Lab) -> None:
    """The board shows a call that rings, and "Answer" connects it. The buttons do what they say,
    and a refusal is shown. Enter dials the whole number that was typed. A cell that runs again has
    one board; one whose output is cleared has none."""
    there = quickstart
    there.run_to("ringing")
    there.until("ringing")
    assert "from +33 1 99 02 00 00" in there.board()
    for name in MOVED_CLASSES:
        assert there.pointer_events(name) == ["none", "auto"]
    there.click("Answer")
    there.until("talking")
    # The seconds go on. A busy browser may show the next one but one.
    there.until_matched(r"talked 0:(0[2-9]|[1-5])")

    there.click("Park")
    there.until("parked in slot 1")
    there.click("Take back")
    there.click("Park")
    there.until("parked in slot 1")
    there.click("Take back")
    there.click("Dial")
    there.until("cannot dial")
    there.enter("number to dial", "01 99 02 00 09")
    there.until("to +33 1 99 02 00 09")

    there.select("answer")
    there.run_to("answer")
    assert "talking" in there.output("answer")

    there.select("board")
    there.command("notebook:run-cell")
    there.until("talking")
    assert there.says(HANDLERS) == "1"
    there.select("board")
    there.command("notebook:clear-cell-output")
    wait(there.browser, lambda _: there.says(HANDLERS) == "0", "the end of the board")
