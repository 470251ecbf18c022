"""The thread of one session: connects, reads, and reconnects until the session ends."""

import itertools
import threading
from functools import partial
from typing import Any, Callable, Optional

from .._net import process
from .._net.clock import monotonic
from .._net.log_thread import ThreadedLogger
from .._net.reentrant import Flag
from ..errors import ConnectionClosed, KeyyoError
from ..results import Restored
from . import wire
from .connection import Connection, ConnectionEvents
from .failure_hints import lost_while_destroying
from .notifications import EventSource
from .outage import Outage, Restorer
from .pending import Reaction, Request
from .session import explain_token, make_reaction
from .session_state import SessionState, State
from .shared import Shared
from .wire import Command

_log = ThreadedLogger("keyyo_cti")
_numbers = itertools.count(1)


class SessionThread(SessionState):
    """Runs its connections one after another on one thread, so that two attempts never overlap.

    The thread connects, reads, checks deadlines, completes the Futures, and restores. It runs no
    user code, except ``token_provider`` after the connection is lost.

    :param first: the transport to try first.
    :ivar connection: the open connection, the one being opened, or the last. This thread sets it.
    :ivar destroying: True once destroy_session is sent. The sending thread sets it, and this one.
    """

    def __init__(self, shared: Shared, first: Optional[str] = None) -> None:
        super().__init__()
        self.destroying = False
        self.events = EventSource(shared.cti, shared.dispatcher, shared.waits, next(_numbers))
        self._shared = shared
        self._call = shared.sessions.section.call
        self._stop = Flag()
        self._outage: Optional[Outage] = None
        # True if the end of the connection is an event for the program.
        self._dropped = False
        self._has_dispatcher = True
        self.connection = self._connect(first)
        self._thread = threading.Thread(target=self._run, name=shared.name, daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def runs_here(self) -> bool:
        """Return True if the caller is this session's thread, which runs ``token_provider``."""
        return self._thread is threading.current_thread()

    def end(self, state: State) -> None:
        if self.is_current:
            self._shared.waits.on_end(state is State.ENDED, self.state is State.RESTORING)
        super().end(state)

    # Called by the program, on any thread.

    def ask(self, request: Request, react: "React") -> None:
        """Send a command, or refuse it if there is no connection."""
        # Read before the state: a connection that comes later is not open yet.
        connection = self.connection
        if self.serves:
            request.react = react(self, connection, request.command)
            connection.ask(request)
        else:
            self._shared.sessions.refuse(request)

    def ask_session(self, request: Request, react: Reaction) -> None:
        """Send a session command that the caller has already counted."""
        connection = self.connection
        request.react = partial(self._on_answer, connection, request, react)
        connection.ask(request)

    def begin_close(self) -> None:
        """Begin to close, after the state has changed. From any thread; do not block."""
        self._stop.set()
        self._shared.waits.settle()
        if self._outage is not None:
            # token_provider may hang. Otherwise it would keep the event thread alive.
            self._release_dispatcher()
        self.connection.begin_close()

    def finish_close(self, until: float) -> None:
        """Wait for the end of the thread.

        A running ``token_provider`` cannot be interrupted; the thread ends after it returns.

        :param until: deadline in monotonic seconds.
        """
        if not self.runs_here():
            self.connection.finish_close(until)
            self._thread.join(max(0.0, until - monotonic()))

    # Replies.

    def record(self, connection: Connection, command: Command) -> Optional[Reaction]:
        """Return the reaction that records settings, and which calls belong together, if any."""
        settings = self._shared.session.settings
        follow = self._shared.notifications.conversations.ask(command)
        if not settings.on_ask(command):
            return follow

        def react(error: Optional[KeyyoError], result: Any) -> None:
            if error is not None:
                settings.on_refusal(command)
            elif self._serves_on(connection):
                settings.record(command, result)
            if follow is not None:
                follow(error, result)

        return react

    def destroy(self, connection: Connection, command: Command) -> Reaction:
        """Return the reaction to the reply of destroy_session, which the caller then sends."""
        sessions = self._shared.sessions
        # Set before the send: a connection that is lost before the reply is not restored.
        self.destroying = True

        def react(error: Optional[KeyyoError], result: Any) -> None:
            if error is not None:
                self.destroying = isinstance(error, ConnectionClosed)
            elif sessions.close_if(self, lambda: self._serves_on(connection)):
                self._shared.session.on_destroy()
                self.begin_close()

        return react

    def _on_answer(
        self,
        connection: Connection,
        request: Request,
        react: Reaction,
        error: Optional[KeyyoError],
        result: Any,
    ) -> Optional[Command]:
        """React to the reply of the program's session command.

        A session that was closed or lost ignores it: a newer session may exist by now.
        """
        if not self._serves_on(connection):
            return None
        answered = request.command
        instead = self._apply(request, react, error, result)
        if error is None:
            self._open(connection)
            self._learn(connection, answered, result)
        return instead

    def _on_attempt(
        self,
        connection: Connection,
        request: Request,
        react: Reaction,
        error: Optional[KeyyoError],
        result: Any,
    ) -> Optional[Command]:
        """React to the replies of a restore attempt; the last reply decides its outcome."""
        if self.state is not State.RESTORING or connection.ended:
            return None
        instead = self._apply(request, react, error, result)
        if error is None:
            self._open(connection)
        if instead is None and connection.in_session:
            self._restored()
        elif instead is None:
            connection.begin_close()
        return instead

    def _apply(
        self, request: Request, react: Reaction, error: Optional[KeyyoError], result: Any
    ) -> Optional[Command]:
        self._shared.session.round_trip = monotonic() - request.asked_at
        instead = react(error, result)
        if error is not None and instead is None:
            explain_token(error, request.command)
        return instead

    def _open(self, connection: Connection) -> None:
        """Mark the connection as one with a session."""
        session = self._shared.session
        session.transport = connection.transport or session.transport

        def work() -> None:
            connection.in_session = True
            if self.state is State.OPENING:
                session.history.on_open()
                self.state = State.OPEN
            self._shared.sessions.follow(self)

        self._call(work)

    def _learn(self, connection: Connection, answered: Command, result: Any) -> None:
        """Record the settings of the program's session; ask for those of an older session."""
        settings = self._shared.session.settings
        if answered.action == "create_session":
            settings.record(answered, result)
            return
        settings.complete = False
        if self._shared.token is not None:
            for question in (wire.get_subscriptions(), wire.get_auto_answer()):
                react = self.record(connection, question)
                connection.ask(Request(question, self._shared.dispatcher, react=react))

    def _restored(self) -> None:
        def work() -> Optional[Restored]:
            if self.state is not State.RESTORING or self._outage is None:
                return None
            info = self._outage.summary()
            self._shared.session.history.on_open(info.gap)
            self._outage, self.state = None, State.OPEN
            return info

        # On this thread, so that the connection cannot be lost again in between.
        self._shared.pauses.restored()
        info = self._call(work)
        if info is not None:
            self._shared.wire_log.note(f"restored after {info.gap:.1f} s")
            self.events.post("restored", info)

    def _serves_on(self, connection: Connection) -> bool:
        """Return True if the program's commands go to this connection."""
        return self.serves and connection is self.connection and not connection.ended

    # Connections and their ends.

    def _connect(self, first: Optional[str]) -> Connection:
        shared = self._shared
        events = ConnectionEvents(
            session_answered=self._session_answered,
            ended=self._connection_ended,
            refuse=shared.sessions.refuse,
            answered=partial(shared.sessions.refuse_deferred, self),
        )
        return Connection(
            events, self.events, shared.notifications, shared.options, shared.dispatcher, first,
            wire_log=shared.wire_log,
        )

    def _session_answered(self, error: Optional[KeyyoError]) -> None:
        self._call(self.on_session_answered)
        if error is not None:
            self._put(self._close_if_useless)

    def _close_if_useless(self) -> None:
        """Close the connection of a refused session, unless a callback asked for another one."""
        if self._shared.sessions.close_if(self, lambda: self.is_useless):
            self.begin_close()

    def _connection_ended(self) -> None:
        connection, session = self.connection, self._shared.session
        self._shared.notifications.end(self.events, connection.in_session)

        def work() -> None:
            self._dropped, was_open = self.serves, self.state is State.OPEN
            outage = Outage.after(connection.last_silence, session.round_trip)
            session.history.on_end(connection, outage if was_open else None, self.destroying)
            if was_open and self._shared.token is not None:
                self._outage = outage
                self.lose()
            elif self._dropped:
                self.end(State.ENDED)

        self._call(work)
        self._shared.waits.settle()
        if self._dropped and connection.in_session and self._outage is None:
            self._shared.wire_log.note("without token_provider, nothing restores the session")

    def _emit_disconnected(self, is_event: bool) -> None:
        handled, self.end_begun = False, self.unhandled_ends == 1
        try:
            handled = is_event and self.events.emit("disconnected")
        finally:
            self._on_end_handled(handled and self._shared.token is None)

    def _emit_lost(self, error: KeyyoError) -> None:
        self.end_begun = True
        try:
            self.events.emit("lost", error)
        finally:
            self._on_end_handled()

    def _on_end_handled(self, drop_handled: bool = False) -> None:
        self._shared.sessions.on_end_handled(self, drop_handled)
        self._shared.waits.on_end_handled()

    def _put(self, function: Callable[..., object], *arguments: Any) -> None:
        """Queue the SDK's own work for the thread of the handlers."""
        self._shared.dispatcher.put(partial(function, *arguments))

    def _release_dispatcher(self) -> None:
        def work() -> bool:
            holds, self._has_dispatcher = self._has_dispatcher, False
            return holds

        if self._call(work):
            self._shared.dispatcher.release()

    # The thread.

    def _run(self) -> None:
        try:
            self._live()
        except process.OtherProcess:
            pass  # token_provider has forked, and this is the child.

    def _live(self) -> None:
        try:
            self._serve(self.connection)
            while self.state is State.RESTORING:
                self._restore()
        except process.OtherProcess:
            raise
        except Exception as error:
            # A bug. The outage must end anyway, or wait() would never return.
            _log.exception("the session cannot be restored")
            self._lose(KeyyoError(500, f"The SDK failed: {type(error).__name__}", "internal"))
        finally:
            self._release_dispatcher()

    def _serve(self, connection: Connection) -> None:
        try:
            connection.run()
        finally:
            work = partial(self._emit_disconnected, self._dropped)
            if self._dropped:
                self.events.post("disconnected", work=work)
            else:
                self._put(work)

    def _restore(self) -> None:
        """Restore the session, until the outage is over or the connection that ended it ends."""
        shared, outage = self._shared, self._outage
        assert shared.token is not None and outage is not None
        if self.destroying:
            self._lose(lost_while_destroying())
            return
        restorer = Restorer(
            shared.token, shared.pauses, self._stop, self._reconnect, self._on_provider_error,
            shared.wire_log.note,
        )
        error = restorer.restore(outage, partial(self._lasts, outage))
        if error is not None:
            self._lose(error)

    def _lasts(self, outage: Outage) -> bool:
        return self.state is State.RESTORING and self._outage is outage

    def _reconnect(self, outage: Outage, token: str) -> Optional[KeyyoError]:
        session, dispatcher = self._shared.session, self._shared.dispatcher
        connection = self._connect(session.transport)
        steps = session.plan_restore(token, outage.was_recreated, partial(self._report, outage))
        request = Request(next(steps), dispatcher)
        request.opens_session = True
        request.react = partial(self._on_attempt, connection, request, make_reaction(steps))

        def begin() -> bool:
            if self.state is not State.RESTORING:
                return False
            self.connection = connection
            self.unhandled_ends += 1
            self.requests += 1
            return True

        if not self._call(begin):
            return None
        dispatcher.expect(request)
        connection.ask(request)
        self._serve(connection)
        failure = request.future.exception(0)
        assert failure is None or isinstance(failure, KeyyoError)
        return failure

    def _report(self, outage: Outage, error: KeyyoError) -> None:
        if self._lasts(outage):
            self.events.post_error(error)

    def _on_provider_error(self, outage: Outage, error: BaseException) -> None:
        self.events.report("token_provider", error, emits=self._lasts(outage))

    def _lose(self, error: KeyyoError) -> None:
        if self._call(self.give_up):
            self._shared.wire_log.note("the session is lost: {}", error)
            self._shared.waits.settle()
            self.events.post("lost", error, work=partial(self._emit_lost, error))


#: Builds the SDK's own reaction to the reply to a command.
React = Callable[[SessionThread, Connection, Command], Optional[Reaction]]
