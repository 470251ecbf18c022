"""SockJS over HTTP on a bare socket, without interpretation of the responses."""

from __future__ import annotations

import io
import json
import select
import socket
import ssl
from http.client import parse_headers
from typing import Dict, Iterator, Optional, Tuple
from urllib.parse import urlsplit

from .raw_client import TIMEOUT, Talker

STREAMING, POLLING = "xhr_streaming", "xhr"
RECEIVERS = (STREAMING, POLLING)
PRELUDE = "h" * 2048


class Cut(Exception):
    """TCP has ended in the middle of an answer, or before it."""


class Answer:
    """One response, as far as it has arrived.

    :param tcp: its TCP connection.
    :param before: the response before it, which may have read too far.
    """

    def __init__(self, tcp: socket.socket, before: Optional[Answer] = None) -> None:
        self._tcp = tcp
        self._unread: bytes = before._unread if before else b""
        self._body = b""
        self._chunks: Optional[Iterator[bytes]] = None
        status = self._line().split(b" ", 2)[1]
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._line()
            if head == b"\r\n":
                break
        self.status = int(status)
        self.headers = parse_headers(io.BytesIO(head))
        self._left = int(self.headers.get("Content-Length", "0"))
        # Without a length and without chunks, the end of TCP ends the body, as in HTTP/1.0.
        self._ends_with_tcp = self.status == 200 and not (
            {"content-length", "transfer-encoding"} & {name.lower() for name in self.headers}
        )

    def line(self) -> str:
        """Return the next line of the body; "" at the body's end."""
        while b"\n" not in self._body:
            more = self._more()
            if not more:
                break
            self._body += more
        line, _, self._body = self._body.partition(b"\n")
        return line.decode("utf-8", "backslashreplace")

    def text(self) -> str:
        """Return the rest of the body."""
        while True:
            more = self._more()
            if not more:
                return self._body.decode("utf-8")
            self._body += more

    def hears_nothing(self, seconds: float) -> bool:
        """Return True if nothing arrives within the timeout."""
        if self._body or self._unread:
            return False
        return not select.select([self._tcp], [], [], seconds)[0]

    def _more(self) -> bytes:
        """Some of the body; nothing at its end."""
        if self._ends_with_tcp:
            body, self._unread = self._unread or self._tcp.recv(65536), b""
            return body
        if self.headers.get("Transfer-Encoding") != "chunked":
            body = self._exactly(self._left)
            self._left = 0
            return body
        while b"\r\n" not in self._unread:
            self._fill()
        size = int(self._unread.partition(b"\r\n")[0], 16)
        while len(self._unread.partition(b"\r\n")[2]) < size + 2:
            self._fill()
        self._line()
        chunk = self._exactly(size + 2)[:-2]
        return chunk

    def _line(self) -> bytes:
        while b"\r\n" not in self._unread:
            self._fill()
        line, end, self._unread = self._unread.partition(b"\r\n")
        return line + end

    def _exactly(self, size: int) -> bytes:
        while len(self._unread) < size:
            self._fill()
        data, self._unread = self._unread[:size], self._unread[size:]
        return data

    def _fill(self) -> None:
        data = self._tcp.recv(65536)
        if not data:
            raise Cut
        self._unread += data


class Web:
    """One TCP connection to a server, for one request after the other.

    :param endpoint: the base URL.
    :param tls: the client's TLS settings.
    """

    def __init__(
        self, endpoint: str, *, timeout: float = TIMEOUT, tls: Optional[ssl.SSLContext] = None
    ) -> None:
        url = urlsplit(endpoint)
        assert url.hostname and url.port
        self._path = url.path
        self._host = url.netloc
        self._last: Optional[Answer] = None
        self.tcp = socket.create_connection((url.hostname, url.port), timeout=timeout)
        if tls is not None:
            self.tcp = tls.wrap_socket(
                self.tcp, server_hostname=url.hostname, suppress_ragged_eofs=False)

    def close(self) -> None:
        self.tcp.close()

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Optional[Dict[str, str]] = None,
        version: str = "1.1",
    ) -> None:
        """Send a request, in a version of HTTP."""
        given = {"Host": self._host, "Content-Length": str(len(body)), **(headers or {})}
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        head = f"{method} {self._path}{path} HTTP/{version}\r\n{lines}\r\n"
        self.tcp.sendall(head.encode("ascii") + body)

    def answer(self) -> Answer:
        """Return the next response."""
        self._last = Answer(self.tcp, self._last)
        return self._last

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Send a request and return its response; underscores in headers become dashes."""
        self.ask(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        return self.answer()


class XhrClient(Talker):
    """One SockJS session over HTTP, with one TCP connection each to receive and to send.

    :param endpoint: the base URL.
    :param receiver: one of `RECEIVERS`.
    :param opened: True waits for the opening frame.
    :param session: the id of the session.
    """

    def __init__(
        self,
        endpoint: str,
        receiver: str = STREAMING,
        *,
        opened: bool = True,
        session: str = "abcdefgh",
        timeout: float = TIMEOUT,
        tls: Optional[ssl.SSLContext] = None,
    ) -> None:
        super().__init__()
        self._base = f"/000/{session}/"
        self._path = self._base + receiver
        self._streaming = receiver == STREAMING
        self.receiver = Web(endpoint, timeout=timeout, tls=tls)
        self.sender = Web(endpoint, timeout=timeout, tls=tls)
        self._answer: Optional[Answer] = None
        if opened:
            assert self.frame() == "o"

    def close(self) -> None:
        self.receiver.close()
        self.sender.close()

    def receive(self) -> None:
        """Begin to receive, if that is not so."""
        if self._answer is None:
            self.receiver.ask("POST", self._path)
            self._answer = self.receiver.answer()
            assert self._answer.status == 200
            if self._streaming:
                assert self._answer.line() == PRELUDE

    def frame(self) -> str:
        """Return the next frame, from the current response or the next one."""
        while True:
            self.receive()
            assert self._answer is not None
            line = self._answer.line()
            if not self._streaming:
                assert self._answer.text() == "", "a poll has one frame"
            if not line or not self._streaming:
                self._answer = None
            if line:
                return line

    def hears_nothing(self, seconds: float) -> bool:
        """Return True if no further frame arrives within the timeout."""
        self.receive()
        assert self._answer is not None
        return self._answer.hears_nothing(seconds)

    def send_text(self, text: str) -> None:
        assert self.post(text.encode("utf-8")) == (204, "")

    def post(self, body: bytes, content_type: str = "text/plain;charset=UTF-8") -> Tuple[int, str]:
        """Send a body, and give status and text of the answer."""
        answer = self.sender.request(
            "POST", self._base + "xhr_send", body, Content_Type=content_type)
        return answer.status, answer.text()

    def say(self, *messages: str) -> None:
        """Send messages that need not be CTI."""
        self.send_text(json.dumps(messages))
