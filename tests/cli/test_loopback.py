"""The web server that the browser comes back to."""

from __future__ import annotations

import errno
import os
import queue
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Iterator, List
from unittest.mock import Mock
from urllib.parse import unquote, urlsplit

import pytest
import requests

from keyyo_cti.loopback import Loopback

from ..helpers.running import DEADLINE, environment

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
    assert "not authorized" in answer.text
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
        assert time.monotonic() - ending < TIMEOUT
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
            assert "not authorized" in visit(uri, error="access_denied", state="mine").text
            hasty.wait(DEADLINE)


def test_patience_ends(loopback: Loopback) -> None:
    """Without a visit there is no URL, once the time is over and not much later."""
    began = time.monotonic()
    assert loopback.wait(0.2) is None
    assert 0.2 <= time.monotonic() - began < 20.0


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


def squat(host: str, port: int) -> socket.socket:
    """Has another program listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


ipv6 = pytest.mark.skipif(not has_ipv6(), reason="needs IPv6")


@ipv6
@pytest.mark.fault(45)
def test_localhost_is_both_addresses() -> None:
    """A browser may try either address of localhost: both bring the visit."""
    for host in ("127.0.0.1", "[::1]"):
        port = free_port("::1")
        with Loopback(f"http://localhost:{port}/callback", STATE) as loopback:
            answer = visit(f"http://{host}:{port}/callback", code="c", state=STATE)
            assert answer.status_code == 200
            assert loopback.wait(TIMEOUT) == (
                f"http://localhost:{port}/callback?code=c&state=st%26te")


@ipv6
@pytest.mark.fault(45)
@pytest.mark.parametrize("taken, free", [("::1", "127.0.0.1"), ("127.0.0.1", "::1")])
def test_localhost_of_which_one_address_is_taken(taken: str, free: str) -> None:
    """If another program has one of the two, it would get the code: neither is listened at, and
    the other one is left alone."""
    port = free_port(taken)
    with squat(taken, port):
        with pytest.raises(OSError):
            Loopback(f"http://localhost:{port}/callback", STATE)
        squat(free, port).close()


@pytest.mark.parametrize("code", [errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT])
def test_localhost_on_a_machine_without_ipv6(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Where there is no such address, no program can listen there: the other one will do. If
    there is none at all, that is an error."""
    port = free_port()
    uri = f"http://localhost:{port}/callback"
    for missing in ("_Server6", "_Server"):
        monkeypatch.setattr(f"keyyo_cti.loopback.{missing}", Mock(side_effect=OSError(code, "no")))
        if missing == "_Server6":
            with Loopback(uri, STATE) as loopback:
                assert visit(f"http://127.0.0.1:{port}/callback", code="c", state=STATE).ok
                assert loopback.wait(TIMEOUT) is not None
    with pytest.raises(OSError, match="no"):
        Loopback(uri, STATE)


# The browser.


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> "queue.Queue[str]":
    """What the browser is opened on."""
    asked: "queue.Queue[str]" = queue.Queue()
    monkeypatch.setattr("webbrowser.open", asked.put)
    return asked


@pytest.mark.fault(46)
@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_the_browser_is_opened_on_a_private_file(
    loopback: Loopback, opened: "queue.Queue[str]"
) -> None:
    """The file leads to the URL, whatever the umask only its owner can read it, and it is gone
    afterwards."""
    umask = os.umask(0)
    try:
        with Loopback(f"http://127.0.0.1:{free_port()}/", STATE) as mine:
            assert mine.open_browser('https://keyyo.test/?a=1&b="<x>')
            url = opened.get(timeout=TIMEOUT)
            file = Path(unquote(urlsplit(url).path))
            assert url == file.as_uri()
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            page = file.read_text("utf-8")
            assert page.count("https://keyyo.test/?a=1&amp;b=&quot;&lt;x&gt;") == 2
    finally:
        os.umask(umask)
    assert not file.exists()


def test_no_place_for_the_file(
    loopback: Loopback, opened: "queue.Queue[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a place for it, the browser is not opened: the URL would show."""
    monkeypatch.setattr("tempfile.mkstemp", Mock(side_effect=OSError("full")))
    assert not loopback.open_browser("https://keyyo.test/")
    assert opened.empty()


@pytest.mark.fault(46)
def test_disk_that_is_full(
    loopback: Loopback,
    opened: "queue.Queue[str]",
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Nothing is left of a file that could not be written whole."""
    page = tmp_path / "page.html"

    def mkstemp(**_: object) -> "tuple[int, str]":
        # To write to it is an OSError, as with a full disk.
        return os.open(page, os.O_RDONLY | os.O_CREAT, 0o600), str(page)

    monkeypatch.setattr("tempfile.mkstemp", mkstemp)
    assert not loopback.open_browser("https://keyyo.test/")
    assert opened.empty() and not page.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="snaps are Linux's")
def test_where_browsers_from_snaps_see_it(
    loopback: Loopback, opened: "queue.Queue[str]", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A browser from a snap sees files in the home folder, and not in /tmp. A home that cannot
    be written to does no harm."""
    monkeypatch.setattr("os.path.isdir", lambda path: path == "/snap")
    for home, there in [(tmp_path, True), (tmp_path / "nothing", False)]:
        monkeypatch.setenv("HOME", str(home))
        assert loopback.open_browser("https://keyyo.test/")
        file = Path(unquote(urlsplit(opened.get(timeout=TIMEOUT)).path))
        assert (file.parent == home) is there


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
