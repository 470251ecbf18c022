"""A server that is played by the very thread that tests, so that nothing there has to be waited
for: it accepts, reads and answers when the test says so."""

import json
import selectors
import socket
import threading
import time
from typing import Any, Dict, List, NamedTuple, Optional

from .websocket_frames import accept

#: Seconds after which what is expected counts as not coming.
PATIENCE = 20.0


class Asked(NamedTuple):
    """A request of a client.

    :ivar sock: where its answer goes.
    """

    sock: socket.socket
    path: str
    head: bytes
    body: bytes


class PlayedServer:
    """Listens on loopback. Everything but ``wake`` belongs to one thread."""

    def __init__(self) -> None:
        # Many connections may wait at once, when nobody reads.
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._listener.setblocking(False)
        self._sleeper, self._waker = socket.socketpair()
        self._sleeper.setblocking(False)
        self._selector = selectors.DefaultSelector()
        for sock in (self._listener, self._sleeper):
            self._selector.register(sock, selectors.EVENT_READ)
        self._heard: Dict[socket.socket, bytes] = {}
        self._over = threading.Event()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/cti"

    def wake(self) -> None:
        """The client is at its end: nothing more is to be expected. From any thread."""
        self._over.set()
        self._waker.send(b"!")

    @property
    def woken(self) -> bool:
        return self._over.is_set()

    def begin(self) -> None:
        """Another client comes; whatever there was of the one before is gone."""
        while self._accept():
            pass
        self.hang_up()
        self._over.clear()
        self._drain(self._sleeper)

    def hang_up(self) -> None:
        """Closes every connection."""
        for sock in list(self._heard):
            self.end(sock)

    def close(self) -> None:
        self.begin()
        self._selector.close()
        for sock in (self._listener, self._sleeper, self._waker):
            sock.close()

    def next_request(self) -> Optional[Asked]:
        """The next request, in whatever connection; None once the client is at its end."""
        until = time.monotonic() + PATIENCE
        while True:
            for sock in self._heard:
                asked = self._whole(sock)
                if asked is not None:
                    return asked
            if self.woken:
                return None
            ready = self._selector.select(until - time.monotonic())
            assert ready, "neither a request nor an end"
            for key, _ in ready:
                if key.fileobj is self._listener:
                    self._accept()
                elif isinstance(key.fileobj, socket.socket):
                    self._hear(key.fileobj)

    def end(self, sock: socket.socket) -> None:
        """Closes a connection."""
        if self._heard.pop(sock, None) is not None:
            self._selector.unregister(sock)
        sock.close()

    def take(self, sock: socket.socket) -> None:
        """Makes a connection the caller's own, which he has to close."""
        del self._heard[sock]
        self._selector.unregister(sock)

    def _accept(self) -> bool:
        try:
            sock, _ = self._listener.accept()
        except BlockingIOError:
            return False
        # In one segment for each send, as far as that is for us to say.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(PATIENCE)
        self._heard[sock] = b""
        self._selector.register(sock, selectors.EVENT_READ)
        return True

    def _hear(self, sock: socket.socket) -> None:
        if sock is self._sleeper:
            self._drain(sock)
            return
        try:
            data = sock.recv(65536)
        except OSError:
            data = b""
        if data:
            self._heard[sock] += data
        else:
            self.end(sock)

    def _whole(self, sock: socket.socket) -> Optional[Asked]:
        """The request that has come whole on a connection."""
        head, end, rest = self._heard[sock].partition(b"\r\n\r\n")
        size = _length(head)
        if not end or len(rest) < size:
            return None
        self._heard[sock] = rest[size:]
        return Asked(sock, head.split(b" ", 2)[1].decode("ascii"), head + end, rest[:size])

    @staticmethod
    def _drain(sock: socket.socket) -> None:
        try:
            while sock.recv(4096):
                pass
        except BlockingIOError:
            pass


def send(sock: socket.socket, *segments: bytes) -> bool:
    """Sends, a segment at a time; whether the client was there to get it."""
    try:
        for segment in segments:
            sock.sendall(segment)
    except OSError:
        return False
    return True


def accepted(asked: Asked) -> bytes:
    """The answer to a websocket's handshake."""
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept(asked.head) + b"\r\n\r\n"
    )


def carrying(*messages: Any) -> bytes:
    """The SockJS frame that carries these as JSON messages."""
    return b"a" + json.dumps([json.dumps(message) for message in messages]).encode()


def commands(text: bytes) -> List[Any]:
    """The commands in what a client sends."""
    return [json.loads(message) for message in json.loads(text)]


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
