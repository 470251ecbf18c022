"""The way to a server: look-up, TCP, TLS, each with its end."""

from __future__ import annotations

import contextlib
import datetime
import os
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator, List, Optional, Tuple

import pytest
import trustme

from keyyo_cti._net import connect as connect_module
from keyyo_cti._net.cancellation import CancelToken
from keyyo_cti._net.clock import NEVER
from keyyo_cti._net.connect import ConnectFailed, Connector
from keyyo_cti._net.failures import describe_failure
from keyyo_cti._net.proxy import ProxyFailed
from keyyo_cti._net.stream import EarlyBytes, Stream, TooLarge
from keyyo_cti._net.tls import NoAuthorities, find_authorities, get_tls_context
from keyyo_cti._net.urls import Origin

from ...helpers import scripted_proxy as scripted_proxy
from ...helpers.background import SOON, Background, Hand
from ...helpers.probe import Record
from ...helpers.real_proxy import forget_proxies
from ...helpers.tcp_peer import Peer, request

HOST = "127.0.0.1"


class WatchedAbort(CancelToken):
    """Tells when somebody waits."""

    def __init__(self) -> None:
        super().__init__()
        self.waited_on = threading.Event()

    def add(self, hook: Callable[[], object]) -> None:
        super().add(hook)
        self.waited_on.set()


class Server:
    """Takes connections, each in a thread, until it is closed."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self._listener = socket.create_server((HOST, 0))
        self._listener.settimeout(SOON)
        self.port: int = self._listener.getsockname()[1]
        self.taken = 0
        self._threads: List[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join(SOON)
        for thread in self._threads:
            thread.join(SOON)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.taken += 1
                thread = threading.Thread(target=self._one, args=(sock,))
                self._threads.append(thread)
                thread.start()

    def _one(self, sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError):
            sock.settimeout(SOON)
            self._serve(sock)


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[socket.socket], None]], Server]]:
    """Starts servers, which are closed in the end."""
    servers: List[Server] = []

    def start(function: Callable[[socket.socket], None]) -> Server:
        servers.append(Server(function))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


Serve = Callable[[Callable[[socket.socket], None]], Server]


def greet(sock: socket.socket) -> None:
    sock.sendall(b"hello")
    sock.recv(1)


def say_nothing(sock: socket.socket) -> None:
    while sock.recv(4096):
        pass


def secured(context: ssl.SSLContext) -> Callable[[socket.socket], None]:
    def serve_tls(sock: socket.socket) -> None:
        with context.wrap_socket(sock.dup(), server_side=True) as tls:
            greet(tls)

    return serve_tls


class Authority:
    """A certificate authority with a file, and servers' contexts that it vouches for."""

    def __init__(self, folder: Path) -> None:
        self._ca = trustme.CA(key_type=trustme.KeyType.ECDSA)
        self.file = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(self.file)

    def server(self, *names: str, **options: Any) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(
            *names, key_type=trustme.KeyType.ECDSA, **options
        ).configure_cert(context)
        return context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def way(
    port: int,
    host: str = HOST,
    secure: bool = False,
    ca_certs: Optional[Path] = None,
    cancel_token: Optional[CancelToken] = None,
) -> Connector:
    authorities = None if ca_certs is None else str(ca_certs)
    origin = Origin(host, port, secure)
    return Connector(origin, authorities, cancel_token or CancelToken(), SOON, time.monotonic)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy, and no authorities, but those of the test."""
    forget_proxies(monkeypatch)


def soon() -> float:
    return time.monotonic() + SOON


@contextlib.contextmanager
def opened(connector: Connector, until: Optional[float] = None) -> Iterator[Stream]:
    stream = connector.open(soon() if until is None else until)
    try:
        yield stream
    finally:
        stream.close()


def refusal(connector: Connector, seconds: float = SOON) -> ConnectFailed:
    """Why the route could not be opened, within the time that it has."""
    began = time.monotonic()
    with pytest.raises(ConnectFailed) as caught:
        connector.open(began + seconds).close()
    assert time.monotonic() - began < seconds + 2
    assert caught.value.cause is not None
    return caught.value


def pull_after(event: threading.Event, cancel_token: CancelToken) -> threading.Thread:
    """Pulls from another thread, as soon as something has happened."""

    def pull() -> None:
        assert event.wait(SOON)
        cancel_token.cancel()

    puller = threading.Thread(target=pull)
    puller.start()
    return puller


@pytest.fixture
def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port whose queue is full: who connects to it gets no answer at all."""
    if not os.path.exists("/proc/sys/net/ipv4"):
        pytest.skip("only Linux leaves connections to a full queue without an answer")
    listener = socket.socket()
    listener.bind((HOST, 0))
    listener.listen(0)
    fillers = [socket.socket() for _ in range(4)]
    for filler in fillers:
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
    yield listener.getsockname()[1]
    for one in [listener, *fillers]:
        one.close()


