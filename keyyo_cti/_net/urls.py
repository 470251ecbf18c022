"""URLs of servers: what is allowed, and where they lead. Pure."""

import ipaddress
from typing import NamedTuple
from urllib.parse import urlsplit

_DEFAULT_PORT = {"http": 80, "https": 443}

_LOOPBACK_4 = ipaddress.IPv4Network("127.0.0.0/8")
_LOOPBACK_6 = ipaddress.IPv6Address("::1")


class Origin(NamedTuple):
    """The server of a URL: its host, its port, and True if it uses TLS."""

    host: str
    port: int
    secure: bool


def parse_base_url(url: str) -> str:
    """Return a base URL without trailing slashes.

    :raises ValueError: it is not an http or https URL, or has a query or a fragment, to which a
        path cannot be appended.
    """
    if not isinstance(url, str):
        raise ValueError(f"expected a URL as a string, got {type(url).__name__}")
    if any(character in "?# \x7f" or character < " " for character in url):
        # Without the URL itself: the query may contain a secret.
        raise ValueError("expected a URL without '?', '#', space and control characters")
    parse_origin(url)
    scheme, rest = url.split(":", 1)
    return f"{scheme.lower()}:{rest.rstrip('/')}"


def check_secure(url: str, allow_http: bool = False) -> str:
    """Return the base URL of a service that secrets may be sent to.

    :param url: https, or http to this machine.
    :param allow_http: True if http to another machine is allowed, as in a laboratory.
    :raises ValueError: it is not a URL, or http to another machine.
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
    """Return True if a host is always this machine: 127.0.0.0/8, ::1 or localhost.

    Other spellings of these addresses do not count: a resolver could map them to another machine.

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
    """Return the server of an http or https URL.

    :raises ValueError: it is another URL, or has no host or an impossible port.
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
    """Return a URL for an error message, without showing a password."""
    return "one with a user name" if "@" in url else repr(url)
