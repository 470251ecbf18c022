"""What a SockJS server says of itself, asked over a real socket."""

from __future__ import annotations

import contextlib
import gc
import gzip
import socket
import threading
import time
from pathlib import Path
from typing import Iterator, List, Optional

import pytest

from keyyo_cti._net import http_adapter
from keyyo_cti._net.cancellation import CancelToken
from keyyo_cti._net.clock import NEVER
from keyyo_cti._net.connect import Connector
from keyyo_cti._net.failures import Encoded
from keyyo_cti._net.stream import Stream, TooLarge
from keyyo_cti._net.urls import Origin
from keyyo_cti._sockjs.errors import BadStatus, Closed, SockJSError
from keyyo_cti._sockjs.info import Info, fetch

from ...helpers.background import SOON

HOST = "127.0.0.1"


class Scripted:
    """A server that answers every request with the same bytes."""

    def __init__(self) -> None:
        self.answer: Optional[bytes] = b""
        self.requests: List[bytes] = []
        self.done = threading.Event()
        self.left = threading.Event()
        self._listener = socket.create_server((HOST, 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}/cti/info"
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        self.done.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(SOON)

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                with sock, contextlib.suppress(OSError):
                    sock.settimeout(SOON)
                    self._one(sock)

    def _one(self, sock: socket.socket) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            request += sock.recv(4096)
        self.requests.append(request)
        if self.answer is None:
            self.done.wait(SOON)
        else:
            sock.sendall(self.answer)
            # The other side has read it all before an end could overtake it.
            sock.shutdown(socket.SHUT_WR)
            sock.settimeout(1.0)
            while sock.recv(4096):
                pass
            self.left.set()


@pytest.fixture
def server() -> Iterator[Scripted]:
    server = Scripted()
    yield server
    server.close()


def ask(
    server: Scripted,
    seconds: float = SOON,
    cancel_token: Optional[CancelToken] = None,
    bytes_left: float = NEVER,
) -> Info:
    origin = Origin(HOST, server.port, False)
    connector = Connector(origin, None, cancel_token or CancelToken(), SOON, time.monotonic)
    until = time.monotonic() + seconds
    with http_adapter.make_session(lambda: connector.open(until, bytes_left)) as session:
        return fetch(session, server.url)


def refusal(server: Scripted, seconds: float = SOON) -> SockJSError:
    with pytest.raises(SockJSError) as caught:
        ask(server, seconds)
    assert caught.value.closed.code == 1002
    return caught.value


def answer(body: bytes, status: str = "200 OK", headers: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


@pytest.mark.parametrize(
    "body, websocket",
    [
        (b'{"websocket": true, "origins": ["*:*"], "cookie_needed": false, "entropy": 1}', True),
        (b'{"websocket": false}', False),
        (b"{}", True),
        (b'{"websocket": null}', True),
        (b'{"websocket": 0}', True),
        (b'{"new": {"field": []}}', True),
        (b"[]", True),
        (b"null", True),
        (b'"x"', True),
        (b" {}\n", True),
        (b"\xef\xbb\xbf{}", True),
    ],
)
def test_info(server: Scripted, body: bytes, websocket: bool) -> None:
    """Websockets work unless the server says no; unknown fields are passed over, and JSON that is
    no object counts as an empty one."""
    server.answer = answer(body)
    info = ask(server)
    assert info.websocket is websocket
    assert 0 < info.round_trip < SOON


def test_request(server: Scripted) -> None:
    """One GET is sent, to the URL."""
    server.answer = answer(b"{}")
    ask(server)
    (request,) = server.requests
    assert request.startswith(b"GET /cti/info HTTP/1.1\r\n")
    assert f"Host: {HOST}:{server.port}\r\n".encode() in request


@pytest.mark.parametrize("encoded", ["chunked", "to the end"])
def test_encodings(server: Scripted, encoded: str) -> None:
    """An answer may come in chunks, or end with the connection."""
    body = b'{"websocket": false}'
    server.answer = {
        "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (body[:5], len(body) - 5, body[5:]),
        "to the end": b"HTTP/1.0 200 OK\r\n\r\n" + body,
    }[encoded]
    assert not ask(server).websocket


@pytest.mark.fault(50)
def test_compressed_answer_is_refused(server: Scripted) -> None:
    """It was declined, and two kilobytes of it could be gigabytes."""
    body = gzip.compress(gzip.compress(b"\0" * 10_000_000))
    server.answer = answer(body, headers="Content-Encoding: gzip, gzip\r\n")
    assert isinstance(refusal(server).closed.cause, Encoded)
    assert b"Accept-Encoding: identity\r\n" in server.requests[0]


@pytest.mark.parametrize("body", [b"", b"{", b"<html>", b"nope", b"\xff", b"[" * 60_000])
def test_no_json(server: Scripted, body: bytes) -> None:
    """A body that is no JSON is refused, and the reason says what that means."""
    server.answer = answer(body)
    error = refusal(server)
    assert "it is not a SockJS endpoint" in error.closed.reason
    assert error.closed.cause is not None


@pytest.mark.parametrize("blanks", [65_536 - 2, 65_536 - 1, 65_536])
def test_long_body(server: Scripted, blanks: int) -> None:
    """A body may be so long and no longer."""
    server.answer = answer(b" " * blanks + b"{}")
    if blanks + 2 <= 65_536:
        assert ask(server).websocket
    else:
        assert "not a SockJS endpoint" in refusal(server).closed.reason


@pytest.mark.fault(85)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 401, 403, 407, 451, 511])
def test_status_of_something_between(server: Scripted, status: int) -> None:
    """A firewall, a login page or a proxy is named, and not the endpoint; a redirect is not
    followed."""
    server.answer = answer(b"<html>", f"{status} No", f"Location: {server.url}\r\n")
    closed = refusal(server).closed
    assert closed.reason == (
        f"{server.url} answers with status {status}: an intermediary has responded, such as "
        "a firewall, a login page or a proxy"
    )
    assert isinstance(closed.cause, BadStatus) and closed.cause.status == status
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", ["404 Not Found", "400 Bad Request", "204 No Content"])
def test_status(server: Scripted, status: str) -> None:
    """Any other status but 200 is refused and told."""
    server.answer = answer(b"{}", status, f"Location: {server.url}\r\n")
    if status.startswith("204"):
        server.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
    closed = refusal(server).closed
    assert closed.reason == (
        f"{server.url} answers with status {status[:3]}: it is not a SockJS endpoint"
    )
    assert closed.cause is None
    assert len(server.requests) == 1


