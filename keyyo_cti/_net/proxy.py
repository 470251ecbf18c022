"""Choosing a proxy, and connecting through it to the server.

Every transport uses a tunnel (CONNECT) through an HTTP proxy. The proxy then sees the address of
the server only.
"""

import base64
import importlib
import re
import socket
from functools import lru_cache
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple
from urllib.parse import unquote, urlsplit

from requests import utils

from .cancellation import CancelToken
from .clock import monotonic
from .happy_eyeballs import connect, look_up, memory
from .stream import Stream
from .urls import Origin

#: The default ports by scheme.
_PORTS = {"http": 80, "socks4": 1080, "socks4a": 1080, "socks5": 1080, "socks5h": 1080}

#: Bytes of a proxy's response.
_MAX_RESPONSE_BYTES = 65536

_STATUS = re.compile(r"[0-9]{3}")


class ProxyFailed(OSError):
    """A proxy cannot be used, or refuses the connection. The message never shows its password."""


class Proxy(NamedTuple):
    """A proxy.

    :ivar scheme: ``http``, ``socks4``, ``socks4a``, ``socks5`` or ``socks5h``.
    """

    scheme: str
    host: str
    port: int
    username: Optional[str] = None
    password: Optional[str] = None

    @property
    def socks(self) -> bool:
        """True if it is a SOCKS proxy."""
        return self.scheme != "http"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def __repr__(self) -> str:
        # Not the password.
        return f"<Proxy {self.scheme}://{self}>"


def select_proxy(url: str, proxies: Optional[Mapping[str, Optional[str]]]) -> Optional[Proxy]:
    """Return the proxy for a URL, or None, with the rules of ``requests``.

    :param proxies: by scheme. The environment supplies the others (HTTPS_PROXY, HTTP_PROXY,
        ALL_PROXY), except for the hosts in NO_PROXY, or in ``no_proxy`` here.
    :raises ProxyFailed: the proxy cannot be used.
    """
    given: Dict[str, Any] = dict(proxies or {})
    no_proxy = given.pop("no_proxy", None)
    environment: Dict[str, Any] = dict(utils.get_environ_proxies(url, no_proxy))
    if no_proxy and not environment and not _outside(url, no_proxy):
        return None
    selected = utils.select_proxy(url, {**environment, **given})
    return None if not selected else _read(selected)


def open_tunnel(stream: Stream, proxy: Proxy, origin: Origin) -> None:
    """Connect a stream to a server through an HTTP proxy.

    :raises OSError: the proxy refuses, or does not respond in time.
    """
    host = f"[{origin.host}]" if ":" in origin.host else _ascii(origin.host)
    target = f"{host}:{origin.port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.username is not None:
        credentials = f"{proxy.username}:{proxy.password or ''}".encode()
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(credentials).decode()}")
    stream.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
    status, words = _answer(stream)
    if not 200 <= status < 300:
        raise ProxyFailed(f"the proxy {proxy} answers {status} {words}".rstrip())


def connect_by_socks(proxy: Proxy, origin: Origin, timeout: float) -> socket.socket:
    """Return a socket to a server through a SOCKS proxy. Cannot be interrupted.

    :raises OSError: the connection fails, or takes too long.
    """
    try:
        socks: Any = importlib.import_module("socks")
    except ImportError:
        raise ProxyFailed("a SOCKS proxy needs PySocks: pip install pysocks") from None
    target = _ascii(origin.host), origin.port
    connected = _connect(proxy, monotonic() + timeout)
    try:
        return _negotiate(socks, connected, proxy, target, timeout)
    except socket.timeout:
        # For the reason of ``Connector.distrust``.
        memory.forget(proxy.host, proxy.port)
        raise


def _connect(proxy: Proxy, until: float) -> socket.socket:
    """Return a non-blocking socket to a proxy."""
    addresses = memory.sort(proxy.host, proxy.port, look_up(proxy.host, proxy.port))
    sock, address = connect(addresses, until, CancelToken(), monotonic)
    memory.remember(proxy.host, proxy.port, address)
    return sock


def _negotiate(
    socks: Any, connected: socket.socket, proxy: Proxy, target: Tuple[str, int], timeout: float
) -> socket.socket:
    """Connect a socket to a server through a SOCKS proxy. The socket is replaced."""
    kind = socks.SOCKS5 if proxy.scheme.startswith("socks5") else socks.SOCKS4
    remote_names = proxy.scheme in ("socks5h", "socks4a")
    sock = _socket_class(socks)(
        connected.family, connected.type, connected.proto, fileno=connected.detach()
    )
    try:
        sock.set_proxy(
            kind, proxy.host, proxy.port, remote_names, proxy.username, proxy.password
        )
        sock.settimeout(timeout)
        sock.connect(target)
        # A plain socket, without the library's methods.
        return socket.socket(fileno=sock.detach())
    except socks.ProxyError as error:
        sock.close()
        if isinstance(error.socket_err, socket.timeout):
            # The same error as from the waiter, whose deadline is the same.
            raise socket.timeout("timed out") from error
        raise ProxyFailed(f"the proxy {proxy} does not let us through: {error.msg}") from error
    except BaseException:
        sock.close()
        raise


@lru_cache(maxsize=None)
def _socket_class(socks: Any) -> Any:
    """Return a subclass of PySocks's socket that does not connect to the proxy again.

    PySocks itself tries only one IPv4 address of a proxy.
    """

    class Connected(socks.socksocket.__base__):  # type: ignore[misc]
        def connect(self, _: Any) -> None:
            """Do nothing. PySocks calls this before the negotiation with the proxy."""

    return type("ConnectedSocksSocket", (socks.socksocket, Connected), {})


def _ascii(host: str) -> str:
    """Return a host name in ASCII, as name servers use it.

    :raises OSError: the name is impossible.
    """
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise socket.gaierror(socket.EAI_NONAME, "not a possible name") from error


def _outside(url: str, no_proxy: str) -> bool:
    """Return True if a host needs a proxy."""
    return not utils.should_bypass_proxies(url, no_proxy)


def _read(url: str) -> Proxy:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        port = parts.port
    except ValueError:
        raise ProxyFailed("the address of the proxy cannot be read") from None
    if parts.scheme not in _PORTS:
        known = ", ".join(f"{scheme}://" for scheme in _PORTS)
        raise ProxyFailed(f"a proxy at {parts.scheme}:// cannot be used: expected one of {known}")
    if not parts.hostname:
        raise ProxyFailed("the address of the proxy has no host")
    username, password = (
        None if part is None else unquote(part) for part in (parts.username, parts.password)
    )
    return Proxy(
        parts.scheme, parts.hostname, port or _PORTS[parts.scheme], username, password
    )


def _answer(stream: Stream) -> "tuple[int, str]":
    """Return the status and the reason of a proxy's response, and consume its headers."""
    head = bytearray()
    while not head.endswith(b"\r\n\r\n"):
        # Byte by byte, from the stream's buffer: later bytes do not belong to the response.
        byte = stream.recv(1)
        if not byte:
            raise ProxyFailed("the proxy closed the connection")
        head += byte
        if len(head) > _MAX_RESPONSE_BYTES:
            raise ProxyFailed("the proxy's answer does not end")
    version, _, rest = head.split(b"\r\n", 1)[0].decode("latin-1").partition(" ")
    status, _, words = rest.partition(" ")
    # Otherwise int() could fail, for a very long number.
    if not version.startswith("HTTP/") or not _STATUS.fullmatch(status):
        raise ProxyFailed("the proxy speaks no HTTP")
    return int(status), "".join(c for c in words if c.isprintable())[:100]
