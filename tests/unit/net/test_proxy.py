"""Proxies: which one is chosen, and what it is asked."""

from __future__ import annotations

import contextlib
import importlib
import socket
import sys
import threading
import time
import traceback
from typing import Any, Dict, Iterator, List, Optional

import pytest

from keyyo_cti._net.cancellation import CancelToken
from keyyo_cti._net.proxy import Proxy, ProxyFailed, connect_by_socks, open_tunnel, select_proxy
from keyyo_cti._net.stream import Stream
from keyyo_cti._net.urls import Origin

from ...helpers.background import SOON, Background
from ...helpers.probe import Record
from ...helpers.real_proxy import forget_proxies
from ...helpers.scripted_proxy import socks4, socks5
from ...helpers.tcp_peer import Peer, exactly

SERVER = Origin("server.test", 8443, True)

URL = "https://server.test:8443"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy but those of the test."""
    forget_proxies(monkeypatch)


# Which one.


@pytest.mark.parametrize(
    "address, proxy",
    [
        ("http://proxy.test:3128", Proxy("http", "proxy.test", 3128)),
        ("http://proxy.test", Proxy("http", "proxy.test", 80)),
        ("proxy.test:3128", Proxy("http", "proxy.test", 3128)),
        ("proxy.test", Proxy("http", "proxy.test", 80)),
        ("HTTP://Proxy.Test:3128/", Proxy("http", "proxy.test", 3128)),
        ("socks4://proxy.test", Proxy("socks4", "proxy.test", 1080)),
        ("socks4a://proxy.test", Proxy("socks4a", "proxy.test", 1080)),
        ("socks5://proxy.test", Proxy("socks5", "proxy.test", 1080)),
        ("socks5h://proxy.test", Proxy("socks5h", "proxy.test", 1080)),
        ("socks5h://proxy.test:1", Proxy("socks5h", "proxy.test", 1)),
        ("http://me:p%40ss%3A@proxy.test:1", Proxy("http", "proxy.test", 1, "me", "p@ss:")),
        ("http://m%65:@proxy.test:1", Proxy("http", "proxy.test", 1, "me", "")),
        ("me@proxy.test:1", Proxy("http", "proxy.test", 1, "me", None)),
        ("http://[::1]:3128", Proxy("http", "::1", 3128)),
    ],
)
def test_addresses(address: str, proxy: Proxy) -> None:
    """An address says the kind of proxy, its place, and who we are there, percent-encoded or
    not; http and its port may be left out."""
    assert select_proxy(URL, {"https": address}) == proxy
    assert proxy.socks is proxy.scheme.startswith("socks")


@pytest.mark.parametrize(
    "address, words",
    [
        ("https://me:CANARY@proxy.test", "a proxy at https:// cannot be used: expected one of "
         "http://, socks4://, socks4a://, socks5://, socks5h://"),
        ("ftp://me:CANARY@proxy.test", "a proxy at ftp:// cannot be used: expected one of "
         "http://, socks4://, socks4a://, socks5://, socks5h://"),
        ("http://me:CANARY@", "the address of the proxy has no host"),
        ("http://:3128", "the address of the proxy has no host"),
        ("http://me:CANARY@proxy.test:x", "the address of the proxy cannot be read"),
        ("http://me:CANARY@[::1", "the address of the proxy cannot be read"),
    ],
)
def test_addresses_that_cannot_be_used(address: str, words: str) -> None:
    """An address that cannot be used is an error that says why, without the password, which the
    error behind it has not either."""
    with pytest.raises(ProxyFailed) as caught:
        select_proxy(URL, {"https": address})
    assert str(caught.value) == words
    assert "CANARY" not in "".join(traceback.format_exception(
        type(caught.value), caught.value, caught.value.__traceback__, limit=0))


@pytest.mark.parametrize(
    "proxies, host",
    [
        (None, None),
        ({}, None),
        ({"https": "one:1"}, "one"),
        ({"http": "one:1"}, None),
        ({"all": "one:1"}, "one"),
        ({"all": "one:1", "https": "two:1"}, "two"),
        ({"https://server.test": "one:1", "https": "two:1"}, "one"),
        ({"https": None}, None),
        ({"https": ""}, None),
    ],
)
def test_given(proxies: Optional[Dict[str, Optional[str]]], host: Optional[str]) -> None:
    """What is given is read as requests reads it."""
    proxy = select_proxy(URL, proxies)
    assert (None if proxy is None else proxy.host) == host


@pytest.mark.parametrize(
    "environment, given, host",
    [
        ({"HTTPS_PROXY": "one:1"}, None, "one"),
        ({"https_proxy": "one:1"}, None, "one"),
        ({"HTTP_PROXY": "one:1"}, None, None),
        ({"ALL_PROXY": "one:1"}, None, "one"),
        ({"ALL_PROXY": "one:1"}, {"https": "two:1"}, "two"),
        ({"HTTPS_PROXY": "one:1"}, {"http": "two:1"}, "one"),
        ({"HTTPS_PROXY": "one:1"}, {"https": None}, None),
        ({"HTTPS_PROXY": "one:1", "NO_PROXY": "server.test"}, None, None),
        ({"HTTPS_PROXY": "one:1", "NO_PROXY": ".test"}, None, None),
        ({"HTTPS_PROXY": "one:1", "NO_PROXY": "other.test"}, None, "one"),
        ({"HTTPS_PROXY": "one:1", "NO_PROXY": "*"}, None, None),
        ({"HTTPS_PROXY": "one:1"}, {"no_proxy": "*"}, None),
        ({"HTTPS_PROXY": "one:1"}, {"no_proxy": "server.test"}, None),
        ({"HTTPS_PROXY": "one:1"}, {"no_proxy": "other.test"}, "one"),
        ({"HTTPS_PROXY": "one:1", "NO_PROXY": "server.test"}, {"no_proxy": "other"}, "one"),
        ({"NO_PROXY": "server.test"}, {"https": "two:1"}, "two"),
        ({}, {"https": "two:1", "no_proxy": "server.test"}, None),
        ({}, {"https": "two:1", "no_proxy": "other.test"}, "two"),
        ({}, {"https": "two:1", "no_proxy": None}, "two"),
        ({"HTTPS_PROXY": "one:1"}, {"https": "two:1", "no_proxy": "server.test"}, None),
    ],
)
def test_environment(
    environment: Dict[str, str],
    given: Optional[Dict[str, Optional[str]]],
    host: Optional[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is not given is the environment's, but for hosts that need no proxy; those that are
    given as such need none that is given either."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    proxy = select_proxy(URL, given)
    assert (None if proxy is None else proxy.host) == host


def test_what_is_given_stays_as_it_is() -> None:
    """To choose changes nothing in what was given."""
    given: Dict[str, Optional[str]] = {"https": "one:1", "no_proxy": "*"}
    select_proxy(URL, given)
    assert given == {"https": "one:1", "no_proxy": "*"}


def test_shown() -> None:
    """A proxy is shown by its place, and never with its password."""
    proxy = Proxy("socks5", "proxy.test", 1080, "me", "CANARY")
    assert str(proxy) == "proxy.test:1080"
    assert repr(proxy) == "<Proxy socks5://proxy.test:1080>"


# An HTTP proxy.


class Tunnel:
    """A tunnel that is being asked for, and the proxy's end of it."""

    def __init__(self, proxy: Proxy, origin: Origin = SERVER) -> None:
        near, self.peer = socket.socketpair()
        near.setblocking(False)
        self.peer.settimeout(SOON)
        self.stream = Stream(near, CancelToken(), SOON, time.monotonic)
        self.stream.read_until = time.monotonic() + SOON
        self._asking = Background(open_tunnel, self.stream, proxy, origin)

    def __enter__(self) -> Tunnel:
        return self

    def __exit__(self, *_: Any) -> None:
        self.peer.close()
        self._asking.error()
        self.stream.close()

    def asked(self) -> str:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.peer.recv(1)
        return head.decode("latin-1")

    def answer(self, data: bytes) -> None:
        self.asked()
        self.peer.sendall(data)

    def result(self) -> None:
        self._asking.result()

    def refusal(self) -> str:
        error = self._asking.error()
        assert isinstance(error, ProxyFailed), error
        return str(error)


