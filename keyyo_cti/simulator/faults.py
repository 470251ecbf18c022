"""Faults on demand: what networks and servers do wrong, when a test wants it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Callable, List, Optional, Union

from aiohttp import web

from .actions import refuse
from .arguments import require_integer, require_one_of, require_times
from .clients import Client, Clients
from .commands import Command
from .errors import Refusal
from .http_faults import HttpFaults
from .phase_faults import Answer, Obstacles, reset_tcp
from .phones import NumberLike, number_of, require_seconds
from .serving import ServerThread
from .sessions import Sessions
from .sockjs import HANDSHAKE, INFO, PHASES, XHR, XHR_SEND, XHR_STREAMING, Connection
from .web_faults import WebFaults

ACCEPT, CONNECT = "accept", "connect"
STALLS = (ACCEPT, *PHASES)
REFUSALS = {
    CONNECT: CONNECT,
    "info": INFO,
    "websocket": HANDSHAKE,
    "xhr_streaming": XHR_STREAMING,
    "xhr": XHR,
    "xhr_send": XHR_SEND,
}

PAGE = """<!DOCTYPE html>
<html><head><title>Maintenance</title></head>
<body><h1>We are back in a moment</h1></body></html>
"""
"""What `Faults.page` answers with."""

Effect = Callable[[Client, Command], None]
Blow = Callable[[Connection], object]
ENDS = {"reset": Connection.reset, "drop": Connection.drop, "silence": Connection.silence}


PAGES = tuple(what for what in REFUSALS if what != CONNECT)
GARBLES = {
    "message": lambda message: b"a" + json.dumps([message[:-9]]).encode("ascii"),
    "frame": lambda message: b"a" + json.dumps([message]).encode("ascii")[:-9],
    "text": lambda message: b'a["\xff' + json.dumps(message).encode("ascii")[1:] + b"]",
}


@dataclass(eq=False)
class _Rule:
    """Something else to do with an action than to perform it."""

    action: str
    number: Optional[str]
    times: Optional[int]
    effect: Effect


class Faults(WebFaults):
    """The faults of a simulator: ``sim.faults``. Every method can be called from any thread.

    Where there is an argument `line`, the fault is for the connections of that line's sessions;
    None is for all connections. Where there is an argument `on`, the fault waits for the next
    such action, happens in place of its performance, and happens once.

    All of them are for every transport. Over HTTP, what is done to TCP is done to the connection
    of the request that receives, not to those that send. A client that is between two such
    requests meets it at its next one.

    Where there is an argument `path_prefix`, the fault is for the HTTP requests whose path begins
    so, for example "/oauth2" or "/manager/1.0/services". Of several, the oldest comes first.

    :param thread: where the connections live.
    :param clients: the connections.
    :param sessions: the sessions.
    :param http: the faults of HTTP requests.
    """

    def __init__(
        self, thread: ServerThread, clients: Clients, sessions: Sessions, http: HttpFaults
    ) -> None:
        self._thread = thread
        self._clients = clients
        self._sessions = sessions
        self._http = http
        self._rules: List[_Rule] = []
        self._obstacles = Obstacles()

    # Open connections

    def reset(self, line: Optional[NumberLike] = None, *, on: Optional[str] = None) -> int:
        """Reset TCP.

        :returns: how many connections were hit at once.
        """
        return self._strike(Connection.reset, line, on)

    def drop(self, line: Optional[NumberLike] = None, *, on: Optional[str] = None) -> int:
        """Close TCP without a SockJS close frame.

        :returns: how many connections were hit at once.
        """
        return self._strike(Connection.drop, line, on)

    def close(
        self,
        code: int = 3000,
        reason: str = "Go away!",
        line: Optional[NumberLike] = None,
        *,
        on: Optional[str] = None,
    ) -> int:
        """Close with a SockJS close frame.

        :returns: how many connections were hit at once.
        """
        return self._strike(lambda connection: connection.close(code, reason), line, on)

    def garbage(
        self,
        frame: Union[str, bytes],
        line: Optional[NumberLike] = None,
        *,
        on: Optional[str] = None,
    ) -> int:
        """Send something as a SockJS frame, just as it is.

        :param frame: text, or bytes that need not be UTF-8.
        :returns: how many connections were hit at once.
        """
        payload = frame.encode("utf-8") if isinstance(frame, str) else bytes(frame)
        return self._strike(lambda connection: connection.send_frame(payload), line, on)

    def garble(self, line: Optional[NumberLike] = None, *, part: str = "message") -> int:
        """Send the next notification of a call so that nobody can read it, once on each
        connection that there is now; what comes after it is as ever.

        :param part: "message" cuts its JSON short in a frame that is whole, "frame" the JSON of
            the SockJS frame, "text" puts in a byte that is no UTF-8.
        :returns: how many connections there are.
        """
        garble = GARBLES[require_one_of(part, GARBLES, "part")]

        def arm(client: Client) -> None:
            client.garble_next = garble

        return self._thread.call(self._each, line, arm)

    def cut(self, line: Optional[NumberLike] = None, *, then: str = "reset") -> int:
        """Write half of the next frame with messages, once on each connection that there is now,
        and nothing more. Over HTTP the chunk ends in the middle too.

        :param then: "reset", "drop" or "silence", which does not end before the client leaves or
            the connection is dropped.
        :returns: how many connections there are.
        """
        blow = ENDS[require_one_of(then, ENDS, "then")]

        def arm(client: Client) -> None:
            assert isinstance(client.wire, Connection)
            client.wire.cut_next(blow)

        return self._thread.call(self._each, line, arm)

    def silence(self, line: Optional[NumberLike] = None, *, on: Optional[str] = None) -> int:
        """Send nothing more, heartbeats included, and ignore what comes; TCP stays open.

        :returns: how many connections were hit at once.
        """
        return self._strike(Connection.silence, line, on)

    def stop_reading(self, line: Optional[NumberLike] = None, *, on: Optional[str] = None) -> int:
        """Be silent and leave what comes unread, so that the peer's sends come to a halt.

        :returns: how many connections were hit at once.
        """
        return self._strike(Connection.stop_reading, line, on)

    def resume(self, line: Optional[NumberLike] = None) -> int:
        """End `silence` and `stop_reading`; what fell into the silence is lost.

        :returns: how many connections there are.
        """
        return self._strike(Connection.resume, line, None)

    # New connections

    def stall(self, phase: str, *, times: Optional[int] = None) -> None:
        """Never answer new connections in one phase, until `clear`.

        :param phase: "accept" (TCP opens, nobody reads), "info", "handshake" (of the websocket),
            "xhr_streaming", "xhr", "xhr_send" (such requests) or "open" (the opening frame, on
            any transport).
        :param times: for so many connections; None for all. "accept" is always for all.
        """
        require_one_of(phase, STALLS, "phase")
        self._obstruct(phase, times, None)
        if phase == ACCEPT:
            self._thread.wait(lambda: self._thread.listener.hold(), 5.0)

    def refuse(
        self,
        what: str,
        status: int = 403,
        *,
        times: Optional[int] = None,
        reset: bool = False,
    ) -> None:
        """Refuse new connections, or HTTP requests, until `clear`.

        :param what: "connect" (nobody listens), "info", "websocket", "xhr_streaming", "xhr" or
            "xhr_send".
        :param status: the HTTP status to refuse with.
        :param times: so many times; None for always. "connect" is always.
        :param reset: reset TCP at once instead of answering; with "connect" that is so anyway.
        """
        require_one_of(what, REFUSALS, "what")
        if reset:
            self._obstruct(REFUSALS[what], times, reset_tcp)
        else:
            self._obstruct(REFUSALS[what], times, lambda request: web.Response(status=status))
        if what == CONNECT:
            self._thread.wait(lambda: self._thread.listener.refuse(), 5.0)

    def info(self, body: Any, status: int = 200, *, times: Optional[int] = None) -> None:
        """Answer the info request with something else, until `clear`.

        :param body: a string is sent as it is; anything else as JSON.
        :param status: the HTTP status.
        :param times: so many times; None for always.
        """
        text = body if isinstance(body, str) else json.dumps(body)
        self._obstruct(INFO, times, lambda request: web.Response(
            text=text, status=status, content_type="application/json"))

    def page(
        self, what: str, status: int = 200, body: str = PAGE, *, times: Optional[int] = None
    ) -> None:
        """Answer requests with a page of HTML in place of the service, until `clear`: 200 is a
        maintenance page or a login page, 401 and 403 are those of firewalls.

        :param what: "info", "websocket", "xhr_streaming", "xhr" or "xhr_send".
        :param status: the HTTP status.
        :param body: the page.
        :param times: so many times; None for always.
        """
        require_one_of(what, PAGES, "what")
        require_integer(status, "status", 200, 599)
        self._obstruct(REFUSALS[what], times, lambda request: web.Response(
            text=body, status=status, content_type="text/html"))

    def time_out(
        self, what: str, seconds: float, status: int = 504, *, times: Optional[int] = None
    ) -> None:
        """Hold requests, and then answer by itself, until `clear`: a proxy does so that waits no
        longer for its server. The service does not see them.

        :param what: "info", "websocket", "xhr_streaming", "xhr" or "xhr_send".
        :param seconds: that a request is held.
        :param status: the HTTP status to answer with then.
        :param times: for so many requests; None for all.
        """
        require_one_of(what, PAGES, "what")
        self._obstruct(
            REFUSALS[what], times, lambda request: web.Response(status=status),
            require_seconds(seconds, "seconds"))

    def let_through(self, what: str) -> None:
        """Take away what has been put in one way: what waits goes on.

        :param what: as for `stall`, `refuse`, `info`, `page` and `time_out`.
        """
        require_one_of(what, {**REFUSALS, **dict(zip(STALLS, STALLS))}, "what")
        if what in (ACCEPT, CONNECT):
            self._thread.wait(lambda: self._thread.listener.accept(), 5.0)
        else:
            self._thread.call(self._obstacles.clear, REFUSALS.get(what, what))

    # Sessions

    def forget_sessions(self, line: Optional[NumberLike] = None) -> int:
        """Destroy sessions, as a server does that is started anew: each connection of theirs is
        closed by a SockJS close frame.

        :returns: how many there were.
        """
        number = None if line is None else number_of(line, "line")
        return self._thread.call(self._sessions.destroy_all, number)

    # Actions

    def ignore(
        self, action: str, line: Optional[NumberLike] = None, *, times: Optional[int] = None
    ) -> None:
        """Neither perform nor answer an action.

        :param action: its name on the wire, for example "call".
        :param times: so many times; None until `clear`.
        """
        self._arm(action, line, times, lambda client, command: None)

    def fail(
        self,
        action: str,
        status_code: int = 500,
        message: str = "Internal error",
        line: Optional[NumberLike] = None,
        *,
        times: Optional[int] = 1,
    ) -> None:
        """Answer an action with an error and do not perform it.

        :param action: its name on the wire, for example "call".
        :param times: so many times; None until `clear`.
        """
        refusal = Refusal(status_code, message)
        self._arm(action, line, times, lambda client, command: refuse(client, command, refusal))

    def clear(self) -> None:
        """Take every fault away: what is stalled goes on, what is silent speaks again."""
        self._thread.call(self._clear)
        self._thread.wait(lambda: self._thread.listener.accept(), 5.0)
        self.resume()

    # Asked by the server, on the loop's thread

    async def gate(self, phase: str, request: web.Request) -> Optional[web.StreamResponse]:
        """What is in the way of `request` in `phase`: a response, or a wait, or nothing."""
        return await self._obstacles.pass_through(phase, request)

    def intercept(self, client: Client, command: Command) -> bool:
        """Whether a fault took the place of `command`."""
        name = command.fields.get("action")
        for rule in self._rules:
            if rule.action == name and rule.number in (None, client.number):
                if rule.times is not None:
                    rule.times -= 1
                    if rule.times == 0:
                        self._rules.remove(rule)
                rule.effect(client, command)
                return True
        return False

    # Inside

    def _strike(self, blow: Blow, line: Optional[NumberLike], on: Optional[str]) -> int:
        number = None if line is None else number_of(line, "line")

        def strike(client: Client) -> None:
            assert isinstance(client.wire, Connection)
            blow(client.wire)

        if on is None:
            return self._thread.call(self._each, number, strike)
        self._arm(on, line, 1, lambda client, command: strike(client))
        return 0

    def _each(self, line: Optional[NumberLike], do: Callable[[Client], None]) -> int:
        """Do something to each connection of a line; how many there are."""
        clients = self._clients.of_line(None if line is None else number_of(line, "line"))
        for client in clients:
            do(client)
        return len(clients)

    def _arm(
        self, action: str, line: Optional[NumberLike], times: Optional[int], effect: Effect
    ) -> None:
        number = None if line is None else number_of(line, "line")
        rule = _Rule(action, number, require_times(times), effect)
        self._thread.call(self._rules.append, rule)

    def _obstruct(
        self,
        phase: str,
        times: Optional[int],
        answer: Optional[Answer],
        hold: Optional[float] = None,
    ) -> None:
        self._thread.call(self._obstacles.arm, phase, require_times(times), answer, hold)

    def _clear(self) -> None:
        self._http.clear()
        self._rules.clear()
        self._obstacles.clear_all()
