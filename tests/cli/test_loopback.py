"""The web server that the browser comes back to."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from typing import Iterator, List
from urllib.parse import urlsplit

import pytest
import requests

from keyyo_cti.loopback import Loopback

from ..running import DEADLINE, environment

STATE = "st&te"
TIMEOUT = 5.0

#: Ends as soon as the visit is there, as a program does that was not let in.
HASTY = """
import os, sys
from keyyo_cti.loopback import Loopback
with Loopback(sys.argv[1], "mine") as loopback:
    print("ready", flush=True)
    loopback.wait(10)
    os._exit(0)
"""


def free_port(host: str = "127.0.0.1") -> int:
    """One that nobody listens at."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as server:
        return int(server.getsockname()[1])


def has_ipv6() -> bool:
    try:
        return free_port("::1") > 0
    except OSError:
        return False


@pytest.fixture
def uri() -> str:
    """A redirect URI at a port that is free."""
    return f"http://127.0.0.1:{free_port()}/callback"


@pytest.fixture
def loopback(uri: str) -> Iterator[Loopback]:
    """One that waits there."""
    with Loopback(uri, STATE) as waiting:
        yield waiting


def visit(uri: str, **answer: str) -> requests.Response:
    """Comes back as a browser does, which heeds no redirect that is not there."""
    return requests.get(uri, params=answer, timeout=TIMEOUT, allow_redirects=False)


def address(uri: str) -> "tuple[str, int]":
    parts = urlsplit(uri)
    return parts.hostname or "", parts.port or 80


# Which visits count.


@pytest.mark.parametrize(
    "host, path",
    [
        ("127.0.0.1", "/callback"),
        ("127.0.0.1", "/"),
        ("127.0.0.1", ""),
        ("127.0.0.1", "/a/b.php;c/%C3%A9t%C3%A9%20"),
        ("localhost", "/callback"),
        pytest.param(
            "[::1]", "/callback", marks=pytest.mark.skipif(not has_ipv6(), reason="needs IPv6")),
    ],
)
def test_it_gives_the_url_that_the_browser_was_sent_to(host: str, path: str) -> None:
    """The URL is the redirect URI with the query of the visit, wherever on this machine it is."""
    uri = f"http://{host}:{free_port(host.strip('[]'))}{path}"
    with Loopback(uri, STATE) as loopback:
        answer = visit(uri, code="c o=d", state=STATE)
        assert loopback.wait(TIMEOUT) == f"{uri}?code=c+o%3Dd&state=st%26te"
    assert answer.status_code == 200
    assert "go back to the program" in answer.text


def test_a_refusal_is_a_visit(loopback: Loopback, uri: str) -> None:
    """An error with the right state ends the waiting, and the page says so."""
    answer = visit(uri, error="access_denied", state=STATE)
    assert "not let in" in answer.text
    assert loopback.wait(TIMEOUT) == f"{uri}?error=access_denied&state=st%26te"


def test_the_page_is_not_kept_and_tells_nobody(loopback: Loopback, uri: str) -> None:
    """The browser neither keeps the page nor names it to others, and nothing of the query is
    in it: that has the code."""
    answer = visit(uri, code="<b>canary", state=STATE)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "canary" not in answer.text


