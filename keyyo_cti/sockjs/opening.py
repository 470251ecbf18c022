"""Which transport carries a session: the server's info, the choice, the fallback."""

import logging
from typing import List, NamedTuple, Optional, Tuple, Type

from ..clock import Monotonic
from . import http, urls
from .abort import Abort
from .errors import ALL_FAILED, TOO_LATE, Closed, SockJSError, Unreadable
from .info import Info, fetch
from .protocol import OPEN, Event, Protocol
from .route import Route
from .transport import Setting, Transport
from .websocket import WebSocketTransport

_log = logging.getLogger("keyyo_cti.sockjs")

#: In the order in which they are tried. The HTTP transports have their place behind the first.
TRANSPORTS: Tuple[Type[Transport], ...] = (WebSocketTransport,)

_INFO_TIMEOUT = 8.0

#: Bytes of an answer to the info request, with its headers.
_LONGEST_ANSWER = 262_144

#: Seconds in which the first frame must come, at least; more where the network is slow.
_LEAST_PATIENCE = 5.0


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
    :param max_message_size: bytes that one message may have.
    """

    def __init__(
        self,
        base_url: str,
        route: Route,
        abort: Abort,
        until: float,
        max_message_size: int,
        clock: Monotonic,
    ) -> None:
        self._base_url = base_url
        self._route = route
        self._abort = abort
        self._until = until
        self._max_message_size = max_message_size
        self._clock = clock

    def run(self) -> Session:
        """Asks for info and tries the transports in turn.

        :raises SockJSError: none could be had.
        """
        info, cookies = self._ask()
        setting = Setting(
            self._route,
            self._base_url,
            urls.server_name(),
            cookies,
            self._max_message_size,
            self._clock,
        )
        patience = max(_LEAST_PATIENCE, 2 * _retransmission_time(info.round_trip))
        last: Optional[Closed] = None
        for kind in choose(info):
            until = min(self._until, self._clock() + patience)
            try:
                return self._try(kind(setting), until)
            except SockJSError as error:
                _log.info("%s cannot be had: %s", kind.name, error)
                last = error.closed
                if last.clean or self._abort.pulled:
                    raise
        raise _none_left(last)

    def _ask(self) -> Tuple[Info, Optional[str]]:
        until = min(self._until, self._clock() + _INFO_TIMEOUT)
        url = urls.info(self._base_url)
        with http.session(lambda: self._route.open(until, _LONGEST_ANSWER)) as session:
            info = fetch(session, url)
            return info, http.cookie_header(session, url)

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
                text = transport.receive(until)
            except Unreadable:
                continue
            if text is None:
                raise SockJSError(TOO_LATE, "Transport timeouted")
            events = protocol.receive(text)
            if protocol.state == OPEN:
                return Session(transport, protocol, events)
            for event in events:
                if isinstance(event, Closed):
                    raise SockJSError(event.code, event.reason)


def choose(info: Info) -> List[Type[Transport]]:
    """The transports that the server offers, in the order to try."""
    return [kind for kind in TRANSPORTS if info.websocket or kind is not WebSocketTransport]


def _retransmission_time(round_trip: float) -> float:
    """As SockJS clients reckon it, in seconds."""
    return 3 * round_trip if round_trip > 0.1 else round_trip + 0.2


def _none_left(last: Optional[Closed]) -> SockJSError:
    if last is None:
        return SockJSError(ALL_FAILED, "All transports failed: the server offers none of ours")
    return SockJSError(ALL_FAILED, f"All transports failed: {last.reason}", last.cause)
