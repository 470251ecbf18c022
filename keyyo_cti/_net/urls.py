"""URLs of servers: what is allowed, and where they lead. Pure."""

import ipaddress
from typing import NamedTuple
from urllib.parse import urlsplit

_DEFAULT_PORT = {"http": 80, "https": 443}

_LOOPBACK_4 = ipaddress.IPv4Network("127.0.0.0/8")
_LOOPBACK_6 = ipaddress.IPv6Address("::1")


class Origin(NamedTuple):
    """Where a URL leads: the host to look up, the port, and whether TLS is spoken there."""

    host: str
    port: int
    secure: bool


def parse_base_url(url: str) -> str:
    """The base URL without trailing slashes.

    :raises ValueError: it is no http or https URL, or has a query or a fragment, which
        SockJS has no place for.
    """
    if not isinstance(url, str):
        raise ValueError(f"expected a URL as a string, got {type(url).__name__}")
    if any(character in "?# \x7f" or character < " " for character in url):
        # Not the URL itself: what is behind the '?' may be a secret.
        raise ValueError("expected a URL without '?', '#', space and control characters")
    parse_origin(url)
    scheme, rest = url.split(":", 1)
    return f"{scheme.lower()}:{rest.rstrip('/')}"


def check_secure(url: str, allow_http: bool = False) -> str:
    """Return the base URL of a service that secrets may be sent to.

    :param url: https, or http on this very machine.
    :param allow_http: True if http may lead to another machine, as in a laboratory.
    :raises ValueError: it is neither, or no URL at all.
    """
    url = parse_base_url(url)
    host, _, secure = parse_origin(url)
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


def parse_origin(url: str) -> Origin:
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


def _shown(url: str) -> str:
    """A URL for an error message; one with a password is not shown."""
    return "one with a user name" if "@" in url else repr(url)