Look = Callable[..., List[Any]]


@pytest.fixture
def look_up(monkeypatch: pytest.MonkeyPatch) -> Callable[[Look], None]:
    """Replaces the look-up of names, but not that of addresses in figures."""
    real = socket.getaddrinfo

    def replace(function: Look) -> None:
        def getaddrinfo(host: Any, port: Any, *arguments: Any, **named: Any) -> List[Any]:
            if named.get("flags", 0) & socket.AI_NUMERICHOST:
                return real(host, port, *arguments, **named)
            return function(host, port)

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return replace


def address(port: int) -> Tuple[Any, ...]:
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (HOST, port))


# Connecting.


def test_open(serve: Serve) -> None:
    """A stream to a server that is there, which sends small writes at once and does not block."""
    with opened(way(serve(greet).port)) as stream:
        assert stream.recv(5) == b"hello"
        with socket.socket(fileno=os.dup(stream.fileno())) as sock:
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert not os.get_blocking(stream.fileno())


def test_the_deadline_is_the_streams(serve: Serve) -> None:
    """Reads on a new stream give up when its opening would have."""
    until = time.monotonic() + 0.2
    with opened(way(serve(say_nothing).port), until) as stream:
        assert stream.read_until == until
        with pytest.raises(socket.timeout):
            stream.recv(1)


def test_refused(free_port: int) -> None:
    """A server that is not there is a refusal that names the phase and the place."""
    error = refusal(way(free_port))
    assert error.reason == f"connecting to {HOST}:{free_port}: Connection refused"
    assert isinstance(error.cause, ConnectionRefusedError)


def test_unreachable() -> None:
    """An address to which there is no way is a refusal at once, with the system's reason."""
    reason = refusal(way(7, "255.255.255.255")).reason
    assert reason.startswith("connecting to 255.255.255.255:7: ")
    assert "no answer in time" not in reason


def test_deaf(deaf_port: int) -> None:
    """A server that does not answer is given up at the deadline."""
    error = refusal(way(deaf_port), 0.1)
    assert error.reason == f"connecting to {HOST}:{deaf_port}: no answer in time"
    assert isinstance(error.cause, socket.timeout)


def test_abort_while_connecting(deaf_port: int) -> None:
    """A pull from another thread ends the connecting."""
    cancel_token = WatchedAbort()
    puller = pull_after(cancel_token.waited_on, cancel_token)
    error = refusal(way(deaf_port, cancel_token=cancel_token), 60)
    puller.join(SOON)
    assert "connecting to" in error.reason
    assert "given up" in error.reason


def test_abort_before(deaf_port: int) -> None:
    """After a pull nothing is opened any more."""
    cancel_token = CancelToken()
    cancel_token.cancel()
    assert "given up" in refusal(way(deaf_port, cancel_token=cancel_token), 60).reason


def test_no_time(deaf_port: int) -> None:
    """A deadline that has passed ends the connecting at once."""
    assert "no answer in time" in refusal(way(deaf_port), -1).reason


def test_abort_of_an_open_stream(serve: Serve) -> None:
    """The handle of the route ends its streams too."""
    cancel_token = CancelToken()
    with opened(way(serve(say_nothing).port, cancel_token=cancel_token)) as stream:
        cancel_token.cancel()
        assert stream.recv(1) == b""


def test_no_descriptor_is_left(free_port: int, deaf_port: int) -> None:
    """However an opening ends, it leaves no descriptor behind."""
    folder = "/proc/self/fd"
    before = len(os.listdir(folder))
    for _ in range(5):
        refusal(way(free_port))
        refusal(way(deaf_port), 0.01)
        cancel_token = CancelToken()
        cancel_token.cancel()
        refusal(way(deaf_port, cancel_token=cancel_token))
    assert len(os.listdir(folder)) == before


