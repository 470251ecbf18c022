"""Frames that one read brings are handled as if each had come by itself."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import Any, List, Sequence, Tuple
from unittest import mock

from hypothesis import example, given
from hypothesis import strategies as st
from websocket import ABNF

from keyyo_cti._net.cancellation import CancelToken
from keyyo_cti._net.clock import NEVER, monotonic
from keyyo_cti._net.stream import Stream
from keyyo_cti._sockjs import connection as module
from keyyo_cti._sockjs.connection import Connection
from keyyo_cti._sockjs.handshake import HandshakeResult
from keyyo_cti._sockjs.session import SockJSSession
from keyyo_cti._sockjs.websocket import WebSocketTransport

from ...helpers import tcp_peer as peers
from ...helpers.tcp_peer import Peer
from .xhr_peer import config

#: Bytes of the greatest message.
LIMIT = 70_000

CONTINUATION, BINARY = ABNF.OPCODE_CONT, ABNF.OPCODE_BINARY
CLOSE, PING, PONG = ABNF.OPCODE_CLOSE, ABNF.OPCODE_PING, ABNF.OPCODE_PONG

#: What a server sends, by far the most of it usual.
USUAL = st.sampled_from(['a["1"]', 'a["é"]', 'a["2","3"]', 'a["{\\"notify\\": \\"call\\"}"]'])
GOOD = USUAL | st.sampled_from(["a[]", "a", "h", 'm"4"', "x", "", 'a [5, {"a": [null]}]', "m6 "])
ODD = st.sampled_from([
    # The first ones would be right if they were put together.
    'a["x"],["y"]', 'a["a"', 'a"b"]', "a[", "a]", 'a["', "anull", 'a{"x": 1}', "m{", "c[", "o",
    "hello", "a" + "[" * 101 + "]" * 101, "a" + "[" * 9_000, 'a["\n"]', "a[NaN]", 'a["\\ud800"]',
])
BYTES = st.sampled_from([
    peers.frame(b"\xff"), peers.frame(b'a["\xff"]'), peers.frame(b'a["7"]', BINARY),
    peers.frame("", PING), peers.frame("x", PING), peers.frame("", PONG),
    peers.frame('a["', fin=0) + peers.frame("", PING) + peers.frame('8"]', CONTINUATION),
    peers.frame(f'a["{"z" * (LIMIT - 6)}"]'), peers.frame(f'a["{"y" * 300}"]'),
])
LAST = st.sampled_from([
    peers.frame('c[3000,"over"]'), peers.frame("", CLOSE), peers.frame(b"\x03\xe8", CLOSE),
    peers.frame(b"\x00", CLOSE), peers.frame("x", CONTINUATION), peers.frame("x" * (LIMIT + 1)),
    b"\x81\x83abcdefg", b"\xc1\x01x", b"\x83\x01x", b"\x09\x00", b"\x81\x7f" + b"\xff" * 8,
])
FRAMES = st.lists(
    (USUAL | USUAL | USUAL | GOOD | ODD).map(peers.frame) | BYTES, max_size=30
).flatmap(lambda frames: st.just(frames) | LAST.map(lambda last: [*frames, last, *frames]))


class Chunks(Stream):
    """A stream whose reads bring these bytes, and then the end."""

    def __init__(self, sock: socket.socket, chunks: Sequence[bytes]) -> None:
        super().__init__(sock, CancelToken(), 1.0, monotonic)
        self._chunks = [chunk for chunk in chunks if chunk]

    def _wait_for_bytes(self, until: float) -> bool:
        return True

    def _recv_some(self) -> bytes:
        return self._chunks.pop(0) if self._chunks else b""


class Told:
    """All that a connection tells, in order."""

    def __init__(self) -> None:
        self.items: List[Any] = []

    def opened(self) -> None:
        self.items.append("opened")

    def received(self, message: Any) -> None:
        self.items.append(("received", message))

    def unreadable(self, error: Exception) -> None:
        self.items.append(("unreadable", str(error)))

    def due(self) -> float:
        return NEVER

    def on_due(self, now: float) -> None:
        """Nothing is due."""

    def woke(self) -> None:
        """Nothing to do."""

    def closed(self, closed: Any) -> None:
        self.items.append((closed, closed.reason))


def read(chunks: Sequence[bytes], peer: Peer) -> Tuple[List[Any], List[Any]]:
    """What is told of these bytes, and the frames that the server is sent."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    transport = WebSocketTransport(
        config(peer, monotonic, CancelToken(), max_message_size=LIMIT)
    )
    setattr(transport, "_stream", Chunks(ours, chunks))
    session = SockJSSession()
    opening = mock.Mock()
    opening.run.return_value = HandshakeResult(transport, session, session.receive("o"))
    told = Told()
    with closing(theirs), mock.patch.object(module, "Handshake", return_value=opening):
        Connection("http://server.test", told).run()
        sent: List[Any] = []
        while theirs.recv(1, socket.MSG_PEEK):
            sent.append(peers.read_frame(theirs))
    return told.items, sent


@given(FRAMES, st.lists(st.integers(1, 400), max_size=40))
@example([peers.frame(text) for text in ('a["x"],["y"]', 'a["a"', 'a"b"]')], [])
def test_frames_read_together_are_told_as_one_by_one(frames: List[bytes], cuts: List[int]) -> None:
    """However the reads cut them, the same messages, errors and end come in the same order, and
    the server is sent the same."""
    data, chunks, begin = b"".join(frames), [], 0
    for size in cuts:
        chunks.append(data[begin : begin + size])
        begin += size
    chunks += [data[at : at + 65536] for at in range(begin, len(data), 65536)]
    peer = mock.Mock(endpoint="http://server.test")
    assert read(chunks, peer) == read(frames, peer)
