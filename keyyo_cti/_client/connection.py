"""One connection to Keyyo, and its pending commands."""

import logging
from collections import deque
from functools import partial
from typing import Any, Callable, Deque, Dict, NamedTuple, Optional, Sequence

from .. import _sockjs
from .._net.clock import NEVER, Monotonic, monotonic
from .._net.rate_limit import RateLimit
from .._sockjs import Closed, Departure, Limits, NotOpen, SendFailed, SockJSError, Unreadable
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
from . import wire
from .backlog import OVERFLOW
from .dispatch import Dispatcher
from .failure_hints import closed_while_opening, connection_failed, not_connected
from .keepalive import HandlerWatch, Pinger
from .kept_call import MAX_CALLREF, memory_of
from .notifications import EventSource, Notifications
from .pending import Pending, Request
from .unknown_kinds import UnknownKinds
from .wire import CallNotification, Command, Reply

_log = logging.getLogger("keyyo_cti")

#: Seconds that the server has to acknowledge a close, so that ``close()`` returns within two.
_CLOSE_TIMEOUT = 0.7

#: Messages that cannot be read and are each told, in a period of so many seconds; of more, only
#: their number is. One frame may hold a million of them.
_COMPLAINTS = 100
_COMPLAINT_PERIOD = 10.0


class ConnectionEvents(NamedTuple):
    """Functions that a connection calls on its reader thread, except as noted.

    :ivar session_answered: a session request has its reply, and its callback is queued.
    :ivar ended: the connection has ended, and no command has been answered for that yet.
    :ivar refuse: a command found no connection, on the thread that asked.
    :ivar answered: the connection is closing, and every command has its answer; on any thread.
    """

    session_answered: Callable[[Optional[KeyyoError]], object]
    ended: Callable[[], object]
    refuse: Callable[[Request], object]
    answered: Callable[[], object]


