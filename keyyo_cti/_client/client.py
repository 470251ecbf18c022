"""The client behind one CTI: commands out, notifications in, open, close, wait."""

import itertools
import threading
from concurrent.futures import Future
from functools import partial
from typing import Any, Callable, List, Optional, Tuple

from .._net import process, redaction
from .._net.clock import monotonic
from .._net.reentrant import interrupts_itself
from ..call import Call, Conversation
from ..errors import ConnectionFailed
from ..health import Health
from ..options import Options
from . import wire
from .at_exit import CLOSE_TIMEOUT
from .callback import Callback
from .conversations import Conversations
from .dial_guard import DialGuard
from .dispatch import PolledDispatcher, make_dispatcher
from .emitter import Emitter
from .gaps import Gaps
from .health_report import make_health
from .line_numbers import LineNumbers
from .notifications import EventSource, Notifications
from .outage import Pauses
from .pending import Reaction, Request
from .registry import Registry
from .requests import Requests
from .server_clock import ServerClock
from .session import Session, make_cookie
from .session_state import Sessions, State
from .session_thread import React, SessionThread
from .shared import Shared
from .token_cache import CachedToken
from .waits import Waits
from .wire import Command
from .wire_log import WireLog, name_command

#: Maximum seconds of one wait: the platform accepts no more.
_MAX_WAIT = threading.TIMEOUT_MAX / 2

#: Seconds between two checks while ``wait`` polls. Otherwise it would miss another thread's close.
_POLL_INTERVAL = 1.0

_numbers = itertools.count(1)


