"""One connection to Keyyo, and its pending commands."""

from collections import deque
from functools import partial
from logging import DEBUG
from typing import Any, Callable, Deque, Dict, NamedTuple, Optional, Tuple

from .. import _sockjs
from .._net import redaction
from .._net.clock import NEVER, Monotonic, monotonic
from .._net.log_thread import ThreadedLogger
from .._sockjs import Closed, NotOpen, SendFailed, SendProgress, SockJSError, Timeouts
from .._sockjs.errors import LOST
from ..errors import (
    CommandTimeout,
    ConnectionClosed,
    KeyyoError,
    UnknownNotification,
    UnreadableMessage,
    from_server,
    plain,
)
from ..options import Options
from ..results import wrap
from . import user_errors, wire
from .backlog import OVERFLOW
from .complaints import Complaints
from .dispatch import Dispatcher
from .failure_hints import closed_while_opening, connection_failed, not_connected
from .keepalive import HandlerWatch, Pinger
from .kept_call import MAX_CALLREF, estimate_memory
from .notifications import EventSource, Notifications
from .outage import Silence
from .pending import Pending, Request
from .wire import Command, Reply
from .wire_log import WireLog, get_known, is_on, name_command

_log = ThreadedLogger("keyyo_cti")

#: Seconds for the server to acknowledge a close, so that ``close()`` returns within two.
_CLOSE_TIMEOUT = 0.7


class ConnectionEvents(NamedTuple):
    """Functions that a connection calls, on its reader thread unless noted.

    :ivar session_answered: a session command has its reply, and its callback is queued.
    :ivar ended: the connection has ended, and no pending command is complete yet.
    :ivar refuse: a command found no connection; on the caller's thread.
    :ivar answered: the connection is closing, and no command is pending; on any thread.
    """

    session_answered: Callable[[Optional[KeyyoError]], object]
    ended: Callable[[], object]
    refuse: Callable[[Request], object]
    answered: Callable[[], object]