# Looking up.


def test_name(serve: Serve, look_up: Callable[[Look], None]) -> None:
    """A name is looked up, and its first address that answers is taken."""
    asked: List[Any] = []

    def look(host: Any, port: Any) -> List[Any]:
        asked.append((host, port, threading.current_thread() is threading.main_thread()))
        return [address(server.port)]

    server = serve(greet)
    look_up(look)
    with opened(way(7, "name.test")) as stream:
        assert stream.recv(5) == b"hello"
    assert asked == [("name.test", 7, False)]


def test_several_addresses(
    serve: Serve, look_up: Callable[[Look], None], free_port: int, deaf_port: int
) -> None:
    """An address that refuses is passed over, and one that is deaf uses up its share of the time
    only."""
    server = serve(greet)
    look_up(lambda *_: [address(free_port), address(deaf_port), address(server.port)])
    with opened(way(7, "name.test"), time.monotonic() + 0.6) as stream:
        assert stream.recv(5) == b"hello"


def test_all_addresses_fail(look_up: Callable[[Look], None], free_port: int) -> None:
    """When none takes us, the first failure is told."""
    look_up(lambda *_: [address(free_port), (99, 99, 99, "", (HOST, 1))])
    error = refusal(way(7, "name.test"))
    assert error.reason == "connecting to name.test:7: Connection refused"


def test_no_address(look_up: Callable[[Look], None]) -> None:
    """A name without an address is a failure that says so."""
    look_up(lambda *_: [])
    assert refusal(way(7, "name.test")).reason == (
        "connecting to name.test:7: the host has no address"
    )


def test_unknown_name(look_up: Callable[[Look], None]) -> None:
    """A name that nobody knows is a failure of the look-up."""

    def look(*_: Any) -> List[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    look_up(look)
    error = refusal(way(7, "name.test"))
    assert error.reason == "looking up name.test: Name or service not known"
    assert isinstance(error.cause, socket.gaierror)


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".test", ".test", "\ud800.test"])
def test_impossible_name(host: str) -> None:
    """A name that cannot be one is a failure of the look-up too."""
    error = refusal(way(7, host))
    assert error.reason.startswith(f"looking up {host}: ")
    assert isinstance(error.cause, socket.gaierror)


