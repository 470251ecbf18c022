"""The HTTP transports, at a scripted server."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
from typing import Any, Iterator, List, Type

import pytest

from keyyo_cti._net.cancellation import CancelToken
from keyyo_cti._net.stream import WriteFailed
from keyyo_cti._sockjs.errors import Closed, SockJSError, Unreadable
from keyyo_cti._sockjs.transport import SendProgress
from keyyo_cti._sockjs.xhr import XhrPollingTransport, XhrStreamingTransport, XhrTransport

from ...helpers.background import SOON, Hand
from ...helpers.probe import Record, eventually
from ...helpers.tcp_peer import Peer
from .xhr_peer import PRELUDE, Post, answer, begin_stream, chunk, config, post

KINDS = [XhrStreamingTransport, XhrPollingTransport]


class Server(Peer):
    """Answers who receives with one frame after another, as they are given, and keeps what is
    sent."""

    def __init__(self) -> None:
        super().__init__(self._serve_posts)
        self.sent = Record()
        self.received = Record()
        self._frames: List[bytes] = []
        self._ended = False
        self._given = threading.Condition()

    def __enter__(self) -> Server:
        super().__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        with self._given:
            self._ended = True
            self._given.notify_all()
        super().__exit__(*exception)

    def give(self, frame: bytes) -> None:
        """A frame for who receives."""
        with self._given:
            self._frames.append(frame)
            self._given.notify_all()

    def _serve_posts(self, sock: socket.socket) -> None:
        while True:
            asked = post(sock)
            if asked.path.endswith("/xhr_send"):
                self.sent.add(asked)
                answer(sock, status="204 No Content")
            else:
                self.received.add(asked)
                self._answer_receiver(sock, asked)

    def _answer_receiver(self, sock: socket.socket, asked: Post) -> None:
        if asked.path.endswith("/xhr_streaming"):
            begin_stream(sock)
            chunk(sock, PRELUDE)
            while True:
                chunk(sock, self._next() + b"\n")
        answer(sock, self._next() + b"\n")

    def _next(self) -> bytes:
        with self._given:
            assert self._given.wait_for(lambda: self._frames or self._ended, 4 * SOON)
            if self._ended:
                raise ConnectionError("the test is over")
            return self._frames.pop(0)


class Opened:
    """A transport that is open, as far as one of its kind is."""

    def __init__(self, server: Peer, kind: Type[XhrTransport]) -> None:
        self.clock, self.cancel_token = Hand(), CancelToken()
        self.config = config(server, self.clock, self.cancel_token)
        self.transport = kind(self.config)

    def open(self) -> None:
        self.transport.open(self.clock() + SOON)

    def receive(self) -> str:
        """The next frame, without the prelude."""
        text = self.transport.receive(self.clock() + SOON)
        assert text is not None
        return self.receive() if text.startswith("hh") else text

    def end(self) -> Closed:
        with pytest.raises(SockJSError) as caught:
            self.receive()
        return caught.value.closed


@contextlib.contextmanager
def opened(server: Peer, kind: Type[XhrTransport] = XhrStreamingTransport) -> Iterator[Opened]:
    one = Opened(server, kind)
    one.open()
    try:
        yield one
    finally:
        one.transport.discard()


def ours() -> List[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("keyyo-cti")]


@pytest.mark.parametrize(
    "kind, name, path",
    [(KINDS[0], "xhr-streaming", "xhr_streaming"), (KINDS[1], "xhr-polling", "xhr")],
)
def test_session(kind: Type[XhrTransport], name: str, path: str) -> None:
    """One SockJS session is received by one URL and sent to by another, under the same server
    and a session name of its own."""
    with Server() as server, opened(server, kind) as one:
        assert one.transport.name == name
        server.give(b"o")
        assert one.receive() == "o"
        one.transport.send("ask", SendProgress())
        (sent,) = server.sent.wait_for_count(1)
        assert json.loads(sent.body) == ["ask"]
        server.give(b'a["answer"]')
        assert one.receive() == 'a["answer"]'
        found = re.fullmatch(rf"/cti/000/([a-z0-9_]{{24}})/{path}", server.received.items[0].path)
        assert found
        assert sent.path == f"/cti/000/{found.group(1)}/xhr_send"


def test_a_session_for_each() -> None:
    """Another transport is another session."""
    with Server() as server, opened(server), opened(server):
        server.received.wait_for_count(2)
        paths = {each.path for each in server.received.items}
    assert len(paths) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_deadline(kind: Type[XhrTransport]) -> None:
    """Who receives gives up at his deadline, and a later one goes on."""
    with Server() as server, opened(server, kind) as one:
        server.give(b"o")
        assert one.receive() == "o"
        assert one.transport.receive(one.clock()) is None
        server.give(b"h")
        assert one.receive() == "h"


def test_bad_utf8() -> None:
    """A frame that is not UTF-8 cannot be read, and the next one can."""
    with Server() as server, opened(server) as one:
        server.give(b'a["\xff"]')
        server.give('a["é"]'.encode())
        with pytest.raises(Unreadable) as caught:
            one.receive()
        assert str(caught.value) == "a frame that is not UTF-8"
        assert one.receive() == 'a["é"]'


def test_heard_at() -> None:
    """What is heard is what the receiver hears."""
    with Server() as server, opened(server) as one:
        server.give(b"o")
        one.receive()
        one.clock.time = 130.0
        server.give(b"h")
        one.receive()
        assert one.transport.last_received_at == 130.0


@pytest.mark.fault(58)
@pytest.mark.parametrize("kind", KINDS)
def test_frame_that_was_heard_and_not_received_is_not_the_last(kind: Type[XhrTransport]) -> None:
    """A connection that ends with a frame in the pipe has lost it: the gap begins before."""
    with Server() as server, opened(server, kind) as one:
        server.give(b"o")
        one.receive()
        before = one.transport.last_frame_at
        one.clock.time += 30.0
        server.give(b'a["1"]')
        eventually(lambda: one.transport.last_received_at == one.clock.time)
        assert one.transport.last_frame_at == before
        one.receive()
        assert one.transport.last_frame_at == one.clock.time


@pytest.mark.parametrize("kind", KINDS)
def test_patience(kind: Type[XhrTransport]) -> None:
    """A server that sends a heartbeat every 25 seconds is not given up before a minute, and is
    not asked: to ask is to send nothing."""
    with Server() as server, opened(server, kind) as one:
        assert one.transport.min_silence_timeout == 60.0
        one.transport.probe()
        one.transport.send("only", SendProgress())
        server.sent.wait_for_count(1)
        assert json.loads(server.sent.items[0].body) == ["only"]


def test_goodbye() -> None:
    """There is no goodbye: what was sent arrives, and then it is over."""
    with Server() as server, opened(server) as one:
        one.transport.send("last", SendProgress())
        one.transport.send_close()
        assert one.end() == Closed(1006, "Closed")
        assert [json.loads(each.body) for each in server.sent.items] == [["last"]]
        with pytest.raises(WriteFailed):
            one.transport.send("late", SendProgress())


@pytest.mark.parametrize("kind", KINDS)
def test_discard(kind: Type[XhrTransport]) -> None:
    """Discarded, it has no thread and no connection any more; it can be discarded again."""
    come, left = Record(), Record()

    def serve(sock: socket.socket) -> None:
        if post(sock).path.endswith("/xhr_send"):
            answer(sock, status="204 No Content")
        else:
            begin_stream(sock)
            chunk(sock, "o\n")
        come.add(sock)
        while sock.recv(100):
            pass
        left.add(sock)

    with Peer(serve) as peer, opened(peer, kind) as one:
        assert one.receive() == "o"
        one.transport.send("x", SendProgress())
        come.wait_for_count(2)
        assert sorted(ours()) == ["keyyo-cti-receiver", "keyyo-cti-sender"]
        one.transport.discard()
        assert ours() == []
        left.wait_for_count(2)
        assert one.end() == Closed(1006, "The transport was discarded")
        with pytest.raises(WriteFailed):
            one.transport.send("late", SendProgress())


def test_discard_with_a_full_pipe() -> None:
    """Nobody waits for room in what is discarded."""
    with Server() as server, opened(server) as one:
        for _ in range(4):
            server.give(b"x" * 900_000)
        one.receive()
        one.transport.discard()
        assert ours() == []


def test_discard_before_open() -> None:
    """One that was never opened can be discarded."""
    with Server() as server:
        one = Opened(server, XhrStreamingTransport)
        one.transport.discard()
        one.transport.discard()
        assert ours() == []


def test_discarding_leaves_the_route() -> None:
    """What is discarded ends no connection but its own, and leaves nothing in the handle that
    would end it."""
    with Server() as server:
        one = Opened(server, XhrStreamingTransport)
        hooks: List[Any] = getattr(one.cancel_token, "_hooks")
        assert len(hooks) == 1
        stream = one.config.connector.open(one.clock() + SOON)
        one.open()
        one.transport.discard()
        assert len(hooks) == 1
        stream.sendall(b"POST /xhr HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        server.give(b"o")
        assert stream.recv(8) == b"HTTP/1.1"
        stream.close()
        assert hooks == []


def test_abort() -> None:
    """The handle of the route ends both its threads."""
    with Server() as server, opened(server) as one:
        server.give(b"o")
        one.receive()
        one.transport.send("x", SendProgress())
        server.sent.wait_for_count(1)
        one.cancel_token.cancel()
        assert one.end().code == 1006
        one.transport.discard()
        assert ours() == []
