"""Waiting for events: from any thread, inside handlers, through drops, each completed once."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError, Future
from functools import partial
from typing import Any, Callable, Dict, List

import pytest

from keyyo_cti import (
    CTI,
    Backoff,
    Call,
    CallEnded,
    ConnectionClosed,
    EventTimeout,
    KeyyoError,
    SessionEnded,
)
from keyyo_cti.simulator import Line, Phone, Simulator

from ..helpers.cti_threads import cti_threads
from ..helpers.probe import PATIENCE, Record, eventually
from ..helpers.running import environment
from ..helpers.scripted_server import ScriptedServer, session
from .test_handlers import notification

BOB, ALICE = "33199020000", "33199000001"

QUICK = Backoff(first=0.01, longest=0.05)

#: A pause in which a test can do something.
SLOW = Backoff(first=1000.0, longest=1000.0, spread=0.0)


def setup(callref: str = "c1", **fields: Any) -> Any:
    return notification(callref, caller=BOB, callee=ALICE, **fields)


def connect(callref: str = "c1", **fields: Any) -> Any:
    return setup(callref, state="CONNECT", connect_date=1700000001, **fields)


def has_callref(callref: str, call: Call) -> bool:
    return call.callref == callref


def opened(server: ScriptedServer, **options: Any) -> CTI:
    cti = CTI(endpoint=server.endpoint, cookie_auto=False, **options)
    cti.create_session("tok").result(PATIENCE)
    return cti


def on_a_thread_of_its_own(work: Callable[[], object]) -> None:
    """A ``dispatch`` function that runs work in order."""
    _worker.submit(work)


_worker = concurrent.futures.ThreadPoolExecutor(1)

DISPATCHES = [None, "manual", on_a_thread_of_its_own]


def poll_until(cti: CTI, dispatch: Any, condition: Callable[[], object]) -> None:
    while dispatch == "manual" and not condition():
        cti.poll(0.1)
    eventually(condition)


def by_result(future: "Future[Any]") -> Any:
    return future.result(PATIENCE)


def by_wait(future: "Future[Any]") -> Any:
    assert concurrent.futures.wait([future], PATIENCE).done
    return future.result(0)


def by_as_completed(future: "Future[Any]") -> Any:
    return next(concurrent.futures.as_completed([future], PATIENCE)).result(0)


def by_asyncio(future: "Future[Any]") -> Any:
    async def ask() -> Any:
        return await asyncio.wait_for(asyncio.wrap_future(future), PATIENCE)

    return asyncio.run(ask())


def by_looking(future: "Future[Any]") -> Any:
    eventually(future.done)
    return future.result(0)


WAYS = [by_result, by_wait, by_as_completed, by_asyncio, by_looking]


def test_readme_example_waits_for_the_call_that_it_dials(
    sim: Simulator, alice: Line, bob: Phone
) -> None:
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        dialled = cti.wait_for("newCall", lambda c: c.other == BOB and c.direction == "out")
        cti.dial(BOB)
        call = dialled.result(PATIENCE)
        answered, over = call.wait_for("connect", 60), call.wait_for("release")
        bob.pick_up()
        assert answered.result(PATIENCE) is call is cti.get_call(call.callref) and call.answered
        bob.hang_up()
        assert over.result(PATIENCE) is call and not call.active
        assert call.wait_for("setup").result(0) is call.wait_for("connect").result(0) is call


@pytest.mark.promise(4)
@pytest.mark.parametrize("dispatch", DISPATCHES, ids=["event thread", "polled", "foreign"])
@pytest.mark.parametrize("way", WAYS)
def test_handler_waits_for_an_event_behind_a_full_backlog(way: Any, dispatch: Any) -> None:
    """It may be queued behind the handler already, or come while the handler waits."""
    with ScriptedServer(session) as server:
        cti = opened(server, dispatch=dispatch, max_backlog=1)
        seen, pushed, begun = Record(), threading.Event(), threading.Event()

        def on_new_call(call: Call) -> None:
            if call.callref != "c1" or call.state != "SETUP":
                seen.add(call.state)
                return
            cti.ping().result(PATIENCE)
            assert pushed.wait(PATIENCE)
            new = cti.wait_for("newCall", lambda c: c.callref == "c9" and c.state == "SETUP")
            later = cti.wait_for("newCall", lambda c: c.callref == "late")
            begun.set()
            assert cti.get_call("c9") is None and call.state == "SETUP"
            seen.add((way(call.wait_for("connect")).callref, call.state))
            seen.add((way(new).caller, cti.get_call("c9") is new.result()))
            seen.add(way(later).state)

        cti.onNewCall = on_new_call
        server.push(setup())
        server.push(connect(), *[setup(f"c{n}") for n in range(2, 10)])
        server.push(connect("c9"))
        pushed.set()

        def push_late() -> None:
            assert begun.wait(PATIENCE)
            server.push(setup("late"))

        thread = threading.Thread(target=push_late)
        thread.start()
        poll_until(cti, dispatch, lambda: len(seen.items) == 14)
        thread.join(PATIENCE)
        # Each later handler sees the state of its own event.
        states = ["CONNECT", *["SETUP"] * 8, "CONNECT", "SETUP"]
        assert seen.items == [("c1", "CONNECT"), (BOB, True), "SETUP", *states]
        cti.close()
        cti.poll() if dispatch == "manual" else None


def bring_about(end: str, cti: CTI, server: ScriptedServer) -> None:
    """End a session in this way."""
    if end == "close":
        cti.close()
    elif end == "destroy":
        cti.destroy_session().result(PATIENCE)
    else:
        server.do(lambda connection: connection.close(3000, "Bye"))
    if end == "closed while restoring":
        eventually(lambda: not cti.connected)
        cti.close()


@pytest.mark.parametrize("in_handler", [False, True])
@pytest.mark.parametrize(
    "end", ["close", "destroy", "drop", "lost", "closed while restoring", "overtaken by the end"]
)
def test_end_of_the_session_fails_a_wait_and_says_so(end: str, in_handler: bool) -> None:
    refused = KeyyoError(403, "No more tokens", "forbidden")

    def provide() -> str:
        raise refused

    options: Dict[str, Any] = {}
    if end in ("lost", "closed while restoring"):
        options = {"token_provider": provide, "backoff": QUICK if end == "lost" else SLOW}
    with ScriptedServer(session) as server:
        cti = opened(server, **options)
        waits, begun, proceed = Record(), threading.Event(), threading.Event()

        def begin(*_: Any) -> None:
            assert end != "overtaken by the end" or not in_handler or proceed.wait(PATIENCE)
            waits.add(cti.wait_for("newCall", lambda c: False))
            for call in cti.get_calls() if end != "overtaken by the end" else []:
                waits.add(call.wait_for("release"))
            begun.set()
            if in_handler:
                waits.add(waits.items[0].exception(PATIENCE))

        if in_handler:
            cti.onNewCall = begin
            server.push(setup())
        else:
            server.push(setup())
            eventually(cti.get_calls)
            begin()
        if end != "overtaken by the end" or not in_handler:
            assert begun.wait(PATIENCE)
        bring_about(end, cti, server)
        eventually(lambda: not cti.connected)
        proceed.set()
        waits.wait_for_count(1)
        for future in filter(lambda each: isinstance(each, Future), list(waits.items)):
            error = future.exception(PATIENCE)
            assert isinstance(error, SessionEnded) and issubclass(SessionEnded, ConnectionClosed)
            assert (error.status_code, error.error_code) == (400, "session_ended")
            assert re.match("No (newCall|release): the (session|program) ", error.message)
        cti.close()
        assert cti._client.waits.pending == {}


def test_events_of_the_end_complete_their_own_waits() -> None:
    for provider in (None, lambda: exec("raise KeyError")):
        with ScriptedServer(session) as server:
            attempts = Backoff(first=0.01, longest=0.01, attempts=1)
            cti = opened(server, token_provider=provider, backoff=attempts)
            down, lost = cti.wait_for("disconnected"), cti.wait_for("lost")
            server.do(lambda connection: connection.close(3000, "Bye"))
            assert down.result(PATIENCE) is None
            if provider is None:
                assert isinstance(lost.exception(PATIENCE), SessionEnded)
            else:
                assert lost.result(PATIENCE).error_code == "token_provider"
            # Nothing can come any more.
            assert isinstance(cti.wait_for("newCall").exception(PATIENCE), SessionEnded)
            cti.close()


def test_wait_lives_on_over_a_restore_and_a_duplicate_does_not_complete_it() -> None:
    with ScriptedServer(session) as server:
        cti = opened(server, token_provider=lambda: "tok", backoff=QUICK)
        server.push(setup("c1"), setup("c2"))
        eventually(lambda: len(cti.get_calls()) == 2)
        new, answered = cti.wait_for("newCall"), cti.get_calls()[0].wait_for("connect")
        back = cti.wait_for("restored", lambda info: info.gap >= 0)
        server.do(lambda connection: connection.close(3000, "Bye"))
        assert back.result(PATIENCE).recreated is False
        server.push(setup("c1"), setup("c2"))
        cti.ping().result(PATIENCE)
        assert not new.done() and not answered.done()
        server.push(connect("c1"), setup("c3"))
        assert new.result(PATIENCE) is answered.result(PATIENCE) is cti.get_call("c1")
        cti.close()


def test_answer_that_came_in_the_gap_completes_a_wait_when_it_is_told() -> None:
    with ScriptedServer(session) as server:
        cti = opened(server, token_provider=lambda: "tok", backoff=QUICK)
        server.push(setup("c1"), setup("c2"))
        eventually(lambda: len(cti.get_calls()) == 2)
        answered, missed = [call.wait_for("connect") for call in cti.get_calls()]
        back = cti.wait_for("restored")
        server.do(lambda connection: connection.close(3000, "Bye"))
        back.result(PATIENCE)
        over = {"state": "RELEASE", "connect_date": 1700000001, "release_date": 1700000009}
        server.push(setup("c1", **over), setup("c2", state="MISSED"))
        assert answered.result(PATIENCE).callref == "c1"
        error = missed.exception(PATIENCE)
        assert isinstance(error, CallEnded) and "MISSED" in error.message
        cti.close()


def test_wait_before_the_first_session_gets_its_events(
    sim: Simulator, alice: Line, bob: Phone
) -> None:
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        new = cti.wait_for("newCall")
        cti.create_session(sim.token(alice)).result(PATIENCE)
        bob.call(alice)
        assert new.result(PATIENCE).direction == "in"


@pytest.mark.parametrize("opens", [False, True])
@pytest.mark.parametrize("way", [by_result, by_wait, by_asyncio, by_looking])
def test_timeout_fails_a_wait_with_and_without_a_session(opens: bool, way: Any) -> None:
    with ScriptedServer(session) as server:
        cti = opened(server) if opens else CTI(cookie_auto=False)
        with pytest.raises(EventTimeout, match="No newCall within 0.05 s") as caught:
            way(cti.wait_for("newCall", timeout=0.05))
        assert (caught.value.status_code, caught.value.error_code) == (408, "timeout")
        told = Record()
        cti.wait_for("lost", None, 0).add_done_callback(told.add)
        assert isinstance(told.wait_for_count(1)[0].exception(), EventTimeout)
        eventually(lambda: not [name for name in cti_threads() if "waits" in name])
        cti.close()


def test_thousand_waits_at_once_complete_once_and_leave_nothing() -> None:
    with ScriptedServer(session) as server:
        cti = opened(server)
        told: "Record" = Record()
        threads = len(cti_threads())
        waits = [
            cti.wait_for("newCall", partial(has_callref, f"c{n % 10}"), 60 + n % 7)
            for n in range(1000)
        ]
        for future in waits:
            future.add_done_callback(told.add)
        assert len(cti_threads()) <= threads + 1
        server.push(*[setup(f"c{n}") for n in range(10)], *[connect(f"c{n}") for n in range(10)])
        told.wait_for_count(1000)
        assert [future.result(0).callref for future in waits] == [
            f"c{n % 10}" for n in range(1000)
        ]
        cti.ping().result(PATIENCE)
        assert len(told.items) == 1000 and cti._client.waits.pending == {}
        assert all(not table for table in cti._client.waits.table._of_events.values())
        eventually(lambda: len(cti_threads()) == threads)
        cti.close()


def test_dropped_future_leaves_nothing_unless_somebody_is_to_be_told() -> None:
    with ScriptedServer(session) as server:
        cti = opened(server)
        first = cti.wait_for("newCall", timeout=PATIENCE)
        server.push(setup("c1"))
        call, told = first.result(), Record()
        for _ in range(3):
            for waiting in (cti.wait_for("newCall"), call.wait_for("connect, release")):
                with pytest.raises(concurrent.futures.TimeoutError):
                    waiting.result(0.01)
        del waiting
        assert cti._client.waits.pending == {} and vars(call)["_waits"] == {}
        assert not cti._client._dispatcher._backlog._unanswered
        cti.wait_for("newCall").add_done_callback(told.add)
        cti.wait_for("newCall", timeout=PATIENCE)
        assert len(cti._client.waits.pending) == 2
        server.push(setup("c2"))
        assert told.wait_for_count(1)[0].result().callref == "c2"
        eventually(lambda: cti._client.waits.pending == {})
        cti.close()


@pytest.mark.parametrize("in_handler", [False, True])
def test_check_sees_the_call_of_its_event_and_runs_without_a_lock(in_handler: bool) -> None:
    with ScriptedServer(session) as server:
        cti = opened(server)
        seen, looked = Record(), Record()

        def check(call: Call) -> bool:
            looker = threading.Thread(target=lambda: looked.add(len(cti.get_calls())))
            looker.start()
            looker.join(PATIENCE)
            seen.add((call.callref, call.state, call.other))
            return call.state == "RELEASE"

        def begin(*_: Any) -> None:
            cti.onNewCall = None
            over = cti.wait_for("newCall", check)
            if in_handler:
                cti.ping().result(PATIENCE)
            seen.add(over)

        if in_handler:
            cti.onNewCall = begin
            server.push(setup("c0"))
        else:
            begin()
        server.push(setup(), connect(), setup(state="RELEASE"), setup("c2"))
        seen.wait_for_count(4)
        [over] = [each for each in seen.items if isinstance(each, Future)]
        assert over.result(PATIENCE).callref == "c1"
        states = [each for each in seen.items if isinstance(each, tuple)]
        assert states == [("c1", state, BOB) for state in ("SETUP", "CONNECT", "RELEASE")]
        assert len(looked.items) == 3
        cti.close()


@pytest.mark.parametrize(
    "check, problem, kind",
    [
        (lambda c: 1 / 0, "division by zero", ZeroDivisionError),
        (lambda c: _call_coroutine(), "returned a coroutine", TypeError),
        (lambda c: c.no_such_field, "no_such_field", AttributeError),
        (lambda c: exec("raise SystemExit(3)"), "3", SystemExit),
        (lambda: True, "positional argument", TypeError),
    ],
)
def test_check_that_raises_fails_its_own_wait_only(check: Any, problem: str, kind: Any) -> None:
    with ScriptedServer(session) as server:
        cti = opened(server)
        wrong, right = cti.wait_for("newCall", check), cti.wait_for("newCall", lambda c: True)
        server.push(setup())
        assert right.result(PATIENCE).callref == "c1"
        with pytest.raises(kind, match=problem):
            wrong.result(PATIENCE)
        assert cti.ping().result(PATIENCE) == 1
        cti.close()


async def _call_coroutine() -> bool:
    return True


def test_ctrl_c_in_a_check_is_raised() -> None:
    asked: List[str] = []

    def check(call: Call) -> bool:
        asked.append(call.callref)
        raise KeyboardInterrupt

    with ScriptedServer(session) as server, opened(server, dispatch="manual") as cti:
        server.push(setup(), setup("c2"))
        cti.ping().result(PATIENCE)
        cti.onNewCall = lambda call: cti.wait_for("newCall", check)
        with pytest.raises(KeyboardInterrupt):
            poll_until(cti, "manual", lambda: False)
    assert asked == ["c2"]


def test_check_that_waits_for_a_reply_is_refused_instead_of_a_deadlock() -> None:
    with ScriptedServer(session) as server:
        cti = opened(server)
        wrong = [
            cti.wait_for("newCall", lambda c: cti.ping().result()),
            cti.wait_for("newCall", lambda c: c.wait_for("release").exception()),
            cti.wait_for("newCall", lambda c: cti.wait(1)),
        ]
        server.push(setup())
        for future in wrong:
            with pytest.raises(RuntimeError, match="wait"):
                future.result(PATIENCE)
        assert cti.ping().result(PATIENCE) == 1
        cti.close()


def test_only_a_mistake_in_a_check_is_logged_if_the_program_never_asks(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with ScriptedServer(session) as server:
        cti = opened(server)
        waits = [
            cti.wait_for("newCall", lambda c: bool(c["no such field"])),
            cti.wait_for("newCall", lambda c: False),
            cti.wait_for("newCall", timeout=0),
        ]
        server.push(setup())
        cti.ping().result(PATIENCE)
        cti.close()
        eventually(lambda: "KeyError in " in caplog.text)
        del waits
    logged = [record for record in caplog.records if record.levelno > logging.INFO]
    assert len(logged) == 1 and "no such field" in caplog.text and "Traceback" in caplog.text


def test_cancelled_wait_leaves_nothing_behind() -> None:
    with ScriptedServer(session) as server:
        cti = opened(server)
        told = Record()
        future, other = cti.wait_for("newCall", timeout=60), cti.wait_for("newCall")
        future.add_done_callback(told.add)
        assert future.cancel() and future.cancel() and future.cancelled() and future.done()
        assert concurrent.futures.wait([future], PATIENCE).done
        with pytest.raises(CancelledError):
            future.result()

        async def give_up() -> None:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.wrap_future(cti.wait_for("lost")), 0.01)

        asyncio.run(give_up())
        told.wait_for_count(1)
        server.push(setup())
        assert other.result(PATIENCE) and not other.cancel()
        assert cti._client.waits.pending == {}
        cti.close()


def test_call_that_is_forgotten_or_without_a_session_fails_a_wait_at_once() -> None:
    with ScriptedServer(session) as server:
        cti = opened(server, max_active_calls=2)
        server.push(setup("c1"))
        eventually(cti.get_calls)
        [first] = cti.get_calls()
        waiting = first.wait_for("connect")
        server.push(*[setup(f"c{n}") for n in range(2, 5)])
        for future in (waiting, first.wait_for("connect")):
            error = future.exception(PATIENCE)
            assert isinstance(error, CallEnded) and "forgotten" in error.message
        last = cti.get_calls()[-1]
        cti.close()
        assert isinstance(last.wait_for("release").exception(0), SessionEnded)
        assert last.wait_for("setup").result(0) is last


@pytest.mark.parametrize(
    "wrong, kind, problem",
    [
        (lambda cti: cti.wait_for("newcall"), TypeError, "did you mean newCall"),
        (lambda cti: cti.wait_for(None), TypeError, "names: expected a string"),
        (lambda cti: cti.wait_for("newCall", 5), TypeError, "write timeout=5"),
        (lambda cti: cti.wait_for("newCall", "x"), TypeError, "check: expected a function"),
        (lambda cti: cti.wait_for("newCall", _call_coroutine), TypeError, "coroutine function"),
        (lambda cti: cti.wait_for("newCall", None, "5"), TypeError, "timeout: expected a number"),
        (lambda cti: cti.wait_for("newCall", timeout=True), TypeError, "timeout: expected"),
        (lambda cti: cti.wait_for("newCall", timeout=-1), ValueError, "0 seconds or more"),
        (lambda cti: cti.wait_for("newCall", timeout=float("nan")), ValueError, "or more"),
    ],
)
def test_mistake_in_wait_for_raises_at_once(wrong: Any, kind: Any, problem: str) -> None:
    cti = CTI(cookie_auto=False)
    with pytest.raises(kind, match=problem):
        wrong(cti)
    assert cti._client.waits.pending == {}


@pytest.mark.parametrize("timeout", [10 ** 400, 1e308, float("inf")], ids=["int", "float", "inf"])
def test_timeout_that_never_comes_is_accepted(timeout: float) -> None:
    cti = CTI(cookie_auto=False)
    waiting = cti.wait_for("newCall", timeout=timeout)
    with pytest.raises(concurrent.futures.TimeoutError):
        waiting.result(0.01)
    assert waiting.cancel() and not cti._client.waits.table.timed()


def test_await_says_what_to_write_and_repr_says_what_it_waits_for() -> None:
    cti = CTI(cookie_auto=False)
    future: Any = cti.wait_for("newCall", timeout=float("inf"))
    with pytest.raises(TypeError, match="asyncio.wrap_future"):
        future.__await__()
    assert "newCall" in repr(future) and "pending" in repr(future)
    cti.close()
    assert isinstance(future.exception(0), SessionEnded) and "No newCall" in repr(future)


def test_errors_of_handlers_and_unreadable_messages_complete_waits(sim: Simulator) -> None:
    alice = sim.line(ALICE)
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        raised = cti.wait_for("error", lambda error: isinstance(error, ZeroDivisionError))
        unreadable = cti.wait_for("error", lambda error: "Unreadable" in type(error).__name__)
        cti.onError = lambda error: None
        cti.ping(lambda err, res: 1 / 0)
        assert isinstance(raised.result(PATIENCE), ZeroDivisionError)
        sim.faults.garbage('a["x"]')
        assert unreadable.result(PATIENCE)


#: The child is refused, and the parent gets its event.
_FORK = """
import os, sys
from keyyo_cti import CTI
cti = CTI(endpoint=sys.argv[1], cookie_auto=False)
cti.create_session("tok").result(40)
future = cti.wait_for("newCall", timeout=60)
child = os.fork()
if not child:
    refused = 0
    for wait in (future.result, cti.ping, lambda: cti.wait_for("newCall")):
        try:
            wait()
        except RuntimeError:
            refused += 1
    os._exit(refused)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
print("forked", flush=True)
print(future.result(40).callref)
cti.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_wait_of_the_parent_is_refused_in_a_forked_child() -> None:
    with ScriptedServer(session) as server:
        program = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", _FORK, server.endpoint],
            stdout=subprocess.PIPE, text=True, env=environment(),
        )
        assert program.stdout is not None
        with program:
            assert program.stdout.readline() == "forked\n"
            server.push(setup())
            assert program.stdout.read() == "c1\n"
        assert program.returncode == 0


def test_wait_that_begins_in_a_signal_handler_works(signals: Any) -> None:
    with ScriptedServer(session) as server:
        cti = opened(server)
        begun: List["Future[Any]"] = []

        def begin() -> None:
            # Under coverage each takes longer than the time to the next signal.
            if len(begun) < 200:
                begun.append(cti.wait_for("newCall", timeout=60))

        signals.start(begin)
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            cti.get_calls()
            cti.wait_for("newCall", timeout=60).cancel()
        signals.stop()
        server.push(setup())
        assert begun and all(future.result(PATIENCE) for future in begun)
        cti.close()
