"""The websocket transport, at a scripted server."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
import time
import tracemalloc
from typing import Any, Iterator, List, Optional

import pytest
from websocket import ABNF

from keyyo_cti._net.cancellation import CancelToken
from keyyo_cti._net.stream import WriteFailed
from keyyo_cti._sockjs.errors import Closed, SockJSError, Unreadable
from keyyo_cti._sockjs.transport import SendProgress
from keyyo_cti._sockjs.websocket import WebSocketTransport

from ...helpers import tcp_peer as peers
from ...helpers.background import A_WHILE, SOON, Background, Hand
from ...helpers.probe import Record
from ...helpers.tcp_peer import Peer, Script
from ...load.fuzz.websocket_frames import frame as bad_frame
from .xhr_peer import config

TEXT, BINARY, CONTINUATION = ABNF.OPCODE_TEXT, ABNF.OPCODE_BINARY, ABNF.OPCODE_CONT
CLOSE, PING, PONG = ABNF.OPCODE_CLOSE, ABNF.OPCODE_PING, ABNF.OPCODE_PONG

#: Bytes that a message may have in these tests.
LIMIT = 100_000


class One:
    """A transport, whose clock stands still unless it is set."""

    def __init__(self, peer: Peer, **timeouts: Any) -> None:
        self.clock, self.cancel_token = Hand(), CancelToken()
        self.config = config(
            peer, self.clock, self.cancel_token, max_message_size=LIMIT, **timeouts
        )
        self.transport = WebSocketTransport(self.config)

    def open(self, seconds: float = SOON) -> None:
        self.transport.open(self.clock() + seconds)

    def receive(self) -> Optional[str]:
        return self.transport.receive(self.clock() + SOON)

    def message(self) -> str:
        """The next message; frames that are none are passed over."""
        while True:
            text = self.receive()
            assert text is not None
            if text:
                return text

    def end(self) -> Closed:
        with pytest.raises(SockJSError) as caught:
            self.message()
        return caught.value.closed


@contextlib.contextmanager
def opened(peer: Peer) -> Iterator[One]:
    one = One(peer)
    try:
        one.open()
        yield one
    finally:
        one.transport.discard()


class Server(Peer):
    """Takes the handshake, writes what is given, and keeps the frames that come."""

    def __init__(self, *frames: bytes) -> None:
        super().__init__(self._talk)
        self._first = b"".join(frames)
        self._sockets_open = Record()
        self.frames = Record()

    def __enter__(self) -> Server:
        super().__enter__()
        return self

    def write(self, *frames: bytes) -> None:
        self._sockets_open.wait_for_count(1)[0].sendall(b"".join(frames))

    def _talk(self, sock: socket.socket) -> None:
        peers.upgrade(sock)
        sock.sendall(self._first)
        self._sockets_open.add(sock)
        try:
            while True:
                self.frames.add(peers.read_frame(sock))
        except OSError:
            self.frames.add(None)


def failure(peer: Peer, seconds: float = SOON) -> Closed:
    """Why it cannot be opened."""
    one = One(peer)
    try:
        with pytest.raises(SockJSError) as caught:
            one.open(seconds)
    finally:
        one.transport.discard()
    return caught.value.closed


# The handshake.


def test_handshake() -> None:
    """It asks for the session's websocket, and names the server as Host and Origin, and no
    other; without cookies it sends none."""
    heads = Record()

    def serve(sock: socket.socket) -> None:
        heads.add(peers.request(sock).decode())
        sock.close()

    with Peer(serve) as peer:
        closed = failure(peer)
        head = heads.wait_for_count(1)[0]
        where = f"127.0.0.1:{peer.port}"
    assert re.match(r"GET /cti/000/[a-z0-9_]{24}/websocket HTTP/1.1\r\n", head)
    assert f"\r\nHost: {where}\r\n" in head
    assert f"\r\nOrigin: http://{where}\r\n" in head
    assert "nowhere" not in head and "Cookie" not in head
    assert closed == Closed(1006, "websocket handshake: the server closed the connection")


def test_cookies() -> None:
    """The server's cookies go into the handshake, as bytes of its URL allow."""
    heads = Record()

    def serve(sock: socket.socket) -> None:
        heads.add(peers.request(sock).decode())
        sock.close()

    with Peer(serve) as peer:
        one = One(peer)
        one.config.cookies.set("JSESSIONID", "here", domain="127.0.0.1", path="/")
        one.config.cookies.set("other", "no", domain="127.0.0.1", path="/elsewhere")
        with pytest.raises(SockJSError):
            one.open()
        one.transport.discard()
        assert "\r\nCookie: JSESSIONID=here\r\n" in heads.wait_for_count(1)[0]


