"""One HTTP request: with an end, over TLS, and with its secrets out of sight."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import socket
import ssl
import threading
import time
import tracemalloc
from pathlib import Path
from typing import Any, Iterator

import pytest
import requests
import responses
import trustme
import urllib3

from keyyo_cti._net.http_request import (
    Bearer,
    Credentials,
    HttpClient,
    Reply,
    SecretForm,
    check_url,
)
from keyyo_cti.errors import RequestFailed

from ...helpers import canaries
from ...helpers import tcp_peer as peers
from ...helpers.canaries import ACCESS, Watch
from ...helpers.probe import Record
from ...helpers.tcp_peer import Peer

keyyo, watch = canaries.keyyo, canaries.watch

URL = "https://api.example.com/thing"


class ThingFailed(RequestFailed):
    """An error that somebody asked for."""


@pytest.fixture
def web() -> HttpClient:
    return HttpClient(ThingFailed, 10.0, None)


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers with the Authorization it was sent; redirects elsewhere from /away."""

    def do_GET(self) -> None:
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "/")
        else:
            self.send_response(200)
        body = f'{{"sent": "{self.headers.get("Authorization")}"}}'.encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[http.server.HTTPServer]:
    """A server on this machine."""
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def where(server: http.server.HTTPServer, path: str = "/") -> str:
    return f"http://127.0.0.1:{server.server_port}{path}"


def failed(web: HttpClient, url: str = URL) -> ThingFailed:
    with pytest.raises(ThingFailed) as caught:
        web.send("GET", url, Bearer(ACCESS))
    return caught.value


def test_good(web: HttpClient, server: http.server.HTTPServer) -> None:
    """An answer brings its status, its headers and its JSON; the token was in the header."""
    reply = web.send("GET", where(server), Bearer("token"))
    assert (reply.status, reply.reason, reply.ok) == (200, "OK", True)
    assert reply.headers["content-length"] == str(len(reply.body))
    assert reply.fields() == {"sent": "Bearer token"}


def test_no_redirection(web: HttpClient, server: http.server.HTTPServer) -> None:
    """A redirection is an answer, and is not followed."""
    reply = web.send("GET", where(server, "/away"), Bearer("token"))
    assert (reply.status, reply.ok) == (302, False)