@pytest.mark.fault(60)
@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 507, 520, 529, 599])
@pytest.mark.parametrize(
    "value, seconds", [("7", 7.0), ("", None), ("soon", None), ("-3", 0.0), ("nan", None)]
)
def test_down_or_busy_says_so(
    server: Scripted, status: int, value: str, seconds: Optional[float]
) -> None:
    """A service that is down or busy is not mistaken for a wrong endpoint; it may say when it
    wants to be asked again."""
    server.answer = answer(b"<html>", f"{status} No", f"Retry-After: {value}\r\n")
    closed = refusal(server).closed
    assert closed.reason == (
        f"{server.url} answers with status {status}: the service is down or busy"
    )
    assert isinstance(closed.cause, BadStatus)
    assert (closed.cause.status, closed.cause.retry_after) == (status, seconds)


@pytest.mark.parametrize(
    "bytes_",
    [
        b"",
        b"HTTP/1.1",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 301 Moved\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=lambda bytes_: repr(bytes_[:80]),
)
def test_no_proper_http(server: Scripted, bytes_: bytes) -> None:
    """Whatever the server sends instead of a proper answer, it is refused as one that cannot be
    connected to."""
    server.answer = bytes_
    closed = refusal(server).closed
    if isinstance(closed.cause, BadStatus):
        assert closed.reason.startswith(f"{server.url} answers with status 301: ")
    else:
        assert closed.reason in (
            f"no proper answer from {server.url}",
            f"{server.url} does not answer with JSON: it is not a SockJS endpoint",
        )


@pytest.mark.parametrize(
    "bytes_",
    [
        answer(b"{}"),
        answer(b"{"),
        answer(b"{}", "404 Not Found"),
        answer(b" " * 100_000),
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        answer(b"{}", headers="Content-Type: multipart/x; boundary*=a; boundary*0=b\r\n"),
        answer(b"{}", headers="Set-Cookie: a=b; expires=Thu, 01 Foo 2099 00:00:00 GMT\r\n"),
    ],
    ids=lambda bytes_: repr(bytes_[:75]),
)
def test_no_socket_is_left(server: Scripted, bytes_: bytes) -> None:
    """Whatever the answer, its socket is closed with the session, also while somebody keeps the
    error, and without waiting for the garbage collector."""
    server.answer = bytes_
    kept: Optional[SockJSError] = None
    gc.disable()
    try:
        ask(server)
    except SockJSError as error:
        kept = error
    finally:
        gc.enable()
    assert server.left.wait(1)
    del kept


@pytest.mark.parametrize(
    "bytes_", [answer(b"x" * 60_000), answer(b"{}", headers=f"X: {'y' * 60_000}\r\n")]
)
def test_endless_answer(server: Scripted, bytes_: bytes) -> None:
    """An answer that is longer than its stream may give is refused, and not read on."""
    server.answer = bytes_
    with pytest.raises(SockJSError) as caught:
        ask(server, bytes_left=50_000)
    assert caught.value.closed == Closed(1002, f"an endless response from {server.url}")
    assert isinstance(caught.value.closed.cause, TooLarge)


def test_no_answer(server: Scripted) -> None:
    """A server that takes the question and does not answer is given up at the deadline of its
    stream."""
    server.answer = None
    began = time.monotonic()
    closed = refusal(server, 0.1).closed
    assert time.monotonic() - began < SOON / 2
    assert closed.reason.endswith(f" from {server.url}") and closed.cause is not None


def test_half_an_answer(server: Scripted) -> None:
    """So is one that stops in the middle of its answer."""

    def stop(sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        server.done.wait(SOON)

    server._one = stop  # type: ignore[method-assign]
    began = time.monotonic()
    refusal(server, 0.1)
    assert time.monotonic() - began < SOON / 2


def test_abort(server: Scripted) -> None:
    """A pull from another thread ends the question."""
    server.answer = None
    cancel_token = CancelToken()

    def pull() -> None:
        while not server.requests and not server.done.wait(0.001):
            pass
        cancel_token.cancel()

    puller = threading.Thread(target=pull)
    puller.start()
    with pytest.raises(SockJSError):
        ask(server, 60, cancel_token)
    puller.join(SOON)


def test_a_stream_that_cannot_be_opened() -> None:
    """Why there is no stream comes out as it was told."""
    error = SockJSError(1002, "looking up name.test: no answer in time")

    def fail() -> Stream:
        raise error

    with http_adapter.make_session(fail) as session, pytest.raises(SockJSError) as caught:
        fetch(session, "http://name.test/cti/info")
    assert caught.value is error


def test_environment(
    server: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The password in the user's .netrc is sent to nobody."""
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {HOST} login user password CANARY\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server.answer = answer(b"{}")
    ask(server)
    assert b"authorization" not in server.requests[0].lower()


def test_cookies(server: Scripted) -> None:
    """Cookies that come with the answer are those to send to the same server next, and to no
    other."""
    server.answer = answer(b"{}", headers="Set-Cookie: JSESSIONID=here; Path=/\r\n")
    connector = Connector(
        Origin(HOST, server.port, False), None, CancelToken(), SOON, time.monotonic
    )
    until = time.monotonic() + SOON
    with http_adapter.make_session(lambda: connector.open(until)) as session:
        assert http_adapter.make_cookie_header(session.cookies, server.url) is None
        fetch(session, server.url)
        assert http_adapter.make_cookie_header(session.cookies, server.url) == "JSESSIONID=here"
        other = "http://other.test/cti/info"
        assert http_adapter.make_cookie_header(session.cookies, other) is None