@pytest.mark.parametrize("status", ["200 OK", "403 Forbidden", "404 Not Found", "503 Busy"])
def test_refused(status: str) -> None:
    """Any status but 101 is told, without what comes with it."""

    def refuse(sock: socket.socket) -> None:
        peers.request(sock)
        peers.respond(sock, b"CANARY", status)

    with Peer(refuse) as peer:
        words = f"websocket handshake: the server answers with status {status[:3]}"
        assert failure(peer) == Closed(1006, words)


def test_redirect() -> None:
    """A redirect is not followed."""
    elsewhere = Record()

    def redirect(sock: socket.socket) -> None:
        peers.request(sock)
        sock.sendall(f"HTTP/1.1 302 Found\r\nLocation: {there.endpoint}\r\n\r\n".encode())

    with Peer(elsewhere.add) as there, Peer(redirect) as peer:
        closed = failure(peer)
        assert elsewhere.items == []
        assert closed.code == 1006
        assert closed.reason in (
            "websocket handshake: the server answers with status 302",
            "websocket handshake: Redirect limit exhausted",
        )


def test_no_answer_in_time() -> None:
    """A server that does not answer the handshake is given up at the deadline."""
    with Peer(lambda sock: peer.stall(sock)) as peer:
        words = "websocket handshake: no answer in time"
        assert failure(peer, A_WHILE) == Closed(1006, words)


def endless(sock: socket.socket) -> None:
    peers.request(sock)
    sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\n")
    while True:
        sock.sendall(b"X: y\r\n" * 1000)


def test_endless_headers() -> None:
    """Headers that do not end are refused."""
    with Peer(endless) as peer:
        assert failure(peer) == Closed(1006, "websocket handshake: an endless response")


@pytest.mark.slow
@pytest.mark.parametrize("size, words", [(60_000, None), (65_536, "an endless response")])
def test_long_headers(size: int, words: Optional[str]) -> None:
    """Headers may be long, and not longer than 64 KiB."""

    def long(sock: socket.socket) -> None:
        head = peers.request(sock)
        sock.sendall(accept(head)[:-2] + b"X: " + b"y" * size + b"\r\n\r\n")
        peer.stall(sock)

    with Peer(long) as peer:
        if words is None:
            with opened(peer):
                return
        assert failure(peer) == Closed(1006, f"websocket handshake: {words}")


def accept(head: bytes) -> bytes:
    """What ``upgrade`` answers to this."""
    near, far = socket.socketpair()
    with near, far:
        far.sendall(head)
        peers.upgrade(near)
        return far.recv(4096)


@pytest.mark.parametrize(
    "answer", [b"garbage\r\n\r\n", b"HTTP/1.1 101 Yes\r\n\r\n", b"\xff\r\n\r\n"]
)
def test_no_proper_answer(answer: bytes) -> None:
    """An answer that is none is a failed handshake."""

    def serve(sock: socket.socket) -> None:
        peers.request(sock)
        sock.sendall(answer)

    with Peer(serve) as peer:
        closed = failure(peer)
    assert closed.code == 1006 and closed.cause is not None
    assert closed.reason.startswith("websocket handshake: ")


