"""``close()`` in every phase of opening, and from every kind of handler."""

import contextlib
import logging
import queue
import socket
import ssl
import threading
import time
from typing import Any, Callable, List, Optional

import pytest
import trustme
from websocket import ABNF

from keyyo_cti import CTI, ConnectionClosed
from keyyo_cti.simulator import Line, Simulator

from ..helpers import tcp_peer as peers
from ..helpers.probe import PATIENCE, Record, Seen, eventually
from ..helpers.scripted_server import ScriptedServer, session
from ..helpers.tcp_peer import Peer
from .conftest import websocket_only
from .occasions import OCCASIONS, scene

#: Seconds in which close() is to return where no handler is in its way.
AT_ONCE = 8.0

#: Where it waits for a handler as long as it may; with some room for a loaded machine.
SOON = 8.0

#: Less than it waits for a handler at most.
NOT_WAITING = 1.5

pytestmark = [
    pytest.mark.usefixtures("transport"), pytest.mark.promise(5),
]

Close = Callable[[CTI], None]


@pytest.fixture(params=[1, 2], ids=["one closes", "two close"])
def close_and_look(request: pytest.FixtureRequest) -> Close:
    """Closes, in one thread or in two at the same moment, and asserts that each was quick and
    saw no thread left."""

    def close_and_look(cti: CTI) -> None:
        barrier = threading.Barrier(request.param)
        closed = Record()

        def close() -> None:
            barrier.wait(PATIENCE)
            began = time.monotonic()
            cti.close()
            closed.add((time.monotonic() - began, ours()))

        threads = [threading.Thread(target=close) for _ in range(request.param)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert [left for _, left in closed.items] == [[]] * request.param
        assert max(took for took, _ in closed.items) < AT_ONCE

    return close_and_look


def ours() -> List[str]:
    """The names of the threads that a CTI has; not of one that looks up a name, which nobody can
    interrupt."""
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith("keyyo-cti") and "resolver" not in name]


def closed_while_opening(cti: CTI, reached: threading.Event, close_and_look: Close) -> None:
    """Opens as far as it gets, and closes: the end is told once, and is no event."""
    seen = Seen(cti)
    cti.create_session("tok", seen.callback())
    assert reached.wait(PATIENCE)
    close_and_look(cti)
    ((_, _, error, _),) = seen.items
    assert isinstance(error, ConnectionClosed) and not error.sent


@pytest.mark.fault(1)
def test_close_while_looking_up(
    close_and_look: Close, monkeypatch: pytest.MonkeyPatch
) -> None:
    """close() does not wait for a name server that does not answer."""
    reached, over = threading.Event(), threading.Event()
    look_up = socket.getaddrinfo

    def deaf(host: Any, *arguments: Any, **named: Any) -> Any:
        if named.get("flags"):
            return look_up(host, *arguments, **named)
        reached.set()
        over.wait(PATIENCE)
        raise socket.gaierror("too late")

    monkeypatch.setattr(socket, "getaddrinfo", deaf)
    try:
        closed_while_opening(CTI(endpoint="https://name.invalid/cti"), reached, close_and_look)
    finally:
        over.set()


@pytest.mark.fault(1)
def test_close_while_connecting(close_and_look: Close) -> None:
    """close() does not wait for a host that does not answer TCP."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        # The queue of a listener that accepts nobody fills up; further ones get no answer.
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        reached = threading.Event()
        reached.set()
        endpoint = f"http://127.0.0.1:{full.getsockname()[1]}/cti"
        closed_while_opening(CTI(endpoint=endpoint), reached, close_and_look)
        for sock in waiting:
            sock.close()


def handshake_stalls(sock: socket.socket) -> None:
    peers.request(sock)


def open_stalls(sock: socket.socket) -> None:
    peers.upgrade(sock)


@websocket_only
@pytest.mark.fault(1)
@pytest.mark.parametrize("script", [handshake_stalls, open_stalls])
def test_close_before_the_opening_frame(
    close_and_look: Close, script: Callable[[socket.socket], None]
) -> None:
    """close() works while the websocket's handshake, or the opening frame, does not come."""
    stalled = threading.Event()

    def serve(sock: socket.socket) -> None:
        script(sock)
        stalled.set()
        peer.stall(sock)

    peer = Peer(peers.info, serve)
    with peer:
        closed_while_opening(CTI(endpoint=peer.endpoint), stalled, close_and_look)


