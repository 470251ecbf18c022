"""samples/worker_pool.py writes each call once, whatever becomes of its connection and disk."""

from __future__ import annotations

import logging
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest

from keyyo_cti.backoff import Backoff
from keyyo_cti.call_history import CallRecord
from keyyo_cti.catch_up import CatchUp
from keyyo_cti.simulator import Line, Phone, Simulator
from samples import worker_pool
from samples.worker_pool import (
    UNKNOWN,
    WRITE_CALL,
    WRITE_GAP,
    Row,
    Service,
    row_of_record,
)

from ..helpers.accounts import client_of
from ..helpers.probe import PATIENCE, eventually
from ..helpers.running import ROOT, Running

#: The first of many who call.
BOB = 33199020000


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "calls.sqlite3")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "RETRY", 0.1)


@pytest.fixture
def service(path: str, sim: Simulator, alice: Line) -> Iterator[Service]:
    """A service that has a session, and comes back quickly."""
    quickly = Backoff(first=0.01, longest=0.02)
    service = Service(
        path, lambda: sim.token(alice), endpoint=sim.endpoint, cookie_auto=False, backoff=quickly
    )
    service.cti.create_session(sim.token(alice)).result(PATIENCE)
    yield service
    service.stop(0)


def rows(path: str, columns: str = "callref, state") -> List[Tuple[Any, ...]]:
    """What is in the file, in the order of the calls."""
    with closing(sqlite3.connect(path)) as database:
        return list(database.execute(f"SELECT {columns} FROM calls ORDER BY rowid"))


def gaps(path: str) -> int:
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute("SELECT count(*) FROM gaps").fetchone()[0])


