"""HTTP over our own streams."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Iterator, List, Optional

import pytest
import requests
from requests.cookies import RequestsCookieJar

from keyyo_cti.sockjs import http
from keyyo_cti.sockjs.abort import Abort
from keyyo_cti.sockjs.errors import SockJSError
from keyyo_cti.sockjs.stream import Stream

from .background import SOON, Background


class Ends:
    """Streams that are opened one after another, and the sockets at their other ends, in which
    the answers already are."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self.peers: List[socket.socket] = []
        self.streams: List[Stream] = []
        self.abort = Abort()

    def open(self) -> Stream:
        near, peer = socket.socketpair()
        peer.settimeout(SOON)
        self.peers.append(peer)
        near.setblocking(False)
        self.streams.append(Stream(near, self.abort, SOON, time.monotonic))
        self.streams[-1].read_until = time.monotonic() + SOON
        if self._answers:
            peer.sendall(self._answers.pop(0))
        return self.streams[-1]

    def asked(self, number: int = 0) -> str:
        """What came on a connection so far."""
        return self.peers[number].recv(65536).decode("latin-1")

    def close(self) -> None:
        self.abort.pull()
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
    with http.session(ends.open) as session:
        assert session.get(f"{scheme}://server.test/cti/info").text == "ok"
    asked = ends.asked()
    assert asked.startswith("GET /cti/info HTTP/1.1\r\n")
    assert "\r\nHost: server.test\r\n" in asked


@answers(ok())
def test_a_stream_serves_again(ends: Ends) -> None:
    """A stream whose answer was read to its end serves the next request too."""
    with http.session(ends.open) as session:
        assert session.get("http://server.test/1").text == "ok"
        assert "GET /1" in ends.asked()
        again = Background(session.get, "http://server.test/2")
        assert "GET /2" in ends.asked()
        ends.peers[0].sendall(ok(b"again"))
        assert again.result().text == "again"
    assert len(ends.streams) == 1


def test_not_tried_again(ends: Ends) -> None:
    """A request that failed is not tried again."""
    with http.session(ends.open) as session:
        ends.abort.pull()
        with pytest.raises(requests.ConnectionError):
            session.get("http://server.test/")
    assert len(ends.streams) == 1


@answers(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx", ok())
def test_closing_closes_the_streams(ends: Ends) -> None:
    """With the session every stream is closed, also one whose answer was not read to its end,
    and the session can be used again."""
    with http.session(ends.open) as session:
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
    with http.session(ends.open) as session:
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

    with http.session(fail) as session, pytest.raises(SockJSError) as caught:
        session.get("https://server.test/")
    assert caught.value is error


@answers(ok(headers=b"Location: http://other.test/\r\n").replace(b"200 OK", b"302 Found"))
@pytest.mark.parametrize("follow", [False, True])
def test_redirects(ends: Ends, follow: bool) -> None:
    """No redirect is followed."""
    with http.session(ends.open) as session:
        response = session.get("http://server.test/", allow_redirects=follow)
        assert (response.status_code, response.history) == (302, [])
    assert len(ends.streams) == 1


@answers(
    b"HTTP/1.1 302 Found\r\nLocation: http://other.test/\r\nContent-Length: 1000\r\n\r\n"
)
def test_redirect_is_not_read(ends: Ends) -> None:
    """The body of a redirect is not read unless somebody asks for it, however long it takes."""
    with http.session(ends.open) as session:
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
    with http.session(ends.open) as session:
        session.get("http://server.test/")
    asked = ends.asked()
    assert asked.startswith("GET / HTTP/1.1") and "Authorization" not in asked


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
    assert http.cookie_header(cookies, url) == header
