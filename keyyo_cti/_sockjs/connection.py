"""One SockJS connection, opened and read by the one thread that runs it."""

import threading
from typing import Any, Callable, Dict, List, Mapping, Optional, Protocol, Sequence

from .._net import urls
from .._net.cancellation import CancelToken
from .._net.clock import Monotonic, monotonic, time_asleep, with_sleep
from .._net.connect import Connector
from .._net.failures import drop_secrets
from .._net.log_thread import ThreadedLogger
from .._net.reentrant import Flag, interrupts_itself
from .._net.sleep import SleepWatch
from .._net.stream import WriteFailed
from .backlog import Backlog
from .errors import LOST, NORMAL, Closed, NotOpen, SendFailed, SockJSError, Unreadable
from .handshake import TRANSPORTS, Handshake, HandshakeResult, Timeouts
from .liveness import Liveness
from .session import Event, Message, Opened
from .transport import SendProgress, Transport

_log = ThreadedLogger("keyyo_cti.sockjs")

#: Messages of one frame between two checks of the deadlines. A frame can have a million.
_MESSAGES_PER_CHECK = 1000


class Listener(Protocol):
    """The methods that a connection calls, all on the thread that runs the connection."""

    def opened(self) -> None:
        """Handle the opening of the connection."""

    def received(self, message: Any) -> None:
        """Handle a message, of any JSON type."""

    def unreadable(self, error: Exception) -> None:
        """Handle a frame that cannot be read. The connection goes on."""

    def due(self) -> float:
        """Return the monotonic time of the next ``on_due``."""

    def on_due(self, now: float) -> None:
        """Handle the arrival of that time."""

    def woke(self) -> None:
        """Make the server send something: the machine has slept, the server may be gone.

        Not every transport can probe the server by itself.
        """

    def closed(self, closed: Closed) -> None:
        """Handle the end of the connection. The last call, and the only one of its kind."""


