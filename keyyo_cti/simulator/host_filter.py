"""Which names the simulator answers to, and which web pages may read its answers.

A browser is a danger to a server on loopback: any web page can send it requests. A page whose own
name has been pointed at loopback (DNS rebinding) can even read the answers, unless the server
refuses names that it does not know.
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


class Visitors:
    """Decides by the headers ``Host`` and ``Origin``.

    :param names: host names that the simulator answers to, besides IP addresses, and names
        without a dot, such as localhost.
    :raises TypeError: it is no list of strings.
    :raises ValueError: a name is empty.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names: FrozenSet[str] = frozenset(
            require_text(name, "allowed_hosts").lower().rstrip(".") for name in names)

    def refuse(self, request: web.Request) -> Optional[web.Response]:
        """Return the refusal of a request to a foreign host; None if the host is known.

        Browsers always name a host, so that a request without one is not from a page.
        """
        host = request.headers.get("Host")
        if host is None or self._knows(_host_in("//" + host)):
            return None
        return web.Response(status=MISDIRECTED, text=_REFUSAL)

    async def restrict(self, request: web.Request, response: web.StreamResponse) -> None:
        """Before an answer is sent: let a page of a foreign origin read it only without cookies,
        as any program can."""
        origin = request.headers.get("Origin")
        if origin is not None and CREDENTIALS in response.headers and self._foreign(origin):
            response.headers[ORIGIN] = "*"
            del response.headers[CREDENTIALS]

    def _foreign(self, origin: str) -> bool:
        if origin != "null" and "://" not in origin:
            # No browser sends this; programs that test SockJS servers do.
            return False
        host = _host_in(origin)
        address = _address(host)
        return not self._knows(host) if address is None else not address.is_loopback

    def _knows(self, host: str) -> bool:
        if host in self._names or host.endswith(".localhost") or _address(host) is not None:
            return True
        # Such as localhost, or the name of a container: no web site has a name without a dot.
        return _SIMPLE_NAME.fullmatch(host) is not None


def _host_in(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _address(host: str) -> Union[ipaddress.IPv4Address, ipaddress.IPv6Address, None]:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