@pytest.mark.fault(1)
def test_close_while_the_info_stalls(close_and_look: Close) -> None:
    """close() works while the server accepts and says nothing."""
    peer = Peer(lambda sock: peer.stall(sock))
    with peer:
        closed_while_opening(CTI(endpoint=peer.endpoint), peer.reached, close_and_look)


@pytest.mark.fault(1)
def test_close_during_the_tls_handshake(close_and_look: Close) -> None:
    """close() works while the server accepts TCP and speaks no TLS."""
    peer = Peer(lambda sock: peer.stall(sock))
    with peer:
        endpoint = f"https://127.0.0.1:{peer.port}/cti"
        closed_while_opening(CTI(endpoint=endpoint), peer.reached, close_and_look)


@websocket_only
@pytest.mark.fault(1)
def test_close_while_tls_is_open_and_silent(close_and_look: Close) -> None:
    """close() works on a TLS connection whose server has gone deaf."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def serve(sock: socket.socket) -> None:
        peers.open_session(sock)
        peer.stall(sock)

    peer = Peer(peers.info, serve, tls=context)
    with authority.cert_pem.tempfile() as ca_certs, peer:
        cti = CTI(endpoint=peer.endpoint, ca_certs=ca_certs)
        seen = Seen(cti)
        cti.create_session("tok").result(PATIENCE)
        close_and_look(cti)
        assert seen.items == []


@pytest.mark.fault(1)
def test_close_when_nothing_was_opened(close_and_look: Close) -> None:
    """close() on a CTI that never connected does nothing, more than once."""
    cti = CTI()
    seen = Seen(cti)
    close_and_look(cti)
    close_and_look(cti)
    assert seen.items == []


@pytest.mark.fault(1)
def test_close_while_open(close_and_look: Close, sim: Simulator, alice: Line) -> None:
    """close() says goodbye: the server sees the session left, and no event comes of it."""
    cti = CTI(endpoint=sim.endpoint)
    seen = Seen(cti)
    cti.create_session(sim.token(alice)).result(PATIENCE)
    close_and_look(cti)
    sim.wait_for_session(alice, counter=0)
    assert not cti.connected and seen.items == []


def test_close_answers_what_waits(close_and_look: Close) -> None:
    """Commands that wait when close() comes are answered before it returns, in order."""
    with ScriptedServer() as server:
        cti = CTI(endpoint=server.endpoint)
        seen = Seen(cti)
        cti.create_session("tok", seen.callback(0))
        server.received.wait_for_count(1)
        for number in range(1, 11):
            cti.get_subscriptions(seen.callback(number))
        close_and_look(cti)
    assert [item[1] for item in seen.of("callback")] == list(range(11))
    assert all(error.sent for _, _, error, _ in seen.of("callback"))


@pytest.mark.slow
def test_close_with_a_full_backlog() -> None:
    """close() wakes a reader that waits for a handler to make room."""
    parked, release = threading.Event(), threading.Event()
    with ScriptedServer(session) as server:
        cti = CTI(endpoint=server.endpoint, max_backlog=1)

        def park(call: Any) -> None:
            parked.set()
            release.wait(PATIENCE)

        cti.onNewCall = park
        cti.create_session("tok").result(PATIENCE)
        server.push(*[{"notify": "call", "call": {"callref": str(n)}} for n in range(10)])
        assert parked.wait(PATIENCE)
        began = time.monotonic()
        cti.close()
        assert time.monotonic() - began < SOON
        release.set()


@pytest.mark.fault(3)
@pytest.mark.parametrize("occasion", OCCASIONS)
def test_close_in_a_handler(
    sim: Simulator, alice: Line, caplog: pytest.LogCaptureFixture, occasion: str
) -> None:
    """close() inside every kind of handler and callback returns soon, with no error, leaves no
    thread, and no handler starts after it."""
    close_on(occasion, sim, alice)
    check_log(caplog, occasion)


@websocket_only
@pytest.mark.fault(3)
@pytest.mark.parametrize("occasion", OCCASIONS)
@pytest.mark.parametrize("dispatch", ["polled", "handed over", "handed over and done at once"])
def test_close_in_a_handler_elsewhere(
    sim: Simulator,
    alice: Line,
    caplog: pytest.LogCaptureFixture,
    dispatch: str,
    occasion: str,
) -> None:
    """The same where handlers run in ``poll()``, or in a loop of the program's."""
    work: "queue.Queue[Optional[Callable[[], None]]]" = queue.Queue()
    if dispatch == "polled":
        close_on(occasion, sim, alice, dispatch="manual")
    elif dispatch == "handed over":
        loop = threading.Thread(target=lambda: [each() for each in iter(work.get, None)])
        loop.start()
        close_on(occasion, sim, alice, dispatch=work.put)
        work.put(None)
        loop.join(PATIENCE)
        assert not loop.is_alive()
    else:
        close_on(occasion, sim, alice, dispatch=lambda each: each())
    check_log(caplog, occasion)


