"""The connections of an endpoint, and the settings that its transports share."""

from __future__ import annotations

from functools import partial
from typing import Dict, Optional, Set

from aiohttp import web

from .connection import Connection, Handler
from .gate import Gate
from .headers import make_sticky_cookie
from .http_session import HttpSession


class ConnectionTable:
    """The connections of an endpoint, and its HTTP sessions by their ids.

    :param handler: receives the events of the connections.
    :param heartbeat: seconds between two heartbeats on a connection.
    :param disconnect_delay: timeout in seconds for a client between two receivers.
    :param stream_limit: bytes after which a streaming response ends.
    :param jsessionid: True if the HTTP transports set the cookie JSESSIONID.
    :param gate: called before each phase; see `Gate`.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        heartbeat: float,
        disconnect_delay: float,
        stream_limit: int,
        jsessionid: bool,
        gate: Gate,
    ) -> None:
        self.stream_limit = stream_limit
        self.jsessionid = jsessionid
        self.gate = gate
        self.connections: Set[Connection] = set()
        self._handler = handler
        self._heartbeat = heartbeat
        self._disconnect_delay = disconnect_delay
        self._sessions: Dict[str, HttpSession] = {}

    def make_headers(self, request: web.Request) -> Dict[str, str]:
        """Return the headers that every response on an HTTP transport has."""
        return make_sticky_cookie(request) if self.jsessionid else {}

    def connect(self, transport: str) -> Connection:
        """Add a connection that a transport will carry."""
        connection = Connection(self._handler, self._heartbeat, transport)
        self.connections.add(connection)
        return connection

    def get_session(self, request: web.Request, transport: str) -> HttpSession:
        """Return the session that the request names; create it if there is none."""
        name = request.match_info["session"]
        session = self._find_live(name)
        # After a fault on TCP, the old receiver may not have noticed its end yet.
        if session is None or (session.connection.tcp_fault and session.received):
            connection = self.connect(transport)
            session = HttpSession(connection, self._disconnect_delay, partial(self._forget, name))
            self._sessions[name] = session
        return session

    def find_session(self, request: web.Request) -> Optional[HttpSession]:
        """Return the session that the request names, or None."""
        session = self._find_live(request.match_info["session"])
        return None if session is None or session.connection.tcp_fault else session

    def _find_live(self, name: str) -> Optional[HttpSession]:
        """Return the session of this name, unless its client has aborted the receiver.

        The receiver itself notices the abort some turns of the loop later. Otherwise a request
        that follows the abort at once would still find the session.
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