PROXY = Proxy("http", "proxy.test", 3128)


@pytest.mark.parametrize(
    "origin, target",
    [
        (SERVER, "server.test:8443"),
        (Origin("::1", 80, False), "[::1]:80"),
        (Origin("b\u00fccher.test", 80, False), "xn--bcher-kva.test:80"),
    ],
)
def test_what_a_proxy_is_asked(origin: Origin, target: str) -> None:
    """A proxy is asked for the server, and told nothing else."""
    with Tunnel(PROXY, origin) as asking:
        assert asking.asked() == f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n"


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".test", "\ud800.test"])
def test_impossible_name(host: str) -> None:
    """No proxy is asked for a name that cannot be one."""
    origin = Origin(host, 80, False)
    with Tunnel(PROXY, origin) as asking:
        with pytest.raises(socket.gaierror, match="not a possible name"):
            asking.result()
    with pytest.raises(socket.gaierror, match="not a possible name"):
        connect_by_socks(Proxy("socks5h", "proxy.test", 1080), origin, SOON)


@pytest.mark.parametrize(
    "username, password, encoded",
    [
        ("me", "pass", "bWU6cGFzcw=="),
        ("me", None, "bWU6"),
        ("me", "", "bWU6"),
        ("", "pass", "OnBhc3M="),
        ("me", "é", "bWU6w6k="),
    ],
)
def test_who_asks_a_proxy(username: str, password: Optional[str], encoded: str) -> None:
    """With a user name, a proxy is told it, and the password, in UTF-8."""
    with Tunnel(PROXY._replace(username=username, password=password)) as asking:
        assert asking.asked().endswith(f"\r\nProxy-Authorization: Basic {encoded}\r\n\r\n")


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 Connection established\r\n\r\n",
        b"HTTP/1.0 200\r\nVia: x\r\n\r\n",
        b"HTTP/1.1 299 \xe9\r\n\r\n",
    ],
)
def test_let_through(answer: bytes) -> None:
    """Any 2xx lets us through, and what follows it is the server's."""
    with Tunnel(PROXY) as asking:
        asking.answer(answer + b"hello")
        asking.result()
        assert asking.stream.recv(5) == b"hello"


