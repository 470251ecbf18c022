"""Memory, processor time, descriptors and threads are bounded, whatever a server does."""

from __future__ import annotations

import gc
import json
import os
import select
import socket
import sys
import threading
import tracemalloc
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from websocket import ABNF

from keyyo_cti import CTI, Call, ConnectionClosed, Transport
from keyyo_cti._net.clock import NEVER
from keyyo_cti._sockjs import Closed, Connection
from keyyo_cti.simulator.sockjs import Connection as ServerSide

from ..helpers import tcp_peer as peers
from ..helpers.in_full import in_full
from ..helpers.probe import PATIENCE, Record, Seen
from ..helpers.scripted_server import ScriptedServer, session
from ..helpers.tcp_peer import Peer

pytestmark = pytest.mark.promise(9)

MEGABYTE = 1 << 20

needs_proc = pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")

# Memory, of one message.


def endless_fragments(sock: socket.socket) -> int:
    """A websocket message that never ends."""
    peers.upgrade(sock)
    sock.sendall(peers.frame("o"))
    peers.command(sock)
    sock.sendall(peers.frame('a["', fin=0))
    return peers.pour(sock, peers.frame("x" * 65_000, opcode=ABNF.OPCODE_CONT, fin=0))


def enormous_frame(sock: socket.socket) -> int:
    """A websocket frame that says of itself that it has a terabyte."""
    peers.upgrade(sock)
    sock.sendall(peers.frame("o"))
    peers.command(sock)
    sock.sendall(b"\x81\x7f" + (1 << 40).to_bytes(8, "big"))
    return peers.pour(sock, b"x" * 65_000)


def endless_line(sock: socket.socket) -> int:
    """A frame over HTTP that never ends."""
    peers.request(sock)
    sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\no\n\r\n")
    return peers.pour(sock, b"%x\r\n" % 65_000 + b"a" * 65_000 + b"\r\n")


@pytest.mark.fault(26)
@pytest.mark.parametrize(
    "endless, transport",
    [
        (endless_fragments, "websocket"),
        (enormous_frame, "websocket"),
        (endless_line, "xhr-streaming"),
        (endless_line, "xhr-polling"),
    ],
)
def test_message_without_an_end(
    endless: Callable[[socket.socket], int], transport: Transport
) -> None:
    """A message that never ends is stopped at the limit; there was never much more than that in
    memory, and the server could not send much more either."""
    limit = 4 * MEGABYTE
    poured = Record()
    peer = Peer(peers.info, lambda sock: poured.add(endless(sock)), lambda sock: peer.stall(sock))
    tracemalloc.start()
    try:
        with peer, CTI(
            endpoint=peer.endpoint, max_message_size=limit, transports=[transport]
        ) as cti:
            before, _ = tracemalloc.get_traced_memory()
            error = cti.create_session("tok").exception(PATIENCE)
            _, peak = tracemalloc.get_traced_memory()
            poured.wait_for_count(1)
    finally:
        tracemalloc.stop()
    assert isinstance(error, ConnectionClosed)
    assert f"more than {limit} bytes" in str(error)
    assert peak - before < 3 * limit
    # What the sockets hold is not in our memory.
    assert poured.items[0] < limit + 32 * MEGABYTE


# Processor time.


class Counted:
    """Told by a connection; counts the lines of Python that receiving so many messages takes.

    Seconds would depend on the machine.
    """

    def __init__(self, count: int) -> None:
        self._left = count
        self._counting = False
        self.lines = 0
        self.problems: List[str] = []
        self.connection: Connection

    def trace(self, frame: Any, event: str, _: object) -> Any:
        """A trace function for the thread that runs the connection."""
        self.lines += event == "line" and self._counting
        return self.trace

    def opened(self) -> None:
        self._counting = True

    def received(self, message: Any) -> None:
        self._left -= 1
        self._counting = self._left > 0

    def unreadable(self, error: Exception) -> None:
        self.problems.append(str(error))
        self.connection.begin_close()

    def due(self) -> float:
        return NEVER

    def on_due(self, now: float) -> None:
        """Nothing is ever due."""

    def woke(self) -> None:
        """It does not matter here."""

    def closed(self, closed: Closed) -> None:
        """Nothing is left to do."""


