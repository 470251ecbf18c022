"""Targets: the SockJS client's transports, on a network in memory."""

import threading
import time
from random import Random
from typing import Any, Callable, Iterable, List, Tuple, Type

from requests.cookies import RequestsCookieJar

from keyyo_cti._net.cancellation import CancelToken
from keyyo_cti._sockjs import TRANSPORTS, Timeouts
from keyyo_cti._sockjs.errors import Closed, SockJSError, Unreadable
from keyyo_cti._sockjs.handshake import Handshake, HandshakeResult
from keyyo_cti._sockjs.session import CLOSED, Message
from keyyo_cti._sockjs.transport import Transport, TransportConfig
from keyyo_cti._sockjs.websocket import WebSocketTransport
from keyyo_cti._sockjs.xhr import XhrPollingTransport, XhrStreamingTransport

from . import websocket_frames
from .answers import GOOD_INFO, HTTP_TOKENS, answers, chunked, sized
from .calm import Calm
from .checks import CheckedProtocol, Customer
from .memory import ACCEPTED, BASE_URL, MemoryRoute, Server
from .streams import FRAMES, websocket_stream
from .target import NEXT, Target, head

#: Bytes of a message, so few that an input can have more.
LARGEST = 1500

#: Seconds after which something hangs: nothing here waits for anybody.
HANGS = 10.0


class Reading:
    """Reads a transport to its end, as a connection does."""

    def __init__(self, calm: Calm) -> None:
        self._calm = calm
        self._customer = Customer()

    def to_the_end(
        self,
        transport: Transport,
        most: int,
        receive: Callable[[str], Iterable[Any]],
        closed: Callable[[], bool],
    ) -> None:
        """Reads until the connection is over, which it is when there are no more bytes.

        :param most: frames that there can be.
        :param receive: gives the messages in a frame.
        :param closed: whether a frame closed the session.
        """
        for _ in range(most + 2):
            try:
                text = transport.receive(time.monotonic() + HANGS)
            except Unreadable:
                continue
            except SockJSError as error:
                check_closed(error.closed)
                return
            self._calm.check()
            assert text is not None, "the end does not come"
            for message in receive(text):
                self._customer.receive(message)
            if closed():
                return
        raise AssertionError("more frames than bytes")


class _OnTransport(Target):
    def __init__(self) -> None:
        super().__init__()
        self._random = Random(0)
        self._calm = Calm()
        self._calm.__enter__()
        self._reading = Reading(self._calm)

    def draw_from(self, random: Random) -> None:
        super().draw_from(random)
        self._random = random

    def close(self) -> None:
        self._calm.__exit__()

    def _run(self, transport: Transport, most: int) -> None:
        protocol = CheckedProtocol()
        try:
            transport.open(time.monotonic() + HANGS)
            self._reading.to_the_end(
                transport, most, protocol.receive, lambda: protocol.closed)
        finally:
            transport.discard()
        self._look_around()

    def _look_around(self) -> None:
        names = [thread.name for thread in threading.enumerate()]
        left = [name for name in names if name in ("keyyo-cti-receiver", "keyyo-cti-sender")]
        assert not left, left
        self._calm.check()


class WebSocket(_OnTransport):
    """The websocket transport. After the first byte, which says how many bytes come at a time,
    an input is what comes after the handshake."""

    name = "websocket"
    share = 4.0
    seeds = tuple(b"\xff" + websocket_frames.frame(frame) for frame in FRAMES)
    tokens = (
        b"\x80", b"\x81", b"\x01", b"\x82", b"\x88\x02\x03\xe8", b"\x89", b"\x8a", b"\x7e\xff\xff",
        b"\x7f" + b"\xff" * 8, b"\x7f" + b"\0" * 7 + b"\x01", b"\xf1", *FRAMES,
    )

    def make(self) -> bytes:
        if self._random.random() < 0.3:
            return super().make()
        piece = bytes([int(self._random.random() * 256)])
        return piece + websocket_stream(self._random, self._mutator)

    def attempt(self, data: bytes) -> None:
        server = Server([ACCEPTED + data[1:]])
        self._run(WebSocketTransport(config(server, piece(data))), len(data))