@pytest.mark.parametrize(
    "path, status",
    [
        ("/callback?code=c&state=wrong", 400),
        ("/callback?code=c", 400),
        ("/callback?code=c&state=", 400),
        ("/callback?code=c&state=st%26te&state=wrong", 400),
        ("/callback?code=c&state=%FF%00%C3", 400),
        ("/callback?error=access_denied&state=wrong", 400),
        ("/callback", 400),
        ("/callback/?code=c&state=st%26te", 404),
        ("/Callback?code=c&state=st%26te", 404),
        ("/favicon.ico", 404),
        ("/", 404),
    ],
)
def test_another_visit_is_answered_and_does_not_count(
    loopback: Loopback, uri: str, path: str, status: int
) -> None:
    """A wrong state and another path are refused, and then the right visit still counts."""
    host, port = address(uri)
    assert visit(f"http://{host}:{port}{path}").status_code == status
    assert loopback.wait(0.0) is None
    assert visit(uri, code="c", state=STATE).status_code == 200
    assert loopback.wait(TIMEOUT) is not None


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /callback?code=c&state=st%26te HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://[/callback?state=st%26te HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
    ids=["POST", "no URL", "too long", "TLS"],
)
def test_what_is_no_visit_ends_nothing(
    loopback: Loopback, uri: str, sent: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever else comes in is hung up on, nothing is printed, and the right visit counts."""
    with socket.create_connection(address(uri), TIMEOUT) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        try:
            while connection.recv(65536):
                pass
        except ConnectionResetError:
            # It was hung up on with something unread.
            pass
    assert loopback.wait(0.0) is None
    assert visit(uri, code="c", state=STATE).status_code == 200
    assert capfd.readouterr() == ("", "")


# What does not hold it up.


@pytest.mark.parametrize("sent", [b"", b"GET /callback?"], ids=["nothing", "half a request"])
def test_silent_connections_hold_nothing_up(uri: str, sent: bytes) -> None:
    """Connections that send nothing, as browsers open in advance, delay neither a later visit
    nor the end."""
    silent: List[socket.socket] = []
    try:
        with Loopback(uri, STATE) as loopback:
            for _ in range(4):
                silent.append(socket.create_connection(address(uri), TIMEOUT))
                silent[-1].sendall(sent)
            assert visit(uri, code="c", state=STATE).status_code == 200
            assert loopback.wait(TIMEOUT) is not None
            ending = time.monotonic()
        assert time.monotonic() - ending < 2.0
    finally:
        for connection in silent:
            connection.close()


def test_the_page_is_out_before_the_program_can_end(uri: str) -> None:
    """Who ends his program as soon as ``wait`` returns has not cut off the browser's page."""
    for _ in range(8):
        hasty = subprocess.Popen(
            [sys.executable, "-c", HASTY, uri], stdout=subprocess.PIPE, env=environment())
        with hasty:
            assert hasty.stdout is not None
            assert hasty.stdout.readline() == b"ready\n"
            assert "not let in" in visit(uri, error="access_denied", state="mine").text
            hasty.wait(DEADLINE)


def test_patience_ends(loopback: Loopback) -> None:
    """Without a visit there is no URL, once the time is over and not much later."""
    began = time.monotonic()
    assert loopback.wait(0.2) is None
    assert 0.2 <= time.monotonic() - began < 2.0


# Where it listens.


def test_a_port_in_use_is_an_error(loopback: Loopback, uri: str) -> None:
    """Nobody listens at a port that another one has."""
    with pytest.raises(OSError):
        Loopback(uri, STATE)


def test_the_port_is_free_afterwards(uri: str) -> None:
    """After the end, also that of one who was visited, the port can be had again at once."""
    for _ in range(2):
        with Loopback(uri, STATE) as loopback:
            visit(uri, code="c", state=STATE)
            assert loopback.wait(TIMEOUT) is not None
    with pytest.raises(requests.ConnectionError):
        visit(uri)


@pytest.mark.parametrize(
    "uri, served",
    [
        ("http://127.0.0.1:8080/callback", True),
        ("http://127.0.0.1/callback", True),
        ("http://127.0.0.2:8080", True),
        ("http://localhost:8080/callback", True),
        ("HTTP://LOCALHOST:8080/callback", True),
        ("http://[::1]:8080/callback", True),
        ("https://127.0.0.1:8080/callback", False),
        ("http://127.0.0.1:0/callback", False),
        ("http://127.0.0.1:65536/callback", False),
        ("http://127.0.0.1:port/callback", False),
        ("http://0.0.0.0:8080/callback", False),
        ("http://192.0.2.1:8080/callback", False),
        ("http://localhost.example:8080/callback", False),
        ("http://127.0.0.1@my.example:8080/callback", False),
        ("http://[::1:8080/callback", False),
        ("my-app://127.0.0.1:8080/callback", False),
        ("127.0.0.1:8080", False),
        ("", False),
    ],
)
def test_which_redirect_uris_it_serves(uri: str, served: bool) -> None:
    """Those over http on a loopback address and at a possible port; others are refused."""
    assert Loopback.serves(uri) is served
    if not served:
        with pytest.raises(ValueError, match="^redirect_uri: "):
            Loopback(uri, STATE)
