"""The SockJS URLs below one base."""

from __future__ import annotations

import json
import random
from typing import Iterable, Set

from aiohttp import web

from .connection import Connection, Handler
from .connection_table import ConnectionTable
from .gate import INFO, Gate, no_gate
from .headers import GET_METHODS, JSON, TEXT, UNCACHED, make_cors_headers, make_preflight_response
from .refusals import make_refusal_middleware
from .transports import TRANSPORT_NAMES, TRANSPORTS, URLS
from .websocket import WEBSOCKET

GREETING = "Welcome to SockJS!\n"
STREAM_LIMIT = 128 * 1024

MAX_BODY_BYTES = 4 * 1024 * 1024
"""The same limit as aiohttp's for a websocket message."""


class Endpoint:
    """A SockJS server for the URLs below one base.

    :param handler: receives the events of the connections.
    :param path: the base, for example "/cti".
    :param heartbeat: seconds between two heartbeats on a connection.
    :param disconnect_delay: timeout in seconds for an HTTP client between two receivers. A closed
        session also sends its close frame for that long.
    :param stream_limit: bytes after which a streaming response ends.
    :param transports: the names of the transports to serve; see `TRANSPORT_NAMES`.
    :param jsessionid: True if the HTTP transports set the cookie JSESSIONID and info demands it.
    :param gate: called before each of `PHASES`; see `Gate`.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        path: str = "/cti",
        heartbeat: float = 25.0,
        disconnect_delay: float = 5.0,
        stream_limit: int = STREAM_LIMIT,
        transports: Iterable[str] = TRANSPORT_NAMES,
        jsessionid: bool = True,
        gate: Gate = no_gate,
    ) -> None:
        self.path = path
        self._served = {url for name in transports for url in URLS[name]}
        self._table = ConnectionTable(
            handler,
            heartbeat=heartbeat,
            disconnect_delay=disconnect_delay,
            stream_limit=stream_limit,
            jsessionid=jsessionid,
            gate=gate,
        )

    def application(self) -> web.Application:
        """Return the aiohttp application that serves the base."""
        application = web.Application(
            client_max_size=MAX_BODY_BYTES, middlewares=[make_refusal_middleware(self.path)])
        segment = "[^/.]+"
        application.add_routes([
            web.get(self.path, self._greet, allow_head=False),
            web.get(self.path + "/", self._greet, allow_head=False),
            web.get(self.path + "/info", self._info, allow_head=False),
            web.options(self.path + "/info", self._preflight_info),
            web.route("*", f"{self.path}/{{server:{segment}}}/{{session:{segment}}}/{{transport}}",
                      self._transport),
        ])
        return application

    @property
    def connections(self) -> Set[Connection]:
        """The connections that have not ended; use it on the loop's thread only."""
        return self._table.connections

    async def _greet(self, request: web.Request) -> web.StreamResponse:
        return web.Response(text=GREETING, headers=TEXT)

    async def _info(self, request: web.Request) -> web.StreamResponse:
        instead = await self._table.gate(INFO, request)
        if instead is not None:
            return instead
        facts = {
            "websocket": WEBSOCKET in self._served,
            "origins": ["*:*"],
            "cookie_needed": self._table.jsessionid,
            "entropy": random.getrandbits(32),
        }
        return web.Response(
            text=json.dumps(facts), headers={**UNCACHED, **JSON, **make_cors_headers(request)})

    async def _preflight_info(self, request: web.Request) -> web.StreamResponse:
        return make_preflight_response(request, GET_METHODS, self._table.make_headers(request))

    async def _transport(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["transport"]
        if name not in self._served:
            raise web.HTTPNotFound()
        return await TRANSPORTS[name](request, self._table)