def test_reset_in_the_handshake() -> None:
    """A reset is told as what it is."""

    def serve(sock: socket.socket) -> None:
        peers.request(sock)
        peers.reset(sock)

    with Peer(serve) as peer:
        assert failure(peer) == Closed(1006, "websocket handshake: Connection reset by peer")


def test_nobody_there() -> None:
    """Where nobody listens, the phase and the place are told."""
    with Peer(lambda _: None) as peer:
        one, where = One(peer), f"127.0.0.1:{peer.port}"
    with pytest.raises(SockJSError) as caught:
        one.open()
    one.transport.discard()
    assert caught.value.closed == Closed(1002, f"connecting to {where}: Connection refused")


def test_frame_with_the_handshake() -> None:
    """A frame that comes in one piece with the handshake is received."""

    def serve(sock: socket.socket) -> None:
        head = peers.request(sock)
        sock.sendall(accept(head) + peers.frame("o") + peers.frame("h"))
        peer.stall(sock)

    with Peer(serve) as peer, opened(peer) as one:
        assert [one.receive(), one.receive()] == ["o", "h"]


# Receiving.


def test_messages() -> None:
    """Each message is one frame, whatever its kind, its length and its characters."""
    texts = ["o", 'a["é\u2028😀"]', "a" + "x" * 125, "x" * 126, "y" * 65_536, ""]
    with Server(*(peers.frame(text) for text in texts)) as server, opened(server) as one:
        assert [one.receive() for _ in texts] == texts
        server.write(peers.frame("binary", BINARY))
        assert one.receive() == "binary"


def test_deadline() -> None:
    """Who receives gives up at his deadline, and a later one goes on in the middle of a frame."""
    data = peers.frame("hello")
    with Server(data[:3]) as server, opened(server) as one:
        began = time.monotonic()
        assert one.transport.receive(one.clock()) is None
        assert one.transport.receive(one.clock() + A_WHILE) is None
        assert time.monotonic() - began < SOON / 2
        server.write(data[3:])
        assert one.receive() == "hello"


def test_fragments() -> None:
    """A message in fragments is one message, with a heartbeat in its midst."""
    fragments = [
        peers.frame("a[", fin=0),
        peers.frame(b"\xc3", CONTINUATION, fin=0),
        peers.frame(b"", CONTINUATION, fin=0),
        peers.frame("", PONG),
        peers.frame(b"\xa9", CONTINUATION, fin=0),
        peers.frame("]", CONTINUATION),
        peers.frame("whole"),
    ]
    with Server(*fragments) as server, opened(server) as one:
        assert [one.receive(), one.receive(), one.receive()] == ["", "a[é]", "whole"]


def test_at_hand() -> None:
    """Short texts that came together with one that was received are at hand, up to the first
    frame that is something else, from where it is received as ever."""
    frames = [
        peers.frame("first"),
        peers.frame('a["é"]'),
        peers.frame("x" * 300),
        peers.frame("", PING),
        peers.frame("after"),
        peers.frame("part", fin=0),
        peers.frame("and rest", CONTINUATION),
        peers.frame("last"),
        peers.frame("cut short")[:7],
    ]
    with Server(b"".join(frames)) as server, opened(server) as one:
        buffered_frames = one.transport.buffered_frames
        assert one.receive() == "first"
        assert next(buffered_frames()) == 'a["é"]', "the rest stays"
        assert list(buffered_frames()) == ["x" * 300]
        assert one.receive() == ""
        assert list(buffered_frames()) == ["after"]
        assert one.receive() == "partand rest"
        assert list(buffered_frames()) == ["last"]
        assert one.transport.receive(one.clock()) is None
        assert list(buffered_frames()) == []
        server.write(peers.frame("cut short")[7:], peers.frame("whole"))
        assert one.receive() == "cut short"


