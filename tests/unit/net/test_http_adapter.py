"""HTTP over our own streams."""

from __future__ import annotations

import gzip
import socket
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import Iterator, List, Optional

import pytest
import requests
from requests.cookies import RequestsCookieJar

from keyyo_cti._net import http_adapter
from keyyo_cti._net.cancellation import CancelToken
from keyyo_cti._net.failures import Encoded, describe_failure
from keyyo_cti._net.stream import Stream
from keyyo_cti._sockjs.errors import SockJSError

from ...helpers.background import SOON, Background


class Ends:
    """Streams that are opened one after another, and the sockets at their other ends, in which
    the answers already are."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self.peers: List[socket.socket] = []
        self.streams: List[Stream] = []
        self.cancel_token = CancelToken()
        #: Set when the peer says nothing after its answer.
        self.last = False

    def open(self) -> Stream:
        near, peer = socket.socketpair()
        peer.settimeout(SOON)
        self.peers.append(peer)
        near.setblocking(False)
        self.streams.append(Stream(near, self.cancel_token, SOON, time.monotonic))
        self.streams[-1].read_until = time.monotonic() + SOON
        if self._answers:
            peer.sendall(self._answers.pop(0))
        if self.last:
            peer.shutdown(socket.SHUT_WR)
        return self.streams[-1]

    def answer(self, answer: bytes) -> None:
        """What the next stream finds."""
        self._answers.append(answer)

    def asked(self, number: int = 0) -> str:
        """What came on a connection so far."""
        return self.peers[number].recv(65536).decode("latin-1")

    def close(self) -> None:
        self.cancel_token.cancel()
        for stream in self.streams:
            stream.close()
        for peer in self.peers:
            peer.close()


@pytest.fixture
def ends(request: pytest.FixtureRequest) -> Iterator[Ends]:
    ends = Ends(*getattr(request, "param", ()))
    yield ends
    ends.close()


def answers(*answers: bytes) -> pytest.MarkDecorator:
    """The answers that the streams have, one for each."""
    return pytest.mark.parametrize("ends", [answers], indirect=True)


def ok(body: bytes = b"ok", headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%b\r\n" % (len(body), headers) + body


@answers(ok())
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_session(ends: Ends, scheme: str) -> None:
    """Both http and https go over a stream as it is: whether it speaks TLS is its own affair."""
    with http_adapter.make_session(ends.open) as session:
        assert session.get(f"{scheme}://server.test/cti/info").text == "ok"
    asked = ends.asked()
    assert asked.startswith("GET /cti/info HTTP/1.1\r\n")
    assert "\r\nHost: server.test\r\n" in asked


@answers(ok())
def test_a_stream_serves_again(ends: Ends) -> None:
    """A stream whose answer was read to its end serves the next request too."""
    with http_adapter.make_session(ends.open) as session:
        assert session.get("http://server.test/1").text == "ok"
        assert "GET /1" in ends.asked()
        again = Background(session.get, "http://server.test/2")
        assert "GET /2" in ends.asked()
        ends.peers[0].sendall(ok(b"again"))
        assert again.result().text == "again"
    assert len(ends.streams) == 1


def test_not_tried_again(ends: Ends) -> None:
    """A request that failed is not tried again."""
    with http_adapter.make_session(ends.open) as session:
        ends.cancel_token.cancel()
        with pytest.raises(requests.ConnectionError):
            session.get("http://server.test/")
    assert len(ends.streams) == 1


@answers(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx", ok())
def test_closing_closes_the_streams(ends: Ends) -> None:
    """With the session every stream is closed, also one whose answer was not read to its end,
    and the session can be used again."""
    with http_adapter.make_session(ends.open) as session:
        response = session.get("http://server.test/", stream=True)
        assert response.raw.read(1) == b"x"
        response.close()
        session.close()
        assert ends.streams[0].fileno() == -1
        assert session.get("http://server.test/").text == "ok"
    assert ends.streams[1].fileno() == -1


@answers(ok(), ok(b"again"))
def test_closing_forgets_the_streams(ends: Ends) -> None:
    """A stream that is idle is closed with the session too, and not used when that is used
    again."""
    with http_adapter.make_session(ends.open) as session:
        assert session.get("http://server.test/").text == "ok"
        session.close()
        assert ends.streams[0].fileno() == -1
        assert session.get("http://server.test/").text == "again"


@answers(ok())
def test_what_open_stream_raises(ends: Ends) -> None:
    """Why there is no stream comes out as it was raised."""
    error = SockJSError(1002, "no way")

    def fail() -> Stream:
        raise error

    with http_adapter.make_session(fail) as session, pytest.raises(SockJSError) as caught:
        session.get("https://server.test/")
    assert caught.value is error


@answers(ok(headers=b"Location: http://other.test/\r\n").replace(b"200 OK", b"302 Found"))
@pytest.mark.parametrize("follow", [False, True])
def test_redirects(ends: Ends, follow: bool) -> None:
    """No redirect is followed."""
    with http_adapter.make_session(ends.open) as session:
        response = session.get("http://server.test/", allow_redirects=follow)
        assert (response.status_code, response.history) == (302, [])
    assert len(ends.streams) == 1


@answers(
    b"HTTP/1.1 302 Found\r\nLocation: http://other.test/\r\nContent-Length: 1000\r\n\r\n"
)
def test_redirect_is_not_read(ends: Ends) -> None:
    """The body of a redirect is not read unless somebody asks for it, however long it takes."""
    with http_adapter.make_session(ends.open) as session:
        response = session.get("http://server.test/", allow_redirects=False, stream=True)
        assert response.status_code == 302


@answers(ok())
def test_environment(ends: Ends, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the user's .netrc nor the environment's proxy is looked at: the stream knows its
    way, and the user's password is for nobody here."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine server.test login me password CANARY\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.test:3128")
    with http_adapter.make_session(ends.open) as session:
        session.get("http://server.test/")
    asked = ends.asked()
    assert asked.startswith("GET / HTTP/1.1") and "Authorization" not in asked


CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "answer, told",
    [
        (b"", "the server closed the connection"),
        (b"HTTP/1.1 20", "the server closed the connection"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nxx", "the server closed the connection"),
        (CHUNKS, "the server closed the connection"),
        (CHUNKS + b"5", "the server closed the connection"),
        (CHUNKS + b"5\r\nab", "the server closed the connection"),
        (CHUNKS + b"2\r\nab\r\n", "the server closed the connection"),
        (CHUNKS + b"zz\r\nab", "the answer is garbled"),
        (b"SSH-2.0 and no HTTP\r\n\r\n", "the answer is garbled"),
    ],
)
def test_words_for_an_answer_that_is_cut(ends: Ends, answer: bytes, told: str) -> None:
    """A cut answer is told as what it is, and not by the name of a library's error."""
    ends.answer(answer)
    with http_adapter.make_session(ends.open) as session, pytest.raises(Exception) as caught:
        ends.last = True
        with session.get("http://server.test/", stream=True) as response:
            while response.raw.read1(100):
                pass
    assert describe_failure(caught.value, ended=ends.streams[0].ended) == told