def asked(path: str) -> List[Tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return list(database.execute("SELECT calls, error FROM asked"))


def states(path: str) -> Dict[str, str]:
    return dict(rows(path))


def a_row(callref: str, state: str, release_date: int = 9) -> Row:
    return Row(WRITE_CALL, (callref, 1, "33199020000", "33199000001", state, 2, release_date))


class Locked:
    """Somebody else has the file to himself."""

    def __init__(self, path: str) -> None:
        self._database = sqlite3.connect(path)

    def __enter__(self) -> None:
        self._database.execute("BEGIN EXCLUSIVE")

    def __exit__(self, *exception: object) -> None:
        self._database.close()


def talk(service: Service, alice: Line, bob: Phone) -> str:
    """Bob calls Alice, she picks up, and the service knows of it."""
    callref = bob.call(alice)
    alice.phone.pick_up()

    def known() -> bool:
        call = service.cti.get_call(callref)
        return call is not None and call.state == "CONNECT"

    eventually(known)
    return callref


def test_calls_that_end_around_drops(
    service: Service, path: str, sim: Simulator, alice: Line
) -> None:
    """A call that ends before a drop, in the gap, or after it is written once; one whose end
    nobody has told of is marked, and so is each gap."""
    drops: List[Callable[[], int]] = [sim.faults.drop, sim.faults.reset, sim.faults.close]
    before, during, after = (sim.phone(str(BOB + n)) for n in range(3))
    expected: Dict[str, List[str]] = {}
    for turn in range(9):
        first = talk(service, alice, before)
        second = talk(service, alice, during)
        third = talk(service, alice, after)
        sim.faults.refuse("connect")
        # Whether its end still arrives is a matter of luck.
        before.hang_up()
        drops[turn % 3]()
        sim.wait_for_session(alice, PATIENCE, counter=0)
        during.hang_up()
        sim.faults.let_through("connect")
        sim.wait_for_session(alice, PATIENCE)
        after.hang_up()
        expected.update(
            {first: ["RELEASE", UNKNOWN], second: [UNKNOWN], third: ["RELEASE"]}
        )
        eventually(lambda: set(states(path)) == set(expected))
        eventually(lambda: gaps(path) == turn + 1)
    assert service.stop() == []
    written = rows(path)
    assert len(written) == len(expected) == 27
    assert all(state in expected[callref] for callref, state in written)


def test_call_that_goes_on_after_a_gap(
    service: Service, path: str, sim: Simulator, alice: Line
) -> None:
    """A call that is told of again is not given up: it is written once, at its end."""
    written: List[Row] = []
    service.written = written.append
    bob = sim.phone(str(BOB))
    callref = talk(service, alice, bob)
    sim.faults.reset()
    # When this has come, the call has been told of again.
    sim.wait_for_action("ping", PATIENCE)
    bob.hang_up()
    eventually(lambda: rows(path) == [(callref, "RELEASE")])
    assert service.stop() == []
    assert sorted(row.statement for row in written) == sorted([WRITE_GAP, WRITE_CALL])


def test_end_that_is_told_after_all(
    service: Service, path: str, sim: Simulator, alice: Line
) -> None:
    """A call that was given up, because a new session is not told of it, is written as it was
    when its end is told."""
    bob = sim.phone(str(BOB))
    callref = talk(service, alice, bob)
    sim.faults.forget_sessions()
    eventually(lambda: rows(path) == [(callref, UNKNOWN)])
    bob.hang_up()
    eventually(lambda: rows(path) == [(callref, "RELEASE")])
    [[talked, released]] = rows(path, "connect_date, release_date")
    assert talked <= released


@pytest.fixture
def options(sim: Simulator, path: str) -> Dict[str, Any]:
    """The options of a service with an account, which also remembers its last run."""
    catch_up = CatchUp(client_of(sim), "33199000001", quiet=1, limit=10, remember=f"{path}.heard")
    quickly = Backoff(first=0.01, longest=0.02)
    return {
        "endpoint": sim.endpoint, "cookie_auto": False, "backoff": quickly, "catch_up": catch_up,
    }


def test_history_fills_what_was_unknown_and_adds_what_came_and_went(
    path: str, sim: Simulator, alice: Line, options: Dict[str, Any]
) -> None:
    service = Service(path, lambda: sim.token(alice), **options)
    service.cti.create_session(sim.token(alice)).result(PATIENCE)
    bob, carol = sim.phone(str(BOB)), sim.phone(str(BOB + 1))
    callref = talk(service, alice, bob)
    sim.faults.refuse("connect")
    sim.faults.close()
    sim.wait_for_session(alice, PATIENCE, counter=0)
    bob.hang_up()
    carol.call(alice)
    carol.hang_up()
    sim.faults.let_through("connect")
    eventually(lambda: (callref, UNKNOWN) in rows(path))
    eventually(lambda: [state for _, state in rows(path)] == ["RELEASE", "MISSED"])
    assert service.stop() == []
    assert rows(path, "state, caller") == [("RELEASE", str(BOB)), ("MISSED", str(BOB + 1))]
    assert asked(path) == [(2, None)]


def test_next_run_completes_what_the_last_one_left(
    path: str, sim: Simulator, alice: Line, options: Dict[str, Any]
) -> None:
    service = Service(path, lambda: sim.token(alice), **options)
    service.cti.create_session(sim.token(alice)).result(PATIENCE)
    bob = sim.phone(str(BOB))
    callref = talk(service, alice, bob)
    assert service.stop() == []
    assert rows(path) == [(callref, UNKNOWN)]
    bob.hang_up()
    service = Service(path, lambda: sim.token(alice), **options)
    service.cti.create_session(sim.token(alice)).result(PATIENCE)
    eventually(lambda: asked(path) == [(1, None)])
    assert service.stop() == []
    assert rows(path) == [(callref, "RELEASE")]


@pytest.mark.parametrize("order", [["RELEASE", UNKNOWN], [UNKNOWN, "RELEASE"], ["RELEASE"] * 2])
def test_written_twice(service: Service, path: str, order: List[str]) -> None:
    """In whatever order, and however often a call is written, what is known of it stays."""
    for state in order:
        service.rows.put(a_row("1", state))
    assert service.stop() == []
    assert rows(path) == [("1", "RELEASE")]


def test_file_that_is_locked(
    service: Service,
    path: str,
    sim: Simulator,
    alice: Line,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What cannot be written now is written later."""
    bob = sim.phone(str(BOB))
    with Locked(path):
        callref = talk(service, alice, bob)
        bob.hang_up()
        eventually(lambda: "cannot write yet: database is locked" in caplog.text)
    eventually(lambda: rows(path) == [(callref, "RELEASE")])


@pytest.mark.parametrize(("caller", "recorded", "is_same"), [
    ("33199020000", "33199020000", True), ("0199020000", "33199020000", True),
    ("+33199020000", "33199020000", True),
    ("anonymous", None, True), (None, None, True), ("102", "33199000002", True),
    ("33199020000", "33199020009", False), ("33199020000", None, False),
    ("anonymous", "33199020000", False),
])
def test_call_that_an_earlier_run_gave_up_is_completed_by_its_record(
    service: Service, path: str, alice: Line, caller: Any, recorded: Any, is_same: bool
) -> None:
    given_up = ("callref", 1_795_000_000, caller, alice.number, UNKNOWN, 1_795_000_003, None)
    record = CallRecord(
        "id", alice.number, 1_795_000_001.0, recorded, alice.number, "in", seconds=9, answered=True
    )
    service.rows.put(Row(WRITE_CALL, given_up))
    eventually(lambda: rows(path) == [("callref", UNKNOWN)])
    service.rows.put(row_of_record(record))
    expected = [("callref", "RELEASE")] if is_same else [("callref", UNKNOWN), ("id", "RELEASE")]
    eventually(lambda: sorted(rows(path)) == expected)


def test_what_cannot_be_written_at_all(
    service: Service, path: str, sim: Simulator, alice: Line, caplog: pytest.LogCaptureFixture
) -> None:
    """A call that no table can hold is handed back, and holds up nobody."""
    caplog.set_level(logging.CRITICAL)
    strange = {"callref": "1", "caller": {"a": 1}, "state": "MISSED", "setup_date": 1}
    large = {"callref": "2", "caller": "1", "state": "MISSED", "setup_date": 2**70}
    good = {"callref": "3", "caller": "1", "state": "MISSED", "setup_date": 1}
    calls = [{"notify": "call", "call": {"callee": alice.number, **call}}
             for call in (strange, large, good)]
    sim.push(alice, *calls)
    eventually(lambda: rows(path) == [("3", "MISSED")])
    assert sorted(row.values[0] for row in service.stop()) == ["1", "2"]


def test_stop_writes_what_is_queued(service: Service, path: str) -> None:
    """An orderly stop drains the queue."""
    for n in range(200):
        service.rows.put(a_row(str(n), "RELEASE"))
    assert service.stop(PATIENCE) == []
    assert len(rows(path)) == 200


def test_stop_hands_back_what_cannot_be_written(service: Service, path: str) -> None:
    """If the file stays locked, a stop ends all the same, and says what is not in it."""
    queued = {str(n) for n in range(20)}
    with Locked(path):
        for callref in queued:
            service.rows.put(a_row(callref, "RELEASE"))
        unwritten = service.stop(patience=0.1)
    assert {row.values[0] for row in unwritten} == queued
    assert rows(path) == []


def test_stop_gives_up_on_calls_that_go_on(
    service: Service, path: str, sim: Simulator, alice: Line
) -> None:
    """A call that goes on when the service stops is written too, without an end."""
    callref = talk(service, alice, sim.phone(str(BOB)))
    assert service.stop() == []
    assert rows(path, "callref, state, release_date") == [(callref, UNKNOWN, None)]


# As a process.


def running(sim: Simulator, token: str, path: str) -> Running:
    keyyo = {"KEYYO_CSI_TOKEN": token, "KEYYO_ENDPOINT": sim.endpoint}
    return Running(str(ROOT / "samples" / "worker_pool.py"), path, **keyyo)


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_sigterm(sim: Simulator, alice: Line, path: str) -> None:
    """SIGTERM stops it in order."""
    bob = sim.phone(str(BOB))
    with running(sim, sim.token(alice), path) as service:
        sim.wait_for_session(alice, PATIENCE)
        bob.call(alice)
        alice.phone.pick_up()
        bob.hang_up()
        service.until("'RELEASE'", "err")
        service.process.send_signal(signal.SIGTERM)
        assert service.end() == 0
    assert [state for _, state in rows(path)] == ["RELEASE"]


def test_lost_session(sim: Simulator, alice: Line, path: str) -> None:
    """When its credentials are refused it ends, and says why."""
    token = sim.token(alice)
    with running(sim, token, path) as service:
        sim.wait_for_session(alice, PATIENCE)
        sim.expire_token(token)
        sim.faults.reset()
        assert service.end() == 1
        assert "Invalid token" in service.rest("err")[-1]


def test_it_asks_where_to(sim: Simulator, alice: Line) -> None:
    """With a token but without a file it writes nowhere."""
    keyyo = {"KEYYO_CSI_TOKEN": sim.token(alice), "KEYYO_ENDPOINT": sim.endpoint}
    with Running(str(ROOT / "samples" / "worker_pool.py"), **keyyo) as service:
        assert service.end() == 1
        assert "where to?" in service.until("", "err")
