"""Which transport carries a session: the server's info, the choice, the fallback."""

import logging
import os
from typing import Dict, List, NamedTuple, Optional, Sequence, Type

from requests.cookies import RequestsCookieJar

from .._net import http_adapter, urls
from .._net.cancellation import CancelToken
from .._net.clock import Monotonic
from .._net.connect import Route
from .._net.throttle import ConnectThrottle
from .errors import ALL_FAILED, TOO_LATE, Closed, SockJSError, Unreadable
from .info import Info, fetch
from .protocol import OPEN, Event, Protocol
from .transport import Setting, Transport, open_stream
from .websocket import WebSocketTransport
from .xhr import XhrPollingTransport, XhrStreamingTransport

_log = logging.getLogger("keyyo_cti.sockjs")

_KINDS: Dict[str, Type[Transport]] = {
    kind.name: kind for kind in (WebSocketTransport, XhrStreamingTransport, XhrPollingTransport)
}

#: Their names, in the order in which they are tried.
TRANSPORTS = tuple(_KINDS)

_INFO_TIMEOUT = 8.0

#: Bytes of an answer to the info request, with its headers.
_LONGEST_ANSWER = 262_144

#: Seconds in which the first frame must come, at least.
_LEAST_PATIENCE = 5.0

#: Where the network is slow, it has as many round trips: as other SockJS clients reckon, twice
#: the time after which something sent is taken to be lost.
_ROUND_TRIPS = 6

#: Openings at the same moment in one process. Hundreds, as when a server comes back, spend most
#: of their time on the interpreter's lock, and then run out of it.
_AT_ONCE = 32

#: The part of its time for which one waits for its turn, at most.
_WAITING = 0.5

_admission = ConnectThrottle(_AT_ONCE)

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_admission.forget)

#: Seconds that are left to each transport that may still have to be tried.
_RESERVE = 2.0


class Limits(NamedTuple):
    """Where patience ends.

    :ivar connect_timeout: seconds until the first frame, over all phases and transports.
    :ivar write_timeout: seconds that one write may take.
    :ivar heartbeat_timeout: seconds of silence after which the server is given up.
    :ivar max_message_size: bytes that one message may have.
    """

    connect_timeout: float = 10.0
    write_timeout: float = 30.0
    heartbeat_timeout: float = 60.0
    max_message_size: int = 8 * 1024 * 1024


class Session(NamedTuple):
    """An open session: its transport, its protocol, and what came with the opening frame."""

    transport: Transport
    protocol: Protocol
    events: List[Event]


class Opening:
    """Opens one SockJS session.

    :param base_url: the SockJS URL, as ``urls.base`` gives it.
    :param route: opens streams to the server.
    :param abort: tells that nobody wants the session any more.
    :param until: monotonic time by which it must be open.
    :param limits: for its transport.
    :param transports: the names of those to try, in this order.
    """

    def __init__(
        self,
        base_url: str,
        route: Route,
        abort: CancelToken,
        until: float,
        limits: Limits,
        transports: Sequence[str],
        clock: Monotonic,
    ) -> None:
        self._base_url = base_url
        self._route = route
        self._abort = abort
        self._until = until
        self._limits = limits
        self._transports = transports
        self._cookies = RequestsCookieJar()
        self._clock = clock

    def run(self) -> Session:
        """Asks for info and tries the transports in turn.

        :raises SockJSError: none could be had.
        """
        left = self._until - self._clock()
        with _admission.granted(max(0.0, left * _WAITING), self._abort):
            try:
                return self._open()
            except SockJSError as error:
                if not error.closed.clean:
                    self._route.distrust()
                raise

    def _open(self) -> Session:
        info = self._ask()
        setting = Setting(
            self._route,
            self._base_url,
            urls.server_name(),
            self._cookies,
            self._limits.max_message_size,
            self._limits.write_timeout,
            self._clock,
        )
        patience = max(_LEAST_PATIENCE, _ROUND_TRIPS * info.round_trip)
        last: Optional[Closed] = None
        kinds = choose(info, self._transports)
        for left, kind in zip(reversed(range(len(kinds))), kinds):
            until = self._clock() + min(patience, share(self._until - self._clock(), left))
            try:
                return self._try(kind(setting), until)
            except SockJSError as error:
                _log.info("%s cannot be had: %s", kind.name, error)
                last = error.closed
                if last.clean or self._abort.cancelled:
                    raise
        raise _none_left(last)

    def _ask(self) -> Info:
        until = min(self._until, self._clock() + _INFO_TIMEOUT)
        url = urls.info(self._base_url)
        with http_adapter.session(
            lambda: open_stream(self._route, until, _LONGEST_ANSWER)
        ) as session:
            session.cookies = self._cookies
            return fetch(session, url)

    def _try(self, transport: Transport, until: float) -> Session:
        try:
            transport.open(until)
            return self._first_frame(transport, until)
        except BaseException:
            transport.discard()
            raise

    def _first_frame(self, transport: Transport, until: float) -> Session:
        protocol = Protocol()
        while True:
            try:
                text = self._receive(transport, until)
            except Unreadable:
                continue
            if text is None:
                reason = f"Transport timeouted: no opening frame on {transport.name} in time"
                raise SockJSError(TOO_LATE, reason)
            events = protocol.receive(text)
            if protocol.state == OPEN:
                return Session(transport, protocol, events)
            for event in events:
                if isinstance(event, Closed):
                    raise SockJSError(event.code, event.reason)

    def _receive(self, transport: Transport, until: float) -> Optional[str]:
        """The next frame, or None when that monotonic time has come first, also where it is the
        transport's own thread that notices."""
        try:
            return transport.receive(until)
        except SockJSError:
            if self._clock() < until:
                raise
            return None


def choose(info: Info, wanted: Sequence[str]) -> List[Type[Transport]]:
    """Those of the transports that the server offers, in the order to try."""
    kinds = [_KINDS[name] for name in wanted]
    return [kind for kind in kinds if info.websocket or kind is not WebSocketTransport]


def share(remaining: float, left: int) -> float:
    """The seconds, of those that remain, for one transport when so many others may have to be
    tried after it: what they need is kept back, but never more than half."""
    return max(remaining - left * _RESERVE, remaining / 2)


def _none_left(last: Optional[Closed]) -> SockJSError:
    if last is None:
        return SockJSError(ALL_FAILED, "All transports failed: the server offers none of ours")
    return SockJSError(ALL_FAILED, f"All transports failed: {last.reason}", last.cause, last.fault)
