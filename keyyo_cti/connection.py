"""One connection to Keyyo, and the commands that wait on it."""

import logging
import threading
from functools import partial
from typing import Any, List, Mapping, Optional, Protocol, Sequence

from . import commands
from ._net.clock import NEVER, Monotonic, monotonic
from ._sockjs import (
    Closed,
    Connection,
    Departure,
    Limits,
    NotOpen,
    SendFailed,
    SockJSError,
    Unreadable,
)
from ._sockjs.errors import LOST
from .backlog import OVERFLOW
from .commands import CallNotification, Command, Reply
from .connection_failed import closed_while_opening, connection_failed, not_connected
from .dispatch import Dispatcher
from .errors import (
    CommandTimeout,
    ConnectionClosed,
    KeyyoError,
    UnknownNotification,
    UnreadableMessage,
    from_server,
    plain,
)
from .keepalive import HandlerWatch, Pinger
from .kept_call import MAX_CALLREF, memory_of
from .options import Options
from .outage import Outage
from .pending import Pending, Request
from .rate_limit import RateLimit
from .results import wrap
from .unknown_kinds import UnknownKinds

_log = logging.getLogger("keyyo_cti")

#: Seconds that the server has to say goodbye, so that ``close()`` is over within two.
_GOODBYE = 0.7

#: Messages that cannot be read and are each told, in a period of so many seconds; of more, only
#: their number is. One frame may hold a million of them.
_COMPLAINTS = 100
_COMPLAINT_PERIOD = 10.0


class Owner(Protocol):
    """What a link tells of itself. On its thread, but for ``after_end`` and ``emit_error``,
    which are done where handlers run."""

    def receive(self, link: "Link", callref: str, fields: Mapping[str, Any], size: int) -> None:
        """Takes in a notification of a call, whose fields take so many bytes of memory, and
        queues its handlers."""

    def emit_error(self, error: BaseException, link: "Optional[Link]" = None) -> None:
        """Emits ``error``, unless the link that it is about is muted."""

    def refuse(self, request: Request) -> None:
        """Answers a command that finds no connection, behind those that were asked before."""

    def answered(self, link: "Link") -> None:
        """All that were asked on the link have their answers."""

    def session_answered(self, link: "Link", error: Optional[KeyyoError]) -> None:
        """A request for a session has its answer, and its callback is queued."""

    def ended(self, link: "Link") -> None:
        """The link is of no use any more; nobody has been told yet."""

    def after_end(self, link: "Link") -> None:
        """All that waited on the link have been told."""

    def gone(self, link: "Link") -> None:
        """Nothing comes of the link any more, and its thread has nothing to do."""