def test_nothing_at_hand() -> None:
    """While a frame or a message is not complete, nothing is at hand, whatever follows it in
    its text."""
    data = peers.frame(b"x" * 70_000 + peers.frame("not a message")) + peers.frame("ok")
    with Server(data[:70_010]) as server, opened(server) as one:
        assert one.transport.receive(one.clock() + A_WHILE) is None
        assert list(one.transport.buffered_frames()) == []
        server.write(data[70_010:])
        with pytest.raises(Unreadable):
            one.receive()
        assert one.receive() == "ok"


def test_unreadable_at_hand() -> None:
    """What is at hand and is not UTF-8 cannot be read, and the next one can."""
    together = [peers.frame("first"), peers.frame("2"), peers.frame(b"\xff"), peers.frame("ok")]
    with Server(b"".join(together)) as server, opened(server) as one:
        assert one.receive() == "first"
        assert list(one.transport.buffered_frames()) == ["2"]
        with pytest.raises(Unreadable):
            one.receive()
        assert list(one.transport.buffered_frames()) == ["ok"]


def test_too_big_at_hand() -> None:
    """What is at hand may not be too big either."""
    together = [peers.frame("first"), peers.frame("x" * 6)]
    with Server(b"".join(together)) as server:
        one = One(server)
        one.config = one.config._replace(max_message_size=5)
        one.transport = WebSocketTransport(one.config)
        one.open()
        assert one.receive() == "first"
        assert list(one.transport.buffered_frames()) == []
        assert one.end() == Closed(1009, "A message of more than 5 bytes")
        one.transport.discard()


@pytest.mark.parametrize("first", [b"", b"x"])
def test_message_that_begins_empty(first: bytes) -> None:
    """The first fragment may be empty too, and so may all of them."""
    with Server(
        peers.frame(first, fin=0), peers.frame(b"", CONTINUATION), peers.frame("next")
    ) as server, opened(server) as one:
        assert [one.receive(), one.receive()] == [first.decode(), "next"]


@pytest.mark.parametrize(
    "frames",
    [
        [peers.frame("x", CONTINUATION)],
        [peers.frame("x", fin=0), peers.frame("y")],
        [peers.frame("x", fin=0), peers.frame("y", BINARY)],
        [peers.frame("x", fin=0), peers.frame("y", CONTINUATION), peers.frame("z", CONTINUATION)],
    ],
)
def test_fragment_in_the_wrong_place(frames: List[bytes]) -> None:
    """A fragment in the wrong place is the end: nobody knows what it belongs to."""
    with Server(*frames) as server, opened(server) as one:
        with pytest.raises(SockJSError) as caught:
            while one.receive():
                pass
    assert caught.value.closed == Closed(
        1002, "The server violates the websocket protocol: a fragment in the wrong place"
    )


def test_bad_utf8() -> None:
    """A message that is not UTF-8 cannot be read, and the next one can."""
    with Server(peers.frame(b"\xff"), peers.frame("ok")) as server, opened(server) as one:
        with pytest.raises(Unreadable) as caught:
            one.receive()
        assert str(caught.value) == "a frame that is not UTF-8"
        assert one.receive() == "ok"


def test_ping() -> None:
    """A PING is answered with what it carries, and is no message."""
    with Server(peers.frame(b"data\xff", PING)) as server, opened(server) as one:
        assert one.receive() == ""
        assert server.frames.wait_for_count(1) == [(PONG, b"data\xff")]


def test_pong() -> None:
    """A PONG is answered with nothing."""
    with Server(peers.frame(b"x", PONG)) as server, opened(server) as one:
        assert one.receive() == ""
        one.transport.probe()
        assert server.frames.wait_for_count(1) == [(PING, b"")]


def test_heard_at() -> None:
    """Any bytes are life, and those of the handshake are the first."""
    with Server() as server, opened(server) as one:
        one.clock.time = 110.0
        assert one.transport.last_received_at == 100.0
        server.write(peers.frame("o"))
        one.receive()
        assert one.transport.last_received_at == 110.0


# How it ends.