@pytest.mark.fault(27)
def test_cost_of_utf8() -> None:
    """No Python runs for each byte of a message, though bad UTF-8 is refused, be it the last
    byte."""
    count = 4
    payload = ("a" + json.dumps(["é☎𝄞" * 100_000], ensure_ascii=False)).encode()
    assert len(payload) > 900_000
    good, bad = peers.frame(payload), peers.frame(payload[:-2] + b'\xff"]')

    def serve(sock: socket.socket) -> None:
        peers.upgrade(sock)
        sock.sendall(peers.frame("o"))
        for _ in range(count):
            sock.sendall(good)
        sock.sendall(bad)
        peer.stall(sock)

    counted = Counted(count)
    peer = Peer(peers.info, serve)
    before = sys.gettrace()
    with peer:
        counted.connection = Connection(peer.endpoint, counted, transports=["websocket"])
        sys.settrace(counted.trace)
        try:
            counted.connection.run()
        finally:
            sys.settrace(before)
    assert counted.problems == ["a frame that is not UTF-8"]
    # Each read of the socket takes some lines, and gets thousands of bytes.
    assert 0 < counted.lines < count * len(payload) / 50


# Descriptors and threads.


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.slow
@needs_proc
@pytest.mark.fault(28)
@pytest.mark.usefixtures("transport")
def test_connect_drop_close() -> None:
    """Without any help of the garbage collector, descriptors and threads are after 2,000 times
    connecting, being dropped (every other time) and closing what they were before, and never
    were many more."""

    def drop(connection: ServerSide, command: Dict[str, Any]) -> None:
        if command["action"] == "ping":
            connection.drop()
        else:
            session(connection, command)

    before, threads = descriptors(), threading.active_count()
    most = [0, 0]
    gc.collect()
    gc.disable()
    try:
        with ScriptedServer(drop) as server:
            for number in range(in_full(2_000, always=40)):
                cti = CTI(endpoint=server.endpoint, cookie_auto=False)
                cti.create_session("tok").result(PATIENCE)
                if number % 2:
                    assert isinstance(cti.ping().exception(PATIENCE), ConnectionClosed)
                cti.close()
                most = [max(most[0], descriptors()), max(most[1], threading.active_count())]
        assert descriptors() == before and threading.active_count() == threads
    finally:
        gc.enable()
    assert most[0] < before + 30 and most[1] < threads + 8


# A backlog.


def resident() -> int:
    """Bytes of memory that this process has."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class Pouring:
    """A server that sends numbered events, and tells when they are not taken any more."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._padding = "x" * 1_000
        self.sent = 0
        self.stalled = threading.Event()

    def __call__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        for start in range(0, self._total, 100):
            calls = [
                {"notify": "call", "call": {"callref": "c", "n": n, "padding": self._padding}}
                for n in range(start, start + 100)
            ]
            self._send(sock, peers.messages(*calls))
            self.sent += 100

    def _send(self, sock: socket.socket, data: bytes) -> None:
        left = memoryview(data)
        while left:
            if not select.select([], [sock], [], 0.5)[1]:
                self.stalled.set()
                assert select.select([], [sock], [], 5 * PATIENCE)[1]
            left = left[sock.send(left):]


@pytest.mark.slow
@needs_proc
@pytest.mark.fault(29)
def test_million_events_behind_a_parked_handler() -> None:
    """While a handler is parked and the server sends a million events, no more than the backlog
    is kept, and the server has to wait; once it goes on, each event is handled, in order."""
    total = in_full(1_000_000, always=30_000)
    parked, release, done = threading.Event(), threading.Event(), threading.Event()
    pouring, count, wrong = Pouring(total), [0], []

    def serve(sock: socket.socket) -> None:
        peers.open_session(sock)
        pouring(sock)
        sock.setblocking(True)
        peer.stall(sock)

    def handle(call: Call) -> None:
        if not count[0]:
            parked.set()
            release.wait(3 * PATIENCE)
        if call["n"] != count[0]:
            wrong.append(call["n"])
        count[0] += 1
        if count[0] == total:
            done.set()

    peer = Peer(peers.info, serve)
    before = resident()
    with peer, CTI(endpoint=peer.endpoint, max_backlog=1_000) as cti:
        seen = Seen(cti)
        cti.onNewCall = handle
        cti.create_session("tok").result(PATIENCE)
        assert parked.wait(PATIENCE) and pouring.stalled.wait(PATIENCE)
        assert cti._client._dispatcher.waiting() <= 1_001 and pouring.sent < total
        assert resident() - before < 30 * MEGABYTE
        release.set()
        assert done.wait(total / 500)
        assert resident() - before < 30 * MEGABYTE
    assert wrong == [] and seen.items == []