class SlowLookUp:
    """A look-up that takes until it is told to end."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.end = threading.Event()
        self.ended = threading.Event()

    def __call__(self, *_: Any) -> List[Any]:
        self.began.set()
        assert self.end.wait(SOON)
        return []


@pytest.fixture
def slow(look_up: Callable[[Look], None]) -> Iterator[SlowLookUp]:
    slow = SlowLookUp()
    look_up(slow)
    yield slow
    slow.end.set()
    for thread in threading.enumerate():
        if thread.name == "keyyo-cti-resolver":
            thread.join(SOON)
            assert not thread.is_alive()


def test_slow_look_up(slow: SlowLookUp) -> None:
    """A look-up that does not end is given up at the deadline; its thread is a daemon, and ends
    quietly by itself."""
    error = refusal(way(7, "name.test"), 0.1)
    assert error.reason == "looking up name.test: no answer in time"
    threads = [one for one in threading.enumerate() if one.name == "keyyo-cti-resolver"]
    assert [thread.daemon for thread in threads] == [True]


def test_abort_while_looking_up(slow: SlowLookUp) -> None:
    """A pull from another thread ends the look-up."""
    cancel_token = CancelToken()
    puller = pull_after(slow.began, cancel_token)
    error = refusal(way(7, "name.test", cancel_token=cancel_token), 60)
    puller.join(SOON)
    assert error.reason.startswith("looking up name.test: given up")


# TLS.


def test_tls(serve: Serve, authority: Authority) -> None:
    """A server with a certificate of the given authority is spoken to in TLS."""
    server = serve(secured(authority.server(HOST)))
    with opened(way(server.port, secure=True, ca_certs=authority.file)) as stream:
        assert stream.recv(5) == b"hello"


def test_tls_by_name(
    serve: Serve, authority: Authority, look_up: Callable[[Look], None]
) -> None:
    """The certificate must bear the name that was asked for, wherever it leads."""
    server = serve(secured(authority.server("name.test")))
    look_up(lambda *_: [address(server.port)])
    with opened(way(443, "name.test", True, authority.file)) as stream:
        assert stream.recv(5) == b"hello"
    error = refusal(way(443, "other.test", True, authority.file))
    assert error.reason.startswith(
        "TLS handshake with other.test:443: the certificate is refused: "
    )
    assert isinstance(error.cause, ssl.SSLCertVerificationError)


def test_unknown_authority(serve: Serve, authority: Authority) -> None:
    """A certificate of an authority that is not trusted is refused."""
    server = serve(secured(authority.server(HOST)))
    error = refusal(way(server.port, secure=True))
    assert isinstance(error.cause, ssl.SSLCertVerificationError)
    assert "the certificate is refused" in error.reason


def test_expired_certificate(serve: Serve, authority: Authority) -> None:
    """So is one that has expired."""
    past = datetime.datetime(2020, 1, 1)
    context = authority.server(HOST, not_before=datetime.datetime(2019, 1, 1), not_after=past)
    error = refusal(way(serve(secured(context)).port, secure=True, ca_certs=authority.file))
    assert isinstance(error.cause, ssl.SSLCertVerificationError)
    assert "expired" in error.reason


def test_no_tls(serve: Serve, authority: Authority) -> None:
    """A server that speaks no TLS is a failure of the handshake."""
    error = refusal(way(serve(greet).port, secure=True, ca_certs=authority.file))
    assert error.reason.startswith("TLS handshake with ")
    assert isinstance(error.cause, ssl.SSLError)


def test_hanging_up(serve: Serve, authority: Authority) -> None:
    """So is one that hangs up."""
    server = serve(lambda sock: sock.close())
    error = refusal(way(server.port, secure=True, ca_certs=authority.file))
    assert error.reason.startswith("TLS handshake with ")


def test_silent_handshake(serve: Serve, authority: Authority) -> None:
    """A server that does not shake hands is given up at the deadline."""
    server = serve(say_nothing)
    error = refusal(way(server.port, secure=True, ca_certs=authority.file), 0.2)
    assert error.reason == f"TLS handshake with {HOST}:{server.port}: no answer in time"


def test_abort_during_the_handshake(serve: Serve, authority: Authority) -> None:
    """A pull from another thread ends the handshake, and the server sees it."""
    cancel_token, ended = CancelToken(), threading.Event()

    def pull(sock: socket.socket) -> None:
        assert sock.recv(4096)
        cancel_token.cancel()
        while sock.recv(4096):
            pass
        ended.set()

    server = serve(pull)
    connector = way(server.port, secure=True, ca_certs=authority.file, cancel_token=cancel_token)
    assert "TLS handshake" in refusal(connector, 60).reason
    assert ended.wait(SOON)


def test_missing_authorities(serve: Serve, tmp_path: Path) -> None:
    """A file of authorities that is gone is a failure that says so."""
    server = serve(say_nothing)
    connector = way(server.port, secure=True, ca_certs=tmp_path / "gone.pem")
    error = refusal(connector)
    assert isinstance(error.cause, NoAuthorities)
    assert "No such file" in error.reason and "gone.pem" in error.reason


def test_file_without_authorities(serve: Serve, tmp_path: Path) -> None:
    """A file of authorities that holds none is named, and is not blamed on the server's TLS."""
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    error = refusal(way(serve(say_nothing).port, secure=True, ca_certs=file))
    assert "ca.pem" in error.reason
    assert "TLS handshake" not in error.reason


