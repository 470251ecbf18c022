"""SockJS URLs. Pure, but for the random names."""

import ipaddress
import secrets
from typing import NamedTuple
from urllib.parse import urlsplit

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"

#: Characters of a session name; each has 5.2 bits.
_SESSION_NAME_LENGTH = 24

_WEBSOCKET_SCHEME = {"http": "ws", "https": "wss"}

_DEFAULT_PORT = {"http": 80, "https": 443}

_LOOPBACK_4 = ipaddress.IPv4Network("127.0.0.0/8")
_LOOPBACK_6 = ipaddress.IPv6Address("::1")


class Origin(NamedTuple):
    """Where a URL leads: the host to look up, the port, and whether TLS is spoken there."""

    host: str
    port: int
    secure: bool


def base(url: str) -> str:
    """The base URL without trailing slashes.

    :raises ValueError: it is no http or https URL, or has a query or a fragment, which
        SockJS has no place for.
    """
    if not isinstance(url, str):
        raise ValueError(f"expected a URL as a string, got {type(url).__name__}")
    if any(character in "?# \x7f" or character < " " for character in url):
        # Not the URL itself: what is behind the '?' may be a secret.
        raise ValueError("expected a URL without '?', '#', space and control characters")
    origin(url)
    scheme, rest = url.split(":", 1)
    return f"{scheme.lower()}:{rest.rstrip('/')}"


def check_secure(url: str, allow_http: bool = False) -> str:
    """Return the base URL of a service that secrets may be sent to.

    :param url: https, or http on this very machine.
    :param allow_http: True if http may lead to another machine, as in a laboratory.
    :raises ValueError: it is neither, or no URL at all.
    """
    url = base(url)
    host, _, secure = origin(url)
    if not (secure or allow_http or is_loopback(host)):
        raise ValueError(
            f"expected a URL that starts with https://, got {url!r}, which sends secrets in "
            "clear: http:// is for this machine (127.0.0.1, ::1 or localhost), or for a "
            "laboratory, with allow_http=True or --allow-http"
        )
    return url


def is_loopback(host: str) -> bool:
    """True if a host can only be this very machine: 127.0.0.0/8, ::1 or localhost.

    Other spellings of the same addresses do not count. Otherwise a resolver could be asked for
    them, and lead elsewhere.

    :param host: lower-case, as in an ``Origin``.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    if isinstance(address, ipaddress.IPv4Address):
        return address in _LOOPBACK_4
    return address == _LOOPBACK_6


def origin(url: str) -> Origin:
    """Where an http or https URL leads.

    :raises ValueError: it is neither, or names no host or no possible port.
    """
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORT:
        raise ValueError(f"expected a URL that starts with http:// or https://, got {_shown(url)}")
    if parts.username is not None:
        raise ValueError("expected a URL without a user name and password")
    if parts.port == 0:
        raise ValueError("expected a port from 1 to 65535")
    if not parts.hostname:
        raise ValueError(f"expected a URL with a host, got {_shown(url)}")
    return Origin(
        parts.hostname, parts.port or _DEFAULT_PORT[parts.scheme], parts.scheme == "https"
    )


def server_name() -> str:
    """Three digits, the same for the life of a client."""
    return f"{secrets.randbelow(1000):03}"


def session_name() -> str:
    """Return a name that is new for every attempt of every transport.

    Over HTTP it is all that a request needs to command a telephone. So it cannot be guessed, and
    is kept out of logs.
    """
    return "".join(secrets.choice(_LETTERS) for _ in range(_SESSION_NAME_LENGTH))


def transport(base_url: str, server: str, session: str, name: str) -> str:
    """The URL of a transport: ``websocket``, ``xhr``, ``xhr_streaming`` or ``xhr_send``."""
    url = f"{base_url}/{server}/{session}/{name}"
    if name != "websocket":
        return url
    scheme, rest = url.split(":", 1)
    return f"{_WEBSOCKET_SCHEME[scheme]}:{rest}"


def authority(base_url: str) -> str:
    """The ``Host`` header for a server: its host, and its port unless it is the usual one."""
    host, port, secure = origin(base_url)
    host = f"[{host}]" if ":" in host else host
    return host if port == (443 if secure else 80) else f"{host}:{port}"


def site(base_url: str) -> str:
    """The ``Origin`` header for a page of the server's own."""
    return f"{base_url.split(':', 1)[0]}://{authority(base_url)}"


def nowhere(url: str) -> str:
    """The same URL at a host that cannot exist (RFC 2606)."""
    parts = urlsplit(url)
    return parts._replace(netloc="nowhere.invalid").geturl()


def info(base_url: str) -> str:
    """The URL that tells what the server can do."""
    return f"{base_url}/info"


def _shown(url: str) -> str:
    """A URL for an error message; one with a password is not shown."""
    return "one with a user name" if "@" in url else repr(url)
