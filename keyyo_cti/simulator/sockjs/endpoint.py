"""The SockJS URLs below one base."""

from __future__ import annotations

import json
import random
from functools import partial
from typing import Dict, Iterable, Optional, Set

from aiohttp import web

from .connection import Connection, Handler
from .gate import INFO, Gate, no_gate
from .headers import GET_METHODS, JSON, TEXT, UNCACHED, cors, preflight, sticky
from .http_session import HttpSession
from .refusals import say_refusals_like_sockjs
from .transports import TRANSPORT_NAMES, TRANSPORTS, URLS
from .websocket import WEBSOCKET

GREETING = "Welcome to SockJS!\n"
STREAM_LIMIT = 128 * 1024

MAX_BODY = 4 * 1024 * 1024
"""As much as aiohttp takes in one message of a websocket."""


class Endpoint:
    """Serves the SockJS URLs below one base.

    :param handler: who is told what happens on the connections.
    :param path: the base, for example "/cti".
    :param heartbeat: seconds between two heartbeats on a connection.
    :param disconnect_delay: seconds that a client of an HTTP transport may stay away, and that
        a session that was closed tells it to who comes back.
    :param stream_limit: bytes after which a streaming answer ends.
    :param transports: the names of those that are served; see `TRANSPORT_NAMES`.
    :param jsessionid: whether HTTP transports set the cookie JSESSIONID, and info wants it back.
    :param gate: asked before each of `PHASES`; may wait, or give a response to use instead.
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
        self.heartbeat = heartbeat
        self.disconnect_delay = disconnect_delay
        self.stream_limit = stream_limit
        self.gate = gate
        self.connections: Set[Connection] = set()
        self._handler = handler
        self._served = {url for name in transports for url in URLS[name]}
        self._jsessionid = jsessionid
        self._sessions: Dict[str, HttpSession] = {}

    def application(self) -> web.Application:
        """The aiohttp application that serves the base."""
        application = web.Application(
            client_max_size=MAX_BODY, middlewares=[say_refusals_like_sockjs(self.path)])
        segment = "[^/.]+"
        application.add_routes([
            web.get(self.path, self._greet, allow_head=False),
            web.get(self.path + "/", self._greet, allow_head=False),
            web.get(self.path + "/info", self._info, allow_head=False),
            web.options(self.path + "/info", self._may_ask_info),
            web.route("*", f"{self.path}/{{server:{segment}}}/{{session:{segment}}}/{{transport}}",
                      self._transport),
        ])
        return application

    # For the transports

    def headers(self, request: web.Request) -> Dict[str, str]:
        """The headers that every answer on an HTTP transport has."""
        return sticky(request) if self._jsessionid else {}

    def connect(self, transport: str) -> Connection:
        """A new connection, for a transport to carry."""
        connection = Connection(self._handler, self.heartbeat, transport)
        self.connections.add(connection)
        return connection

    def session(self, request: web.Request, transport: str) -> HttpSession:
        """The session that the request names; a new one if there is none yet."""
        name = request.match_info["session"]
        session = self._living(name)
        if session is None or (session.connection.doom and session.received):
            # Or whose receiver has been struck and is about to notice.
            connection = self.connect(transport)
            session = HttpSession(
                connection, self.disconnect_delay, partial(self._forget, name))
            self._sessions[name] = session
        return session

    def known_session(self, request: web.Request) -> Optional[HttpSession]:
        """The session that the request names, if there is one."""
        session = self._living(request.match_info["session"])
        return None if session is None or session.connection.doom else session

    # Inside

    def _living(self, name: str) -> Optional[HttpSession]:
        """Return the session of this name, unless its client has aborted the receiver.

        The receiver itself learns of that some turns of the loop later. Otherwise a request that
        follows the abort at once would still find the session.
        """
        session = self._sessions.get(name)
        if session is not None and session.aborted:
            session.end()
            return None
        return session

    def _forget(self, name: str, session: HttpSession) -> None:
        self.connections.discard(session.connection)
        if self._sessions.get(name) is session:
            del self._sessions[name]

    async def _greet(self, request: web.Request) -> web.StreamResponse:
        return web.Response(text=GREETING, headers=TEXT)

    async def _info(self, request: web.Request) -> web.StreamResponse:
        instead = await self.gate(INFO, request)
        if instead is not None:
            return instead
        facts = {
            "websocket": WEBSOCKET in self._served,
            "origins": ["*:*"],
            "cookie_needed": self._jsessionid,
            "entropy": random.getrandbits(32),
        }
        return web.Response(
            text=json.dumps(facts), headers={**UNCACHED, **JSON, **cors(request)})

    async def _may_ask_info(self, request: web.Request) -> web.StreamResponse:
        return preflight(request, GET_METHODS, self.headers(request))

    async def _transport(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["transport"]
        if name not in self._served:
            raise web.HTTPNotFound()
        return await TRANSPORTS[name](request, self)