@pytest.mark.fault(61)
@pytest.mark.parametrize(
    "code, said, words",
    [
        (None, b"", ""),
        (1001, b"", ": 1001 (going away)"),
        (1008, b"not you", ": 1008 (policy violation) not you"),
        (1009, b"", ": 1009 (message too big)"),
        (1012, b"deploying", ": 1012 (service restart) deploying"),
        (1013, b"busy", ": 1013 (try again later) busy"),
        (1014, b"", ": 1014 (bad gateway)"),
        (3000, b"mine", ": 3000 mine"),
        (4999, b"\x1b[2J\r\n\x00\x07", r": 4999 \x1b[2J\r\n\x00\x07"),
        (1011, "é".encode() * 61, f": 1011 (internal error) {'é' * 61}"),
    ],
)
def test_close(code: Optional[int], said: bytes, words: str) -> None:
    """A websocket close that no SockJS close came before is a lost connection, and is answered
    with its own code. Its code and its words are in the reason, on one line."""
    data = b"" if code is None else struct.pack("!H", code) + said
    with Server(peers.frame(data, CLOSE)) as server, opened(server) as one:
        assert one.end() == Closed(
            1006, f"The server closed the websocket without a SockJS close{words}"
        )
        assert server.frames.wait_for_count(1) == [(CLOSE, data[:2])]


def test_goodbye() -> None:
    """A goodbye is a websocket close, 1000; the answer to it ends it, and is not answered."""
    with Server() as server, opened(server) as one:
        one.transport.send_close()
        assert server.frames.wait_for_count(1) == [(CLOSE, struct.pack("!H", 1000))]
        server.write(peers.frame("last"), peers.frame(struct.pack("!H", 1000), CLOSE))
        assert one.message() == "last"
        assert one.end().code == 1006
        one.transport.discard()
        assert server.frames.wait_for_count(2)[1:] == [None]


@pytest.mark.parametrize(
    "leave, words",
    [(socket.socket.close, "the server closed the connection"),
     (peers.reset, "Connection reset by peer")],
)
def test_leaving(leave: Script, words: str) -> None:
    """A server that leaves without a word is a lost connection, which says how it was lost."""
    received = threading.Event()

    def serve(sock: socket.socket) -> None:
        peers.upgrade(sock)
        sock.sendall(peers.frame("o"))
        assert received.wait(SOON)
        leave(sock)

    with Peer(serve) as peer, opened(peer) as one:
        assert one.message() == "o"
        received.set()
        assert one.end() == Closed(1006, f"Connection lost: {words}")


def test_what_is_no_frame() -> None:
    """So is one that sends what is no frame."""
    with Server(b"\x8f\x00") as server, opened(server) as one:
        closed = one.end()
    assert closed.code == 1002


@pytest.mark.parametrize("opcode", [PING, CLOSE])
def test_answer_that_cannot_be_written(opcode: int) -> None:
    """Where a PING or a close cannot be answered, the connection is lost."""
    with Server() as server, opened(server) as one:
        fill(one)
        server.write(peers.frame(struct.pack("!H", 1000), opcode))
        closed = one.end()
    assert closed.code == 1006 and closed.reason.startswith("Connection lost: ")


def fill(one: One) -> None:
    """Has a write fail, after which nothing can be written."""
    one.transport._opened.sendall(b"")  # It is open.
    setattr(one.transport._opened, "_broken", "writing failed: before")


@pytest.mark.fault(62)
@pytest.mark.parametrize(
    "data, code",
    [
        (bad_frame(b"x", mask=b"1234"), 1002),
        (bad_frame(b"x", reserved=4), 1002),
        (bad_frame(b"x" * 126, PING), 1002),
        (bad_frame(b"", claimed=1 << 63), 1002),
        (bad_frame(b"\x03", CLOSE), 1002),
        (bad_frame(b"\x03\xed", CLOSE), 1002),
        (bad_frame(b"", claimed=LIMIT + 1), 1009),
        (bad_frame(b"x", fin=False) + bad_frame(b"", CONTINUATION, claimed=1 << 40), 1009),
    ],
    ids=repr,
)
@pytest.mark.parametrize("before", [b"", peers.frame("o")])
def test_forbidden_frame_ends_with_its_code(data: bytes, code: int, before: bytes) -> None:
    """What RFC 6455 forbids ends the connection before anything more comes, and the server is
    told the code."""
    with Server(before + data) as server, opened(server) as one:
        if before:
            assert one.message() == "o"
        assert one.end().code == code
        assert server.frames.wait_for_count(1) == [(CLOSE, struct.pack("!H", code))]


