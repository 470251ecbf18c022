"""One SockJS connection: opened, read and reported by the one thread that runs it."""

import logging
import threading
from typing import Any, Callable, Dict, List, Mapping, Optional, Protocol, Sequence

from .._net import urls
from .._net.cancellation import CancelToken
from .._net.clock import Monotonic, monotonic, slept
from .._net.connect import Route
from .._net.failures import drop_secrets
from .._net.reentrant import Flag, interrupts_itself
from .._net.sleep import SleepWatch
from .._net.stream import WriteFailed
from .backlog import Backlog
from .errors import LOST, NORMAL, Closed, NotOpen, SendFailed, SockJSError, Unreadable
from .liveness import Liveness
from .opening import TRANSPORTS, Limits, Opening, Session
from .protocol import Event, Message, Opened
from .transport import Departure, Transport

_log = logging.getLogger("keyyo_cti.sockjs")

#: Messages of one frame between two looks at the clock. A frame can have a million.
_DEADLINES_AFTER = 1000


class Listener(Protocol):
    """Whom a connection tells. All of it on the thread that runs the connection."""

    def opened(self) -> None:
        """The connection is open."""

    def received(self, message: Any) -> None:
        """The server says this, of any JSON type."""

    def unreadable(self, error: Exception) -> None:
        """The server sent something that cannot be read; the connection goes on."""

    def due(self) -> float:
        """The monotonic time at which ``on_due`` is wanted."""

    def on_due(self, now: float) -> None:
        """That time has come."""

    def woke(self) -> None:
        """The machine has slept. Whether the server is still there is in doubt: what makes it
        say something is of use, for not every transport can ask by itself."""

    def closed(self, closed: Closed) -> None:
        """The connection is over. Comes once, after everything else."""


