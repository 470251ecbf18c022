"""Handlers and callbacks: where they run, what they may do, what they see."""

import logging
import queue
import socket
import threading
import time
from typing import Any, Callable, List

import pytest

from keyyo_cti import CTI, Call, dispatch, supervisor
from keyyo_cti.simulator import Line, Simulator

from . import peer as peers
from .peer import Peer
from .probe import PATIENCE, Record, Seen
from .scripted import ScriptedServer, session


def notification(callref: str, state: str = "SETUP", **fields: Any) -> Any:
    return {"notify": "call", "call": dict(fields, callref=callref, state=state)}


def test_order_of_events() -> None:
    """10,000 events and the answers among them are handled in the server's order, each once, on
    one thread, with the state that the event is about."""
    count = 10_000
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint) as cti:
        seen = Record()
        threads = set()

        def new_call(call: Call) -> None:
            threads.add(threading.current_thread().name)
            seen.items.append((call.callref, call.number))
            if call.number == count - 1:
                seen.add("done")

        cti.onNewCall = new_call
        cti.create_session("tok").result(PATIENCE)
        for start in range(0, count, 1000):
            server.push(
                *[notification(str(n % 7), number=n) for n in range(start, start + 1000)]
            )
        seen.wait(lambda items: items[-1:] == ["done"], "the last event")
    assert seen.items[:-1] == [(str(n % 7), n) for n in range(count)]
    assert len(threads) == 1 and "events" in threads.pop()


@pytest.mark.parametrize("kind", ["newCall", "setup", "callback", "disconnected", "error"])
def test_result_inside_a_handler(sim: Simulator, alice: Line, kind: str) -> None:
    """``.result()`` of a new command works inside every kind of handler and callback."""
    results = Record()
    with CTI(endpoint=sim.endpoint) as cti:
        token = sim.token(alice)
        cti.create_session(token).result(PATIENCE)

        def ask(*_: Any) -> None:
            if kind == "disconnected":
                cti.create_session(token).result(PATIENCE)
            results.add(cti.get_subscriptions().result(PATIENCE).numbers)

        if kind == "newCall":
            cti.onNewCall = ask
            sim.phone("33199020000").call(alice)
        elif kind == "setup":
            cti.onNewCall = lambda call: setattr(call, "onSetup", ask)
            sim.phone("33199020000").call(alice)
        elif kind == "callback":
            cti.ping(ask)
        elif kind == "disconnected":
            cti.onDisconnected = ask
            sim.faults.reset()
        else:
            cti.onError = ask
            sim.faults.garbage("a[")
        assert results.wait_for_count(1) == [["33199000001"]]