class Link:
    """A connection from its opening to its end, which comes once.

    Its reader thread opens, reads, keeps the deadlines and completes the Futures. It runs no
    user code, except ``token_provider`` after the connection is lost.

    :param first: the transport to try before the others.

    What it knows of its own life, in the order in which it comes about:

    :ivar sessions_asked: requests for a session that have no answer; guarded by the owner's
        lock.
    :ivar in_session: whether a session was opened on it; set by the reader.
    :ivar quiet: whether the end was asked for, so that it is no event; set by ``begin_close``, or
        before by the owner.
    :ivar is_event: whether the end is an event; set by the owner when it has come.
    :ivar unwanted: whether the end of its session was asked for; set by the owner.
    :ivar outage: what its end began, if it did; set by the owner.
    :ivar followed: whether a session was opened on another one later; set by the owner.
    :ivar muted: whether events are not wanted any more, though they are here already; set by
        the owner when its ``close`` returns.
    """

    def __init__(
        self,
        owner: Owner,
        options: Options,
        dispatcher: Dispatcher,
        name: str,
        clock: Monotonic = monotonic,
        first: Optional[str] = None,
    ) -> None:
        self.quiet = False
        self.muted = False
        self.sessions_asked = 0
        self.in_session = False
        self.is_event = False
        self.unwanted = False
        self.followed = False
        self.outage: Optional[Outage] = None
        self._owner = owner
        self._options = options
        self._dispatcher = dispatcher
        self._clock = clock
        self._pending = Pending(options.timeout, clock)
        self._watch = HandlerWatch(dispatcher)
        self._unknown_kinds = UnknownKinds()
        self._complaints = RateLimit(_COMPLAINTS, _COMPLAINT_PERIOD, clock)
        self._pinger = Pinger(None, self._ping, NEVER)
        self._pinged_at = self._paused_at = -NEVER
        # How many answers are being given; above 0 for good once the end has come.
        self._completing = 0
        self._lock = threading.Lock()
        # Guarded by the lock: what is asked before the connection is open, then None.
        self._early: Optional[List[Request]] = []
        limits = Limits(
            options.connect_timeout,
            options.timeout,
            options.heartbeat_timeout,
            options.max_message_size,
        )
        ca_certs = None if options.ca_certs is None else str(options.ca_certs)
        self._connection = Connection(
            options.endpoint,
            self,
            limits,
            ca_certs,
            clock,
            _ordered(options.transports, first),
            options.proxies,
        )
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def transport(self) -> Optional[str]:
        """The name of the transport in use, or None when there is none."""
        return self._connection.transport

    @property
    def last_silence(self) -> float:
        """Seconds since the server's last whole frame at the end, those asleep included."""
        return self._connection.last_silence

    def start(self) -> None:
        """Begins to open, in a thread of its own."""
        self._thread.start()

    def ask(self, request: Request) -> None:
        """Sends a command, now or as soon as the connection is open if it is for a session.
        From any thread; waits for nothing but room in the socket."""
        with self._lock:
            opening = self._early is not None
            if self._early is not None and request.opens_session:
                self._early.append(request)
                return
        if opening:
            self._answer(request, not_connected(), None)
        else:
            self._send(request)

    def begin_close(self) -> None:
        """Begins to end the connection. From any thread; waits for nothing."""
        self.quiet = True
        self._dispatcher.wake()
        self._connection.begin_close(within=_GOODBYE)
        self._tell_if_answered()

    def finish_close(self, until: float) -> None:
        """Waits for the end that ``begin_close`` began. From any thread, but not while it reads.

        :param until: monotonic time, by which there is no reader thread any more unless the
            system keeps it.
        """
        if threading.current_thread() is self._thread:
            return  # It is over: this is the owner, who had some use for the thread.
        self._connection.finish_close(min(until, self._clock() + _GOODBYE))
        self._thread.join(max(0.0, until - self._clock()))

    def _run(self) -> None:
        self._connection.run()
        self._owner.gone(self)

    def complete(self, request: Request, error: Optional[KeyyoError], result: Any) -> None:
        """Gives a request its answer. For the one who took it out of the table, on this thread."""
        self._completing += 1
        try:
            self._answer(request, error, result)
        finally:
            self._completing -= 1
        self._tell_if_answered()

    def _answer(self, request: Request, error: Optional[KeyyoError], result: Any) -> None:
        instead = self._react(request, error, result)
        if instead is not None:
            request.command = instead
            self._send(request)
            return
        request.complete(error, result)
        if request.opens_session:
            self._owner.session_answered(self, error)

    def _tell_if_answered(self) -> None:
        """Once the link closes and nothing is left to answer, later commands have their turn."""
        if self.quiet and not self._completing and not self._pending.any():
            self._owner.answered(self)

    def _react(
        self, request: Request, error: Optional[KeyyoError], result: Any
    ) -> Optional[Command]:
        if request.react is None:
            return None
        try:
            return request.react(error, result)
        except Exception:
            # A fault of the SDK's own must not cost anybody the answer.
            _log.exception("the answer to %s could not be used", request.command.action)
            return None

    def _send(self, request: Request) -> None:
        number = self._pending.add(request)
        if number is None:
            # The end has come meanwhile, and those that were asked before may be on their way.
            if request.opens_session:
                self._answer(request, not_connected(), None)
            else:
                self._owner.refuse(request)
            return
        request.departure = Departure()
        # A request that could not be sent is left in the table: the connection is at its end,
        # which completes all of them in the order they were asked.
        try:
            self._connection.send(request.command.encode(number), request.departure)
        except (NotOpen, SendFailed):
            pass
        except BaseException:
            # Ctrl-C, or a signal handler that raises. If it has begun, the connection ends.
            if not request.departure.begun and self._pending.take(number) is request:
                error = ConnectionClosed(sent=False, hint="interrupted before it was sent")
                self.complete(request, error, None)
            raise

    # What the connection tells, on the reader thread.

    def opened(self) -> None:
        if self._options.ping_auto:
            self._pinger = Pinger(self._options.ping_interval, self._ping, self._clock())
        with self._lock:
            early, self._early = self._early or [], None
        for request in early:
            self._send(request)

    def received(self, message: Any) -> None:
        try:
            said = commands.decode(message)
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
            self._owner.receive(self, said.callref, said.fields, memory_of(message))
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
        self._dispatcher.put(partial(self._owner.emit_error, error, self))

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
        self._completing += 1
        self._owner.ended(self)
        with self._lock:
            early, self._early = self._early, None
        for request in early or []:
            error = connection_failed(closed, self._options.endpoint)
            self.complete(request, closed_while_opening() if self.quiet else error, None)
        for request in self._pending.close():
            lost = ConnectionClosed(request.departure.begun, plain(closed.reason), closed.cause)
            self.complete(request, lost, None)
        self._owner.answered(self)
        self._dispatcher.put(partial(self._owner.after_end, self))
        self._dispatcher.release()

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
        while not self._dispatcher.wait_for_room(0, lambda: self.quiet):
            self._paused_at = now = self._clock()
            due = min(self._pending.due(), self._watch.due(now))
            if now < due:
                self._dispatcher.wait_for_room(due - now, lambda: self.quiet)
            else:
                self._on_deadlines(now)
        if self._dispatcher.overflows():
            _log.warning("the connection ends: %s", OVERFLOW)
            raise SockJSError(LOST, OVERFLOW)

    def _ping(self) -> None:
        if not self.in_session:
            return
        self._pinged_at = self._clock()
        self.ask(Request(commands.ping(), self._dispatcher, react=self._on_ping))

    def _on_ping(self, error: Optional[KeyyoError], result: Any) -> None:
        if isinstance(error, CommandTimeout) and self._paused_at >= self._pinged_at:
            return  # The answer may be there: it was us who did not read.
        if error is not None and not isinstance(error, ConnectionClosed):
            self._connection.fail(f"the ping failed: {error}")


def _ordered(transports: Sequence[str], first: Optional[str]) -> Sequence[str]:
    """The transports in the order to try them.

    :param first: which comes before the others, if it is among them.
    """
    return sorted(transports, key=lambda name: name != first)
