"""Faults of networks and servers that a test injects into a simulator."""

from __future__ import annotations

import json
from typing import Any, Callable, List, Optional, Union

from aiohttp import web

from .action_faults import ActionFaults, PerformLater, Rule
from .arguments import require_integer, require_one_of, require_seconds, require_times
from .clients import Client, Clients
from .http_faults import HttpFaults
from .phase_faults import PhaseFaults, Responder, reset_tcp
from .phones import NumberLike, parse_number
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
"""The default page of `Faults.page`."""

ConnectionFault = Callable[[Connection], object]
ENDINGS = {"reset": Connection.reset, "drop": Connection.drop, "silence": Connection.silence}


PAGES = tuple(what for what in REFUSALS if what != CONNECT)
GARBLES = {
    "message": lambda message: b"a" + json.dumps([message[:-9]]).encode("ascii"),
    "frame": lambda message: b"a" + json.dumps([message]).encode("ascii")[:-9],
    "text": lambda message: b'a["\xff' + json.dumps(message).encode("ascii")[1:] + b"]",
}


class Faults(ActionFaults, WebFaults):
    """The faults of a simulator, as ``sim.faults``. Every method works from any thread.

    `line` selects the connections of one line's sessions; None selects all connections. With
    `on`, the fault happens once, in place of the next action of that name.

    Every fault works on every transport. Over HTTP, a fault on TCP hits the connection of the
    receiving request, not those that send. A client between two receiving requests meets the fault
    at its next one.

    `path_prefix` selects HTTP requests by the start of their path, for example "/oauth2" or
    "/manager/1.0/services". If several faults match, the oldest applies.

    :param thread: runs the loop of the connections.
    :param clients: the connected clients.
    :param sessions: every session.
    :param http: the faults of HTTP requests.
    :param perform_later: performs a command after some seconds of the server's clock.
    """

    def __init__(
        self,
        thread: ServerThread,
        clients: Clients,
        sessions: Sessions,
        http: HttpFaults,
        perform_later: PerformLater,
    ) -> None:
        self._thread = thread
        self._clients = clients
        self._sessions = sessions
        self._http = http
        self._perform_later = perform_later
        self._rules: List[Rule] = []
        self._phase_faults = PhaseFaults()

    # Open connections

    def reset(self, line: Optional[NumberLike] = None, *, on: Optional[str] = None) -> int:
        """Reset TCP.

        :returns: number of connections hit at once.
        """
        return self._inject(Connection.reset, line, on)

    def drop(self, line: Optional[NumberLike] = None, *, on: Optional[str] = None) -> int:
        """Close TCP without a SockJS close frame.

        :returns: number of connections hit at once.
        """
        return self._inject(Connection.drop, line, on)

    def close(
        self,
        code: int = 3000,
        reason: str = "Go away!",
        line: Optional[NumberLike] = None,
        *,
        on: Optional[str] = None,
    ) -> int:
        """Close with a SockJS close frame.

        :returns: number of connections hit at once.
        """
        return self._inject(lambda connection: connection.close(code, reason), line, on)

    def garbage(
        self,
        frame: Union[str, bytes],
        line: Optional[NumberLike] = None,
        *,
        on: Optional[str] = None,
    ) -> int:
        """Send a SockJS frame without checking it.

        :param frame: text, or bytes that need not be UTF-8.
        :returns: number of connections hit at once.
        """
        payload = frame.encode("utf-8") if isinstance(frame, str) else bytes(frame)
        return self._inject(lambda connection: connection.send_frame(payload), line, on)

    def garble(self, line: Optional[NumberLike] = None, *, part: str = "message") -> int:
        """Make the next notification unreadable, once on each current connection.

        :param part: "message" truncates its JSON in a complete frame. "frame" truncates the JSON
            of the SockJS frame. "text" inserts a byte that is not UTF-8.
        :returns: number of current connections.
        """
        garble = GARBLES[require_one_of(part, GARBLES, "part")]

        def set_fault(client: Client) -> None:
            client.garble_next = garble

        return self._thread.call(self._for_each_client, line, set_fault)

    def cut(self, line: Optional[NumberLike] = None, *, then: str = "reset") -> int:
        """Write half of the next frame with messages and then nothing, on each current connection.

        Over HTTP, the write also ends in the middle of a chunk.

        :param then: "reset", "drop" or "silence". Silence lasts until the client leaves or the
            connection is dropped.
        :returns: number of current connections.
        """
        fault = ENDINGS[require_one_of(then, ENDINGS, "then")]

        def set_fault(client: Client) -> None:
            assert isinstance(client.wire, Connection)
            client.wire.cut_next(fault)

        return self._thread.call(self._for_each_client, line, set_fault)

    def silence(self, line: Optional[NumberLike] = None, *, on: Optional[str] = None) -> int:
        """Stop sending, heartbeats included, and ignore what arrives; TCP stays open.

        :returns: number of connections hit at once.
        """
        return self._inject(Connection.silence, line, on)

    def stop_reading(self, line: Optional[NumberLike] = None, *, on: Optional[str] = None) -> int:
        """Stop sending and reading, so that the peer's writes block.

        :returns: number of connections hit at once.
        """
        return self._inject(Connection.stop_reading, line, on)

    def resume(self, line: Optional[NumberLike] = None) -> int:
        """End `silence` and `stop_reading`; messages of the silence stay lost.

        :returns: number of current connections.
        """
        return self._inject(Connection.resume, line, None)

    # New connections

    def stall(self, phase: str, *, times: Optional[int] = None) -> None:
        """Let new connections wait in one phase until `clear`.

        :param phase: "accept" (TCP opens, the server reads nothing), "info", "handshake" (of the
            websocket), "xhr_streaming", "xhr", "xhr_send" (such requests) or "open" (the opening
            frame on any transport).
        :param times: number of connections; None for all. "accept" always stalls all.
        """
        require_one_of(phase, STALLS, "phase")
        self._add_phase_fault(phase, times, None)
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
        """Refuse new connections or HTTP requests until `clear`.

        :param what: "connect" (TCP), "info", "websocket", "xhr_streaming", "xhr" or "xhr_send".
        :param status: the HTTP status of the refusal.
        :param times: number of refusals; None for all. "connect" always refuses all.
        :param reset: True resets TCP instead of sending a response.
        """
        require_one_of(what, REFUSALS, "what")
        if reset:
            self._add_phase_fault(REFUSALS[what], times, reset_tcp)
        else:
            self._add_phase_fault(
                REFUSALS[what], times, lambda request: web.Response(status=status))
        if what == CONNECT:
            self._thread.wait(lambda: self._thread.listener.refuse(), 5.0)

    def info(self, body: Any, status: int = 200, *, times: Optional[int] = None) -> None:
        """Replace the response to the info request until `clear`.

        :param body: a string is sent unchanged, anything else as JSON.
        :param status: the HTTP status.
        :param times: number of requests; None for all.
        """
        text = body if isinstance(body, str) else json.dumps(body)
        self._add_phase_fault(INFO, times, lambda request: web.Response(
            text=text, status=status, content_type="application/json"))

    def page(
        self, what: str, status: int = 200, body: str = PAGE, *, times: Optional[int] = None
    ) -> None:
        """Respond with an HTML page in place of the service until `clear`.

        Status 200 plays a maintenance or login page, 401 and 403 play a firewall.

        :param what: "info", "websocket", "xhr_streaming", "xhr" or "xhr_send".
        :param status: the HTTP status.
        :param body: the page.
        :param times: number of requests; None for all.
        """
        require_one_of(what, PAGES, "what")
        require_integer(status, "status", 200, 599)
        self._add_phase_fault(REFUSALS[what], times, lambda request: web.Response(
            text=body, status=status, content_type="text/html"))

    def time_out(
        self, what: str, seconds: float, status: int = 504, *, times: Optional[int] = None
    ) -> None:
        """Respond like a proxy whose server has timed out, until `clear`.

        The service does not receive these requests.

        :param what: "info", "websocket", "xhr_streaming", "xhr" or "xhr_send".
        :param seconds: delay before the response.
        :param status: the HTTP status of the response.
        :param times: number of requests; None for all.
        """
        require_one_of(what, PAGES, "what")
        self._add_phase_fault(
            REFUSALS[what], times, lambda request: web.Response(status=status),
            require_seconds(seconds, "seconds"))

    def let_through(self, what: str) -> None:
        """Remove the fault of one phase; stalled connections continue.

        :param what: any name that `stall` or `refuse` takes. "handshake" of `stall` and
            "websocket" of `refuse` are the same phase.
        """
        require_one_of(what, {**REFUSALS, **dict(zip(STALLS, STALLS))}, "what")
        if what in (ACCEPT, CONNECT):
            self._thread.wait(lambda: self._thread.listener.accept(), 5.0)
        else:
            self._thread.call(self._phase_faults.clear, REFUSALS.get(what, what))

    # Sessions

    def forget_sessions(self, line: Optional[NumberLike] = None) -> int:
        """Destroy sessions, as a restarted server does.

        Each connection of these sessions ends with a SockJS close frame.

        :returns: number of destroyed sessions.
        """
        number = None if line is None else parse_number(line, "line")
        return self._thread.call(self._sessions.destroy_all, number)

    def clear(self) -> None:
        """Remove every fault; stalled and silent connections continue."""
        self._thread.call(self._clear)
        self._thread.wait(lambda: self._thread.listener.accept(), 5.0)
        self.resume()

    # Called by the server on the loop's thread

    async def gate(self, phase: str, request: web.Request) -> Optional[web.StreamResponse]:
        """Apply the fault of a phase; return a response to send instead, or None."""
        return await self._phase_faults.apply(phase, request)

    # Private

    def _inject(
        self, fault: ConnectionFault, line: Optional[NumberLike], on: Optional[str]
    ) -> int:
        number = None if line is None else parse_number(line, "line")

        def inject(client: Client) -> None:
            assert isinstance(client.wire, Connection)
            fault(client.wire)

        if on is None:
            return self._thread.call(self._for_each_client, number, inject)
        self._add_rule(on, line, 1, lambda client, command: inject(client))
        return 0

    def _for_each_client(
        self, line: Optional[NumberLike], action: Callable[[Client], None]
    ) -> int:
        """Run `action` for each client of a line and return the number of clients."""
        clients = self._clients.find_by_line(None if line is None else parse_number(line, "line"))
        for client in clients:
            action(client)
        return len(clients)

    def _add_phase_fault(
        self,
        phase: str,
        times: Optional[int],
        answer: Optional[Responder],
        hold: Optional[float] = None,
    ) -> None:
        self._thread.call(self._phase_faults.add, phase, require_times(times), answer, hold)

    def _clear(self) -> None:
        self._http.clear()
        self._rules.clear()
        self._phase_faults.clear_all()
