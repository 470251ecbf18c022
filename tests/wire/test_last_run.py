"""The file of the last run has what was told, and what is left to tell, at any moment."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Callable, Iterator, List

import pytest

from keyyo_cti.simulator import Line, Simulator

from ..helpers.catching_up import BOB, CAROL, Books, Program, miss_a_call
from ..helpers.probe import PATIENCE, eventually


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


def hang_in(program: Program, books: Books, where: str) -> threading.Event:
    """Keep the history, or a wait of the program, busy with a gap."""
    hangs, reached = threading.Event(), threading.Event()
    asked = len(books.asked)

    def check(_: object) -> bool:
        reached.set()
        return hangs.wait(PATIENCE)

    if where == "request":
        books.hangs = hangs
    else:
        # A wait ends with its Future.
        program.told.add(("wait", program.cti.wait_for("caughtUp", check)))
    program.during_gap(lambda: None)
    eventually(lambda: len(books.asked) > asked)
    assert where == "request" or reached.wait(PATIENCE)
    return hangs


@pytest.mark.parametrize("where", ["request", "check of a wait"])
@pytest.mark.parametrize("ends", ["close", "kill"])
def test_call_told_while_the_history_is_asked_is_not_told_by_the_next_run(
    runs: Runs, sim: Simulator, alice: Line, books: Books, where: str, ends: str
) -> None:
    first = runs.start()
    hangs = hang_in(first, books, where)
    miss_a_call(sim, books, alice)
    eventually(lambda: first.of("MISSED"))
    began = time.monotonic()
    if ends == "close":
        first.cti.close()
        assert time.monotonic() - began < 3
    else:
        eventually(lambda: BOB.encode() in runs.path.read_bytes())
        assert time.monotonic() - began < 3
    runs.kill(first)
    hangs.set()
    books.hangs = None
    assert list(runs.start().wait_for_records()) == []


def test_call_told_while_the_program_closes_is_not_told_by_the_next_run(
    runs: Runs, sim: Simulator, alice: Line, books: Books
) -> None:
    """Its notification is read after the end is noted."""
    first = runs.start()
    noted = first.cti._client._gaps.on_close  # type: ignore[union-attr]

    def on_close() -> None:
        noted()
        miss_a_call(sim, books, alice)
        eventually(lambda: first.cti.get_calls() and first.cti.get_calls()[0].ended)

    first.cti._client._gaps.on_close = on_close  # type: ignore[union-attr,method-assign]
    first.cti.close()
    assert list(runs.start().wait_for_records()) == []


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


def test_two_calls_of_a_second_are_told_by_two_runs_and_by_no_history(
    runs: Runs, sim: Simulator, alice: Line, books: Books
) -> None:
    """Their callrefs tell them apart."""
    start = int(time.time()) - 2
    for callref in ("one", "two"):
        books.hangs = threading.Event()
        program = runs.start()
        sim.push(alice, {"notify": "call", "call": {
            "callref": callref, "caller": BOB, "callee": alice.number, "state": "MISSED",
            "setup_date": start, "release_date": start,
        }})
        eventually(lambda: program.of("MISSED") == [callref])
        books.write(BOB, alice, start)
        books.hangs.set()
        if callref == "one":
            program.cti.close()
    assert list(program.wait_for_records()) == []


def test_file_from_the_future_is_replaced_with_a_warning(
    runs: Runs, alice: Line, books: Books, caplog: pytest.LogCaptureFixture
) -> None:
    books.write(BOB, alice, time.time())
    ahead = time.time() + 3600
    runs.path.write_text(json.dumps(
        {"version": 1, "heard_until": ahead, "told": [], "reported": {}}
    ))
    first = runs.start()
    eventually(lambda: json.loads(runs.path.read_bytes())["heard_until"] < ahead)
    first.cti.close()
    assert books.asked == []
    warning, = [each for each in caplog.records if "file of the last run" in each.getMessage()]
    assert "from the future" in warning.getMessage()


def test_end_whose_handlers_have_not_run_is_told_by_the_next_run(
    runs: Runs, sim: Simulator, alice: Line, books: Books
) -> None:
    first, bob = runs.start(dispatch="manual"), sim.phone(BOB)
    callref = bob.call(alice)
    alice.phone.pick_up()
    eventually(lambda: first.cti.poll() or ("CONNECT", callref) in first.told.items)
    books.write(BOB, alice, time.time(), 0)
    caught = first.cti.wait_for("caughtUp")
    first.during_gap(bob.hang_up, wait=False)
    assert list(caught.result(PATIENCE)) == books.records
    first.cti.close()
    assert list(runs.start().wait_for_records()) == books.records


class Loop:
    """A window's loop, which runs its work only when the test says so."""

    def __init__(self) -> None:
        self.work: "SimpleQueue[Callable[[], None]]" = SimpleQueue()

    def run(self) -> None:
        while True:
            try:
                self.work.get_nowait()()
            except Empty:
                return


@pytest.mark.parametrize("ends", ["destroy_session", "close"])
@pytest.mark.parametrize("kind", ["manual", "loop"])
def test_event_that_is_queued_while_the_session_is_opened_again_comes_once(
    runs: Runs, sim: Simulator, alice: Line, books: Books, ends: str, kind: str
) -> None:
    loop = Loop()
    first = runs.start(dispatch="manual" if kind == "manual" else loop.work.put)

    def run_until(is_done: Callable[[], object]) -> None:
        def run_and_check() -> object:
            if kind == "loop":
                loop.run()
            else:
                first.cti.poll()
            return is_done()

        eventually(run_and_check)

    def act() -> None:
        bob.hang_up()
        miss_a_call(sim, books, alice)

    bob = sim.phone(BOB)
    callref = bob.call(alice)
    alice.phone.pick_up()
    run_until(lambda: ("CONNECT", callref) in first.told.items)
    books.write(BOB, alice, time.time(), 0)
    caught = first.cti.wait_for("caughtUp")
    first.during_gap(act, wait=False)
    queued = caught.result(PATIENCE)
    assert list(queued) == books.records and len(queued.calls) == 1
    if ends == "close":
        first.cti.close()
    else:
        first.cti.destroy_session().result(PATIENCE)
    asked = first.cti.wait_for("caughtUp", lambda records: records.since > queued.since)
    first.cti.create_session(sim.token(alice)).result(PATIENCE)
    assert list(asked.result(PATIENCE)) == []
    run_until(lambda: len(first.of("caughtUp")) == 2)
    first.cti.ping().result(PATIENCE)
    run_until(lambda: True)
    assert sorted(map(len, first.of("caughtUp"))) == [0, 2]
    first.cti.close()
    assert list(runs.start().wait_for_records()) == []
