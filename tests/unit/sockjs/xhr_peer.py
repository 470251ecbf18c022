"""A scripted server over HTTP, and what a transport needs to know of it."""

from __future__ import annotations

import re
import socket
from typing import Any, NamedTuple, Union

from requests.cookies import RequestsCookieJar

from keyyo_cti._net import urls
from keyyo_cti._net.cancellation import CancelToken
from keyyo_cti._net.clock import Monotonic
from keyyo_cti._net.connect import Connector
from keyyo_cti._sockjs.transport import TransportConfig

from ...helpers.background import SOON
from ...helpers.tcp_peer import Peer, request

PRELUDE = b"h" * 2048 + b"\n"


def config(
    peer: Peer, clock: Monotonic, cancel_token: CancelToken, **timeouts: Any
) -> TransportConfig:
    """How a transport gets to a peer."""
    write_timeout = timeouts.get("write_timeout", SOON)
    return TransportConfig(
        Connector(urls.parse_origin(peer.endpoint), None, cancel_token, write_timeout, clock),
        peer.endpoint,
        "000",
        RequestsCookieJar(),
        timeouts.get("max_message_size", 1_000_000),
        write_timeout,
        clock,
    )


class Post(NamedTuple):
    """A request as it came."""

    head: str
    body: str

    @property
    def path(self) -> str:
        return self.head.split(" ")[1]

    def header(self, name: str) -> str:
        """The value of a header, "" without it."""
        found = re.search(rf"(?im)^{name}: (.*?)\r$", self.head)
        return found.group(1) if found else ""


def post(sock: socket.socket) -> Post:
    """Reads a POST."""
    head = request(sock).decode("latin-1")
    assert head.startswith("POST "), head
    found = re.search(r"(?i)content-length: (\d+)", head)
    assert found, "without its length the server cannot tell where it ends"
    body = b""
    while len(body) < int(found.group(1)):
        more = sock.recv(int(found.group(1)) - len(body))
        if not more:
            raise ConnectionError("the client went")
        body += more
    return Post(head, body.decode("ascii"))


def answer(
    sock: socket.socket, body: Union[bytes, str] = b"", status: str = "200 OK", headers: str = ""
) -> None:
    """Answers a request, and keeps the connection."""
    data = body.encode() if isinstance(body, str) else body
    length = "" if status.startswith("204") else f"Content-Length: {len(data)}\r\n"
    sock.sendall(f"HTTP/1.1 {status}\r\n{length}{headers}\r\n".encode() + data)


def begin_stream(sock: socket.socket) -> None:
    """Begins an answer in chunks."""
    sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")


def chunk(sock: socket.socket, data: Union[bytes, str]) -> None:
    """A chunk of it; an empty one ends it."""
    raw = data.encode() if isinstance(data, str) else data
    sock.sendall(b"%x\r\n%b\r\n" % (len(raw), raw))
