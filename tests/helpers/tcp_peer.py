"""A raw TCP peer: what a server does on each connection is a function of the test's."""

import base64
import hashlib
import json
import re
import socket
import ssl
import struct
import threading
from typing import Any, Callable, List, Optional

from websocket import ABNF

Script = Callable[[socket.socket], object]


class Peer:
    """Listens on loopback, and runs one script for each connection, in a thread of its own.

    :param scripts: for the first connection, the second, ...; the last serves the rest too.
    :param tls: makes each connection TLS before its script runs.
    """

    def __init__(self, *scripts: Script, tls: Optional[ssl.SSLContext] = None) -> None:
        self._scripts = scripts
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: List[threading.Thread] = []
        self._sockets: List[socket.socket] = []
        #: Set when a connection has come, and reached its script.
        self.reached = threading.Event()
        #: For scripts that are to stay until the test is over.
        self.over = threading.Event()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def endpoint(self) -> str:
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}/cti"

    def __enter__(self) -> "Peer":
        self._start(self._accept)
        return self

    def __exit__(self, *_: Any) -> None:
        self.over.set()
        # Closing alone does not wake an accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        for sock in self._sockets:
            try:
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive(), "a script did not end"
        for sock in self._sockets:
            sock.close()
        self._listener.close()

    def stall(self, _: socket.socket) -> None:
        """A script that does nothing until the test is over."""
        self.reached.set()
        self.over.wait(60)

    def _start(self, target: Callable[..., object], *arguments: Any) -> None:
        thread = threading.Thread(target=target, args=arguments, name="peer", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        number = 0
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            script = self._scripts[min(number, len(self._scripts) - 1)]
            number += 1
            self._sockets.append(sock)
            self._start(self._serve, sock, script)

    def _serve(self, sock: socket.socket, script: Script) -> None:
        try:
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
                self._sockets.append(sock)
            script(sock)
            self.reached.set()
        except OSError:
            self.reached.set()  # The client went; the test looks at the client.


def request(sock: socket.socket) -> bytes:
    """Reads an HTTP request's head."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = sock.recv(1)
        if not byte:
            raise ConnectionError("the client went")
        head += byte
    return head


def respond(sock: socket.socket, body: Any, status: str = "200 OK") -> None:
    """Answers an HTTP request, and closes."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n"
    sock.sendall(head.encode() + data)
    sock.close()


def info(sock: socket.socket) -> None:
    """A script: answers the info request as a good server does."""
    request(sock)
    respond(sock, {"websocket": True})


def upgrade(sock: socket.socket) -> None:
    """Accepts a websocket handshake."""
    found = re.search(rb"Sec-WebSocket-Key: (\S+)", request(sock))
    assert found
    sock.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept(found.group(1)) + b"\r\n\r\n"
    )


def accept(key: bytes) -> bytes:
    """The answer to the key of a websocket handshake."""
    digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    return base64.b64encode(digest)


def frame(data: Any, opcode: int = ABNF.OPCODE_TEXT, fin: int = 1) -> bytes:
    """A websocket frame of a server."""
    payload = data.encode() if isinstance(data, str) else data
    return ABNF(fin, 0, 0, 0, opcode, 0, payload).format()


def read_frame(sock: socket.socket) -> Any:
    """A client's frame: its opcode and its payload."""
    first, second = exactly(sock, 2)
    length = second & 0x7F
    if length == 126:
        (length,) = struct.unpack("!H", exactly(sock, 2))
    elif length == 127:
        (length,) = struct.unpack("!Q", exactly(sock, 8))
    assert second & 0x80, "a client masks its frames"
    mask = exactly(sock, 4)
    return first & 0x0F, ABNF.mask(mask, exactly(sock, length))


def reset(sock: socket.socket) -> None:
    """Ends the connection with a TCP reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def pour(sock: socket.socket, data: bytes) -> int:
    """Sends the same for ever, that is until the client goes; gives how many bytes it took."""
    sent = 0
    try:
        while True:
            sock.sendall(data)
            sent += len(data)
    except OSError:
        return sent


def command(sock: socket.socket) -> Any:
    """Reads one command of the client."""
    opcode, payload = read_frame(sock)
    assert opcode == ABNF.OPCODE_TEXT, opcode
    (message,) = json.loads(payload)
    return json.loads(message)


def messages(*values: Any) -> bytes:
    """A frame that carries these as JSON messages."""
    return frame("a" + json.dumps([json.dumps(value) for value in values]))


def open_session(sock: socket.socket) -> None:
    """Up to an open session."""
    upgrade(sock)
    sock.sendall(frame("o"))
    asked = command(sock)
    result = {"number": "33199000001", "now": 1700000000, "session_id": "s-1"}
    sock.sendall(messages({"id": asked["id"], "result": result}))


def exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise ConnectionError("the client went")
        data += more
    return data
