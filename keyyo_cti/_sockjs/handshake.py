"""Opens a SockJS session: the server's info, then one transport after another."""

from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Type

from requests.cookies import RequestsCookieJar

from .._net import http_adapter, process
from .._net.cancellation import CancelToken
from .._net.clock import Monotonic
from .._net.connect import Connector
from .._net.log_thread import ThreadedLogger
from .._net.throttle import ConnectThrottle
from . import urls
from .errors import ALL_FAILED, TOO_LATE, Closed, SockJSError, Unreadable
from .info import Info, fetch
from .session import OPEN, Event, SockJSSession
from .transport import Transport, TransportConfig, open_stream
from .websocket import WebSocketTransport
from .xhr import XhrPollingTransport, XhrStreamingTransport

_log = ThreadedLogger("keyyo_cti.sockjs")

_KINDS: Dict[str, Type[Transport]] = {
    kind.name: kind for kind in (WebSocketTransport, XhrStreamingTransport, XhrPollingTransport)
}

#: The names of the transports, in the order to try them.
TRANSPORTS = tuple(_KINDS)

_INFO_TIMEOUT = 8.0

#: Bytes of the response to the info request, with its headers.
_MAX_RESPONSE_BYTES = 262_144

#: Seconds for the first frame, at least.
_MIN_FRAME_TIMEOUT = 5.0

#: Round trips for the first frame on a slow network. Other SockJS clients allow as many: twice
#: the time after which TCP sends again.
_ROUND_TRIPS = 6

#: Handshakes at the same time in one process. Otherwise the hundreds that begin when a server
#: returns would contend for the interpreter's lock, and time out.
_MAX_CONCURRENT = 32

#: Maximum share of its time that a handshake waits for its turn.
_MAX_QUEUE_SHARE = 0.5

_throttle = ConnectThrottle(_MAX_CONCURRENT)

process.run_in_child(_throttle.forget)

#: Seconds reserved for each transport that may still have to be tried.
_MIN_ATTEMPT_TIMEOUT = 2.0


class Timeouts(NamedTuple):
    """The timeouts of a connection in seconds, and its size limit.

    :ivar connect_timeout: until the first frame, over all phases and transports.
    :ivar write_timeout: of one write.
    :ivar heartbeat_timeout: silence after which the server counts as dead.
    :ivar max_message_size: bytes of one message.
    """

    connect_timeout: float = 10.0
    write_timeout: float = 30.0
    heartbeat_timeout: float = 60.0
    max_message_size: int = 8 * 1024 * 1024


class HandshakeResult(NamedTuple):
    """An open session: its transport, its state, and the events of its opening frame."""

    transport: Transport
    session: SockJSSession
    events: List[Event]


class Handshake:
    """The opening of one SockJS session.

    :param base_url: the SockJS URL without trailing slashes.
    :param connector: opens streams to the server.
    :param cancel_token: ends the handshake.
    :param until: monotonic time by which the session must be open.
    :param timeouts: of the transport.
    :param transports: the names of the transports to try, in this order.
    :ivar note: receives a line of text for each transport: chosen or not, and why.
    """

    def __init__(
        self,
        base_url: str,
        connector: Connector,
        cancel_token: CancelToken,
        until: float,
        timeouts: Timeouts,
        transports: Sequence[str],
        clock: Monotonic,
    ) -> None:
        self._base_url = base_url
        self._connector = connector
        self._cancel_token = cancel_token
        self._until = until
        self._timeouts = timeouts
        self._transports = transports
        self._cookies = RequestsCookieJar()
        self._clock = clock
        self.note: Callable[[str], object] = lambda text: None

    def run(self) -> HandshakeResult:
        """Request the info, then try the transports in turn.

        :raises SockJSError: no transport could be opened.
        """
        left = self._until - self._clock()
        with _throttle.admit(max(0.0, left * _MAX_QUEUE_SHARE), self._cancel_token):
            try:
                return self._open()
            except SockJSError as error:
                if not error.closed.clean:
                    self._connector.distrust()
                raise

    def _open(self) -> HandshakeResult:
        info = self._ask()
        config = TransportConfig(
            self._connector,
            self._base_url,
            urls.make_server_name(),
            self._cookies,
            self._timeouts.max_message_size,
            self._timeouts.write_timeout,
            self._clock,
        )
        timeout = max(_MIN_FRAME_TIMEOUT, _ROUND_TRIPS * info.round_trip)
        last: Optional[Closed] = None
        kinds = choose(info, self._transports)
        self._note_missing(kinds)
        for left, kind in zip(reversed(range(len(kinds))), kinds):
            until = self._clock() + min(timeout, share(self._until - self._clock(), left))
            try:
                opened = self._try(kind(config), until)
            except SockJSError as error:
                _log.info("%s cannot be opened: %s", kind.name, error)
                self.note(f"transport {kind.name} cannot be opened: {error}")
                last = error.closed
                if last.clean or self._cancel_token.cancelled:
                    raise
            else:
                why = "it is the first to try" if last is None else "the ones before it failed"
                self.note(f"transport {kind.name} is chosen: {why}")
                return opened
        raise _none_left(last)

    def _note_missing(self, kinds: Sequence[Type[Transport]]) -> None:
        for name in self._transports:
            if all(kind.name != name for kind in kinds):
                self.note(f"transport {name} is not tried: the server does not offer it")

    def _ask(self) -> Info:
        until = min(self._until, self._clock() + _INFO_TIMEOUT)
        url = urls.make_info_url(self._base_url)
        with http_adapter.make_session(
            lambda: open_stream(self._connector, until, _MAX_RESPONSE_BYTES)
        ) as session:
            session.cookies = self._cookies
            return fetch(session, url)

    def _try(self, transport: Transport, until: float) -> HandshakeResult:
        try:
            transport.open(until)
            return self._first_frame(transport, until)
        except BaseException:
            transport.discard()
            raise

    def _first_frame(self, transport: Transport, until: float) -> HandshakeResult:
        session = SockJSSession()
        while True:
            try:
                text = self._receive(transport, until)
            except Unreadable:
                continue
            if text is None:
                reason = f"Transport timeouted: no opening frame on {transport.name} in time"
                raise SockJSError(TOO_LATE, reason)
            events = session.receive(text)
            if session.state == OPEN:
                return HandshakeResult(transport, session, events)
            for event in events:
                if isinstance(event, Closed):
                    raise SockJSError(event.code, event.reason)

    def _receive(self, transport: Transport, until: float) -> Optional[str]:
        """Return the next frame, or None at the deadline.

        The deadline may also show as an error of the transport's own thread.
        """
        try:
            return transport.receive(until)
        except SockJSError:
            if self._clock() < until:
                raise
            return None


def choose(info: Info, wanted: Sequence[str]) -> List[Type[Transport]]:
    """Return the wanted transports that the server offers, in the order to try."""
    kinds = [_KINDS[name] for name in wanted]
    return [kind for kind in kinds if info.websocket or kind is not WebSocketTransport]


def share(remaining: float, left: int) -> float:
    """Return the seconds for one transport, with time reserved for the others.

    :param remaining: seconds for all of them; at most half is reserved.
    :param left: how many others may have to be tried after it.
    """
    return max(remaining - left * _MIN_ATTEMPT_TIMEOUT, remaining / 2)


def _none_left(last: Optional[Closed]) -> SockJSError:
    if last is None:
        return SockJSError(ALL_FAILED, "All transports failed: the server offers none of them")
    return SockJSError(ALL_FAILED, f"All transports failed: {last.reason}", last.cause, last.fault)