@pytest.mark.fault(62)
@pytest.mark.parametrize(
    "header", ["Sec-WebSocket-Extensions: permessage-deflate", "Sec-WebSocket-Protocol: chat"]
)
def test_extension_that_was_not_offered_fails_the_handshake(header: str) -> None:
    def serve(sock: socket.socket) -> None:
        head = peers.request(sock)
        sock.sendall(accept(head)[:-2] + f"{header}\r\n\r\n".encode())
        peer.stall(sock)

    with Peer(serve) as peer:
        closed = failure(peer)
    name = header.split(":")[0].lower()
    assert closed == Closed(
        1002, f"websocket handshake: the server selects {name}, which was not offered")


@pytest.mark.fault(58)
def test_last_frame_at() -> None:
    """Half a frame and a fragment are life, but no whole frame, nor is a PING between the
    fragments: the message that they begin would be lost without a gap."""
    with Server() as server, opened(server) as one:
        transport = one.transport

        def step(*frames: bytes) -> None:
            one.clock.time += 10
            server.write(*frames)
            while transport.receive(one.clock() + A_WHILE) is not None:
                pass

        assert transport.last_frame_at == 100.0
        step(peers.frame("o"), peers.frame("h"))
        assert (transport.last_received_at, transport.last_frame_at) == (110.0, 110.0)
        step(peers.frame("part", fin=0))
        step(peers.frame("", PING))
        step(peers.frame("rest", CONTINUATION)[:3])
        assert (transport.last_received_at, transport.last_frame_at) == (140.0, 110.0)
        step(peers.frame("rest", CONTINUATION)[3:])
        assert transport.last_frame_at == 150.0
        step(peers.frame("", PONG))
        assert transport.last_frame_at == 160.0


# Sizes.


@pytest.mark.parametrize(
    "frames",
    [
        [peers.frame("x" * LIMIT)],
        [peers.frame("x" * (LIMIT - 1), fin=0), peers.frame("x", CONTINUATION)],
        [peers.frame("x" * LIMIT, fin=0), peers.frame("", CONTINUATION)],
        [peers.frame("x" * 60_000, fin=0), peers.frame("", PING),
         peers.frame("x" * 40_000, CONTINUATION)],
    ],
    ids=["whole", "two", "empty end", "ping"],
)
def test_greatest_size(frames: List[bytes]) -> None:
    """A message may have as many bytes as is allowed, again and again."""
    with Server(*frames, *frames) as server, opened(server) as one:
        assert [len(one.message()), len(one.message())] == [LIMIT, LIMIT]


@pytest.mark.parametrize(
    "frames",
    [
        [peers.frame("x" * (LIMIT + 1))],
        [peers.frame("x" * 60_000, fin=0), peers.frame("x" * 40_001, CONTINUATION)],
        [peers.frame("x" * 60_000, fin=0), peers.frame("", PONG),
         peers.frame("x" * 40_001, CONTINUATION)],
    ],
    ids=["whole", "two", "pong"],
)
def test_too_big(frames: List[bytes]) -> None:
    """A message that is longer is refused with 1009, which the server is told."""
    with Server(*frames) as server, opened(server) as one:
        assert one.end() == Closed(1009, f"A message of more than {LIMIT} bytes")
        assert server.frames.wait_for_count(1) == [(CLOSE, struct.pack("!H", 1009))]


def test_too_big_for_who_cannot_be_told() -> None:
    """It is refused all the same where the server cannot be told."""
    with Server() as server, opened(server) as one:
        fill(one)
        server.write(peers.frame("x" * (LIMIT + 15)))
        assert one.end().code == 1009


