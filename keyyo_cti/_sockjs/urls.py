"""The URLs, names and headers of SockJS."""

import secrets
from urllib.parse import urlsplit

from .._net.urls import parse_origin

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"

#: Each character has 5.2 bits.
_SESSION_NAME_LENGTH = 24

_WEBSOCKET_SCHEME = {"http": "ws", "https": "wss"}


def make_server_name() -> str:
    """Return three random digits, to be used for the life of one client."""
    return f"{secrets.randbelow(1000):03}"


def make_session_name() -> str:
    """Return a new random name, for one attempt of one transport.

    Over HTTP, the name alone gives control of a telephone. It must not be guessed or logged.
    """
    return "".join(secrets.choice(_LETTERS) for _ in range(_SESSION_NAME_LENGTH))


def make_transport_url(base_url: str, server: str, session: str, name: str) -> str:
    """Return the URL of a transport.

    :param name: ``websocket``, ``xhr``, ``xhr_streaming`` or ``xhr_send``.
    """
    url = f"{base_url}/{server}/{session}/{name}"
    if name != "websocket":
        return url
    scheme, rest = url.split(":", 1)
    return f"{_WEBSOCKET_SCHEME[scheme]}:{rest}"


def make_host_header(base_url: str) -> str:
    """Return the ``Host`` header of a server; a default port is left out."""
    host, port, secure = parse_origin(base_url)
    host = f"[{host}]" if ":" in host else host
    return host if port == (443 if secure else 80) else f"{host}:{port}"


def make_origin_header(base_url: str) -> str:
    """Return the ``Origin`` header of a page on the same server."""
    return f"{base_url.split(':', 1)[0]}://{make_host_header(base_url)}"


def hide_host(url: str) -> str:
    """Return the URL with a host that cannot exist (RFC 2606)."""
    parts = urlsplit(url)
    return parts._replace(netloc="nowhere.invalid").geturl()


def make_info_url(base_url: str) -> str:
    """Return the URL of the server's info."""
    return f"{base_url}/info"
