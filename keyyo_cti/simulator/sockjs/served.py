"""What the transports need of the endpoint that serves them."""

from __future__ import annotations

from typing import Dict, Optional, Protocol, Set

from aiohttp import web

from .connection import Connection
from .gate import Gate
from .http_session import HttpSession


class Served(Protocol):
    """An endpoint as its transports see it: see `Endpoint`, which imports them."""

    stream_limit: int
    gate: Gate
    connections: Set[Connection]

    def headers(self, request: web.Request) -> Dict[str, str]: ...

    def connect(self, transport: str) -> Connection: ...

    def session(self, request: web.Request, transport: str) -> HttpSession: ...

    def known_session(self, request: web.Request) -> Optional[HttpSession]: ...