@pytest.mark.parametrize(
    "answer, words",
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
         "the proxy proxy.test:3128 answers 407 Proxy Authentication Required"),
        (b"HTTP/1.1 199 No\r\n\r\n", "the proxy proxy.test:3128 answers 199 No"),
        (b"HTTP/1.1 300 No\r\n\r\n", "the proxy proxy.test:3128 answers 300 No"),
        (b"HTTP/1.1 502\r\n\r\n", "the proxy proxy.test:3128 answers 502"),
        (b"HTTP/1.1 502 \x1b[31mred\x07\r\n\r\n", "the proxy proxy.test:3128 answers 502 [31mred"),
        (b"HTTP/1.1 502 " + b"x" * 101 + b"\r\n\r\n",
         "the proxy proxy.test:3128 answers 502 " + "x" * 100),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "the proxy speaks no HTTP"),
        (b"200 HTTP/1.1\r\n\r\n", "the proxy speaks no HTTP"),
        (b"SIP/2.0 200 OK\r\n\r\n", "the proxy speaks no HTTP"),
        (b"HTTP/1.1 two hundred\r\n\r\n", "the proxy speaks no HTTP"),
        (b"HTTP/1.1\r\n\r\n", "the proxy speaks no HTTP"),
        (b"HTTP/1.1 \xb200 OK\r\n\r\n", "the proxy speaks no HTTP"),
        (b"HTTP/1.1 20\xb9 OK\r\n\r\n", "the proxy speaks no HTTP"),
        (b"HTTP/1.1 +200 OK\r\n\r\n", "the proxy speaks no HTTP"),
        (b"HTTP/1.1 00200 OK\r\n\r\n", "the proxy speaks no HTTP"),
        (b"HTTP/1.1 2" + b"0" * 5000 + b"\r\n\r\n", "the proxy speaks no HTTP"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
         "the proxy proxy.test:3128 answers 100 Continue"),
        (b"X: " + b"y" * 65_536, "the proxy's answer does not end"),
    ],
    ids=lambda value: repr(value[:30]) if isinstance(value, bytes) else "",
)
def test_not_let_through(answer: bytes, words: str) -> None:
    """Any other answer is told in its own words, as far as they can be shown."""
    with Tunnel(PROXY) as asking:
        asking.answer(answer)
        assert asking.refusal() == words


def test_long_answer_of_a_proxy() -> None:
    """An answer may be long, and not longer than 64 KiB."""
    start, end = b"HTTP/1.1 200 OK\r\nX: ", b"\r\n\r\n"
    with Tunnel(PROXY) as asking:
        asking.answer(start + b"y" * (65_536 - len(start + end)) + end)
        asking.result()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\n"])
def test_proxy_that_hangs_up(answer: bytes) -> None:
    """A proxy that hangs up instead is told as that."""
    with Tunnel(PROXY) as asking:
        asking.answer(answer)
        asking.peer.close()
        assert asking.refusal() == "the proxy closed the connection"


# A SOCKS proxy.


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> List[str]:
    """The names that are looked up here, each of which leads to 127.0.0.9."""
    looked_up: List[str] = []
    real = socket.gethostbyname

    def gethostbyname(name: str) -> str:
        if name == "server.test":
            looked_up.append(name)
            return "127.0.0.9"
        return real(name)

    real_addresses = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **named: Any) -> Any:
        if host == "server.test":
            looked_up.append(host)
            host = "127.0.0.9"
        return real_addresses(host, *arguments, **named)

    monkeypatch.setattr(socket, "gethostbyname", gethostbyname)
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return looked_up


