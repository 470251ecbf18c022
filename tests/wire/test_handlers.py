"""Handlers and callbacks: where they run, what they may do, what they see."""

import logging
import queue
import socket
import threading
from concurrent.futures import Future
from functools import partial
from operator import methodcaller
from random import Random
from typing import Any, Callable, Dict, List, Optional, Type

import pytest

from keyyo_cti import CTI, Call
from keyyo_cti._client import dispatch, keepalive
from keyyo_cti.simulator import Line, Simulator

from ..helpers import tcp_peer as peers
from ..helpers.cti_threads import cti_threads
from ..helpers.methods import METHODS, Method
from ..helpers.probe import PATIENCE, Record, Seen
from ..helpers.scripted_server import ScriptedServer, session
from ..helpers.tcp_peer import Peer
from .occasions import OCCASIONS, scene


def notification(callref: str, state: str = "SETUP", **fields: Any) -> Any:
    return {"notify": "call", "call": dict(fields, callref=callref, state=state)}


@pytest.mark.fault(18)
@pytest.mark.promise(3)
def test_order_of_events() -> None:
    """10,000 events and the answers among them are handled in the server's order, each once,
    with the state that the event is about, whatever time a handler takes; all on one thread,
    and a CTI has two threads, however many events come."""
    count, random, pause = 10_000, Random(18), threading.Event()
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint) as cti:
        handled, threads, before = Record(), set(), len(cti_threads())

        def answered(start: int, *_: Any) -> None:
            handled.add(("answer", start))

        def new_call(call: Call) -> None:
            threads.add((threading.current_thread().name, len(cti_threads())))
            if random.random() < 0.05:
                pause.wait(random.random() / 500)
            handled.items.append((call.callref, call["number"]))

        cti.onNewCall = new_call
        cti.create_session("tok").result(PATIENCE)
        for start in range(0, count, 1000):
            numbers = range(start, start + 1000)
            server.push(*[notification(str(n % 7), number=n) for n in numbers])
            cti.ping(partial(answered, start))
        handled.wait(lambda items: ("answer", count - 1000) in items[-1:], "the last answer")
    events = [item for item in handled.items if item[0] != "answer"]
    assert events == [(str(n % 7), n) for n in range(count)]
    answers = {item[1]: at for at, item in enumerate(handled.items) if item[0] == "answer"}
    assert list(answers) == list(range(0, count, 1000))
    # The first answer has a thousand events before it, the second two thousand and an answer.
    assert all(at >= start + 1000 + start // 1000 for start, at in answers.items())
    assert threads == {(f"keyyo-cti-events-{cti._client._number}", before + 2)}


@pytest.mark.fault(16)
@pytest.mark.promise(4)
@pytest.mark.parametrize("occasion", OCCASIONS)
@pytest.mark.parametrize("dispatch", [None, "manual"], ids=["event thread", "polled"])
def test_result_inside_a_handler(
    sim: Simulator, alice: Line, dispatch: Optional[str], occasion: str
) -> None:
    """``.result()`` of a new command works inside every kind of handler and callback."""
    opened = scene(sim, alice, occasion, dispatch=dispatch)
    token, results, cti = sim.token(alice), Record(), opened.cti

    def ask(*_: Any) -> None:
        if not cti.connected:
            cti.create_session(token).result(PATIENCE)
        results.add(cti.get_subscriptions().result(PATIENCE).numbers)

    with cti:
        OCCASIONS[occasion](opened, ask)
        if dispatch == "manual":
            while not results.items:
                assert cti.poll(PATIENCE), "nothing to do"
        assert results.wait_for_count(1) == [["33199000001"]]


@pytest.mark.fault(14)
@pytest.mark.promise(4)
def test_handler_that_blocks(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler that blocks delays no pong, no Future and no deadline, and is named in a
    warning; what came meanwhile is handled after it."""
    monkeypatch.setattr(dispatch, "SLOW", 0.2)
    monkeypatch.setattr(keepalive.HandlerWatch.__init__, "__defaults__", (0.2,))
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
            second = cti.get_call("c2")
            assert second is not None and second.state == "SETUP"
            assert warned.wait(PATIENCE)
            assert seen.items == []
            release.set()
            seen.wait_for("newCall", 2)
    finally:
        logging.getLogger("keyyo_cti").removeHandler(handler)
    assert [item[0] for item in seen.items] == ["newCall", "setup", "callback", "newCall", "setup"]
    warnings = [r.getMessage() for r in caplog.records if "has been running" in r.getMessage()]
    assert len(warnings) == 1 and "park" in warnings[0]


@pytest.mark.fault(14)
@pytest.mark.promise(4)
@pytest.mark.usefixtures("transport")
def test_pings_while_a_handler_blocks() -> None:
    """While a handler blocks, pings go out on time, on any transport, and the connection is
    kept."""
    parked, release = threading.Event(), threading.Event()

    def park(call: Call) -> None:
        parked.set()
        release.wait(PATIENCE)

    with ScriptedServer(session, heartbeat=0.1) as server:
        with CTI(endpoint=server.endpoint, ping_interval=0.2) as cti:
            seen = Seen(cti)
            cti.on("newCall", park)
            cti.create_session("tok").result(PATIENCE)
            server.push(notification("c1"))
            assert parked.wait(PATIENCE)
            server.received.wait_for_count(4)
            assert cti.connected and seen.items == []
            release.set()
            server.push(notification("c2"))
            seen.wait_for("newCall", 2)
        assert [item[0] for item in seen.items] == ["newCall", "setup"] * 2
        assert [each["action"] for each in server.received.items[1:4]] == ["ping"] * 3


@pytest.mark.promise(4)
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


@pytest.mark.fault(29)
@pytest.mark.usefixtures("transport")
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
        for start in range(0, total, 50):
            numbers = range(start, start + 50)
            server.push(*[notification(str(n), padding=padding) for n in numbers])
        assert parked.wait(PATIENCE)
        dispatcher = cti._client._dispatcher
        assert dispatcher.waiting() <= 51
        release.set()
        seen.wait_for_count(total)
    assert seen.items == [str(n) for n in range(total)]


@pytest.mark.fault(16)
@pytest.mark.promise(4)
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


@pytest.mark.fault(15)
@pytest.mark.promise(4)
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


@pytest.mark.fault(15)
@pytest.mark.promise(4)
@pytest.mark.parametrize("kind", [ValueError, SystemExit])
@pytest.mark.parametrize("occasion", ["newCall", "setup", "callback", "future"])
def test_error_handler_that_raises(
    caplog: pytest.LogCaptureFixture, occasion: str, kind: Type[BaseException]
) -> None:
    """Where the handler of event n raises, and the error handler that is told of it raises too,
    event n + 1 is handled; each of the two is logged once with its traceback, and the error
    handler is not told of itself."""
    told: List[BaseException] = []
    handled = Record()

    def bad(*_: Any) -> None:
        raise kind("n")

    def bad_error_handler(error: BaseException) -> None:
        told.append(error)
        raise kind("the error handler")

    def new_call(call: Call) -> None:
        call.onSetup = None
        if call.callref == "n + 1":
            handled.add(call.callref)
        elif occasion == "newCall":
            bad()
        elif occasion == "setup":
            call.onSetup = bad

    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint) as cti:
        cti.onError, cti.onNewCall = bad_error_handler, new_call
        cti.create_session("tok").result(PATIENCE)
        if occasion == "callback":
            cti.ping(bad)
        elif occasion == "future":
            cti.ping().add_done_callback(bad)
        else:
            server.push(notification("n"))
        cti.ping(lambda err, res: handled.add(res))
        handled.wait_for_count(1)
        server.push(notification("n + 1"))
        assert handled.wait_for_count(2) == [1, "n + 1"]
    assert [str(error) for error in told] == ["n"] and isinstance(told[0], kind)
    records = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [str(record.exc_info and record.exc_info[1]) for record in records] == [
        "n", "the error handler",
    ]


@pytest.mark.promise(3)
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


@pytest.mark.fault(35)
@pytest.mark.parametrize("occasion", OCCASIONS)
def test_handlers_run_in_the_thread_that_polls(
    sim: Simulator, alice: Line, occasion: str
) -> None:
    """With manual dispatch every kind of handler and callback runs in the thread that calls
    poll(), whichever that is, and in no other, and not before."""
    opened = scene(sim, alice, occasion, dispatch="manual")
    threads, quiet = Record(), threading.Event()

    def handler(*_: Any) -> None:
        threads.add(threading.current_thread())

    def poll() -> None:
        while not threads.items:
            assert opened.cti.poll(PATIENCE), "nothing to do"

    with opened.cti:
        OCCASIONS[occasion](opened, handler)
        assert not quiet.wait(0.05) and threads.items == []
        polling = threading.Thread(target=poll, name="a window's")
        polling.start()
        polling.join(PATIENCE)
    assert threads.items == [polling]


@pytest.mark.fault(35)
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


@pytest.mark.promise(1)
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
    told, but calls are known and wait() ends: no handler can restore."""

    def closed_window(work: Callable[[], None]) -> None:
        raise RuntimeError("main thread is not in main loop")

    cti = CTI(endpoint=sim.endpoint, dispatch=closed_window)
    told: List[Any] = []
    cti.on("newCall, disconnected, error", lambda *event: told.append(event))
    cti.create_session(sim.token(alice), lambda *answer: told.append(answer)).result(PATIENCE)
    sim.phone("33199020000").call(alice)
    sim.faults.drop()
    assert cti.wait(PATIENCE)
    assert [call.state for call in cti.get_calls()] == ["SETUP"] and told == []


@pytest.mark.fault(82)
def test_dispatch_that_fails_once_does_not_take_a_call_back(sim: Simulator, alice: Line) -> None:
    """The dispatch function raises for the later of two events while the earlier one waits in the
    program's queue: what handlers see of the call stays at the later one."""
    work: "queue.Queue[Callable[[], None]]" = queue.Queue()
    refused, seen = Record(), Record()

    def dispatch(piece: Callable[[], None]) -> None:
        if refuses.is_set():
            refuses.clear()
            refused.add(piece)
            raise RuntimeError("the queue is full")
        work.put(piece)

    refuses = threading.Event()
    with CTI(endpoint=sim.endpoint, dispatch=dispatch) as cti:
        cti.onNewCall = lambda call: seen.add(call.state)
        cti.create_session(sim.token(alice)).result(PATIENCE)
        bob = sim.phone("33199020000")
        bob.call(alice)
        setup = work.get(timeout=PATIENCE)
        refuses.set()
        bob.hang_up()
        refused.wait_for_count(1)
        assert cti.ping(lambda error, result: seen.add(cti.get_calls()[0].state)).result(PATIENCE)
        callback = work.get(timeout=PATIENCE)
        setup()
        callback()
        assert seen.items == ["MISSED", "MISSED"]


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


def sends(method: Method) -> Callable[[Any], object]:
    """Return what calls a method that sends a command."""
    def call(target: Any) -> object:
        arguments = dict(method.uses[0].arguments)
        if "second_call" in arguments:
            arguments["second_call"] = target
        return getattr(target, method.name)(**arguments)

    return call


#: What every public name is tried with. None is for what is not called: an event's attribute is
#: set, another one is read.
EVERY_NAME: Dict[str, Dict[str, Optional[Callable[[Any], object]]]] = {
    "CTI": {
        "session_exists": lambda cti: cti.session_exists(),
        "get_calls": lambda cti: cti.get_calls(),
        "get_call": lambda cti: cti.get_call("c1"),
        "wait": lambda cti: cti.wait(0),
        "poll": lambda cti: pytest.raises(RuntimeError, cti.poll),
        "health": lambda cti: str(cti.health()),
        "wait_for": lambda cti: cti.wait_for("newCall", timeout=0.05),
        "same_number": lambda cti: cti.same_number("0199020000", "33199020000"),
        **dict.fromkeys(("connected", "number", "session_id", "transport")),
        **dict.fromkeys(("onNewCall", "onDisconnected", "onRestored", "onLost", "onError")),
        **dict.fromkeys(("onConversationEnded", "onCaughtUp")),
    },
    "Call": {
        "get_duration": lambda call: call.get_duration(),
        "get_ringing_duration": lambda call: call.get_ringing_duration(),
        "get": lambda call: call.get("caller"),
        "keys": lambda call: call.keys(),
        "wait_for": lambda call: call.wait_for("connect", 0.05),
        **dict.fromkeys(("direction", "line", "other", "other_side", "hidden", "active")),
        "answered": None,
        **dict.fromkeys(("callref", "type", "fields", "ended", "stale", "conversation", "update")),
        **dict.fromkeys(("onSetup", "onConnect", "onRelease", "onMissed")),
    },
}
for cls, event in ((CTI, "newCall"), (Call, "setup")):
    EVERY_NAME[cls.__name__].update({
        **{name: methodcaller(name, event, print)
           for name in ("on", "off", "addEventListener", "removeEventListener")},
        "handlers": methodcaller("handlers", event),
        "EVENTS": None,
        **{each.name: sends(each) for each in METHODS if each.owner == cls.__name__},
    })

#: Those that may wait: see their docstrings.
WAITING = {"close"}


def use(target: Any, names: Dict[str, Optional[Callable[[Any], object]]]) -> None:
    """Uses all that an object has for the public, and waits for what is answered."""
    answers = []
    for name, call in names.items():
        if call is not None:
            answers.append(call(target))
        elif name.startswith("on"):
            setattr(target, name, getattr(target, name))
        elif name != "update":
            getattr(target, name)
    assert repr(target)
    for answer in answers:
        if isinstance(answer, Future):
            answer.exception(PATIENCE)


@pytest.mark.fault(17)
@pytest.mark.parametrize("cls", [CTI, Call])
def test_all_methods_are_tried(cls: Any) -> None:
    """The test below knows every public name."""
    public = {name for name in dir(cls) if not name.startswith("_")}
    assert public - WAITING == set(EVERY_NAME[cls.__name__])


@pytest.mark.fault(17)
@pytest.mark.promise(4)
@pytest.mark.parametrize("occasion", OCCASIONS)
def test_methods_while_a_callback_is_parked(
    sim: Simulator, alice: Line, occasion: str
) -> None:
    """While a handler or callback of any kind is parked, every public method that does not wait
    returns in another thread, and its answer comes: no lock is held while user code runs."""
    parked, release, done = threading.Event(), threading.Event(), threading.Event()
    opened = scene(sim, alice, occasion)
    known = Call(opened.cti._client, "c1")

    def park(*_: Any) -> None:
        parked.set()
        release.wait(PATIENCE)

    def use_everything() -> None:
        use(opened.cti, EVERY_NAME["CTI"])
        use(known, EVERY_NAME["Call"])
        done.set()

    with opened.cti:
        OCCASIONS[occasion](opened, park)
        assert parked.wait(PATIENCE)
        other = threading.Thread(target=use_everything)
        other.start()
        try:
            assert done.wait(PATIENCE)
        finally:
            release.set()
            other.join(PATIENCE)


@pytest.mark.fault(16)
def test_wait_inside_a_handler(sim: Simulator, alice: Line) -> None:
    """wait() inside a handler is refused: it would wait for itself."""
    errors = Record()
    with CTI(endpoint=sim.endpoint) as cti:
        cti.onError = errors.add
        cti.create_session(sim.token(alice), lambda err, res: cti.wait()).result(PATIENCE)
        (error,) = errors.wait_for_count(1)
    assert isinstance(error, RuntimeError)
