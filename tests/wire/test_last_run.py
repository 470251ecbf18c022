"""The file of the last run has what was told, and what is left to tell, at any moment."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Iterator, List

import pytest

from keyyo_cti.simulator import Line, Simulator

from ..helpers.catching_up import CAROL, Books, Program
from ..helpers.probe import PATIENCE


@pytest.fixture
def books() -> Iterator[Books]:
    books = Books()
    yield books
    if books.hangs is not None:
        books.hangs.set()


class Runs:
    """Runs of a program with the same file. Each but the last one may leave the file as it is."""

    def __init__(self, sim: Simulator, alice: Line, books: Books, path: Path) -> None:
        self._arguments: Any = (sim, alice, books)
        self.path = path
        self.running: List[Program] = []

    def start(self, **options: Any) -> Program:
        options["catch_up"] = {"remember": self.path, **options.pop("catch_up", {})}
        self.running.append(Program(*self._arguments, **options))
        return self.running[-1]

    def kill(self, program: Program) -> None:
        """End a program, whose file stays as it was before."""
        content = self.path.read_bytes()
        program.cti.close()
        # Otherwise a request that ends later could write to the file of the next run.
        self.path = self.path.with_name(f"heard-{len(self.running)}.json")
        self.path.write_bytes(content)


@pytest.fixture
def runs(sim: Simulator, alice: Line, books: Books, tmp_path: Path) -> Iterator[Runs]:
    runs = Runs(sim, alice, books, tmp_path / "heard.json")
    yield runs
    for program in runs.running:
        program.cti.close()


@pytest.mark.parametrize("told", [True, False])
def test_call_that_ran_at_the_end_of_a_gap_is_told_by_the_run_after_its_end(
    runs: Runs, alice: Line, books: Books, told: bool
) -> None:
    """Also if its event was emitted, and no handler has run."""
    first = runs.start()
    first.during_gap(lambda: books.write(CAROL, alice, time.time(), 3600))
    assert list(first.wait_for_records()) == []
    first.cti.close()
    content = json.loads(runs.path.read_bytes())
    start = books.records.pop().start_time
    assert content["running"] == {"0": start}
    # An hour later, it has ended half an hour after the end of that run.
    books.write(CAROL, alice, start - 3600, 3600)
    content.update(heard_until=start - 1800, running={"0": start - 3600})
    runs.path.write_text(json.dumps(content))
    if not told:
        second = runs.start(dispatch="manual")
        assert list(second.cti.wait_for("caughtUp").result(PATIENCE)) == books.records
        second.cti.close()
    assert list(runs.start().wait_for_records()) == books.records
    runs.running[-1].cti.close()
    assert list(runs.start().wait_for_records()) == []
