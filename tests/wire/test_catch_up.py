"""What happened in a gap is told once, over each transport, and never holds anything up."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path
from typing import Any, Iterator, List, Tuple

import pytest

from keyyo_cti import CTI, KeyyoError
from keyyo_cti.call_history import CallRecord
from keyyo_cti.catch_up import CatchUp
from keyyo_cti.simulator import Line, Simulator

from ..helpers.accounts import client_of
from ..helpers.catching_up import BOB, CAROL, Books, Program, miss_a_call
from ..helpers.probe import PATIENCE, eventually


@pytest.fixture
def books() -> Books:
    return Books()


@pytest.fixture
def program(sim: Simulator, alice: Line, books: Books) -> Iterator[Program]:
    running = Program(sim, alice, books)
    yield running
    running.cti.close()
    assert not [each for each in threading.enumerate() if "catch-up" in each.name]


@pytest.fixture
def on_history(sim: Simulator, alice: Line) -> Iterator[Program]:
    """A program on the simulator's own history, which knows of a change of a call later."""
    sim.history.set(delay=0.4)
    running = Program(sim, alice, client_of(sim), catch_up={"quiet": 1.5, "limit": 6.0})
    yield running
    running.cti.close()


@pytest.mark.usefixtures("transport")
def test_call_that_came_and_went_in_a_gap_is_told_once_within_the_bound(
    on_history: Program, sim: Simulator, alice: Line
) -> None:
    program, bob = on_history, sim.phone(BOB)

    def act() -> None:
        bob.call(alice)
        bob.hang_up()
        sim.history.add(alice, time.time(), caller=CAROL, unit="sms")

    program.during_gap(act)
    began = time.monotonic()
    record, = records = program.wait_for_records()
    assert time.monotonic() - began < 6
    assert (record.caller, record.callee, record.missed) == (BOB, alice.number, True)
    assert records.error is None and records.calls == {}
    assert records.until - records.since == pytest.approx(program.of("restored")[0].gap, abs=0.5)
    names = [name for name, _ in program.told.items]
    assert names.index("restored") < names.index("caughtUp")
    program.during_gap(lambda: None)
    assert list(program.wait_for_records(2)) == []


@pytest.mark.usefixtures("transport")
def test_end_of_a_stale_call_is_settled_and_told_once(
    on_history: Program, sim: Simulator, alice: Line
) -> None:
    program, bob = on_history, sim.phone(BOB)
    callref = bob.call(alice)
    alice.phone.pick_up()
    eventually(lambda: ("CONNECT", callref) in program.told.items)
    call = program.cti.get_call(callref)
    assert call is not None and call.connect_date is not None
    released = call.wait_for("release")
    program.during_gap(bob.hang_up)
    record, = records = program.wait_for_records()
    assert records.calls == {record: call} and record.call_id != callref
    assert call.state == "RELEASE" and call.ended and not call.stale and call.answered
    assert call.release_date == call.connect_date + (record.seconds or 0)
    assert call.get_duration() == record.seconds and released.result(PATIENCE) is call
    assert [name for name, each in program.told.items if each == callref] == ["SETUP", "CONNECT"]
    program.during_gap(lambda: None)
    assert list(program.wait_for_records(2)) == []


@pytest.mark.parametrize("status", [403, 429, 500])
def test_refusal_of_keyyo_is_told_once(sim: Simulator, alice: Line, status: int) -> None:
    scope = "cti_admin" if status == 403 else "cti_admin full_access_read_only"
    program = Program(sim, alice, client_of(sim, scope))
    if status != 403:
        sim.faults.http("/manager", status, headers={"Retry-After": "1"})
    program.during_gap(lambda: None)
    records = program.wait_for_records()
    assert list(records) == []
    assert records.error is not None and records.error.status_code == status
    assert (records.error.final is True) is (status == 403)
    program.cti.close()


