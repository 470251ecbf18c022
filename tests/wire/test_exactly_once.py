"""Every command's callback is called exactly once, and no command is written twice."""

import json
import operator
import socket
import threading
import time
from contextlib import suppress
from typing import Any, Callable, Dict, List

import pytest

from keyyo_cti import CTI, CommandTimeout, ConnectionClosed, KeyyoError
from keyyo_cti.simulator import Line, Simulator
from keyyo_cti.simulator.sockjs import Connection

from ..helpers import tcp_peer as peers
from ..helpers.in_full import in_full
from ..helpers.probe import PATIENCE, Record, Seen
from ..helpers.scripted_server import ScriptedServer, reply, session
from ..helpers.tcp_peer import Peer
from .conftest import websocket_only

pytestmark = [pytest.mark.usefixtures("transport"), pytest.mark.promise(1)]


@pytest.mark.fault(12)
def test_reset_with_a_hundred_in_flight(sim: Simulator, alice: Line) -> None:
    """Of 100 commands in flight from four threads when the peer resets the connection, 100
    callbacks come, once each, and then ``disconnected`` once."""
    sim.faults.ignore("get_subscriptions")
    with CTI(endpoint=sim.endpoint) as cti:
        seen = Seen(cti)
        cti.create_session(sim.token(alice)).result(PATIENCE)
        start = threading.Barrier(4)

        def ask(thread: int) -> None:
            start.wait(PATIENCE)
            for number in range(25):
                cti.get_subscriptions(seen.callback((thread, number)))

        threads = [threading.Thread(target=ask, args=(thread,)) for thread in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        sim.wait_for_action("get_subscriptions", count=100)
        session: Any = cti._client._sessions.current
        connection = session.connection
        sim.faults.reset()
        seen.wait_for("disconnected")
        assert connection._pending.close() == []
    answered = [name for _, name, _, _ in seen.of("callback")]
    assert sorted(answered) == [(thread, n) for thread in range(4) for n in range(25)]
    for asker in range(4):
        assert [n for t, n in answered if t == asker] == list(range(25)), "the order asked"
    assert all(error.sent for _, _, error, _ in seen.of("callback"))
    assert seen.items[-1] == ("disconnected",) and len(seen.of("disconnected")) == 1
    assert len(seen.items) == 101


@pytest.mark.slow
@pytest.mark.fault(12)
@pytest.mark.promise(2)
def test_reset_while_threads_are_asking() -> None:
    """A connection that breaks while four threads send: whether a command was before, in or
    after the break, its callback comes once, and what was never written says so."""
    total, each = 0, 200

    def answer(connection: Connection, command: Dict[str, Any]) -> None:
        session(connection, command)
        if command["id"] == 100:
            connection.reset()

    for _ in range(5):
        with ScriptedServer(answer) as server, CTI(endpoint=server.endpoint) as cti:
            seen = Seen(cti)
            cti.create_session("tok").result(PATIENCE)
            start = threading.Barrier(4)

            def ask(thread: int) -> None:
                start.wait(PATIENCE)
                for number in range(each):
                    cti.dial("33199020000", seen.callback((thread, number)))

            threads = [threading.Thread(target=ask, args=(thread,)) for thread in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(PATIENCE)
            seen.wait_for("callback", 4 * each)
            seen.wait_for("disconnected")
            names = [name for _, name, _, _ in seen.of("callback")]
            assert len(names) == len(set(names)) == 4 * each
            arrived = len(server.received.items) - 1
            unsent = [e for _, _, e, _ in seen.of("callback") if e is not None and not e.sent]
            assert arrived + len(unsent) <= 4 * each, "nothing that arrived is told as unsent"
            ids = [command["id"] for command in server.received.items]
            assert len(ids) == len(set(ids)), "nothing is written twice"
            total += len(names)
    assert total == 5 * 4 * each


@websocket_only
@pytest.mark.fault(12)
def test_reset_before_the_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command whose writing meets a connection that was reset before is told once, as never
    sent."""
    # Otherwise the reader reads on for its answer, and may meet the reset before the write does.
    monkeypatch.setattr("keyyo_cti._client.backlog._RESERVE_EVENTS", 0)
    parked, gone, release = [threading.Event() for _ in range(3)]

    def serve(sock: socket.socket) -> None:
        peers.open_session(sock)
        calls = [{"notify": "call", "call": {"callref": str(n)}} for n in range(3)]
        sock.sendall(peers.messages(*calls))
        assert parked.wait(PATIENCE)
        peers.reset(sock)
        gone.set()

    def park(call: Any) -> None:
        parked.set()
        release.wait(PATIENCE)

    # The reader waits for room, so that it is the write that meets the reset.
    with Peer(peers.info, serve) as peer, CTI(endpoint=peer.endpoint, max_backlog=1) as cti:
        seen = Seen(cti)
        cti.on("newCall", park)
        cti.create_session("tok").result(PATIENCE)
        session: Any = cti._client._sessions.current
        connection = session.connection
        assert gone.wait(PATIENCE) and cti.connected
        future = cti.dial("33199020000", seen.callback())
        release.set()
        error = future.exception(PATIENCE)
        assert isinstance(error, ConnectionClosed) and not error.sent
        seen.wait_for("disconnected")
        assert connection._pending.close() == []
    assert len(seen.of("callback")) == 1 and seen.items[-1] == ("disconnected",)


def one_byte(sock: socket.socket) -> None:
    assert sock.recv(1)


def half_a_reply(sock: socket.socket) -> None:
    command = peers.command(sock)
    sock.sendall(peers.messages({"id": command["id"], "result": 1})[:-3])


@websocket_only
@pytest.mark.fault(12)
@pytest.mark.parametrize("until", [one_byte, peers.command, half_a_reply])
def test_reset_once_writing_has_begun(until: Callable[[socket.socket], object]) -> None:
    """A connection that is reset in the middle of a command, behind it, or in the middle of its
    reply: it is told once, as one that may have been done, and nothing is left waiting."""
    size = 5_000_000 if until is one_byte else 10

    def serve(sock: socket.socket) -> None:
        peers.open_session(sock)
        until(sock)
        peers.reset(sock)

    with Peer(peers.info, serve) as peer, CTI(endpoint=peer.endpoint) as cti:
        seen = Seen(cti)
        cti.create_session("tok").result(PATIENCE)
        session: Any = cti._client._sessions.current
        connection = session.connection
        error = cti.send_message("33199020000", "x" * size, seen.callback()).exception(PATIENCE)
        assert isinstance(error, ConnectionClosed) and error.sent
        seen.wait_for("disconnected")
        assert connection._pending.close() == []
    assert [item[0] for item in seen.items] == ["callback", "disconnected"]


@pytest.mark.fault(12, 13)
@pytest.mark.promise(2)
@pytest.mark.parametrize("transport", ["xhr-streaming", "xhr-polling"], indirect=True)
def test_reset_of_a_post(sim: Simulator, alice: Line) -> None:
    """Over HTTP, a command whose request is cut off may have been done, and is not posted
    again."""
    with CTI(endpoint=sim.endpoint) as cti:
        seen = Seen(cti)
        cti.create_session(sim.token(alice)).result(PATIENCE)
        sim.faults.refuse("xhr_send", reset=True, times=1)
        error = cti.dial("33199020000", seen.callback()).exception(PATIENCE)
        assert isinstance(error, ConnectionClosed) and error.sent
        seen.wait_for("disconnected")
        assert len(seen.items) == 2
    assert sim.received("call") == []
    assert len([url for url in sim.requested("/cti") if url.endswith("/xhr_send")]) == 2


@pytest.mark.fault(13)
@pytest.mark.promise(2)
def test_drop_before_the_answer_to_a_dial() -> None:
    """A server that drops the connection before it answers a dial has seen it once, and the
    outcome is told as unknown."""

    def answer(connection: Connection, command: Dict[str, Any]) -> None:
        if command["action"] == "call":
            connection.drop()
        else:
            session(connection, command)

    with ScriptedServer(answer) as server, CTI(endpoint=server.endpoint) as cti:
        cti.create_session("tok").result(PATIENCE)
        error = cti.dial("33199020000").exception(PATIENCE)
        assert isinstance(error, ConnectionClosed) and error.sent
        assert (error.status_code, error.message) == (400, "Connexion closed")
        assert cti.wait(PATIENCE)
        after = cti.dial("33199020000").exception(PATIENCE)
        assert isinstance(after, ConnectionClosed) and not after.sent
        actions = [command["action"] for command in server.received.items]
    assert actions == ["create_session", "call"]


def test_deadline() -> None:
    """A command that is not answered in time gets CommandTimeout, once, though the answer comes
    later; the others are answered."""
    waiting: List[Any] = []

    def answer(connection: Connection, command: Dict[str, Any]) -> None:
        if command["action"] == "call":
            waiting.append(command)
        else:
            session(connection, command)

    with ScriptedServer(answer) as server, CTI(endpoint=server.endpoint, timeout=0.3) as cti:
        seen = Seen(cti)
        cti.create_session("tok").result(PATIENCE)
        began = time.monotonic()
        error = cti.dial("33199020000", seen.callback("dial")).exception(PATIENCE)
        assert isinstance(error, CommandTimeout)
        assert 0.25 < time.monotonic() - began < 15
        assert (error.status_code, error.error_code) == (408, "timeout")
        server.do(lambda connection: reply(connection, waiting[0]))
        assert cti.ping(seen.callback("ping")).result(PATIENCE) == 1
        seen.wait_for("callback", 2)
    assert [name for _, name, _, _ in seen.items] == ["dial", "ping"]


def test_peer_that_stops_reading(sim: Simulator, alice: Line) -> None:
    """A server that reads no more: sending fails by its deadline, every callback comes, and the
    connection ends."""
    with CTI(endpoint=sim.endpoint, timeout=0.5) as cti:
        seen = Seen(cti)
        cti.create_session(sim.token(alice)).result(PATIENCE)
        sim.faults.stop_reading()
        for number in range(200):
            cti.send_message("33199020000", "x" * 100_000, seen.callback(number))
        seen.wait_for("callback", 200)
        seen.wait_for("disconnected")
    assert [name for _, name, _, _ in seen.of("callback")] == list(range(200))
    assert all(isinstance(e, (CommandTimeout, ConnectionClosed)) for _, _, e, _ in
               seen.of("callback"))
    assert not seen.of("callback")[-1][2].sent


@pytest.mark.slow
@pytest.mark.fault(10)
def test_sixteen_threads() -> None:
    """Commands of all sizes from 16 threads at once: every frame is whole, every answer is
    that of its command."""
    rounds = in_full(24, always=8)

    def echo(connection: Connection, command: Dict[str, Any]) -> None:
        if command["action"] == "send_message":
            reply(connection, command, {"number": command["number"]})
        else:
            session(connection, command)

    with ScriptedServer(echo) as server, CTI(endpoint=server.endpoint) as cti:
        cti.create_session("tok").result(PATIENCE)
        wrong: List[Any] = []

        def ask(thread: int) -> None:
            for number in range(rounds):
                name = f"{thread}.{number}"
                size = (1, 200, 20_000, 200_000)[number % 4]
                result: Any = cti.send_message(name, "é" * size).result(PATIENCE)
                if result.number != name:
                    wrong.append((name, result))

        threads = [threading.Thread(target=ask, args=(thread,)) for thread in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
        assert wrong == [] and len(server.received.items) == 1 + 16 * rounds


def message(value: Any) -> str:
    """A frame that carries this as one JSON message."""
    return "a" + json.dumps([json.dumps(value)])


DEEP = "[" * 100_000

JUNK = [
    # No frame, or not one that can be read.
    "", "x", "h", "z" * 100_000, "a[", "a{}", "m[", "m", 'a["\\x"]', b"\xff\xfe", b'a["\xff"]',
    "a[" + DEEP + "]", "m" + '{"a":' * 100_000, "a[" + "9" * 5_000 + "]",
    # No messages.
    'a[1, null, {"id": 1}]', 'a["not json"]', 'a["[]"]', "a" + json.dumps([DEEP]),
    'a["{\\"id\\": NaN}"]', 'a["\\ud800"]', message("9" * 5_000), message({}), message(7),
    # No notifications of a call.
    message({"notify": "weather"}), message({"notify": ["call"]}), message({"notify": None}),
    message({"notify": "call"}), message({"notify": "call", "call": ["callref", "c0"]}),
    message({"notify": "call", "call": {}}), message({"notify": "call", "call": {"callref": 7}}),
    # Notifications of a call in which nothing is as it should be.
    message({"notify": "call", "call": {"callref": "x", "state": []}}),
    message({"notify": "call", "call": {"callref": "x", "state": {"SETUP": 1}, "caller": 7,
                                        "setup_date": {}, "connect_date": "noon"}}),
    message({"notify": "call", "call": {"callref": "x", "callref2": None, "on": 1, "_line": 1}}),
    # Replies to nobody.
    message({"id": 99, "result": 1}), message({"id": 1, "result": 1}), message({"id": -1}),
    message({"id": True, "result": 1}), message({"id": "1"}), message({"id": [1], "result": 1}),
    message({"id": 10**30, "error": {}}), message({"id": 2.0, "error": {}}),
    message({"id": None, "error": {"message": "no"}}),
]


@pytest.mark.fault(25)
@pytest.mark.promise(9)
@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
def test_junk_from_the_server(junk: Any) -> None:
    """Whatever the server sends, the next event and the next answer arrive."""
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint) as cti:
        seen = Seen(cti)
        cti.create_session("tok").result(PATIENCE)
        server.frame(junk)
        server.push({"notify": "call", "call": {"callref": "c1", "state": "SETUP"}})
        seen.wait_for("setup")
        assert cti.ping().result(PATIENCE) == 1
        assert seen.of("disconnected") == []
        assert all(call.get_duration() >= 0 and repr(call) for call in cti.get_calls())


@pytest.mark.fault(25)
@pytest.mark.promise(9)
@pytest.mark.parametrize("close", ["c[", "c", "c{}", 'c["3000"]', "c[" + DEEP])
def test_close_frame_that_cannot_be_read(close: str) -> None:
    """A close frame that cannot be read is the end of the connection all the same, told once; on
    the next connection the next event arrives."""
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint) as cti:
        seen = Seen(cti)
        cti.create_session("tok").result(PATIENCE)
        cti.on("disconnected", lambda: cti.restore_session("tok", "s-1", seen.callback()))
        server.frame(close)
        seen.wait_for("callback")
        server.push({"notify": "call", "call": {"callref": "c1", "state": "SETUP"}})
        seen.wait_for("setup")
        assert len(seen.of("disconnected")) == 1 and len(server.connections) == 2


@pytest.mark.parametrize(
    "answer",
    [{}, {"error": "no"}, {"error": {}}, {"error": {"status_code": "x", "message": 7}}, {"x": 1}],
)
def test_answers_in_a_strange_form(answer: Dict[str, Any]) -> None:
    """An answer that is neither a result nor a proper error is an error, and no hanging."""

    def strange(connection: Connection, command: Dict[str, Any]) -> None:
        if command["action"] == "ping":
            connection.send(json.dumps(dict(answer, id=command["id"])))
        else:
            session(connection, command)

    with ScriptedServer(strange) as server, CTI(endpoint=server.endpoint) as cti:
        cti.create_session("tok").result(PATIENCE)
        error = cti.ping().exception(PATIENCE)
        assert isinstance(error, KeyyoError) and error.status_code == 500 and error.message


def test_null_result() -> None:
    """A result of null is an empty Result, so that one of the two is always set."""

    def null(connection: Connection, command: Dict[str, Any]) -> None:
        if command["action"] == "ping":
            reply(connection, command, None)
        else:
            session(connection, command)

    with ScriptedServer(null) as server, CTI(endpoint=server.endpoint) as cti:
        seen = Seen(cti)
        cti.create_session("tok").result(PATIENCE)
        assert operator.eq(cti.ping(seen.callback()).result(PATIENCE), {})
        seen.wait_for("callback")


def test_second_opening_frame() -> None:
    """An opening frame on an open connection means that the server lost the session: closed."""
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint) as cti:
        seen = Seen(cti)
        cti.create_session("tok").result(PATIENCE)
        server.frame("o")
        seen.wait_for("disconnected")


@websocket_only
@pytest.mark.fault(26)
@pytest.mark.parametrize("whole", [True, False], ids=["one frame", "endless fragments"])
def test_message_that_is_too_long(whole: bool) -> None:
    """A message above the limit ends the connection with 1009, before it is all in memory."""
    told = Record()

    def serve(sock: socket.socket) -> None:
        peers.open_session(sock)
        if whole:
            sock.sendall(peers.frame("a" + "x" * 200_000)[:150_000])
        else:
            # The client may be gone before it has all of them.
            with suppress(OSError):
                sock.sendall(peers.frame("a", fin=0))
                for _ in range(40):
                    sock.sendall(peers.frame("x" * 5_000, opcode=0, fin=0))
        told.add(peers.read_frame(sock))
        peer.stall(sock)

    peer = Peer(peers.info, serve)
    with peer, CTI(endpoint=peer.endpoint, max_message_size=100_000) as cti:
        seen = Seen(cti)
        cti.create_session("tok").result(PATIENCE)
        seen.wait_for("disconnected")
        assert told.wait_for_count(1) == [(8, b"\x03\xf1")]