class Connection:
    """A SockJS connection and its pending commands, from its opening to its end.

    The thread that runs it opens, reads, keeps the deadlines and completes the Futures; it runs
    no user code. Commands may be sent from any thread, also by a signal handler that interrupted
    this very code: so there is no lock, and each change of a container is one step.

    :param source: has the handlers of its events.
    :param first: the transport to try before the others.
    :ivar in_session: True if a session was opened on it. Set by the reader.
    :ivar ended: True once its end has come. Set by the reader.
    :ivar closing: True once its end was asked for. Set by ``begin_close``.
    """

    def __init__(
        self,
        events: ConnectionEvents,
        source: EventSource,
        notifications: Notifications,
        options: Options,
        dispatcher: Dispatcher,
        first: Optional[str] = None,
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
        self._pending = Pending(options.timeout, clock)
        self._watch = HandlerWatch(dispatcher)
        self._unknown_kinds = UnknownKinds()
        self._complaints = RateLimit(_COMPLAINTS, _COMPLAINT_PERIOD, clock)
        self._pinger = Pinger(None, self._ping, NEVER)
        self._pinged_at = self._paused_at = -NEVER
        # The answers that are being given, one entry each; never empty once the end has come.
        self._completing: Dict[object, None] = {}
        # Session requests that were made before the connection was open. The thread that takes
        # one out sends or answers it.
        self._early: Deque[Request] = deque()
        self._is_opening = True
        self._closed: Optional[Closed] = None
        limits = Limits(
            options.connect_timeout,
            options.timeout,
            options.heartbeat_timeout,
            options.max_message_size,
        )
        ca_certs = None if options.ca_certs is None else str(options.ca_certs)
        self._sockjs = _sockjs.Connection(
            options.endpoint,
            self,
            limits,
            ca_certs,
            clock,
            _order(options.transports, first),
            options.proxies,
        )

    @property
    def transport(self) -> Optional[str]:
        """The name of the transport in use, or None when there is none."""
        return self._sockjs.transport

    @property
    def last_silence(self) -> float:
        """Seconds since the server's last whole frame at the end, those asleep included."""
        return self._sockjs.last_silence

    def run(self) -> None:
        """Open, and read until the end. Called once, on the thread that is to read."""
        self._sockjs.run()

    def ask(self, request: Request) -> None:
        """Send a command; a session request also before the connection is open.

        From any thread; blocks only while the socket is full.
        """
        if not self._is_opening:
            self._send(request)
        elif request.opens_session:
            self._early.append(request)
            if not self._is_opening:
                # It has opened or ended meanwhile, and may have overlooked this request.
                self._take_early()
        else:
            self._answer(request, not_connected(), None)

    def _take_early(self) -> None:
        while self._early:
            try:
                request = self._early.popleft()
            except IndexError:
                return  # Another thread was faster.
            if self._closed is None:
                self._send(request)
            elif self.closing:
                self.complete(request, closed_while_opening(), None)
            else:
                self.complete(
                    request, connection_failed(self._closed, self._options.endpoint), None
                )

    def begin_close(self) -> None:
        """Begin to close. From any thread; does not block."""
        self.closing = True
        self._dispatcher.wake()
        self._sockjs.begin_close(within=_CLOSE_TIMEOUT)
        self._tell_if_answered()

    def finish_close(self, until: float) -> None:
        """Wait for the end that ``begin_close`` began, and force it at the deadline.

        :param until: monotonic time.
        """
        self._sockjs.finish_close(min(until, self._clock() + _CLOSE_TIMEOUT))

    def complete(self, request: Request, error: Optional[KeyyoError], result: Any) -> None:
        """Answer a request. Only for the caller that took it out of the table."""
        self._completing[request] = None
        try:
            self._answer(request, error, result)
        finally:
            self._completing.pop(request, None)
        self._tell_if_answered()

    def _answer(self, request: Request, error: Optional[KeyyoError], result: Any) -> None:
        instead = self._react(request, error, result)
        if instead is not None:
            request.command = instead
            self._send(request)
            return
        request.complete(error, result)
        if request.opens_session:
            self._events.session_answered(error)

    def _tell_if_answered(self) -> None:
        """While it closes, later commands get their answers once none of its own is pending."""
        if self.closing and not self._completing and not self._pending.any():
            self._events.answered()

    def _react(
        self, request: Request, error: Optional[KeyyoError], result: Any
    ) -> Optional[Command]:
        if request.react is None:
            return None
        try:
            return request.react(error, result)
        except Exception:
            # A bug of ours must not cost the caller the answer.
            _log.exception("the answer to %s could not be used", request.command.action)
            return None

    def _send(self, request: Request) -> None:
        number = self._pending.add(request)
        if number is None:
            # The end has come meanwhile, and those that were asked before may be on their way.
            if request.opens_session:
                self._answer(request, not_connected(), None)
            else:
                self._events.refuse(request)
            return
        request.departure = Departure()
        # A request that could not be sent is left in the table: the connection is at its end,
        # which completes all of them in the order they were asked.
        try:
            self._sockjs.send(request.command.encode(number), request.departure)
        except (NotOpen, SendFailed):
            pass
        except BaseException:
            # Ctrl-C, or a signal handler that raises. If it has begun, the connection ends.
            if not request.departure.begun and self._pending.take(number) is request:
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
            said = wire.decode(message)
        except UnknownNotification as error:
            self._pass_over(error)
            return
        except UnreadableMessage as error:
            self.unreadable(error)
            return
        if isinstance(said, CallNotification):
            if not self._dispatcher.has_room():
                self._wait_for_room()
            if len(said.callref) > MAX_CALLREF:
                self.unreadable(UnreadableMessage(f"a callref over {MAX_CALLREF} characters"))
                return
            size = memory_of(message)
            self._notifications.receive(self._source, said.callref, said.fields, size)
        else:
            self._replied(said)

    def unreadable(self, error: Exception) -> None:
        if isinstance(error, Unreadable):
            # A program need not tell a bad frame from a bad message in a good frame.
            error = UnreadableMessage(str(error))
        self._sum_up_complaints(self._clock())
        if self._complaints.allows():
            self._complain(error)

    def _complain(self, error: Exception, wait: bool = True) -> None:
        _log.warning("the server sent something that cannot be read: %s", error)
        if wait:
            self._wait_for_room()
        self._dispatcher.put(partial(self._source.emit, "error", error))

    def _sum_up_complaints(self, now: float, wait: bool = True) -> None:
        due = self._complaints.due()
        if due is not None and now >= due:
            count = self._complaints.take_left_out()
            more = UnreadableMessage(f"{count} more messages that cannot be read")
            self._complain(more, wait)

    def due(self) -> float:
        now = self._clock()
        complaints = self._complaints.due()
        return min(
            self._pending.due(),
            self._pinger.due(),
            self._watch.due(now),
            NEVER if complaints is None else complaints,
        )

    def on_due(self, now: float) -> None:
        self._on_deadlines(now)
        self._pinger.on_due(now)
        self._sum_up_complaints(now)

    def woke(self) -> None:
        self._ping()

    def _on_deadlines(self, now: float) -> None:
        for request in self._pending.take_late(now):
            late = CommandTimeout(request.command.action, self._options.timeout)
            self.complete(request, late, None)
        self._watch.on_due(now)

    def closed(self, closed: Closed) -> None:
        _log.info("connection ended: %s %s", closed.code, closed.reason)
        # A handler may wait for an answer that is given below.
        self._sum_up_complaints(NEVER, wait=False)
        self._completing[self] = None
        self.ended = True
        # First, so that the callbacks below see the new state.
        self._events.ended()
        self._closed = closed
        self._is_opening = False
        self._take_early()
        for request in self._pending.close():
            lost = ConnectionClosed(request.departure.begun, plain(closed.reason), closed.cause)
            self.complete(request, lost, None)
        self._events.answered()

    def _pass_over(self, error: UnknownNotification) -> None:
        if self._unknown_kinds.is_news(error.kind):
            self.unreadable(error)
        else:
            # Not what is in it: that may be a secret.
            _log.debug("passed over a notification of the kind %s", plain(error.kind))

    def _replied(self, reply: Reply) -> None:
        request = self._pending.take(reply.id)
        if request is not None:
            if reply.error is not None:
                self.complete(request, from_server(reply.error), None)
            else:
                self.complete(request, None, wrap(reply.result))
        elif self._pending.known(reply.id):
            _log.debug("the reply to command %s comes too late", reply.id)
        else:
            self.unreadable(UnreadableMessage("a reply to a command that was never asked"))

    def _wait_for_room(self) -> None:
        """While too much waits for slow handlers, nothing more is read, and the server feels it;
        deadlines go on.

        :raises SockJSError: a handler waits for an answer, and the backlog overflows.
        """
        while not self._dispatcher.wait_for_room(0, lambda: self.closing):
            self._paused_at = now = self._clock()
            due = min(self._pending.due(), self._watch.due(now))
            if now < due:
                self._dispatcher.wait_for_room(due - now, lambda: self.closing)
            else:
                self._on_deadlines(now)
        if self._dispatcher.overflows():
            _log.warning("the connection ends: %s", OVERFLOW)
            raise SockJSError(LOST, OVERFLOW)

    def _ping(self) -> None:
        if not self.in_session:
            return
        self._pinged_at = self._clock()
        self.ask(Request(wire.ping(), self._dispatcher, react=self._on_ping))

    def _on_ping(self, error: Optional[KeyyoError], result: Any) -> None:
        if isinstance(error, CommandTimeout) and self._paused_at >= self._pinged_at:
            return  # The answer may be there: it was us who did not read.
        if error is not None and not isinstance(error, ConnectionClosed):
            self._sockjs.fail(f"the ping failed: {error}")


def _order(transports: Sequence[str], first: Optional[str]) -> Sequence[str]:
    """Return the transports in the order to try them.

    :param first: which comes before the others, if it is among them.
    """
    return sorted(transports, key=lambda name: name != first)