def close_on(occasion: str, sim: Simulator, alice: Line, **options: Any) -> None:
    """Closes on that occasion, and looks what became of it."""
    seen = scene(sim, alice, occasion, **options)
    cti, done, late = seen.cti, Record(), Record()

    def close(*_: Any) -> None:
        began = time.monotonic()
        cti.close()
        cti.on("newCall, disconnected, error", lambda *event: late.add(event))
        done.add(time.monotonic() - began)

    OCCASIONS[occasion](seen, close)
    if options.get("dispatch") == "manual":
        while not done.items:
            assert cti.poll(PATIENCE), "nothing to do"
    done.wait_for_count(1)
    assert cti.wait(PATIENCE)
    assert len(done.items) == 1 and done.items[0] < NOT_WAITING
    assert late.items == [] and not cti.connected


def check_log(caplog: pytest.LogCaptureFixture, occasion: str) -> None:
    """No error is logged but the one that was the occasion."""
    errors = [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR]
    assert ["bad" in each for each in errors] == [True] * (occasion == "handler that raises")


@pytest.mark.slow
def test_no_handler_after_close_returned() -> None:
    """Events that wait behind a handler which outlasts close() are not handled any more, but
    every callback still comes."""
    parked, release = threading.Event(), threading.Event()
    with ScriptedServer(session) as server:
        cti = CTI(endpoint=server.endpoint)
        cti.create_session("tok").result(PATIENCE)
        handled: List[str] = []

        def park(call: Any) -> None:
            handled.append(call.callref)
            parked.set()
            release.wait(PATIENCE)

        cti.onNewCall = park
        server.push(*[{"notify": "call", "call": {"callref": str(n)}} for n in range(3)])
        assert parked.wait(PATIENCE)
        answers = Record()
        cti.ping(lambda err, res: answers.add(res))
        server.received.wait_for_count(2)
        cti.close()
        release.set()
        answers.wait_for_count(1)
    assert handled == ["0"]