def bomb(layers: int) -> bytes:
    """Few bytes, which are a great many when they are unpacked."""
    data = b"\0" * 10_000_000
    for _ in range(layers):
        data = gzip.compress(data)
    return data


@pytest.mark.fault(50)
@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Encoding: gzip\r\n",
        b"content-encoding:GZIP\r\n",
        b"Content-Encoding: x-gzip\r\n",
        b"Content-Encoding: deflate\r\n",
        b"Content-Encoding: br\r\n",
        b"Content-Encoding: zstd\r\n",
        b"Content-Encoding: gzip, gzip, gzip\r\n",
        b"Content-Encoding: identity, gzip\r\n",
        b"Content-Encoding: identity\r\nContent-Encoding: gzip\r\n",
        b"Content-Encoding:\r\n gzip\r\n",
        b"Content-Encoding: no-such-coding\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: chunked, gzip\r\n",
        b"Transfer-Encoding: chunked, chunked\r\n",
        b"Transfer-Encoding: deflate\r\nTransfer-Encoding: chunked\r\n",
    ],
)
@pytest.mark.parametrize("status", [b"200 OK", b"302 Found", b"401 No", b"503 Later"])
@pytest.mark.parametrize("stream", [False, True])
def test_encoded_answer_is_refused_before_it_is_read(
    ends: Ends, headers: bytes, status: bytes, stream: bool
) -> None:
    """Whatever its status and whoever asks, no byte of it is decoded, and its stream is closed."""
    ends.answer(b"HTTP/1.1 " + status + b"\r\n" + headers + b"Content-Length: 20\r\n\r\n")
    with http_adapter.make_session(ends.open) as session:
        # The body never comes: to read it would be to wait for it.
        with pytest.raises(Encoded):
            session.get("http://server.test/", stream=stream)
        assert len(ends.streams) == 1


@pytest.mark.fault(50)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_request_declines_encodings(ends: Ends, method: str) -> None:
    ends.answer(ok())
    with http_adapter.make_session(ends.open) as session:
        session.request(method, "http://server.test/")
    asked = ends.asked()
    assert asked.count("Accept-Encoding: identity\r\n") == 1 and "gzip" not in asked


@pytest.mark.fault(50)
@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Encoding: identity\r\n",
        b"Content-Encoding: Identity , identity\r\n",
        b"Content-Encoding: \r\n",
        b"Transfer-Encoding: identity\r\n",
    ],
)
def test_identity_is_no_encoding(ends: Ends, headers: bytes) -> None:
    ends.answer(ok(headers=headers))
    with http_adapter.make_session(ends.open) as session:
        assert session.get("http://server.test/").text == "ok"


@pytest.mark.fault(50)
def test_body_that_looks_compressed_is_given_as_it_is(ends: Ends) -> None:
    """Only a header makes it compressed."""
    body = bomb(2)
    ends.answer(ok(body))
    with http_adapter.make_session(ends.open) as session:
        assert session.get("http://server.test/").content == body


@pytest.mark.fault(30)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_debug_level_of_http_client_prints_nothing_of_ours(
    ends: Ends,
    scheme: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A program that sets it for its own requests does not print our tokens."""
    monkeypatch.setattr(HTTPConnection, "debuglevel", 1)
    ends.answer(ok(headers=b"Set-Cookie: a=CANARY\r\n"))
    with http_adapter.make_session(ends.open) as session:
        session.post(f"{scheme}://server.test/", headers={"Authorization": "CANARY"}, data="x")
    assert "CANARY" in ends.asked()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "url, header",
    [
        ("http://server.test/cti", "b=2; a=1"),
        ("http://server.test/", "a=1"),
        ("http://other.test/cti", None),
    ],
)
def test_cookie_header(url: str, header: Optional[str]) -> None:
    """The cookies for a URL, as one header; none is none."""
    cookies = RequestsCookieJar()
    for name, value, path in [("a", "1", "/"), ("b", "2", "/cti")]:
        cookies.set(name, value, domain="server.test", path=path)
    assert http_adapter.make_cookie_header(cookies, url) == header