def test_empty_fragments() -> None:
    """Fragments without a byte take no memory, however many come."""
    empty = peers.frame("", CONTINUATION, fin=0)
    with Server(peers.frame("x", fin=0), *[empty] * 1000, peers.frame("", PONG)) as server:
        with opened(server) as one:
            assert one.receive() == ""
            assert getattr(one.transport, "_parts") == b"x"


@pytest.mark.fault(26)
def test_tiny_fragments_take_the_memory_of_their_bytes() -> None:
    """A message in pieces of two bytes takes no more than in one."""
    pieces = 20_000
    tiny = peers.frame("xy", CONTINUATION, fin=0) * pieces
    with Server(peers.frame("x", fin=0), tiny, peers.frame("", PONG)) as server:
        with opened(server) as one:
            tracemalloc.start()
            try:
                assert one.receive() == ""
                kept, _ = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            assert kept < 2 * pieces + 200_000


# Sending.


def test_send() -> None:
    """A message is one text frame, an array of one string, and has left then."""
    with Server() as server, opened(server) as one:
        for message in ("1", 'é"\ud800'):
            progress = SendProgress()
            one.transport.send(message, progress)
            assert progress.begun
        (first, second) = server.frames.wait_for_count(2)
        assert first == (TEXT, b'["1"]')
        assert second == (TEXT, rb'["\u00e9\"\ud800"]')


def test_send_that_fails() -> None:
    """A message that cannot be written says whether any of it has left."""
    with Server() as server, opened(server) as one:
        one.cancel_token.cancel()
        first, second = SendProgress(), SendProgress()
        for progress in (first, second):
            with pytest.raises(WriteFailed) as caught:
                one.transport.send("x", progress)
            assert caught.value.begun is progress.begun is False
        assert server.frames.wait_for_count(1) == [None]


def test_send_that_fails_half_way() -> None:
    """A message of which a part has left says so, and fails within the write time-out."""

    def deaf(sock: socket.socket) -> None:
        peers.upgrade(sock)
        peer.stall(sock)

    with Peer(deaf) as peer:
        one = One(peer, write_timeout=0.1)
        one.open()
        progress = SendProgress()
        sending = Background(one.transport.send, "x" * 20_000_000, progress)
        error = sending.error()
        one.transport.discard()
    assert isinstance(error, WriteFailed) and error.begun and progress.begun


def test_begun_while_it_is_written() -> None:
    """While a message is being written, it is said to have left."""
    written, go_on = threading.Event(), threading.Event()
    with Server() as server, opened(server) as one:
        def wait() -> None:
            written.set()
            assert go_on.wait(SOON)

        one.transport._opened.on_write = wait
        progress = SendProgress()
        sending = Background(one.transport.send, "x", progress)
        assert written.wait(SOON)
        assert progress.begun
        go_on.set()
        sending.result()


def test_goodbye_waits_for_nothing() -> None:
    """Where there is no room for a goodbye, it fails at once."""

    def deaf(sock: socket.socket) -> None:
        peers.upgrade(sock)
        peer.stall(sock)

    with Peer(deaf) as peer:
        one = One(peer)
        one.open()
        begun = threading.Event()
        one.transport._opened.on_write = begun.set
        sending = Background(one.transport.send, "x" * 20_000_000, SendProgress())
        assert begun.wait(SOON)
        goodbye = Background(one.transport.send_close)
        assert isinstance(goodbye.error(), WriteFailed)
        assert goodbye.seconds < SOON / 2
        one.cancel_token.cancel()
        assert isinstance(sending.error(), WriteFailed)
        one.transport.discard()


# Discarding.


def test_discard() -> None:
    """Discarded, it has no connection; it can be discarded again, and before it is open."""
    with Server() as server:
        one = One(server)
        one.transport.discard()
        one.open()
        one.transport.discard()
        assert server.frames.wait_for_count(1) == [None]
        one.transport.discard()