def test_context_speaks_nothing_below_tls_1_2(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is set by us, whatever the system's OpenSSL, or a program, leaves open."""
    real = ssl.create_default_context

    def lax(*arguments: Any, **named: Any) -> ssl.SSLContext:
        context = real(*arguments, **named)
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        return context

    monkeypatch.setattr(ssl, "create_default_context", lax)
    folder = authority.file.parent / "folder"
    folder.mkdir()
    copy = authority.file.parent / "copy.pem"
    copy.write_bytes(authority.file.read_bytes())
    for authorities in (copy, folder):
        context = get_tls_context(str(authorities))
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
        assert context.verify_mode == ssl.CERT_REQUIRED and context.check_hostname


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_server_of_tls_1_1_is_refused(serve: Serve, authority: Authority) -> None:
    context = authority.server(HOST)
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    connector = way(serve(secured(context)).port, secure=True, ca_certs=authority.file)
    assert isinstance(refusal(connector).cause, ssl.SSLError)


def test_context_is_shared(authority: Authority) -> None:
    """The context of an authority is made once, and again when its file has changed."""
    first = get_tls_context(str(authority.file))
    assert get_tls_context(str(authority.file)) is first
    os.utime(authority.file, (1, 1))
    second = get_tls_context(str(authority.file))
    assert second is not first
    assert second.check_hostname
    assert second.verify_mode == ssl.CERT_REQUIRED


def test_folder_of_authorities(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of authorities is taken as well as a file."""
    made: List[Any] = []
    real = ssl.create_default_context

    def create(**named: Any) -> ssl.SSLContext:
        made.append(named)
        return real(**named)

    monkeypatch.setattr(ssl, "create_default_context", create)
    assert get_tls_context(str(tmp_path)).verify_mode == ssl.CERT_REQUIRED
    copy = tmp_path / "ca.pem"
    copy.write_bytes(authority.file.read_bytes())
    get_tls_context(str(copy))
    assert made == [{"capath": str(tmp_path)}, {"cafile": str(copy)}]


def test_which_authorities(monkeypatch: pytest.MonkeyPatch) -> None:
    """The option comes first, then the environment as requests reads it, then certifi's."""
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    assert os.path.exists(find_authorities(None))
    monkeypatch.setenv("SSL_CERT_FILE", "/ssl")
    assert find_authorities(None) == "/ssl"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/requests")
    assert find_authorities(None) == "/requests"
    assert find_authorities("/option") == "/option"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")
    assert find_authorities(None) == "/ssl"


# Proxies.


def by(proxy: str, origin: Origin = Origin("server.test", 80, False), **more: Any) -> Connector:
    cancel_token = more.pop("cancel_token", None) or CancelToken()
    clock = more.pop("clock", time.monotonic)
    return Connector(origin, None, cancel_token, SOON, clock, {"all": proxy})


@pytest.mark.parametrize(
    "origin, target",
    [(Origin("server.test", 80, False), "server.test:80"), (Origin("::2", 81, False), "[::2]:81")],
)
def test_http_proxy(origin: Origin, target: str) -> None:
    """An HTTP proxy is asked for the server, whose name is not looked up here, and what comes
    then is the server's."""
    asked, until = Record(), soon()
    with Peer(scripted_proxy.http(asked)) as peer:
        with opened(by(f"http://{HOST}:{peer.port}", origin), until) as stream:
            stream.sendall(b"?")
            assert stream.recv(5) == b"hello"
            assert stream.read_until == until
    assert asked.items[0].startswith(f"CONNECT {target} HTTP/1.1\r\n")


@pytest.mark.parametrize("scheme", ["socks5h", "socks4a"])
def test_socks_proxy(scheme: str) -> None:
    """So is a SOCKS proxy; its stream is like any other: it sends small writes at once, does not
    block, and has its deadline."""
    asked, until = Record(), soon()
    script = scripted_proxy.socks5 if scheme == "socks5h" else scripted_proxy.socks4
    with Peer(script(asked)) as peer:
        with opened(by(f"{scheme}://{HOST}:{peer.port}"), until) as stream:
            stream.sendall(b"?")
            assert stream.recv(5) == b"hello"
            assert stream.read_until == until
            with socket.socket(fileno=os.dup(stream.fileno())) as sock:
                assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert not os.get_blocking(stream.fileno())
    assert b"server.test" in asked.items[0]


@pytest.mark.fault(49)
@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_proxy_that_speaks_before_the_server_is_refused(scheme: str) -> None:
    """Also in clear, nothing is read that came before the server was asked."""

    def serve(sock: socket.socket) -> None:
        if scheme == "http":
            request(sock)
            sock.sendall(b"HTTP/1.1 200 OK\r\n\r\nforged")
        else:
            sock.recv(3)
            sock.sendall(b"\x05\x00")
            sock.recv(100)
            sock.sendall(bytes([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]) + b"forged")
        sock.recv(1)

    with Peer(serve) as peer:
        port = peer.port
        closed = refusal(by(f"{scheme}://{HOST}:{port}"))
    assert isinstance(closed.cause, EarlyBytes)
    assert closed.reason.endswith(
        f"{port}: bytes came before the server was asked for anything, and were not read"
    )


def test_which_proxy() -> None:
    """The proxy is chosen by the server's scheme and name."""
    asked = Record()
    with Peer(scripted_proxy.http(asked)) as peer:
        proxies = {"http://server.test": f"{HOST}:{peer.port}", "http": "ftp://other.test"}
        origin = Origin("server.test", 8080, False)
        with opened(
            Connector(origin, None, CancelToken(), SOON, time.monotonic, proxies)
        ) as stream:
            stream.sendall(b"?")
            assert stream.recv(5) == b"hello"


@pytest.mark.parametrize("host, no_proxy", [(HOST, "127.0.0.0/8"), ("::1", "::1")])
@pytest.mark.parametrize("named", [True, False])
def test_no_proxy_for_a_host_in_figures(
    host: str, no_proxy: str, named: bool, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    """An address in figures is compared with those that need no proxy."""
    monkeypatch.setenv("HTTPS_PROXY", "ftp://unusable.test")
    monkeypatch.setenv("NO_PROXY", no_proxy if named else "::2")
    reason = refusal(way(free_port, host, secure=True)).reason
    assert reason.startswith("connecting" if named else "choosing a proxy")


@pytest.mark.fault(51)
@pytest.mark.parametrize("host", [HOST, "localhost"])
@pytest.mark.parametrize("scheme", ["http", "socks5h", "ftp"])
def test_in_clear_on_this_machine_no_proxy_is_used(
    serve: Serve, host: str, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither one of the environment nor one that is given."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"{scheme}://unusable.test")
    origin = Origin(host, serve(greet).port, False)
    for proxies in (None, {"http": f"{scheme}://unusable.test"}):
        connector = Connector(origin, None, CancelToken(), SOON, time.monotonic, proxies)
        with opened(connector) as stream:
            assert stream.recv(5) == b"hello"


@pytest.mark.fault(51)
@pytest.mark.parametrize("elsewhere", ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"])
def test_localhost_that_leads_elsewhere_is_refused(
    elsewhere: str, serve: Serve, look_up: Callable[[Look], None]
) -> None:
    """What a resolver says of localhost is believed as far as it leads to this machine."""
    family = socket.AF_INET6 if ":" in elsewhere else socket.AF_INET
    other = (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (elsewhere, 7))
    look_up(lambda *_: [other])
    assert refusal(way(7, "localhost")).reason == (
        "looking up localhost: the name does not lead to this machine"
    )
    server = serve(greet)
    look_up(lambda *_: [other, address(server.port)])
    with opened(way(7, "localhost")) as stream:
        assert stream.recv(5) == b"hello"


def test_tls_through_a_proxy(authority: Authority) -> None:
    """TLS is spoken with the server through the proxy, and its certificate bears its name."""
    context = authority.server("server.test")

    def serve_tls(sock: socket.socket) -> None:
        request(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        secured(context)(sock)

    with Peer(serve_tls) as peer:
        for name in ("server.test", "other.test"):
            connector = Connector(
                Origin(name, 443, True), str(authority.file), CancelToken(), SOON, time.monotonic,
                {"https": f"{HOST}:{peer.port}"},
            )
            if name == "server.test":
                with opened(connector) as stream:
                    assert stream.recv(5) == b"hello"
            else:
                assert refusal(connector).reason.startswith(
                    "TLS handshake with other.test:443: the certificate is refused: "
                )


def test_proxy_that_cannot_be_used() -> None:
    """A proxy that cannot be used is a failure that says so."""
    error = refusal(by("ftp://me:CANARY@proxy.test"))
    assert error.reason.startswith("choosing a proxy: a proxy at ftp:// cannot be used")
    assert isinstance(error.cause, ProxyFailed)


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_proxy_that_refuses(scheme: str) -> None:
    """A proxy that does not let us through is named, with the server, and no socket is left
    there."""
    left = threading.Event()

    def serve(sock: socket.socket) -> None:
        answer = b"HTTP/1.1 403 No\r\n\r\n"
        script = (
            scripted_proxy.http(Record(), answer)
            if scheme == "http"
            else scripted_proxy.socks5(Record(), status=2)
        )
        try:
            script(sock)
        finally:
            left.set()

    with Peer(serve) as peer:
        where = f"proxy {HOST}:{peer.port}"
        closed = refusal(by(f"{scheme}://me:CANARY@{HOST}:{peer.port}"))
        assert left.wait(SOON)
    assert closed.reason.startswith(f"connecting to server.test:80 by way of the {where}: the ")
    assert isinstance(closed.cause, ProxyFailed)
    assert "CANARY" not in closed.reason + str(closed.cause)
    assert str(closed.cause) in closed.reason


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_proxy_that_is_not_there(scheme: str, free_port: int) -> None:
    """Where no proxy listens, it is the proxy's fault, not the server's."""
    closed = refusal(by(f"{scheme}://{HOST}:{free_port}"))
    assert "refused" in closed.reason
    assert isinstance(closed.cause, ProxyFailed)


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_proxy_that_stalls(scheme: str) -> None:
    """A proxy that says nothing is given up at the deadline."""
    with Peer(lambda sock: peer.stall(sock)) as peer:
        closed = refusal(by(f"{scheme}://{HOST}:{peer.port}"), 0.1)
        place = f"{HOST}:{peer.port}"
    assert closed.reason == (
        f"connecting to server.test:80 by way of the proxy {place}: no answer in time"
    )


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_abort_at_a_proxy(scheme: str) -> None:
    """A pull from another thread ends the waiting for a proxy."""
    cancel_token = CancelToken()
    with Peer(lambda sock: peer.stall(sock)) as peer:
        puller = pull_after(peer.reached, cancel_token)
        closed = refusal(by(f"{scheme}://{HOST}:{peer.port}", cancel_token=cancel_token), 60)
        puller.join(SOON)
        assert "given up" in closed.reason


def test_socket_that_comes_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket that a SOCKS proxy gives when nobody waits for it any more is closed."""
    near, far = socket.socketpair()
    go_on = threading.Event()

    def late(*_: Any) -> socket.socket:
        assert go_on.wait(SOON)
        return near

    monkeypatch.setattr(connect_module, "connect_by_socks", late)
    with far:
        assert "no answer in time" in refusal(by("socks5://proxy.test"), 0.01).reason
        threads = [each for each in threading.enumerate() if each.name == "keyyo-cti-socks"]
        assert [thread.daemon for thread in threads] == [True]
        go_on.set()
        far.settimeout(SOON)
        assert far.recv(1) == b""
        threads[0].join(SOON)


def test_failure_that_comes_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does anybody hear of a failure that comes when nobody waits any more."""
    go_on, heard = threading.Event(), Record()

    def late(*_: Any) -> socket.socket:
        assert go_on.wait(SOON)
        raise OSError("late")

    monkeypatch.setattr(connect_module, "connect_by_socks", late)
    monkeypatch.setattr(threading, "excepthook", heard.add)
    refusal(by("socks5://proxy.test"), 0.01)
    (thread,) = [each for each in threading.enumerate() if each.name == "keyyo-cti-socks"]
    go_on.set()
    thread.join(SOON)
    assert heard.items == []


@pytest.mark.parametrize("ahead, timeout", [(5.0, 5.0), (-1.0, 0.001), (1e30, None)])
def test_time_for_a_socks_proxy(
    ahead: float, timeout: Optional[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A SOCKS proxy has the time that is left, and always a little."""
    given: List[float] = []

    def through(proxy: Any, origin: Any, seconds: float) -> socket.socket:
        given.append(seconds)
        raise OSError("no")

    monkeypatch.setattr(connect_module, "connect_by_socks", through)
    clock = Hand()
    with pytest.raises(ConnectFailed):
        by("socks5://proxy.test", clock=clock).open(clock() + ahead)
    assert given == [threading.TIMEOUT_MAX if timeout is None else timeout]


def test_no_thread_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a pull no proxy and no name server is asked any more."""
    asked = Record()
    monkeypatch.setattr(connect_module, "connect_by_socks", asked.add)
    cancel_token = CancelToken()
    cancel_token.cancel()
    assert "given up" in refusal(by("socks5://proxy.test", cancel_token=cancel_token)).reason
    assert asked.items == []


def test_no_thread_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no thread can be started, the look-up fails, with a reason."""

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    closed = refusal(way(7, "name.test"))
    assert closed.reason == "looking up name.test: can't start new thread"


def test_bug_in_a_phase(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake in the program is not told as a failure of the network."""

    def select_proxy(*_: Any) -> None:
        raise KeyError("bug")

    monkeypatch.setattr(connect_module, "select_proxy", select_proxy)
    with pytest.raises(KeyError):
        way(7, secure=True).open(soon())


# Children.


def test_child(serve: Serve) -> None:
    """The streams of a child end with it, the others stay open, and the child opens no more."""
    server = serve(greet)
    parent = way(server.port)
    child = parent.make_child()
    with opened(parent) as own, opened(child) as stream:
        assert (own.recv(5), stream.recv(5)) == (b"hello", b"hello")
        child.end()
        child.end()
        assert stream.recv(1) == b""
        own.sendall(b"x")
        assert "given up" in refusal(child).reason
        with opened(parent) as another:
            assert another.recv(5) == b"hello"


def test_child_ends_with_its_parent(serve: Serve) -> None:
    """They end with the cancel token of the parent too."""
    cancel_token = CancelToken()
    make_child = way(serve(say_nothing).port, cancel_token=cancel_token).make_child()
    with opened(make_child) as stream:
        cancel_token.cancel()
        assert stream.recv(1) == b""
    make_child.end()


def test_an_ended_branch_leaves_nothing(serve: Serve) -> None:
    """A branch that has ended is forgotten by the handle."""
    cancel_token = CancelToken()
    make_child = way(7, cancel_token=cancel_token).make_child()
    hooks: List[Any] = getattr(cancel_token, "_hooks")
    assert len(hooks) == 1
    make_child.end()
    assert hooks == []


def test_a_branch_goes_the_same_way(authority: Authority) -> None:
    """A branch has the server, the authorities, the time-out, the clock and the proxies of its
    route."""
    context, clock = authority.server("server.test"), Hand()

    def serve_tls(sock: socket.socket) -> None:
        request(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        secured(context)(sock)

    with Peer(serve_tls) as peer:
        make_child = Connector(
            Origin("server.test", 443, True), str(authority.file), CancelToken(), 0.05, clock,
            {"https": f"{HOST}:{peer.port}"},
        ).make_child()
        with opened(make_child, clock() + SOON) as stream:
            assert stream.recv(5) == b"hello"
            assert stream.last_received_at == clock()
            writing = Background(stream.sendall, b"x" * 20_000_000)
            assert isinstance(writing.error(), OSError)


def test_allowance(serve: Serve) -> None:
    """As many bytes as are allowed are read, and by default any number."""
    server = serve(greet)
    with contextlib.closing(way(server.port).open(soon(), 4)) as stream:
        with pytest.raises(TooLarge):
            stream.recv(5)
    with opened(way(server.port)) as stream:
        assert stream.bytes_left == NEVER


@pytest.mark.parametrize(
    "error, words",
    [
        (socket.timeout("timed out"), "no answer in time"),
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (OSError("the host has no address"), "the host has no address"),
        (OSError(), "OSError"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (KeyError(), "KeyError"),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol (_ssl.c:1006)"),
         "the server closed the connection"),
        (ssl.SSLZeroReturnError(6, "TLS/SSL connection has been closed (EOF) (_ssl.c:1006)"),
         "the server closed the connection"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)"),
         "[SSL: WRONG_VERSION_NUMBER] wrong version number"),
    ],
)
def test_describe(error: BaseException, words: str) -> None:
    """An error is told in a few words."""
    assert describe_failure(error) == words
    assert describe_failure(error, CancelToken()) == words


def test_describe_given_up() -> None:
    """After a pull, whatever the error is, it was us."""
    cancel_token = CancelToken()
    cancel_token.cancel()
    assert "closed meanwhile" in describe_failure(OSError("Bad file descriptor"), cancel_token)