@pytest.mark.parametrize("where", ["Inquiry.begin", "make_caught_up"])
def test_bug_in_one_gap_leaves_later_gaps_their_event(
    program: Program, sim: Simulator, alice: Line, books: Books, where: str,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(f"keyyo_cti._client.gaps.{where}", fail)
        program.during_gap(lambda: None)
        eventually(lambda: "catching up has failed" in caplog.text)
    record: List[CallRecord] = []
    program.during_gap(lambda: record.append(miss_a_call(sim, books, alice)))
    assert list(program.wait_for_records()) == record


def test_system_without_another_thread_still_tells_a_gap(
    program: Program, sim: Simulator, alice: Line, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start

    def start_most(thread: threading.Thread) -> None:
        if thread.name.endswith("-history"):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_most)
    record: List[CallRecord] = []
    program.during_gap(lambda: record.append(miss_a_call(sim, books, alice)))
    assert list(program.wait_for_records()) == record


def test_call_that_was_told_is_not_told_again(
    program: Program, sim: Simulator, alice: Line, books: Books
) -> None:
    """Before the gap, after it, and one that rings through it: the CTI tells all of them."""
    before, through, after = (sim.phone(each) for each in (BOB, CAROL, "33199020002"))
    books.write(BOB, alice, time.time())
    before.call(alice)
    before.hang_up()
    ringing = through.call(alice)
    books.write(CAROL, alice, time.time())
    eventually(lambda: ("SETUP", ringing) in program.told.items)
    program.during_gap(lambda: None)
    through.hang_up()
    after.call(alice)
    after.hang_up()
    books.write("33199020002", alice, time.time())
    assert list(program.wait_for_records()) == []
    assert len(program.of("MISSED")) == 3


def test_refused_history_is_told_once_and_holds_nothing_up(
    program: Program, sim: Simulator, alice: Line, books: Books, caplog: pytest.LogCaptureFixture
) -> None:
    books.error = KeyyoError(403, "insufficient_scope")
    books.error.final = True
    program.during_gap(lambda: None)
    records = program.wait_for_records()
    assert list(records) == [] and records.error is books.error
    logged = [each for each in caplog.records if "the gap" in each.getMessage()]
    assert [each.levelno for each in logged] == [logging.WARNING]
    # The next gap is asked about all the same.
    books.error = None
    missed: List[CallRecord] = []
    program.during_gap(lambda: missed.append(miss_a_call(sim, books, alice)))
    assert list(program.wait_for_records(2)) == missed


def test_history_that_hangs_holds_up_neither_events_nor_close(
    sim: Simulator, alice: Line, books: Books
) -> None:
    books.hangs = threading.Event()
    program = Program(sim, alice, books)
    program.during_gap(lambda: None)
    eventually(lambda: books.asked)
    bob = sim.phone(BOB)
    bob.call(alice)
    bob.hang_up()
    eventually(lambda: program.of("MISSED"))
    began = time.monotonic()
    program.cti.close()
    assert time.monotonic() - began < 3
    books.hangs.set()
    eventually(lambda: not [each for each in threading.enumerate() if "catch-up" in each.name])
    assert program.of("caughtUp") == []


def test_session_that_the_program_opens_again_has_the_gap_too(
    sim: Simulator, alice: Line, books: Books
) -> None:
    """Without token_provider, and with handlers in poll()."""
    program = Program(sim, alice, books, token_provider=None, dispatch="manual")
    gone = program.cti.wait_for("disconnected")
    sim.faults.close()
    gone.result(PATIENCE)
    missed = miss_a_call(sim, books, alice)
    program.cti.create_session(sim.token(alice)).result(PATIENCE)
    caught = program.cti.wait_for("caughtUp").result(PATIENCE)
    assert list(caught) == [missed] and program.of("caughtUp") == []
    program.cti.poll(PATIENCE)
    eventually(lambda: program.cti.poll() or program.of("caughtUp"))
    assert program.of("caughtUp") == [caught]
    program.cti.close()


@pytest.mark.parametrize("ahead", [3600, -3600])
def test_clock_that_is_an_hour_off_does_no_harm(
    sim: Simulator, alice: Line, books: Books, monkeypatch: pytest.MonkeyPatch, ahead: float
) -> None:
    """The clock of this computer: the service's own is right."""
    from keyyo_cti._client import server_clock
    from keyyo_cti._net import clock

    def off() -> float:
        return time.time() + ahead

    monkeypatch.setattr(server_clock.ServerClock.__init__, "__defaults__",
                        (clock.monotonic_with_sleep, off))
    program = Program(sim, alice, books)
    missed: List[CallRecord] = []
    program.during_gap(lambda: missed.append(miss_a_call(sim, books, alice)))
    assert list(program.wait_for_records()) == missed
    program.cti.close()


def test_next_run_asks_since_the_last_one(
    sim: Simulator, alice: Line, books: Books, tmp_path: Path
) -> None:
    options: Any = {"catch_up": {"remember": tmp_path / "heard.json"}}
    first = Program(sim, alice, books, **options)
    bob = sim.phone(BOB)
    bob.call(alice)
    bob.hang_up()
    books.write(BOB, alice, time.time())
    eventually(lambda: first.of("MISSED"))
    ringing = sim.phone(CAROL)
    callref = ringing.call(alice)
    books.write(CAROL, alice, time.time(), 0)
    eventually(lambda: ("SETUP", callref) in first.told.items)
    first.cti.close()
    ringing.hang_up()
    missed = miss_a_call(sim, books, alice)
    second = Program(sim, alice, books, **options)
    # What was told, and when it ended, is in the file.
    assert list(second.wait_for_records()) == [books.records[1], missed]
    second.cti.close()
    third = Program(sim, alice, books, **options)
    assert list(third.wait_for_records()) == []
    third.cti.close()


def test_run_that_closes_before_its_handler_leaves_the_calls_to_the_next(
    sim: Simulator, alice: Line, books: Books, tmp_path: Path
) -> None:
    options: Any = {"catch_up": {"remember": tmp_path / "heard.json"}}
    first = Program(sim, alice, books, dispatch="manual", **options)
    missed = []
    caught = first.cti.wait_for("caughtUp")
    first.during_gap(lambda: missed.append(miss_a_call(sim, books, alice)), wait=False)
    assert list(caught.result(PATIENCE)) == missed
    first.cti.close()
    second = Program(sim, alice, books, **options)
    assert list(second.wait_for_records()) == missed
    second.cti.close()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"version": 9}', b"\xff\0", b'{"heard_until": "never"}']
)
def test_damaged_file_is_replaced(
    sim: Simulator, alice: Line, books: Books, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "heard.json"
    path.write_bytes(content)
    options: Any = {"catch_up": {"remember": path}}
    for expected in (0, 1):
        program = Program(sim, alice, books, **options)
        eventually(lambda: b"heard_until" in path.read_bytes())
        if expected:
            assert list(program.wait_for_records()) == []
        program.cti.close()
        assert len(program.of("caughtUp")) == expected


def test_ask_by_hand_tells_the_same(sim: Simulator, alice: Line, books: Books) -> None:
    books.write(BOB, alice, time.time() - 600)
    answers: List[Tuple[Any, Any]] = []
    assert repr(CatchUp(books, None)) == "<CatchUp of the whole account>"
    assert repr(CatchUp(books, [alice.number, CAROL])) == f"<CatchUp of {alice.number}, {CAROL}>"
    with CatchUp(books, alice.number) as catch_up:
        # An hour ago: the records have settled, and it is asked once.
        future = catch_up.ask(
            time.time() - 3600, time.time() - 400, callback=lambda *both: answers.append(both)
        )
        records = future.result(PATIENCE)
        assert list(records) == books.records and catch_up.wait(PATIENCE)
        assert answers == [(None, records)] and len(books.asked) == 1
        assert "1 calls in 3200 s" in repr(records)
        wrong: Any
        for wrong in ("yesterday", 10**400, float("nan")):
            with pytest.raises(KeyyoError, match="since") as refused:
                catch_up.ask(wrong)
            assert refused.value.error_code == "invalid_params"
        pending = catch_up.ask(time.time() - 10)
    with pytest.raises(KeyyoError, match="Closed"):
        pending.result(PATIENCE)


@pytest.mark.parametrize("make", [iter, list, lambda calls: lambda: filter(None, calls)])
def test_calls_that_are_passed_are_told_whatever_holds_them(
    sim: Simulator, alice: Line, books: Books, make: Any
) -> None:
    """They are compared several times; an iterator can be read only once."""
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        sim.phone(BOB).call(alice)
        sim.phone(BOB).hang_up()
        cti.ping().result(PATIENCE)
        [call] = cti.get_calls()
        assert call.setup_date is not None
        books.write(BOB, alice, call.setup_date)
        books.write(CAROL, alice, call.setup_date)
        with CatchUp(books, alice.number, quiet=0.2, limit=0.4) as catch_up:
            found = catch_up.ask(call.setup_date - 60, told=make([call])).result(PATIENCE)
    assert [record.caller for record in found] == [CAROL]


@pytest.mark.parametrize("told", [5, [None], "abc"])
def test_what_is_no_call_is_refused_at_once(books: Books, told: Any) -> None:
    with CatchUp(books, None) as catch_up, pytest.raises(TypeError, match="told: expected Calls"):
        catch_up.ask(time.time() - 60, told=told)


@pytest.mark.parametrize("junk", [[None], [{"start_time": 1}], "abc", None, 5])
def test_history_of_anything_else_is_an_error_of_the_event(junk: Any) -> None:
    class Junk:
        #: As many programs have one, for HTTP.
        client = object()

        def history(self, csi: object, since: float, until: float) -> Any:
            return junk

    with CatchUp(Junk(), None, quiet=0.1, limit=0.2) as catch_up:
        found = catch_up.ask(time.time() - 60).result(PATIENCE)
    assert found.error is not None and found.error.error_code == "internal"


@pytest.mark.parametrize(
    "arguments, error, what",
    [
        ({"manager": object()}, TypeError, "manager"),
        ({"csi": ""}, TypeError, "csi"),
        ({"csi": 33199000001}, TypeError, "csi"),
        ({"csi": [None, "33199000001"]}, TypeError, "csi"),
        ({"quiet": "60"}, TypeError, "quiet"),
        ({"quiet": 0}, ValueError, "quiet"),
        ({"limit": float("nan")}, ValueError, "limit"),
        ({"quiet": 400}, ValueError, "limit"),
        ({"remember": 5}, TypeError, "remember"),
        ({"remember": ":memory:"}, ValueError, "remember"),
    ],
)
def test_wrong_argument_is_refused_by_its_name(
    books: Books, arguments: Any, error: Any, what: str
) -> None:
    with pytest.raises(error, match=what):
        CatchUp(**{"manager": books, "csi": None, **arguments})


def test_wrong_option_is_refused() -> None:
    with pytest.raises(TypeError, match="catch_up: expected a keyyo_cti.catch_up.CatchUp"):
        CTI(catch_up=True)  # type: ignore[arg-type]