class Client:
    """Sends commands to the current session and delivers notifications to handlers.

    A signal handler or ``__del__`` may call it on a thread that is already inside it.

    :param cti: the emitter of ``newCall``, ``disconnected``, ``restored``, ``lost``, ``error``.
    """

    def __init__(self, cti: Emitter, options: Options) -> None:
        self._cti = cti
        self._options = options
        self._number = next(_numbers)
        redaction.hide_passwords((options.proxies or {}).values())
        self._begin()

    def _begin(self) -> None:
        options = self._options
        self._process = process.current()
        # True once a connection was opened: from then on, the client belongs to one process.
        self._was_opened = False
        self._clock = ServerClock()
        self.session = Session(make_cookie(options), self._clock)
        self.lines = LineNumbers(self.session, options.lines)
        self._dispatcher = make_dispatcher(
            options.dispatch,
            f"keyyo-cti-events-{self._number}",
            options.max_backlog,
            lambda error: self._events.emit_new_error(error),
            options.max_backlog_bytes,
        )
        inside = self._dispatcher.inside
        self._registry = Registry(
            partial(Call, self, handling=inside),
            options.max_ended_calls,
            options.token_provider is not None,
            options.max_active_calls,
            inside,
            # The program's function may raise for one piece of work while others are queued.
            in_order=not callable(options.dispatch),
        )
        self._conversations = Conversations(
            self._registry, self._dispatcher, self.session, self.lines.normalize
        )
        self._sessions: Sessions[SessionThread] = Sessions()
        self.waits = Waits(self._registry, self._dispatcher, self._sessions, self._number)
        self._events = EventSource(self._cti, self._dispatcher, self.waits)
        self._wire_log = WireLog(self._number)
        self._requests = Requests(
            self._dispatcher,
            self.session,
            DialGuard(options.may_dial, self._events.report),
            self._wire_log,
            self.check_process,
        )
        self._shared = Shared(
            f"keyyo-cti-reader-{self._number}",
            self._cti,
            options,
            self._dispatcher,
            Notifications(
                self._registry, self._clock, self._dispatcher, self._conversations, self.waits,
                self._wire_log,
            ),
            self.session,
            self._sessions,
            None if options.token_provider is None else CachedToken(options.token_provider),
            Pauses(options.backoff),
            self._wire_log,
            self.waits,
        )
        self._gaps: Optional[Gaps] = None
        if options.catch_up is not None:
            self._gaps = Gaps(
                options.catch_up, self._shared, self._registry, self._clock, self.lines,
                self._number,
            )

    def after_fork(self) -> None:
        """Start again in a forked child if the parent never opened a connection.

        Otherwise a program that makes its CTI before it forks its workers, such as gunicorn with
        ``--preload``, could not use it in any of them.
        """
        if not self._was_opened:
            # Everything is rebuilt: another thread of the parent may have held any of it.
            self._begin()

    # Commands, from any thread.

    def ask(
        self,
        make: Callable[..., Command],
        arguments: Tuple[Any, ...],
        callback: Optional[Callback],
        react: React = SessionThread.record,
    ) -> "Future[Any]":
        """Send a command, or complete it with an error if there is no connection.

        :param make: builds the command from the arguments, or raises KeyyoError.
        :param react: builds the SDK's own reaction to the reply.
        """
        request = self._requests.make(make, arguments, callback)
        if request.future.done():
            return request.future
        session = self._sessions.current
        if session is None:
            self._wire_log.note(f"{name_command(request.command)} is not sent: not connected")
            self._sessions.refuse(request)
        else:
            session.ask(request, react)
        return request.future

    def create(self, token: Any, auto_answer: Any, callback: Optional[Callback]) -> "Future[Any]":
        """Create a session."""
        redaction.hide(token)
        request = self._requests.make(wire.create_session, (token, auto_answer), callback)
        return self._open(request, self.session.on_create)

    def restore(self, token: Any, session_id: Any, callback: Optional[Callback]) -> "Future[Any]":
        """Restore a session.

        :param session_id: None lets the server decide.
        """
        redaction.hide(token, session_id)
        # With cookies, a missing id is sent as null, as in JavaScript. The server replies with
        # the error on which the SDK falls back to create_session.
        arguments = (token, session_id, self.session.has_cookie)
        request = self._requests.make(wire.restore_session, arguments, callback)
        react = self.session.on_restore(token, session_id)
        return self._open(request, react, self.session.transport)

    def destroy(self, callback: Optional[Callback]) -> "Future[Any]":
        """Destroy the session, then close the connection."""
        return self.ask(wire.destroy_session, (), callback, SessionThread.destroy)

    def _open(
        self, request: Request, react: Reaction, first: Optional[str] = None
    ) -> "Future[Any]":
        """Send a session command on the current connection or on a new one.

        :param first: the transport to try first on a new connection.
        """
        if request.future.done():
            return request.future
        request.opens_session = True
        sessions: List[SessionThread] = []
        failures: List[ConnectionFailed] = []

        def work() -> None:
            session = self._sessions.current
            # During a restore, neither side would know of the other's session.
            if session is not None and session.state is State.RESTORING:
                return
            try:
                sessions.append(session or self._start(first))
            except RuntimeError as error:
                reason = "no thread can be started"
                failures.append(ConnectionFailed(reason, "end some threads, try again"))
                failures[0].__cause__ = error
            else:
                sessions[0].requests += 1

        def ask() -> None:
            if sessions:
                sessions[0].ask_session(request, react)
            elif failures:
                request.complete(failures[0], None)
            else:
                self._sessions.refuse(request)

        self._sessions.section.run(work, ask)
        return request.future

    def _start(self, first: Optional[str]) -> SessionThread:
        """Start a session's thread. Call it inside the section."""
        session = SessionThread(self._shared, first)
        self._was_opened, self.waits.lost = True, False
        self._dispatcher.acquire()
        # Before the start: a signal handler that raises must not leave a thread without an owner.
        self._sessions.all.append(session)
        try:
            session.start()
        except RuntimeError:
            self._sessions.all.remove(session)
            self._dispatcher.release()
            raise
        return session

    # Reads, from any thread.

    def load_session_id(self) -> Optional[str]:
        """Return the session id from the cookie, or None."""
        self.check_process()
        return self.session.load_session_id()

    def calls(self) -> Registry:
        """Return the registry of calls."""
        self.check_process()
        return self._registry

    def conversation_of(self, call: Call) -> Conversation:
        """Return the conversation of a call."""
        self.check_process()
        return self._conversations.get(call)

    def known_calls(self) -> List[Call]:
        """Return the known calls; none in a forked child, which has no session."""
        return self._registry.all() if self._process == process.current() else []

    @property
    def endpoint(self) -> str:
        """The URL of the service. It holds no password and no query."""
        return self._options.endpoint

    def server_time(self) -> float:
        """Return the server's time as a Unix time in seconds."""
        return self._clock.now()

    @property
    def connected(self) -> bool:
        """True if a session is open, in this process."""
        session = self._sessions.current
        is_open = session is not None and session.state is State.OPEN
        return is_open and self._process == process.current()

    @property
    def transport(self) -> Optional[str]:
        """The transport of the current connection, or None."""
        session = self._sessions.current
        if session is None or self._process != process.current():
            return None
        return session.connection.transport

    def health(self) -> Health:
        """See ``CTI.health``."""
        return make_health(self._shared, self._process)

    # The end, from any thread.

    def begin_close(self) -> List[SessionThread]:
        """Begin to close every session and return them. Do not block."""
        sessions: List[SessionThread] = []

        def work() -> None:
            self.waits.on_close()
            self.session.history.on_close()
            sessions.extend(self._sessions.all)
            for session in sessions:
                # All of them at once. Otherwise a restore could begin in between, or a drop whose
                # handlers run could keep wait().
                session.end(State.CLOSING)
            self._sessions.forget_old()

        def begin() -> None:
            self.waits.settle()
            for session in sessions:
                session.begin_close()

        if self._process == process.current():
            self._sessions.section.run(work, begin)
        return sessions

    def close(self, until: Optional[float] = None) -> None:
        """See ``CTI.close``.

        :param until: monotonic time by which it returns.
        """
        if self._process != process.current():
            return  # The connection belongs to the parent.
        until = monotonic() + CLOSE_TIMEOUT if until is None else until
        # Only these sessions: another thread may be opening a new one.
        sessions = self.begin_close()
        if sessions:
            self._wire_log.note("closed by the program")
        if interrupts_itself():
            # The interrupted code must run first: the end of the session may depend on it.
            return
        for session in sessions:
            session.finish_close(until)
        inside = self._dispatcher.inside()
        if not inside:
            self._dispatcher.finish(max(0.0, until - monotonic()))
        for session in sessions:
            session.events.muted = True
        if not inside:
            self._dispatcher.settle(max(0.0, until - monotonic()))
        self.waits.finish(max(0.0, until - monotonic()))
        if self._gaps is not None:
            self._gaps.finish(max(0.0, until - monotonic()))

    def unclosed(self) -> bool:
        """Return True if this process has a connection that the program has not closed."""
        is_ours = self._process == process.current()
        return is_ours and any(session.unclosed for session in list(self._sessions.all))

    def wait(self, timeout: Optional[float]) -> bool:
        """See ``CTI.wait``."""
        self.check_process()
        on_reader = any(session.runs_here() for session in list(self._sessions.all))
        if self._dispatcher.inside() or on_reader:
            raise RuntimeError("wait() in a handler would wait for itself")
        until = monotonic() + (_MAX_WAIT if timeout is None else min(timeout, _MAX_WAIT))
        try:
            while self._sessions.expecting():
                left = until - monotonic()
                if left <= 0:
                    return False
                if isinstance(self._dispatcher, PolledDispatcher):
                    self.poll(min(left, _POLL_INTERVAL))
                else:
                    self._sessions.changed.wait_for(lambda: not self._sessions.expecting(), left)
        except KeyboardInterrupt:
            self.close()
            raise KeyboardInterrupt("the connection is closed") from None
        except SystemExit:
            self.close()
            raise
        return True

    def poll(self, timeout: float) -> int:
        """See ``CTI.poll``."""
        self.check_process()
        if self._sessions.section.is_inside():
            # A signal handler interrupted a state change: user code must not run until it is done.
            return 0
        return self._dispatcher.poll(timeout)

    def check_process(self) -> None:
        """Refuse a forked child, where none of the threads run.

        Takes no lock: another thread may have held it during the fork.

        :raises RuntimeError: another process opened the connection.
        """
        if self._process != process.current():
            raise RuntimeError(
                "this CTI belongs to the parent process: make another one after fork"
            )
