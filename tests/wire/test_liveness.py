"""A dead server is found in a bounded time, and a slow one is kept."""

import socket
import subprocess
import sys
import threading
import time
from typing import Any, Dict

import pytest

from keyyo_cti import CTI
from keyyo_cti._sockjs.xhr import XhrTransport
from keyyo_cti.simulator import Line, Simulator
from keyyo_cti.simulator.sockjs import Connection

from ..helpers import tcp_peer as peers
from ..helpers.probe import PATIENCE, Record, Seen
from ..helpers.running import environment
from ..helpers.scripted_server import ScriptedServer, session
from ..helpers.tcp_peer import Peer


@pytest.mark.fault(5)
@pytest.mark.promise(6)
@pytest.mark.usefixtures("transport")
def test_silent_server(sim: Simulator, alice: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that says nothing any more, though TCP stands, is given up when its time is over,
    on any transport: ``disconnected`` once."""
    monkeypatch.setattr(XhrTransport, "min_silence_timeout", 0.0)
    with CTI(endpoint=sim.endpoint, heartbeat_timeout=0.6) as cti:
        seen = Seen(cti)
        cti.create_session(sim.token(alice)).result(PATIENCE)
        sim.faults.silence()
        began = time.monotonic()
        seen.wait_for("disconnected")
        assert 0.5 < time.monotonic() - began < PATIENCE
        assert len(seen.items) == 1


@pytest.mark.slow
@pytest.mark.promise(6)
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


@pytest.mark.slow
@pytest.mark.fault(6)
@pytest.mark.promise(6)
def test_slow_link() -> None:
    """One message that trickles in for longer than a silence may last, without any heartbeat, is
    a sign of life."""
    limit = 1.5
    trickled = threading.Event()

    def serve(sock: socket.socket) -> None:
        peers.open_session(sock)
        message = peers.messages({"notify": "call", "call": {"callref": "c1"}})
        sock.settimeout(limit / 10)
        for byte in range(len(message) - 1):
            sock.sendall(message[byte : byte + 1])
            if byte < 14:
                # What comes is a PING at most; it is the time that counts.
                try:
                    sock.recv(100)
                except socket.timeout:
                    pass
        trickled.set()
        sock.sendall(message[-1:])
        peer.stall(sock)

    peer = Peer(peers.info, serve)
    with peer, CTI(endpoint=peer.endpoint, heartbeat_timeout=limit) as cti:
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


@pytest.mark.promise(6)
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


#: A program whose wall clock can be stepped, from before anything could remember the real one.
STEPPED = """
import sys, threading, time
real, step = time.time, 0.0
time.time = lambda: real() + step
from keyyo_cti import CTI, CommandTimeout

def opened(transport):
    cti = CTI(endpoint=endpoint, cookie_auto=False, timeout=1.5, transports=[transport])
    cti.onNewCall = lambda call: there.release()
    cti.onDisconnected = lambda: told.append("disconnected")
    cti.onError = told.append
    cti.create_session(token).result(10)
    return cti

endpoint, token = sys.argv[1:]
told, there = [], threading.Semaphore(0)
ctis = [opened(each) for each in ("websocket", "xhr-streaming", "xhr-polling")]
ctis[0].dial("33199020000").result(10)
for cti in ctis:
    assert there.acquire(timeout=10)
for step in (86400.0, -86400.0):
    began = time.monotonic()
    late = [cti.send_message("33199020000", "not answered") for cti in ctis]
    assert all(isinstance(each.exception(10), CommandTimeout) for each in late)
    assert time.monotonic() - began > 1.4
    for cti in ctis:
        assert cti.ping().result(10) == 1
        (call,) = cti.get_calls()
        assert 0 <= call.get_ringing_duration() < 60, call.get_ringing_duration()
print(told, [cti.connected for cti in ctis])
for cti in ctis:
    cti.close()
"""


@pytest.mark.slow
@pytest.mark.fault(7)
@pytest.mark.promise(6)
def test_stepped_clock(sim: Simulator, alice: Line) -> None:
    """A wall clock that jumps by a day, forwards or back, changes nothing on any transport:
    neither the connection, nor the time that a command has, nor how long a call has rung."""
    sim.phone("33199020000")
    sim.faults.ignore("send_message")
    done = subprocess.run(
        [sys.executable, "-c", STEPPED, sim.endpoint, sim.token(alice)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=3 * PATIENCE,
        env=environment(),
    )
    assert (done.stdout, done.stderr) == ("[] [True, True, True]\n", "")