class Xhr(_OnTransport):
    """The HTTP transports. The first byte says which of them, and how many bytes come at a time;
    then come whole answers of the server."""

    name = "xhr"
    share = 3.0
    seeds = (
        b"\xfe" + chunked(b"h" * 2048 + b"\n", b"o\n", b'a["x"]\n', b"h\n", b'c[3000,"x"]\n'),
        b"\xff" + NEXT.join([sized(b"o\n"), sized(b'a["x"]\n'), sized(b"c[1000]\n")]),
        b"\x01" + NEXT.join([chunked(b"o\n", b'a["', b'x"]\nh'), chunked(b"hh\na\n")]),
        b"\x10HTTP/1.0 200 OK\r\n\r\no\na[1]\n",
        b"\xff" + sized(b"", b"HTTP/1.1 404 Not Found\r\n"),
    )
    tokens = (*HTTP_TOKENS, *(frame + b"\n" for frame in FRAMES))

    bodies = tuple(frame + b"\n" for frame in FRAMES)

    def make(self) -> bytes:
        return answers(self._random, self._mutator, self.bodies) or super().make()

    _kinds: Tuple[Type[Transport], ...] = (XhrStreamingTransport, XhrPollingTransport)

    def attempt(self, data: bytes) -> None:
        server = Server(data[1:].split(NEXT))
        kind = self._kinds[head(data) % 2]
        self._run(kind(config(server, piece(data))), len(data))


class Open(_OnTransport):
    """The opening of a session: info, handshake, fallback, first frames. The first byte says how
    many bytes come at a time; then come whole answers of the server."""

    name = "opening"
    share = 2.0
    seeds = (
        b"\xff" + NEXT.join([GOOD_INFO, ACCEPTED + websocket_frames.frame(b"o")]),
        b"\xff" + NEXT.join([GOOD_INFO, sized(b"", b"HTTP/1.1 403 No\r\n"), chunked(b"o\n")]),
        b"\xff" + NEXT.join([sized(b'{"websocket":false}'), b"", sized(b"o\n"), sized(b"h\n")]),
        b"\xff" + NEXT.join([GOOD_INFO, ACCEPTED + websocket_frames.frame(b"c[2010]"), b"", b""]),
        b"\xff" + NEXT.join(
            [chunked(b'{"websocket":', b"false}"), chunked(b"hhh\n", b'o\na["x"]\n')]),
    )
    tokens = (*HTTP_TOKENS, *FRAMES, b"\x81\x01o", b'{"websocket":false}')
    bodies = (
        b'{"websocket":true}', b'{"websocket":false}', b"{}", b"[]", b"o\n", b"c[2010]\n", b"h\n",
        websocket_frames.frame(b"o") + websocket_frames.frame(b"h"), websocket_frames.frame(b"c"),
    )

    def make(self) -> bytes:
        return answers(self._random, self._mutator, self.bodies) or super().make()

    def attempt(self, data: bytes) -> None:
        server = Server(data[1:].split(NEXT))
        connector = MemoryRoute(server, piece(data))
        opening = Handshake(
            BASE_URL, connector, CancelToken(), time.monotonic() + HANGS, timeouts(), TRANSPORTS,
            time.monotonic,
        )
        began = time.monotonic()
        try:
            session = opening.run()
        except SockJSError as error:
            check_closed(error.closed)
        else:
            self._go_on(session, len(data))
        assert time.monotonic() - began < HANGS, "it took until the time was up"
        self._look_around()

    def _go_on(self, session: HandshakeResult, most: int) -> None:
        def receive(text: str) -> List[Any]:
            events = session.session.receive(text)
            return [event.value for event in events if isinstance(event, Message)]

        try:
            self._reading.to_the_end(
                session.transport, most, receive, lambda: session.session.state == CLOSED)
        finally:
            session.transport.discard()


def config(server: Server, piece: int) -> TransportConfig:
    """For a transport to a server in memory."""
    return TransportConfig(
        MemoryRoute(server, piece), BASE_URL, "000", RequestsCookieJar(), LARGEST, 5.0,
        time.monotonic,
    )


def timeouts() -> Timeouts:
    return Timeouts(connect_timeout=HANGS, max_message_size=LARGEST)


def piece(data: bytes) -> int:
    """Bytes that come at a time, by the first byte: few, or all."""
    first = head(data)
    return 65536 if first & 0x80 else 1 + first // 2


def check_closed(closed: Closed) -> None:
    """An end can be told."""
    assert type(closed.code) is int and closed.reason.isprintable()
    repr(closed), closed.clean
