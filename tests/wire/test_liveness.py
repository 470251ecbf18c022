"""A dead server is found in a bounded time, and a slow one is kept."""

import socket
import threading
import time
from typing import Any, Dict, List

from keyyo_cti import CTI
from keyyo_cti.simulator import Line, Simulator
from keyyo_cti.simulator.sockjs import Connection

from . import peer as peers
from .peer import Peer
from .probe import PATIENCE, Record, Seen
from .scripted import ScriptedServer, session


def test_silent_server(sim: Simulator, alice: Line) -> None:
    """A server that says nothing any more, though TCP stands, is asked for a sign of life and
    given up: ``disconnected`` once."""
    with CTI(endpoint=sim.endpoint, heartbeat_timeout=0.6) as cti:
        seen = Seen(cti)
        cti.create_session(sim.token(alice)).result(PATIENCE)
        sim.faults.silence()
        began = time.monotonic()
        seen.wait_for("disconnected")
        assert 0.5 < time.monotonic() - began < 5
        assert cti.wait(PATIENCE) and len(seen.items) == 1


def test_quiet_server_that_answers_the_probe(sim: Simulator, alice: Line) -> None:
    """A server with nothing to say is kept for as long as it answers the probe."""
    probes = Record()

    def serve(sock: socket.socket) -> None:
        peers.open_session(sock)
        for _ in range(4):
            opcode, payload = peers.read_frame(sock)
            probes.add(opcode)
            sock.sendall(peers.frame(payload, opcode=10))
        peer.stall(sock)

    peer = Peer(peers.info, serve)
    with peer, CTI(endpoint=peer.endpoint, heartbeat_timeout=1.2) as cti:
        seen = Seen(cti)
        cti.create_session("tok").result(PATIENCE)
        assert probes.wait_for_count(4) == [9] * 4
        assert seen.items == []


def test_slow_link() -> None:
    """Half a message that trickles for longer than the limit is a sign of life."""
    trickled = threading.Event()

    def serve(sock: socket.socket) -> None:
        peers.open_session(sock)
        message = peers.messages({"notify": "call", "call": {"callref": "c1"}})
        sock.settimeout(0.1)
        for byte in range(len(message) - 1):
            sock.sendall(message[byte : byte + 1])
            if byte < 12:
                # What comes is a PING at most; it is the time that counts.
                try:
                    sock.recv(100)
                except socket.timeout:
                    pass
        trickled.set()
        sock.sendall(message[-1:])
        peer.stall(sock)

    peer = Peer(peers.info, serve)
    with peer, CTI(endpoint=peer.endpoint, heartbeat_timeout=0.8) as cti:
        seen = Seen(cti)
        cti.create_session("tok").result(PATIENCE)
        assert trickled.wait(PATIENCE)
        seen.wait_for("newCall")
        assert [item[0] for item in seen.items] == ["newCall"]


def test_ping_auto() -> None:
    """With ping_auto the server is pinged at the interval, while there is a session."""
    with ScriptedServer(session) as server:
        with CTI(endpoint=server.endpoint, ping_interval=0.1) as cti:
            cti.create_session("tok").result(PATIENCE)
            server.received.wait_for_count(4)
        actions = [command["action"] for command in server.received.items]
    assert actions[:4] == ["create_session", "ping", "ping", "ping"]


def test_no_ping_without_ping_auto() -> None:
    """Without ping_auto there are no pings."""
    with ScriptedServer(session) as server:
        with CTI(endpoint=server.endpoint, ping_interval=0.01, ping_auto=False) as cti:
            cti.create_session("tok").result(PATIENCE)
            for _ in range(20):
                cti.get_subscriptions().result(PATIENCE)
        assert "ping" not in [command["action"] for command in server.received.items]


def test_failed_ping_closes() -> None:
    """A ping that fails, by an error or for want of an answer, closes the connection."""
    for answered in (True, False):

        def answer(connection: Connection, command: Dict[str, Any]) -> None:
            if command["action"] != "ping":
                session(connection, command)
            elif answered:
                connection.send('{"id": %d, "error": {"status_code": 500}}' % command["id"])

        with ScriptedServer(answer) as server:
            with CTI(endpoint=server.endpoint, ping_interval=0.1, timeout=0.3) as cti:
                seen = Seen(cti)
                cti.create_session("tok").result(PATIENCE)
                seen.wait_for("disconnected")
                assert cti.wait(PATIENCE)


def test_stepped_clock(sim: Simulator, alice: Line, monkeypatch: Any) -> None:
    """A wall clock that jumps by a day changes neither the connection nor a duration."""
    real = time.time
    with CTI(endpoint=sim.endpoint, heartbeat_timeout=2.0) as cti:
        seen = Seen(cti)
        cti.create_session(sim.token(alice)).result(PATIENCE)
        sim.phone("33199020000").call(alice)
        seen.wait_for("setup")
        (call,) = cti.get_calls()
        durations: List[int] = []
        for step in (86400, -86400):
            monkeypatch.setattr(time, "time", lambda step=step: real() + step)
            durations.append(call.get_ringing_duration())
            assert cti.ping().result(PATIENCE) == 1
        monkeypatch.undo()
        assert all(0 <= duration < 60 for duration in durations)
        assert seen.of("disconnected") == []