class Connection:
    """A client's connection to a SockJS server.

    :param base_url: the SockJS URL, http or https.
    :param listener: is told what happens.
    :param ca_certs: file of trusted certificate authorities, None for the usual ones.
    :param transports: the names of those to try, in this order.
    :param proxies: by scheme, as for ``requests``; what is not there is the environment's.
    :raises ValueError: the URL is not one that SockJS can use.
    """

    def __init__(
        self,
        base_url: str,
        listener: Listener,
        limits: Limits = Limits(),
        ca_certs: Optional[str] = None,
        clock: Monotonic = monotonic,
        transports: Sequence[str] = TRANSPORTS,
        proxies: Optional[Mapping[str, Optional[str]]] = None,
        slept: Monotonic = slept,
    ) -> None:
        self._base_url = urls.base(base_url)
        self._listener = listener
        self._limits = limits
        self._transports = tuple(transports)
        self._clock = clock
        self._slept = slept
        self._abort = CancelToken()
        self._route = Route(
            urls.origin(self._base_url),
            ca_certs,
            self._abort,
            limits.write_timeout,
            clock,
            proxies,
        )
        # No lock, because a signal handler may come to any of this on the thread that it
        # interrupts: one entry each, which is set once and taken once. The transport while it is
        # open, and how the end came about when that was our own doing.
        self._open_transport: Dict[None, Transport] = {}
        self._ending: Dict[None, Closed] = {}
        self._over_by = float("inf")
        self._over = Flag()
        self._backlog = Backlog()
        # Monotonic time of the last whole frame all of whose messages the listener has got.
        self._told_at = 0.0
        self._thread: Optional[threading.Thread] = None
        #: Seconds since the last whole frame of the server when the connection ended, those
        #: asleep included.
        self.last_silence = 0.0

    def run(self) -> None:
        """Opens, reads to the end, and tells the listener. Called once, in the thread that is
        to read."""
        self._thread = threading.current_thread()
        transport: Optional[Transport] = None
        closed = Closed(LOST, "The reader failed")
        try:
            session = self._open()
            transport = session.transport
            closed = self._read(session)
        except SockJSError as error:
            closed = error.closed
        except Exception as error:
            _log.exception("the reader failed")
            closed = Closed(LOST, f"The reader failed: {type(error).__name__}", error, fault=True)
        finally:
            self._open_transport.pop(None, None)
            closed = self._ending.setdefault(None, closed)
            if transport is not None:
                transport.discard()
            drop_secrets(closed.cause)
            self._over.set()
            self._listener.closed(closed)

    @property
    def transport(self) -> Optional[str]:
        """The name of the transport in use, or None when there is none."""
        transport = self._open_transport.get(None)
        return None if transport is None else transport.name

    def send(self, message: str, departure: Optional[Departure] = None) -> None:
        """Sends one message. From any thread.

        :param departure: is told when any of it may have left.
        :raises NotOpen: before the connection is open or after it has closed; nothing is
            written.
        :raises SendFailed: the message was not written whole; the connection ends.
        """
        transport = self._open_transport.get(None)
        if transport is None:
            raise NotOpen
        departure = departure or Departure()
        try:
            transport.send(message, departure)
        except WriteFailed as error:
            failure = SendFailed(f"Sending failed: {error}", error.begun, error)
            self._break(failure.closed)
            raise failure from error
        except BaseException as error:
            # Ctrl-C, or a signal handler that raises: half of the message may be out.
            if departure.begun:
                words = f"Sending was interrupted by {type(error).__name__}"
                self._break(Closed(LOST, words, error))
            raise

    def _break(self, closed: Closed) -> None:
        self._ending.setdefault(None, closed)
        self._open_transport.pop(None, None)
        self._abort.cancel()

    def begin_close(
        self, code: int = NORMAL, reason: str = "Normal closure", within: float = 1.0
    ) -> None:
        """Begins to end the connection, politely if it is open. From any thread, at any time;
        waits for nothing. Only ``finish_close`` makes sure of the end.

        :param code: 1000, or 3000 to 4999.
        :param within: seconds that the server has to say goodbye.
        :raises ValueError: another code.
        """
        if code != NORMAL and not 3000 <= code <= 4999:
            raise ValueError(f"code: expected 1000 or 3000 to 4999, got {code}")
        self._begin_end(Closed(code, reason), within)

    def finish_close(self, until: float) -> None:
        """Waits for the end that was begun, and makes it come if it has not by then.

        :param until: monotonic time. Not on the thread that runs the connection, which would
            wait for itself.
        """
        # Not by their numbers: the system gives that of a thread which has ended to a new one.
        assert threading.current_thread() is not self._thread
        if interrupts_itself():
            return  # The interrupted thread may have to write the goodbye.
        if not self._over.wait(max(0.0, until - self._clock())):
            self._abort.cancel()

    def fail(self, reason: str) -> None:
        """Ends the connection as lost. On the thread that runs the connection, like the calls
        of the listener."""
        assert threading.current_thread() is self._thread
        self._begin_end(Closed(LOST, reason), within=1.0)

    def _begin_end(self, closed: Closed, within: float) -> None:
        """The first reason given is the one that is reported."""
        if self._ending.setdefault(None, closed) is not closed:
            return
        transport = self._open_transport.pop(None, None)
        if transport is None:
            self._abort.cancel()
            return
        self._over_by = self._clock() + within
        try:
            transport.say_goodbye()
        except OSError:
            self._abort.cancel()

    def _open(self) -> Session:
        limits = self._limits
        until = self._clock() + limits.connect_timeout
        session = Opening(
            self._base_url, self._route, self._abort, until, limits, self._transports, self._clock
        ).run()
        self._open_transport[None] = session.transport
        if self._ending:
            # If an end was begun meanwhile, either that has found the transport and says goodbye
            # on it, or it has pulled the abort.
            self._open_transport.pop(None, None)
        return session

    def _read(self, session: Session) -> Closed:
        transport = session.transport
        patience = max(self._limits.heartbeat_timeout, transport.least_patience)
        now = self._clock()
        liveness, sleep = Liveness(patience, now), SleepWatch(now, self._slept)
        self._told_at = transport.last_frame_at
        try:
            return self._loop(session, liveness, sleep)
        finally:
            # From the last whole frame: half a frame is life, and is lost all the same, and so
            # is what was read when the end came.
            silence = sleep.silence(self._clock(), self._told_at)
            self.last_silence = silence + self._backlog.age(self._told_at)

    def _loop(self, session: Session, liveness: Liveness, sleep: SleepWatch) -> Closed:
        transport, events = session.transport, session.events
        until = now = self._clock()
        while True:
            if events:
                told_from, last_frame_at = now, transport.last_frame_at
                closed = self._tell_all(events, session, until)
                if closed is not None:
                    return closed
                # The listener may have taken its time, in which nobody listened to the server.
                now = self._clock()
                liveness.excuse(now)
                self._backlog.paused(now - told_from, last_frame_at)
            began = now
            until = min(
                self._listener.due(),
                liveness.due(transport.heard_at),
                sleep.due(),
                self._over_by,
            )
            events = _events(session, transport.receive, until)
            if not events:
                self._told_at = transport.last_frame_at
            now = self._clock()
            self._backlog.waited(now - began)
            if now >= until:
                # First, because silence while asleep is no silence of the server's.
                if sleep.woke(now, began, transport.last_frame_at):
                    _log.info("this machine has slept: is the server still there?")
                    liveness.doubt(now)
                    self._listener.woke()
                self._on_time(now, liveness, transport)

    def _tell_all(
        self, events: List[Event], session: Session, until: float
    ) -> Optional[Closed]:
        """Tells of what happened and of what came together with it, up to the end, which it
        gives if that is among it, or until something else is due."""
        while events:
            for number, event in enumerate(events, 1):
                self._tell(event)
                if isinstance(event, Closed):
                    self._told_at = session.transport.last_frame_at
                    return event
                if not number % _DEADLINES_AFTER:
                    self._keep_deadlines()
            self._told_at = session.transport.last_frame_at
            due = self._clock() >= until
            events = [] if due else _events(session, session.transport.at_hand)
        return None

    def _keep_deadlines(self) -> None:
        """Do what is due in the midst of a frame with very many messages."""
        now = self._clock()
        if now >= self._over_by:
            raise SockJSError(LOST, "The server did not answer the closing")
        if now >= self._listener.due():
            self._listener.on_due(now)

    def _tell(self, event: Event) -> None:
        if isinstance(event, Message):
            self._listener.received(event.value)
        elif isinstance(event, Opened):
            self._listener.opened()
        elif isinstance(event, Unreadable):
            self._listener.unreadable(event)

    def _on_time(self, now: float, liveness: Liveness, transport: Transport) -> None:
        if now >= self._over_by:
            raise SockJSError(LOST, "The server did not answer the closing")
        if liveness.dead(now, transport.heard_at):
            limit = liveness.limit(transport.heard_at)
            raise SockJSError(LOST, f"No sign of life from the server for {limit:g} s")
        if liveness.wants_probe(now, transport.heard_at):
            try:
                transport.probe()
            except OSError as error:
                raise SockJSError(LOST, f"Sending failed: {error}", error) from error
        self._listener.on_due(now)


def _events(
    session: Session, receive: Callable[..., Optional[str]], *arguments: float
) -> List[Event]:
    """What happens on the frame that is received, if one is."""
    try:
        text = receive(*arguments)
    except Unreadable as error:
        return [error]
    return [] if text is None else session.protocol.receive(text)