def test_handler_that_blocks(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler that blocks delays no pong, no Future and no deadline, and is named in a
    warning; what came meanwhile is handled after it."""
    monkeypatch.setattr(dispatch, "SLOW", 0.2)
    monkeypatch.setattr(supervisor.HandlerWatch.__init__, "__defaults__", (0.2,))
    parked, release = threading.Event(), threading.Event()
    warned = threading.Event()

    class Warned(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "has been running" in record.getMessage():
                warned.set()

    handler = Warned()
    logging.getLogger("keyyo_cti").addHandler(handler)
    pongs = Record()

    def serve(sock: socket.socket) -> None:
        peers.open_session(sock)
        sock.sendall(peers.messages(notification("c1")))
        assert parked.wait(PATIENCE)
        for number in range(3):
            sock.sendall(peers.frame(b"%d" % number, opcode=9) + peers.frame("h"))
            pongs.add(peers.read_frame(sock))
        asked = peers.command(sock)
        sock.sendall(peers.messages({"id": asked["id"], "result": 1}, notification("c2")))
        peer.stall(sock)

    def park(call: Call) -> None:
        parked.set()
        release.wait(PATIENCE)

    peer = Peer(peers.info, serve)
    try:
        with peer, CTI(endpoint=peer.endpoint, timeout=5) as cti:
            seen = Seen(cti)
            cti.on("newCall", park)
            cti.create_session("tok").result(PATIENCE)
            assert pongs.wait_for_count(3) == [(10, b"0"), (10, b"1"), (10, b"2")]
            assert cti.ping(seen.callback("ping")).result(PATIENCE) == 1
            assert cti.get_call("c2") is None
            assert warned.wait(PATIENCE)
            assert seen.items == []
            release.set()
            seen.wait_for("newCall", 2)
    finally:
        logging.getLogger("keyyo_cti").removeHandler(handler)
    assert [item[0] for item in seen.items] == ["newCall", "setup", "callback", "newCall", "setup"]
    warnings = [r.getMessage() for r in caplog.records if "has been running" in r.getMessage()]
    assert len(warnings) == 1 and "park" in warnings[0]


def test_deadlines_while_a_handler_blocks() -> None:
    """A command times out on time while a handler blocks, with a full backlog too."""
    parked, release = threading.Event(), threading.Event()

    def park(call: Call) -> None:
        parked.set()
        release.wait(PATIENCE)

    def answer(connection: Any, command: Any) -> None:
        if command["action"] != "call":
            session(connection, command)

    with ScriptedServer(answer) as server:
        with CTI(endpoint=server.endpoint, timeout=0.3, max_backlog=2) as cti:
            cti.create_session("tok").result(PATIENCE)
            cti.onNewCall = park
            server.push(*[notification(str(n)) for n in range(20)])
            assert parked.wait(PATIENCE)
            assert cti.dial("33199020000").exception(PATIENCE) is not None
            release.set()


def test_backlog_stops_the_reader_and_loses_nothing() -> None:
    """With a handler parked, no more than the backlog is read, and the server feels it; once
    the handler goes on, every event is handled."""
    parked, release = threading.Event(), threading.Event()
    total = 3000
    padding = "x" * 2000
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint, max_backlog=50) as cti:
        seen = Record()

        def new_call(call: Call) -> None:
            parked.set()
            assert release.wait(PATIENCE)
            seen.add(call.callref)

        cti.onNewCall = new_call
        cti.create_session("tok").result(PATIENCE)
        for n in range(total):
            server.push(notification(str(n), padding=padding))
        assert parked.wait(PATIENCE)
        dispatcher = cti._switchboard._dispatcher
        assert dispatcher.waiting() <= 51
        release.set()
        seen.wait_for_count(total)
    assert seen.items == [str(n) for n in range(total)]


def test_result_with_a_full_backlog() -> None:
    """A handler gets the answer to its command though more events came before it than may
    wait."""
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint, max_backlog=2) as cti:
        answers = Record()
        pushed = threading.Event()

        def ask(call: Call) -> None:
            assert pushed.wait(PATIENCE)
            answers.add(cti.ping().result(PATIENCE))

        cti.create_session("tok").result(PATIENCE)
        cti.onNewCall = ask
        server.push(*[notification(str(n)) for n in range(20)])
        pushed.set()
        assert answers.wait_for_count(20) == [1] * 20


def test_ping_with_a_full_backlog() -> None:
    """A ping whose answer is behind events for which there is no room is no failure."""
    with ScriptedServer(session) as server:
        with CTI(
            endpoint=server.endpoint, max_backlog=1, ping_interval=0.2, timeout=0.3
        ) as cti:
            seen = Seen(cti)
            slow = threading.Event()
            cti.on("newCall", lambda call: slow.wait(0.2))
            cti.create_session("tok").result(PATIENCE)
            for n in range(12):
                server.push(notification(str(n)))
            seen.wait_for("setup", 12)
            assert seen.of("disconnected") == []


@pytest.mark.parametrize("exception", [ValueError("oops"), SystemExit(3), KeyboardInterrupt()])
def test_handler_that_raises(
    sim: Simulator, alice: Line, caplog: pytest.LogCaptureFixture, exception: BaseException
) -> None:
    """A handler that raises stops nothing: its traceback is logged once, ``error`` tells of it,
    and the next handler and the next event come."""

    def bad(*_: Any) -> None:
        raise exception

    with CTI(endpoint=sim.endpoint) as cti:
        seen = Seen(cti)
        cti.on("newCall", bad)
        cti.create_session(sim.token(alice)).result(PATIENCE)
        bob = sim.phone("33199020000")
        bob.call(alice)
        seen.wait_for("setup")
    assert [item[0] for item in seen.items if item[0] != "error"] == ["newCall", "setup"]
    if not isinstance(exception, KeyboardInterrupt):
        assert seen.of("error") == [("error", exception)]
    records = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(records) == 1
    assert "bad" in records[0].getMessage() and records[0].exc_info


def test_error_handler_that_raises(
    sim: Simulator, alice: Line, caplog: pytest.LogCaptureFixture
) -> None:
    """An error handler that raises is logged, and not told of itself."""

    def bad(*_: Any) -> None:
        raise ValueError("oops")

    with CTI(endpoint=sim.endpoint) as cti:
        answers = Record()
        cti.onError = bad
        cti.create_session(sim.token(alice)).result(PATIENCE)
        cti.ping(bad)
        cti.ping(lambda err, res: answers.add(res))
        answers.wait_for_count(1)
    assert len([r for r in caplog.records if r.levelno >= logging.ERROR]) == 2


def test_events_of_a_life(sim: Simulator, alice: Line) -> None:
    """The page's incoming call: ringing, talking, over; with the durations on the server's
    clock and the same Call object throughout."""
    with CTI(endpoint=sim.endpoint) as cti:
        seen = Seen(cti)
        objects = set()
        cti.on("newCall", lambda call: objects.add(id(call)))
        cti.create_session(sim.token(alice)).result(PATIENCE)
        bob = sim.phone("33199020000")
        bob.call(alice)
        seen.wait_for("setup")
        (call,) = cti.get_calls()
        assert (call.caller, call.callee, call.state) == ("33199020000", "33199000001", "SETUP")
        assert call.answer().result(PATIENCE) == 1
        seen.wait_for("connect")
        assert call.get_duration() >= 0 and call.hang_up().result(PATIENCE) == 1
        seen.wait_for("release")
        assert cti.get_call(call.callref) is call and len(objects) == 1
    assert [item[0] for item in seen.items] == [
        "newCall", "setup", "newCall", "connect", "newCall", "release",
    ]


# The other kinds of dispatch.


def test_manual_dispatch(sim: Simulator, alice: Line) -> None:
    """With manual dispatch everything runs in poll(), in the thread that calls it."""
    cti = CTI(endpoint=sim.endpoint, dispatch="manual")
    threads = set()
    answers: List[Any] = []

    def called(err: Any, res: Any) -> None:
        threads.add(threading.get_ident())
        answers.append((err, res))

    future = cti.create_session(sim.token(alice), called)
    assert future.result(PATIENCE).number == "33199000001"
    assert answers == [], "nothing runs before the poll"
    assert cti.poll(PATIENCE) == 1
    assert len(answers) == 1 and cti.poll() == 0
    cti.onNewCall = lambda call: threads.add(threading.get_ident())
    sim.phone("33199020000").call(alice)
    assert cti.poll(PATIENCE) == 1
    cti.ping(lambda err, res: cti.close())
    assert cti.wait(PATIENCE), "wait() polls"
    assert threads == {threading.get_ident()}


def test_callbacks_owed_after_close_with_manual_dispatch() -> None:
    """A callback that close() owes with manual dispatch comes with the next poll."""
    with ScriptedServer() as server:
        cti = CTI(endpoint=server.endpoint, dispatch="manual")
        errors: List[Any] = []
        cti.create_session("tok", lambda err, res: errors.append(err))
        server.received.wait_for_count(1)
        cti.close()
        assert errors == []
        cti.poll()
        assert len(errors) == 1 and errors[0].sent


def test_foreign_dispatch(sim: Simulator, alice: Line) -> None:
    """With a function as dispatch, that function is handed the work, and runs it where it
    likes."""
    work: "queue.Queue[Callable[[], None]]" = queue.Queue()
    with CTI(endpoint=sim.endpoint, dispatch=work.put) as cti:
        seen = Seen(cti)
        cti.create_session(sim.token(alice), seen.callback())
        work.get(timeout=PATIENCE)()
        seen.wait_for("callback")
        sim.phone("33199020000").call(alice)
        work.get(timeout=PATIENCE)()
        assert [item[0] for item in seen.items] == ["callback", "newCall", "setup"]


def test_foreign_dispatch_that_fails(sim: Simulator, alice: Line) -> None:
    """With a dispatch function that always raises, as that of a closed window does, nobody is
    told, but calls are known and wait() ends."""

    def closed_window(work: Callable[[], None]) -> None:
        raise RuntimeError("main thread is not in main loop")

    cti = CTI(endpoint=sim.endpoint, dispatch=closed_window)
    told: List[Any] = []
    cti.on("newCall, disconnected, error", told.append)
    cti.create_session(sim.token(alice), lambda *answer: told.append(answer)).result(PATIENCE)
    sim.phone("33199020000").call(alice)
    sim.faults.drop()
    assert cti.wait(PATIENCE)
    assert [call.state for call in cti.get_calls()] == ["SETUP"] and told == []


def test_callback_of_a_future_runs_with_the_others(sim: Simulator, alice: Line) -> None:
    """What add_done_callback adds runs where handlers run, not on the reader thread."""
    names = Record()
    with CTI(endpoint=sim.endpoint) as cti:
        future = cti.create_session(sim.token(alice))
        future.add_done_callback(lambda done: names.add(threading.current_thread().name))
        future.result(PATIENCE)
        future.add_done_callback(lambda done: names.add(threading.current_thread().name))
        names.wait_for_count(2)
        assert not future.cancel()
    assert all("events" in name for name in names.items)


def test_methods_while_a_callback_is_parked(sim: Simulator, alice: Line) -> None:
    """While a handler is parked, every method that does not wait returns in another thread: no
    lock is held while user code runs."""
    parked, release = threading.Event(), threading.Event()
    with CTI(endpoint=sim.endpoint) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)

        def park(call: Call) -> None:
            parked.set()
            release.wait(PATIENCE)

        cti.onNewCall = park
        sim.phone("33199020000").call(alice)
        assert parked.wait(PATIENCE)
        done = threading.Event()

        def use_everything() -> None:
            (call,) = cti.get_calls()
            cti.get_call(call.callref)
            for ask in (cti.ping, cti.get_subscriptions, call.answer, call.hang_up):
                ask().exception(PATIENCE)
            cti.on("newCall", print)
            cti.off("newCall", print)
            call.on("release", print)
            assert cti.connected and cti.number and cti.session_id and repr(cti) and repr(call)
            cti.session_exists()
            assert not cti.wait(0.01)
            done.set()

        other = threading.Thread(target=use_everything)
        other.start()
        assert done.wait(PATIENCE)
        release.set()
        other.join(PATIENCE)


def test_wait_inside_a_handler(sim: Simulator, alice: Line) -> None:
    """wait() inside a handler is refused: it would wait for itself."""
    errors = Record()
    with CTI(endpoint=sim.endpoint) as cti:
        cti.onError = errors.add
        cti.create_session(sim.token(alice), lambda err, res: cti.wait()).result(PATIENCE)
        (error,) = errors.wait_for_count(1)
    assert isinstance(error, RuntimeError)


def test_threads_stay_two() -> None:
    """A CTI has two threads, however many events come."""
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint) as cti:
        before = threading.active_count()
        seen = Record()
        cti.onNewCall = lambda call: seen.add(threading.active_count())
        cti.create_session("tok").result(PATIENCE)
        began = time.monotonic()
        for _ in range(10):
            server.push(*[notification(str(n)) for n in range(100)])
        seen.wait_for_count(1000)
        assert time.monotonic() - began < PATIENCE
        assert max(seen.items) <= before + 2