@pytest.mark.parametrize("dispatch", ["manual", "function"])
def test_handler_about_to_start_elsewhere_runs_before_close_returns(
    dispatch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread of the program has found that the handler may start, but not called it yet."""
    work: "queue.Queue[Callable[[], None]]" = queue.Queue()
    order = Record()
    chosen, start = threading.Event(), threading.Event()
    with ScriptedServer(session) as server:
        options: Any = "manual" if dispatch == "manual" else work.put
        cti = CTI(endpoint=server.endpoint, dispatch=options)
        opened = cti.create_session("tok")

        def run() -> None:
            if dispatch == "manual":
                cti.poll(0.05)
                return
            with contextlib.suppress(queue.Empty):
                work.get(timeout=0.05)()

        while not opened.done():
            run()
        call = cti._client._dispatcher.call

        def slow_call(*arguments: Any, **named: Any) -> bool:
            chosen.set()
            start.wait(PATIENCE)
            return call(*arguments, **named)

        monkeypatch.setattr(cti._client._dispatcher, "call", slow_call)
        cti.onNewCall = lambda call: order.add("handled")
        server.push({"notify": "call", "call": {"callref": "1"}})

        def run_until_handled() -> None:
            while not order.items:
                run()

        runner = threading.Thread(target=run_until_handled)
        runner.start()
        assert chosen.wait(PATIENCE)

        def close() -> None:
            cti.close()
            order.add("closed")

        closer = threading.Thread(target=close)
        closer.start()
        # Until close() waits for the handler, or has returned.
        eventually(lambda: order.items or cti._client._dispatcher._work_ended.waiters)
        start.set()
        closer.join(PATIENCE)
        runner.join(PATIENCE)
    assert order.items == ["handled", "closed"]


@pytest.mark.slow
@pytest.mark.fault(1)
def test_close_somewhere_on_the_way(
    close_and_look: Close, sim: Simulator, alice: Line
) -> None:
    """close() at whatever moment of the opening comes to the same: one answer, no event."""
    for _ in range(20):
        cti = CTI(endpoint=sim.endpoint)
        seen = Seen(cti)
        cti.create_session(sim.token(alice), seen.callback())
        close_and_look(cti)
        assert [item[0] for item in seen.items] == ["callback"] and not cti.connected


@websocket_only
@pytest.mark.parametrize("by_server", [True, False])
def test_one_close_frame(by_server: bool) -> None:
    """The client sends one close frame, be it the first or the answer."""
    frames = Record()

    def serve(sock: socket.socket) -> None:
        peers.open_session(sock)
        if by_server:
            sock.sendall(peers.frame(b"\x03\xe8", opcode=ABNF.OPCODE_CLOSE))
        frames.add(peers.read_frame(sock))
        if not by_server:
            sock.sendall(peers.frame(b"\x03\xe8", opcode=ABNF.OPCODE_CLOSE))
        frames.add(sock.recv(100))

    with Peer(peers.info, serve) as peer:
        cti = CTI(endpoint=peer.endpoint)
        seen = Seen(cti)
        cti.create_session("tok").result(PATIENCE)
        if by_server:
            seen.wait_for("disconnected")
        cti.close()
        assert frames.wait_for_count(2) == [(ABNF.OPCODE_CLOSE, b"\x03\xe8"), b""]


@pytest.mark.slow
@websocket_only
def test_answers_that_come_after_close() -> None:
    """The answer to create_session that comes during the goodbye does not connect a closed CTI,
    and a later session that is refused still ends wait()."""

    def serve(sock: socket.socket) -> None:
        peers.upgrade(sock)
        sock.sendall(peers.frame("o"))
        asked = peers.command(sock)
        come.set()
        opcode, _ = peers.read_frame(sock)
        assert opcode == ABNF.OPCODE_CLOSE
        result = {"number": "33199000001", "now": 1, "session_id": "late"}
        sock.sendall(peers.messages({"id": asked["id"], "result": result}))
        sock.sendall(peers.frame(b"", opcode=ABNF.OPCODE_CLOSE))

    def refuse(sock: socket.socket) -> None:
        peers.upgrade(sock)
        sock.sendall(peers.frame("o"))
        asked = peers.command(sock)
        error = {"status_code": 400, "message": "Invalid token"}
        sock.sendall(peers.messages({"id": asked["id"], "error": error}))
        peer.stall(sock)

    come = threading.Event()
    peer = Peer(peers.info, serve, peers.info, refuse)
    with peer:
        cti = CTI(endpoint=peer.endpoint)
        future = cti.create_session("tok")
        assert come.wait(PATIENCE)
        cti.close()
        assert future.done() and not cti.connected and cti.session_id is None
        assert cti.create_session("bad").exception(PATIENCE) is not None
        assert not cti.connected and cti.wait(PATIENCE)


@pytest.mark.slow
def test_destroyed_after_close(sim: Simulator, alice: Line) -> None:
    """Sessions that are opened, destroyed and closed at random never leave a CTI that says it
    is connected and is not."""
    token = sim.token(alice)
    cti = CTI(endpoint=sim.endpoint)
    for number in range(40):
        cti.create_session(token)
        if number % 3 == 1:
            cti.destroy_session()
        if number % 4 == 3:
            cti.create_session(token).exception(PATIENCE)
        cti.close()
        assert not cti.connected
    assert cti.wait(PATIENCE)
    cti.create_session(token).result(PATIENCE)
    assert cti.connected
    cti.close()