@contextlib.contextmanager
def through(peer: Peer, scheme: str, **more: Any) -> Iterator[socket.socket]:
    proxy = Proxy(scheme, "127.0.0.1", peer.port, **more)
    with connect_by_socks(proxy, SERVER, SOON) as sock:
        assert type(sock) is socket.socket
        sock.settimeout(SOON)
        sock.sendall(b"?")
        assert exactly(sock, 5) == b"hello"
        yield sock


@pytest.mark.parametrize(
    "scheme, asked",
    [
        ("socks5", (1, bytes([127, 0, 0, 9]), 8443, ())),
        ("socks5h", (3, b"server.test", 8443, ())),
    ],
)
def test_socks5(scheme: str, asked: Any, names: List[str]) -> None:
    """A socks5 proxy is given the server's address, and a socks5h one its name, which nobody
    looks up here."""
    seen = Record()
    with Peer(socks5(seen)) as peer, through(peer, scheme):
        assert seen.items == [asked]
    assert bool(names) is (scheme == "socks5")


@pytest.mark.parametrize(
    "scheme, asked",
    [
        ("socks4", (bytes([127, 0, 0, 9]), b"", 8443, b"me")),
        ("socks4a", (bytes([0, 0, 0, 1]), b"server.test", 8443, b"me")),
    ],
)
def test_socks4(scheme: str, asked: Any, names: List[str]) -> None:
    """So are socks4 and socks4a ones, in their own words."""
    seen = Record()
    with Peer(socks4(seen)) as peer, through(peer, scheme, username="me"):
        assert seen.items == [asked]
    assert bool(names) is (scheme == "socks4")


def test_who_asks_a_socks_proxy() -> None:
    """A socks5 proxy is told the user name and the password."""
    seen = Record()
    with Peer(socks5(seen)) as peer, through(peer, "socks5h", username="me", password="pass"):
        assert seen.items[0][3] == (b"me", b"pass")


def ends(peer: Peer, seconds: float = SOON) -> BaseException:
    """How a way through a SOCKS proxy fails."""
    proxy = Proxy("socks5h", "127.0.0.1", peer.port, "me", "CANARY")
    with pytest.raises(OSError) as caught:
        connect_by_socks(proxy, SERVER, seconds).close()
    assert "CANARY" not in str(caught.value)
    return caught.value


def test_not_let_through_by_socks() -> None:
    """A SOCKS proxy that refuses is told by its place, and in its words."""
    with Peer(socks5(Record(), status=2)) as peer:
        error, place = ends(peer), f"127.0.0.1:{peer.port}"
    assert isinstance(error, ProxyFailed)
    assert str(error).startswith(f"the proxy {place} does not let us through: ")
    assert str(error).endswith("Connection not allowed by ruleset")


def test_socks_proxy_that_stalls() -> None:
    """One that says nothing is given up in time, and so is no socket of ours left there."""
    left = threading.Event()

    def stall(sock: socket.socket) -> None:
        while sock.recv(100):
            pass
        left.set()

    with Peer(stall) as peer:
        began = time.monotonic()
        assert isinstance(ends(peer, 0.05), socket.timeout)
        assert time.monotonic() - began < SOON
        assert left.wait(SOON)


def test_socks_proxy_that_breaks() -> None:
    """What is no SOCKS is an error of the proxy too, after which no socket is left."""
    left = threading.Event()

    def garble(sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        try:
            while sock.recv(100):
                pass
        finally:
            left.set()

    with Peer(garble) as peer:
        error = ends(peer)
        assert left.wait(SOON)
    assert isinstance(error, ProxyFailed)


def test_bug_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else happens on the way comes out as it is, and leaves no socket."""
    socks, made = importlib.import_module("socks"), []  # type: Any, List[Any]

    def connect(self: Any, _: Any) -> None:
        made.append(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(socks.socksocket, "connect", connect)
    with Peer(lambda sock: peer.stall(sock)) as peer, pytest.raises(KeyboardInterrupt):
        connect_by_socks(Proxy("socks5", "127.0.0.1", peer.port), SERVER, SOON)
    assert made[0].fileno() == -1


def test_without_pysocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PySocks, the error says what to install."""
    monkeypatch.setitem(sys.modules, "socks", None)
    with pytest.raises(ProxyFailed) as caught:
        connect_by_socks(Proxy("socks5", "proxy.test", 1080), SERVER, SOON)
    assert str(caught.value) == "a SOCKS proxy needs PySocks: pip install pysocks"