class Connection:
    """A client's connection to a SockJS server.

    :param base_url: the SockJS URL, http or https.
    :param listener: receives the events.
    :param ca_certs: file of trusted certificate authorities; None for the default ones.
    :param transports: the names of the transports to try, in this order.
    :param proxies: by scheme, as for ``requests``; the environment supplies the others.
    :param note: receives a line of text for each transport: chosen or not, and why.
    :raises ValueError: SockJS cannot use the URL.
    """

    def __init__(
        self,
        base_url: str,
        listener: Listener,
        timeouts: Timeouts = Timeouts(),
        ca_certs: Optional[str] = None,
        clock: Monotonic = monotonic,
        transports: Sequence[str] = TRANSPORTS,
        proxies: Optional[Mapping[str, Optional[str]]] = None,
        time_asleep: Monotonic = time_asleep,
        note: Callable[[str], object] = lambda text: None,
    ) -> None:
        self._note = note
        self._base_url = urls.parse_base_url(base_url)
        self._listener = listener
        self._timeouts = timeouts
        self._transports = tuple(transports)
        self._clock = clock
        self._time_asleep = time_asleep
        self._cancel_token = CancelToken()
        self._connector = Connector(
            urls.parse_origin(self._base_url),
            ca_certs,
            self._cancel_token,
            timeouts.write_timeout,
            clock,
            proxies,
        )
        # No lock: a signal handler may enter here on the thread that it interrupts. Each has one
        # entry, set once and taken once: the open transport, and the first end that was begun.
        self._open_transport: Dict[None, Transport] = {}
        self._end: Dict[None, Closed] = {}
        self._close_deadline = float("inf")
        self._ended = Flag()
        self._backlog = Backlog()
        # Monotonic time of the last frame whose messages have all reached the listener.
        self._delivered_at = 0.0
        self._thread: Optional[threading.Thread] = None
        self._sleep: Optional[SleepWatch] = None
        #: Seconds from the last delivered frame to the end of the connection, sleep included.
        self.last_silence = 0.0
        #: That end in monotonic seconds, sleep included.
        self.silence_ended_at = with_sleep(clock() + time_asleep())

    def run(self) -> None:
        """Open the connection and read it to its end, on this thread. Called once."""
        self._thread = threading.current_thread()
        transport: Optional[Transport] = None
        closed = Closed(LOST, "The reader thread failed")
        try:
            opened = self._open()
            transport = opened.transport
            closed = self._read(opened)
        except SockJSError as error:
            closed = error.closed
        except Exception as error:
            _log.exception("the reader thread failed")
            words = f"The reader thread failed: {type(error).__name__}"
            closed = Closed(LOST, words, error, fault=True)
        finally:
            self._open_transport.pop(None, None)
            closed = self._end.setdefault(None, closed)
            if transport is not None:
                transport.discard()
            drop_secrets(closed.cause)
            self._ended.set()
            self._listener.closed(closed)

    @property
    def transport(self) -> Optional[str]:
        """The name of the open transport, or None."""
        transport = self._open_transport.get(None)
        return None if transport is None else transport.name

    def silence(self) -> Optional[float]:
        """Return the seconds since the last whole frame, sleep included; None without one.

        From any thread.
        """
        transport, sleep = self._open_transport.get(None), self._sleep
        if transport is None or sleep is None:
            return None
        return sleep.silence(self._clock(), transport.last_frame_at)

    def send(self, message: str, progress: Optional[SendProgress] = None) -> None:
        """Send one message, from any thread.

        :param progress: records how far the message has come.
        :raises NotOpen: before the connection is open or after it has closed; nothing is
            written.
        :raises SendFailed: the message was not written completely; the connection ends.
        """
        transport = self._open_transport.get(None)
        if transport is None:
            raise NotOpen
        progress = progress or SendProgress()
        try:
            transport.send(message, progress)
        except WriteFailed as error:
            failure = SendFailed(f"Sending failed: {error}", error.begun, error)
            self._break(failure.closed)
            raise failure from error
        except BaseException as error:
            # Ctrl-C, or a signal handler that raised: half of the message may have left.
            if progress.begun:
                words = f"Sending was interrupted by {type(error).__name__}"
                self._break(Closed(LOST, words, error))
            raise

    def _break(self, closed: Closed) -> None:
        self._end.setdefault(None, closed)
        self._open_transport.pop(None, None)
        self._cancel_token.cancel()

    def begin_close(
        self, code: int = NORMAL, reason: str = "Normal closure", within: float = 1.0
    ) -> None:
        """Begin to close the connection, from any thread, at any time, without waiting.

        Only ``finish_close`` guarantees the end.

        :param code: 1000, or 3000 to 4999.
        :param within: seconds that the server has to confirm.
        :raises ValueError: another code.
        """
        if code != NORMAL and not 3000 <= code <= 4999:
            raise ValueError(f"code: expected 1000 or 3000 to 4999, got {code}")
        self._begin_end(Closed(code, reason), within)

    def finish_close(self, until: float) -> None:
        """Wait for the end that was begun, and force it at the deadline.

        Not for the thread that runs the connection, which would wait for itself.

        :param until: monotonic time.
        """
        # Not by identifier: the system reuses that of an ended thread for a new one.
        assert threading.current_thread() is not self._thread
        if interrupts_itself():
            return  # The interrupted thread may still have to write the close frame.
        if not self._ended.wait(max(0.0, until - self._clock())):
            self._cancel_token.cancel()

    def fail(self, reason: str) -> None:
        """End the connection as lost, from a method of the listener."""
        assert threading.current_thread() is self._thread
        self._begin_end(Closed(LOST, reason), within=1.0)

    def _begin_end(self, closed: Closed, within: float) -> None:
        """Begin the end, unless another one was begun before, which is then the one reported."""
        if self._end.setdefault(None, closed) is not closed:
            return
        transport = self._open_transport.pop(None, None)
        if transport is None:
            self._cancel_token.cancel()
            return
        self._close_deadline = self._clock() + within
        try:
            transport.send_close()
        except OSError:
            self._cancel_token.cancel()

    def _open(self) -> HandshakeResult:
        timeouts = self._timeouts
        until = self._clock() + timeouts.connect_timeout
        handshake = Handshake(
            self._base_url,
            self._connector,
            self._cancel_token,
            until,
            timeouts,
            self._transports,
            self._clock,
        )
        handshake.note = self._note
        opened = handshake.run()
        self._open_transport[None] = opened.transport
        if self._end:
            # The end that was begun meanwhile found the transport and sends its close frame, or
            # it has cancelled the token.
            self._open_transport.pop(None, None)
        return opened

    def _read(self, opened: HandshakeResult) -> Closed:
        transport = opened.transport
        timeout = max(self._timeouts.heartbeat_timeout, transport.min_silence_timeout)
        now = self._clock()
        liveness = Liveness(timeout, now)
        self._sleep = sleep = SleepWatch(now, self._time_asleep)
        self._delivered_at = transport.last_frame_at
        try:
            return self._loop(opened, liveness, sleep)
        finally:
            # Since the last delivered frame. Half a frame proves life, but is lost, as are
            # frames that were read and not delivered.
            now = self._clock()
            silence = sleep.silence(now, self._delivered_at)
            self.last_silence = silence + self._backlog.age(self._delivered_at)
            self.silence_ended_at = with_sleep(now + self._time_asleep())

    def _loop(self, opened: HandshakeResult, liveness: Liveness, sleep: SleepWatch) -> Closed:
        transport, events = opened.transport, opened.events
        until = now = self._clock()
        while True:
            if events:
                began_delivery, last_frame_at = now, transport.last_frame_at
                closed = self._deliver_all(events, opened, until)
                if closed is not None:
                    return closed
                # While the listener worked, nothing was read: that silence proves nothing.
                now = self._clock()
                liveness.reset(now)
                self._backlog.record_pause(now - began_delivery, last_frame_at)
            began = now
            until = min(
                self._listener.due(),
                liveness.due(transport.last_received_at),
                sleep.due(),
                self._close_deadline,
            )
            events = _events(opened, transport.receive, until)
            if not events:
                self._delivered_at = transport.last_frame_at
            now = self._clock()
            self._backlog.record_wait(now - began)
            if now >= until:
                # First: the time asleep is not silence of the server.
                if sleep.detect_sleep(now, began, transport.last_frame_at):
                    _log.info("the machine has slept; checking that the server is still there")
                    liveness.suspect(now)
                    self._listener.woke()
                self._handle_deadline(now, liveness, transport)

    def _deliver_all(
        self, events: List[Event], opened: HandshakeResult, until: float
    ) -> Optional[Closed]:
        """Deliver these events and those of the buffered frames.

        :param until: monotonic time of the next deadline, at which delivery stops.
        :returns: the end of the connection, if it is among them.
        """
        while events:
            for number, event in enumerate(events, 1):
                self._deliver(event)
                if isinstance(event, Closed):
                    # This frame does not count as delivered: over HTTP, messages that waited for
                    # the next request are lost if the server closes or loses the session.
                    return event
                if not number % _MESSAGES_PER_CHECK:
                    self._check_deadlines()
            self._delivered_at = opened.transport.last_frame_at
            due = self._clock() >= until
            events = [] if due else _events(opened, self._deliver_usual, opened, until)
        return None

    def _deliver_usual(self, opened: HandshakeResult, until: float) -> Optional[str]:
        """Deliver the buffered frames that have nothing but messages, as nearly all have.

        :returns: the first other frame; None if there is none, or at the deadline.
        """
        transport, clock, received = opened.transport, self._clock, self._listener.received
        read_messages = opened.session.read_messages
        for text in transport.buffered_frames():
            messages = read_messages(text)
            if messages is None or len(messages) > _MESSAGES_PER_CHECK:
                return text
            for message in messages:
                received(message)
            self._delivered_at = transport.last_frame_at
            if clock() >= until:
                return None
        return None

    def _check_deadlines(self) -> None:
        """Check the deadlines within a frame of very many messages."""
        now = self._clock()
        if now >= self._close_deadline:
            raise SockJSError(LOST, "The server did not confirm the close")
        if now >= self._listener.due():
            self._listener.on_due(now)

    def _deliver(self, event: Event) -> None:
        if isinstance(event, Message):
            self._listener.received(event.value)
        elif isinstance(event, Opened):
            self._listener.opened()
        elif isinstance(event, Unreadable):
            self._listener.unreadable(event)

    def _handle_deadline(self, now: float, liveness: Liveness, transport: Transport) -> None:
        if now >= self._close_deadline:
            raise SockJSError(LOST, "The server did not confirm the close")
        if liveness.is_dead(now, transport.last_received_at):
            limit = liveness.limit(transport.last_received_at)
            raise SockJSError(LOST, f"No sign of life from the server for {limit:g} s")
        if liveness.should_probe(now, transport.last_received_at):
            try:
                transport.probe()
            except OSError as error:
                raise SockJSError(LOST, f"Sending failed: {error}", error) from error
        self._listener.on_due(now)


def _events(
    opened: HandshakeResult, receive: Callable[..., Optional[str]], *arguments: Any
) -> List[Event]:
    """Return the events of the next frame, none without a frame."""
    try:
        text = receive(*arguments)
    except Unreadable as error:
        return [error]
    return [] if text is None else opened.session.receive(text)