def test_no_netrc(
    web: HttpClient,
    server: http.server.HTTPServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A password that .netrc has for the host is not sent, not even without a token."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert requests.get(where(server), timeout=10).json()["sent"].startswith("Basic")
    assert web.send("GET", where(server), Credentials()).fields() == {"sent": "None"}
    assert web.send("GET", where(server), Bearer("a")).fields() == {"sent": "Bearer a"}


@pytest.mark.parametrize("status", [200, 302])
def test_endless(
    keyyo: responses.RequestsMock, watch: Watch, web: HttpClient, status: int
) -> None:
    """An answer that is too large is not read to its end, be it a redirection."""
    headers = {"Location": "/"}
    keyyo.get(URL, body=b"x" * (8 * 1024 * 1024 + 1), status=status, headers=headers)
    error = failed(web)
    assert (error.status_code, error.error_code) == (502, "unreadable")
    assert error.message == "The answer of api.example.com is larger than 8388608 bytes"


@pytest.mark.fault(50)
@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip, gzip", "deflate", "br"])
def test_compressed_answer_is_refused_at_once(watch: Watch, coding: str) -> None:
    """Not a byte of it is unpacked: a bomb takes no time, and no memory."""
    body = b"\0" * 10_000_000
    for _ in coding.split(", "):
        body = gzip.compress(body)

    def answer(sock: socket.socket) -> None:
        asked.add(peers.request(sock))
        peers.respond(sock, body, f"200 OK\r\nContent-Encoding: {coding}")

    asked = Record()
    with Peer(answer) as peer:
        error = failed(HttpClient(ThingFailed, 10.0, None), f"http://127.0.0.1:{peer.port}/")
    assert (error.status_code, error.error_code) == (502, "unreadable")
    assert error.message == (
        f"The answer of 127.0.0.1 cannot be read: the answer is compressed ({coding!r}), which "
        "was declined"
    )
    assert b"Accept-Encoding: identity\r\n" in asked.items[0]
    watch.see(error)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[1]", b'"text"', b"\xff\xfe\xfd", b"[" * 200_000, b"null"]
    + [b'{"a":' * 200 + b"1" + b"}" * 200],
)
def test_no_json(body: bytes) -> None:
    """What is no JSON object has no fields, however deep or broken it is."""
    assert Reply(200, "OK", {}, body).fields() == {}


@pytest.mark.fault(73)
@pytest.mark.parametrize("value", [b"{}", b"[]", b"0", b'""', b"{},[]"])
def test_json_of_nothing_but_tiny_values_is_not_read(value: bytes) -> None:
    """Eight megabytes of them would take thirty times the memory."""
    body = b'{"items": [' + b",".join([value] * 500_000) + b"]}"
    tracemalloc.start()
    try:
        assert Reply(200, "OK", {}, body).fields() == {}
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 3 * len(body)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_json_in_any_encoding(encoding: str) -> None:
    body = '{"name": "\u00e9"}'.encode(encoding)
    assert Reply(200, "OK", {}, body).fields() == {"name": "\u00e9"}


def test_refused_connection(web: HttpClient, watch: Watch) -> None:
    """Where nobody listens, it is 503 unreachable, of the class that was asked for."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        error = failed(web, f"http://127.0.0.1:{nobody.getsockname()[1]}/")
    assert (error.status_code, error.error_code) == (503, "unreachable")
    assert error.message == "127.0.0.1 cannot be reached: Connection refused"
    assert error.hint and "check the network" in error.hint
    watch.see(error)


def test_silence(watch: Watch) -> None:
    """A server that takes the request and says nothing: 408, and nobody knows what it did."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        client = HttpClient(ThingFailed, 0.05, None)
        error = failed(client, f"http://127.0.0.1:{deaf.getsockname()[1]}/")
    assert (error.status_code, error.error_code) == (408, "timeout")
    assert error.message == "No answer from 127.0.0.1 within 0.05 s"
    assert error.hint and "check before" in error.hint
    watch.see(error)


@pytest.mark.parametrize("trickles", ["headers", "body"])
def test_trickle(watch: Watch, trickles: str) -> None:
    """A server that never pauses for long, and never ends, is given up all the same."""
    begin = b"HTTP/1.1 200\r\nContent-Length: 9999\r\n\r\n" if trickles == "body" else b"HTTP"

    def trickle(sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            sock.recv(65536)
            sock.sendall(begin)
            while not peer.over.wait(0.01):
                sock.sendall(b"x")

    with Peer(trickle) as peer:
        began = time.monotonic()
        error = failed(HttpClient(ThingFailed, 0.3, None), f"http://127.0.0.1:{peer.port}/")
        assert time.monotonic() - began < 5
    assert (error.status_code, error.error_code) == (408, "timeout")
    watch.see(error)


def test_closed_in_the_middle(watch: Watch) -> None:
    """Closed by another thread, a request ends at once, and so do those that come later."""
    web = HttpClient(ThingFailed, 60.0, None)

    def stall(sock: socket.socket) -> None:
        sock.recv(65536)
        web.close()
        peer.over.wait(20)

    with Peer(stall) as peer:
        for _ in range(2):
            error = failed(web, f"http://127.0.0.1:{peer.port}/")
            assert (error.status_code, error.error_code) == (400, "closed")
    watch.see(error)


def test_certificate(server: http.server.HTTPServer, tmp_path: Path, watch: Watch) -> None:
    """A certificate of an authority that is not trusted is named as the reason; one of an
    authority in ca_certs is taken."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    url = where(server).replace("http:", "https:")
    error = failed(HttpClient(ThingFailed, 10.0, None), url)
    assert (error.status_code, error.error_code) == (503, "untrusted")
    assert "the certificate is refused" in error.message
    assert error.hint and "ca_certs" in error.hint
    watch.see(error)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    trusting = HttpClient(ThingFailed, 10.0, tmp_path / "ca.pem")
    assert trusting.send("GET", url, Bearer("a")).status == 200


@pytest.mark.parametrize(
    ("raised", "status", "message"),
    [
        (requests.ConnectTimeout(ACCESS), 503, "ConnectTimeout"),
        (requests.ReadTimeout(ACCESS), 408, "No answer"),
        (requests.exceptions.ChunkedEncodingError(ACCESS), 503, "ChunkedEncodingError"),
        (requests.exceptions.ProxyError(f"http://me:{ACCESS}@proxy"), 503, "ProxyError"),
        (requests.ConnectionError(ConnectionResetError(104, "reset")), 503, "reset"),
        (urllib3.exceptions.HTTPError(ACCESS), 503, "HTTPError"),
        (FileNotFoundError(2, "no such file"), 503, "no such file"),
    ],
)
def test_no_answer(
    web: HttpClient,
    raised: Exception,
    status: int,
    message: str,
    watch: Watch,
    keyyo: responses.RequestsMock,
) -> None:
    """Whatever requests raises is one of two errors, without its words, which may be secret."""
    keyyo.get(URL, body=raised)
    error = failed(web)
    assert error.status_code == status
    assert message in error.message
    assert error.__cause__ is None and error.__context__ is None
    watch.see(error)


def test_endless_chain(web: HttpClient, keyyo: responses.RequestsMock) -> None:
    """Errors that stand behind each other in a circle end nowhere, but end."""
    first, second = requests.ConnectionError(), requests.ConnectionError()
    first.__context__, second.__context__ = second, first
    keyyo.get(URL, body=first)
    assert failed(web).status_code == 503


def test_secret_form(web: HttpClient, keyyo: responses.RequestsMock) -> None:
    """A secret form is the body of its request, and in no repr."""
    form = SecretForm("secret=canary", "canary")
    keyyo.post(URL, json={})
    web.send("POST", URL, form)
    request: Any = keyyo.calls[0].request
    assert request.body == "secret=canary"
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.headers["Content-Length"] == "13"
    assert "canary" not in repr(form)


@pytest.mark.parametrize("repeated", ["a%2Fb%2B+c%3D", "a%2fb%2b%20c%3d", "a/b+ c="])
def test_hide_what_is_encoded(repeated: str) -> None:
    """A secret is hidden as it stands in a form or an address, too."""
    credentials = SecretForm("", "a/b+ c=")
    assert credentials.redact(f"bad body: client_secret={repeated}&x") == (
        "bad body: client_secret=<hidden>&x"
    )
    assert credentials.contains_secret(repeated) and not credentials.contains_secret("a/b")


def test_no_proxy_on_this_machine(
    web: HttpClient, server: http.server.HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stays on this machine goes past the proxy of the environment."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert web.send("GET", where(server), Bearer("token")).ok


def test_authorities_that_are_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Certificate authorities that the environment names wrongly are named as the reason."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none"))
    error = failed(HttpClient(ThingFailed, 10.0, None))
    assert (error.status_code, error.error_code) == (503, "untrusted")
    assert str(tmp_path / "none") in error.message
    assert error.hint and "REQUESTS_CA_BUNDLE" in error.hint


def test_hide() -> None:
    """The server's words are freed of secrets, put on one line, and cut."""
    assert Bearer("abcdef").redact("Bearer abcdef\r\n is  bad") == "Bearer <hidden> is bad"
    assert Bearer("abcdef").redact("\x1b[2J") == "\\x1b[2J"
    # What a person typed by mistake is in every word.
    assert SecretForm("", "i").redact("invalid_client") == "invalid_client"
    assert len(Bearer("abc").redact("x" * 10_000)) == 300


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", b"HTTP/1.1 2"])
def test_answer_that_is_cut(watch: Watch, answer: bytes) -> None:
    """It is told as what it is."""

    def cut(sock: socket.socket) -> None:
        peers.request(sock)
        sock.sendall(answer)
        sock.close()

    with Peer(cut) as peer:
        error = failed(HttpClient(ThingFailed, 10.0, None), f"http://127.0.0.1:{peer.port}/")
    assert (error.status_code, error.error_code) == (503, "unreachable")
    assert error.message == "127.0.0.1 cannot be reached: the server closed the connection"
    watch.see(error)


@pytest.mark.parametrize("timeout", [0, -1, "10", None, True])
def test_timeout(timeout: Any) -> None:
    """A timeout is a number above 0: there is no way to wait for ever."""
    with pytest.raises(TypeError, match="timeout"):
        HttpClient(ThingFailed, timeout, None)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.keyyo.com/x",
        "http://127.0.0.1:8000/x",
        "http://127.1.2.3/x",
        "http://[::1]:8000/x",
        "http://localhost:1/x",
    ],
)
def test_url_for_secrets(url: str) -> None:
    """Secrets go over https, or stay on this machine."""
    assert check_url("url", url + "/") == url


@pytest.mark.parametrize(
    "url",
    ["http://api.keyyo.com", "http://10.0.0.1", "http://localhost.example.com", "ftp://a", "", 1,
     "https://user:password@api.keyyo.com", "https://"],
)
def test_url_refused(url: Any) -> None:
    """Any other URL is refused, and the argument is named."""
    with pytest.raises(ValueError, match="base_url: "):
        check_url("base_url", url)
