"""The allowed host names, and the web pages that may read responses.

Any web page can send requests to a server on loopback. A page that points its own host name at
loopback (DNS rebinding) could also read the responses, unless the server refuses unknown names.
"""

from __future__ import annotations

import ipaddress
import re
from typing import FrozenSet, Iterable, Optional, Union
from urllib.parse import urlsplit

from aiohttp import web

from .arguments import require_text

ORIGIN = "Access-Control-Allow-Origin"
CREDENTIALS = "Access-Control-Allow-Credentials"

MISDIRECTED = 421

_SIMPLE_NAME = re.compile(r"[a-z0-9_-]*[a-z_-][a-z0-9_-]*")

_REFUSAL = (
    "The simulator does not answer to this Host. Use an IP address or localhost, or allow the "
    "name: Simulator(allowed_hosts=[...]), or keyyo-cti simulator --allow-host NAME.\n"
)


class HostFilter:
    """A filter of requests by their ``Host`` and ``Origin`` headers.

    :param names: the allowed host names. IP addresses and names without a dot, such as localhost,
        are always allowed.
    :raises TypeError: it is not a list of strings.
    :raises ValueError: a name is empty.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names: FrozenSet[str] = frozenset(
            require_text(name, "allowed_hosts").lower().rstrip(".") for name in names)

    def refuse(self, request: web.Request) -> Optional[web.Response]:
        """Return the refusal of a request to an unknown host, or None.

        A request without ``Host`` is allowed, because browsers always send one.
        """
        host = request.headers.get("Host")
        if host is None or self._is_known(_parse_host("//" + host)):
            return None
        return web.Response(status=MISDIRECTED, text=_REFUSAL)

    async def restrict(self, request: web.Request, response: web.StreamResponse) -> None:
        """Remove CORS credentials from a response to a page of a foreign origin.

        Such a page can then read it only without cookies, as any program can. Runs before the
        response is sent.
        """
        origin = request.headers.get("Origin")
        if origin is not None and CREDENTIALS in response.headers and self._is_foreign(origin):
            response.headers[ORIGIN] = "*"
            del response.headers[CREDENTIALS]

    def _is_foreign(self, origin: str) -> bool:
        if origin != "null" and "://" not in origin:
            # Browsers never send this, but test programs for SockJS servers do.
            return False
        host = _parse_host(origin)
        address = _parse_address(host)
        return not self._is_known(host) if address is None else not address.is_loopback

    def _is_known(self, host: str) -> bool:
        if host in self._names or host.endswith(".localhost") or _parse_address(host) is not None:
            return True
        # For example localhost or the name of a container. Web sites have a dot in their name.
        return _SIMPLE_NAME.fullmatch(host) is not None


def _parse_host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _parse_address(host: str) -> Union[ipaddress.IPv4Address, ipaddress.IPv6Address, None]:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
