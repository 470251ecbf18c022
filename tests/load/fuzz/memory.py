"""A network in memory, for what is to be tried a million times. The streams on it are real."""

import socket
import time
from typing import Any, Callable, Iterable

from keyyo_cti._net import urls
from keyyo_cti._net.cancellation import CancelToken
from keyyo_cti._net.clock import NEVER
from keyyo_cti._net.connect import Connector
from keyyo_cti._net.stream import Stream

from . import websocket_frames

BASE_URL = "http://127.0.0.1:1/cti"

#: Stands, in an answer to a handshake, for what answers its challenge.
ACCEPT = b"<accept>"

ACCEPTED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: <accept>\r\n\r\n"
)


class Server:
    """Gives an answer to each request, in whatever connection it comes, until there are no more.

    :param answers: as they stand on the wire.
    """

    def __init__(self, answers: Iterable[bytes]) -> None:
        self._answers = iter(answers)

    def hear(self, data: bytes) -> bytes:
        """Hears what a client writes at once, and gives what comes back."""
        if b"\r\n\r\n" not in data:
            return b""
        return next(self._answers, b"").replace(ACCEPT, websocket_frames.accept(data))


class MemorySocket(socket.socket):
    """A socket whose other side is in memory.

    :param hear: is told what is sent, and gives what can be read then. When there is nothing
        left to be read, the other side has closed.
    :param piece: bytes that come at a time.
    """

    def __init__(self, hear: Callable[[bytes], bytes], piece: int) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_STREAM)
        self._hear = hear
        self._piece = piece
        self._come = b""
        self._read = 0

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        data = self._come[self._read : self._read + min(bufsize, self._piece)]
        self._read += len(data)
        return data

    def send(self, data: Any, flags: int = 0) -> int:
        sent = bytes(data)
        self._come, self._read = self._come[self._read :] + self._hear(sent), 0
        return len(sent)


class MemoryRoute(Connector):
    """Leads to one server.

    :param piece: bytes that come at a time.
    """

    def __init__(self, server: Server, piece: int = 65536) -> None:
        self.cancel_token = CancelToken()
        super().__init__(urls.parse_origin(BASE_URL), None, self.cancel_token, 5.0, time.monotonic)
        self._server = server
        self._piece = piece

    def make_child(self) -> Connector:
        return MemoryRoute(self._server, self._piece)

    def open(self, until: float, bytes_left: float = NEVER) -> Stream:
        sock = MemorySocket(self._server.hear, self._piece)
        stream = Stream(sock, self.cancel_token, 5.0, time.monotonic)
        stream.read_until = until
        stream.bytes_left = bytes_left
        return stream