class Connection:
    """A SockJS connection and its pending commands, from its opening to its end.

    The thread that runs it connects, reads, checks deadlines and completes the Futures. It runs
    no user code. Any thread may send commands, even a signal handler that interrupted this code:
    so there is no lock, and each change of a container is one atomic step.

    :param source: emits the events of its session.
    :param first: the transport to try first.
    :ivar in_session: True if a session was opened on it. The reader thread sets it.
    :ivar ended: True after its end. The reader thread sets it.
    :ivar closing: True once ``begin_close`` was called.
    """

    def __init__(
        self,
        events: ConnectionEvents,
        source: EventSource,
        notifications: Notifications,
        options: Options,
        dispatcher: Dispatcher,
        first: Optional[str],
        wire_log: WireLog,
        clock: Monotonic = monotonic,
    ) -> None:
        self.in_session = False
        self.ended = False
        self.closing = False
        self._events = events
        self._source = source
        self._notifications = notifications
        self._options = options
        self._dispatcher = dispatcher
        self._clock = clock
        self._wire_log = wire_log
        self._pending = Pending(options.timeout, clock)
        self._watch = HandlerWatch(dispatcher)
        self._complaints = Complaints(
            source, wire_log, notifications.conversations.disturb, self._wait_for_room, clock
        )
        self._pinger = Pinger(None, self._ping, NEVER)
        self._pinged_at = self._paused_at = -NEVER
        # One entry for each command that is being completed; never empty after the end.
        self._completing: Dict[object, None] = {}
        # Session commands that came before the connection was open. The thread that removes one
        # sends or completes it.
        self._early: Deque[Request] = deque()
        self._is_opening = True
        self._closed: Optional[Closed] = None
        limits = Timeouts(
            connect_timeout=options.connect_timeout,
            write_timeout=options.timeout,
            heartbeat_timeout=options.heartbeat_timeout,
            max_message_size=options.max_message_size,
        )
        ca_certs = None if options.ca_certs is None else str(options.ca_certs)
        self._sockjs = _sockjs.Connection(
            options.endpoint, self, limits, ca_certs, clock,
            # ``first`` goes to the front, if it is listed.
            sorted(options.transports, key=lambda name: name != first),
            options.proxies, note=partial(wire_log.note, "{}"),
        )

    @property
    def transport(self) -> Optional[str]:
        """The transport in use, or None."""
        return self._sockjs.transport

    @property
    def last_silence(self) -> Silence:
        """The server's silence before the end."""
        return Silence(self._sockjs.last_silence, self._sockjs.silence_ended_at)

    @property
    def vitals(self) -> Tuple[Optional[float], Optional[float]]:
        """Seconds since the last frame, and of the last round trip; None if unknown."""
        return self._sockjs.silence(), self._pending.round_trip

    def run(self) -> None:
        """Open, then read until the end. Call it once, on the reader thread."""
        self._wire_log.connecting(self._options.endpoint)
        self._sockjs.run()

    def ask(self, request: Request) -> None:
        """Send a command; a session command waits for the connection to open.

        From any thread. It blocks only while the socket is full.
        """
        if not self._is_opening:
            self._send(request)
        elif request.opens_session:
            self._early.append(request)
            if not self._is_opening:
                # The connection has just opened or ended, and may have missed this request.
                self._take_early()
        else:
            self._answer(request, not_connected(), None)

    def _take_early(self) -> None:
        while True:
            try:
                request = self._early.popleft()
            except IndexError:
                return
            if self._closed is None:
                self._send(request)
            elif self.closing:
                self.complete(request, closed_while_opening(), None)
            else:
                self.complete(
                    request, connection_failed(self._closed, self._options.endpoint), None
                )

    def begin_close(self) -> None:
        """Begin to close. From any thread; do not block."""
        self.closing = True
        self._dispatcher.wake()
        self._sockjs.begin_close(within=_CLOSE_TIMEOUT)
        self._report_if_answered()

    def finish_close(self, until: float) -> None:
        """Wait for the end of the connection, and force it at the deadline.

        :param until: deadline in monotonic seconds.
        """
        self._sockjs.finish_close(min(until, self._clock() + _CLOSE_TIMEOUT))

    def complete(self, request: Request, error: Optional[KeyyoError], result: Any) -> None:
        """Complete a request. Only for the caller that removed it from the table."""
        self._completing[request] = None
        try:
            self._answer(request, error, result)
        finally:
            self._completing.pop(request, None)
        if self.closing:
            self._report_if_answered()

    def _answer(self, request: Request, error: Optional[KeyyoError], result: Any) -> None:
        instead = self._react(request, error, result)
        if instead is not None:
            request.command = instead
            self._send(request)
            return
        request.complete(error, result)
        if request.opens_session:
            self._events.session_answered(error)

    def _report_if_answered(self) -> None:
        """Report that no command is pending, so that deferred commands may be completed."""
        if not self._completing and not self._pending.any():
            self._events.answered()

    def _react(
        self, request: Request, error: Optional[KeyyoError], result: Any
    ) -> Optional[Command]:
        if request.react is None:
            return None
        try:
            return request.react(error, result)
        except Exception as bug:
            # A bug in the SDK, or in the program's cookie jar. Otherwise it would cost the caller
            # the reply.
            _log.exception("the answer to %s could not be used", request.command.action)
            user_errors.show(f"the answer to {request.command.action}", bug)
            return None

    def _send(self, request: Request) -> None:
        number = self._pending.add(request)
        if number is None:
            # The end came in between, and earlier commands may still be pending.
            if request.opens_session:
                self._answer(request, not_connected(), None)
            else:
                self._events.refuse(request)
            return
        request.progress = SendProgress()
        # A request that could not be sent stays in the table. The end of the connection completes
        # all of them in order.
        try:
            if is_on():
                self._wire_log.sent(number, request.command)
            self._sockjs.send(request.command.encode(number), request.progress)
        except (NotOpen, SendFailed):
            pass
        except BaseException:
            # Ctrl-C, or a signal handler that raises. After a partial write the connection ends.
            if not request.progress.begun and self._pending.take(number) is request:
                error = ConnectionClosed(sent=False, hint="interrupted before it was sent")
                self.complete(request, error, None)
            raise

    # Called by the SockJS connection, on the reader thread.

    def opened(self) -> None:
        if self._options.ping_auto:
            self._pinger = Pinger(self._options.ping_interval, self._ping, self._clock())
        self._is_opening = False
        self._take_early()

    def received(self, message: Any) -> None:
        try:
            decoded = wire.decode(message)
        except UnknownNotification as error:
            self._complaints.add_unknown(error)
            return
        except UnreadableMessage as error:
            self.unreadable(error)
            return
        if isinstance(decoded, Reply):
            self._on_reply(decoded)
            return
        if get_known(DEBUG) is not False and is_on():
            self._wire_log.notified(decoded)
        if not self._dispatcher.has_room():
            self._wait_for_room()
        callref = decoded["callref"]
        if len(callref) > MAX_CALLREF:
            self.unreadable(UnreadableMessage(f"a callref over {MAX_CALLREF} characters"))
            return
        size = estimate_memory(message, decoded)
        self._notifications.receive(self._source, callref, decoded, size)

    def unreadable(self, error: Exception) -> None:
        self._complaints.add(error)

    def due(self) -> float:
        return min(
            self._pending.due(),
            self._pinger.due(),
            self._watch.due(self._clock()),
            self._notifications.conversations.due,
            self._complaints.due(),
        )

    def on_due(self, now: float) -> None:
        self._on_deadlines(now)
        self._pinger.on_due(now)
        self._notifications.on_due(self._source, now)
        self._complaints.sum_up(now)

    def woke(self) -> None:
        self._ping()

    def _on_deadlines(self, now: float) -> None:
        for request in self._pending.take_late(now):
            late = CommandTimeout(request.command.action, self._options.timeout)
            self._wire_log.note(f"{name_command(request.command)} has timed out: {{}}", late)
            self.complete(request, late, None)
        self._watch.on_due(now)

    def closed(self, closed: Closed) -> None:
        _log.info("connection ended: %s %s", closed.code, closed.reason)
        self._wire_log.ended(closed.code, closed.reason)
        # Before the commands are completed: a handler may wait for one of them.
        self._complaints.sum_up(NEVER, wait=False)
        self._completing[self] = None
        self.ended = True
        # First, so that the callbacks see the new state.
        self._events.ended()
        self._closed = closed
        self._is_opening = False
        self._take_early()
        for request in self._pending.close():
            lost = ConnectionClosed(request.progress.begun, plain(closed.reason), closed.cause)
            self.complete(request, lost, None)
        self._events.answered()

    def _on_reply(self, reply: Reply) -> None:
        request = self._pending.take_answered(reply.id)
        if request is None and not self._pending.was_issued(reply.id):
            self.unreadable(UnreadableMessage("a reply to a command that was never asked"))
            return
        error = None if reply.error is None else from_server(reply.error)
        if request is not None and request.opens_session and isinstance(reply.result, dict):
            redaction.hide(reply.result.get("session_id"))
        if is_on():
            self._wire_log.replied(reply, None if request is None else request.command, error)
        if request is None:
            _log.debug("the reply to command %s comes too late", reply.id)
        else:
            self.complete(request, error, wrap(reply.result) if error is None else None)

    def _wait_for_room(self) -> None:
        """Stop reading while the backlog is full, so that the server feels backpressure.

        Deadlines are still checked.

        :raises SockJSError: a handler waits for a reply, and the backlog overflows.
        """
        while not self._dispatcher.wait_for_room(0, lambda: self.closing):
            self._paused_at = now = self._clock()
            due = min(self._pending.due(), self._watch.due(now))
            if now < due:
                self._dispatcher.wait_for_room(due - now, lambda: self.closing)
            else:
                self._on_deadlines(now)
        if self._dispatcher.overflows():
            _log.warning("the connection is closed: %s", OVERFLOW)
            self._source.waits.on_overflow(OVERFLOW)
            raise SockJSError(LOST, OVERFLOW)

    def _ping(self) -> None:
        if not self.in_session:
            return
        self._pinged_at = self._clock()
        self.ask(Request(wire.ping(), self._dispatcher, react=self._on_ping))

    def _on_ping(self, error: Optional[KeyyoError], result: Any) -> None:
        if isinstance(error, CommandTimeout) and self._paused_at >= self._pinged_at:
            return  # The reply may have arrived: reading was paused.
        if error is not None and not isinstance(error, ConnectionClosed):
            self._sockjs.fail(f"the ping failed: {error}")
