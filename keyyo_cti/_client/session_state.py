"""The states of one client's sessions. At most one session is current."""

from enum import Enum
from typing import Callable, Generic, List, Optional, TypeVar

from .._net.reentrant import Section, Wakeup
from ..errors import ConnectionClosed
from .failure_hints import not_connected
from .pending import Request


class State(Enum):
    """The state of a session."""

    OPENING = "no session yet"
    OPEN = "a session is open"
    RESTORING = "the session was lost and is being restored"
    CLOSING = "the program asked for the end"
    ENDED = "the connection was lost, and nothing restores it"


# Kept here: each access to a member by its class is a search, and every command asks.
_SERVING = State.OPENING, State.OPEN
_CURRENT = *_SERVING, State.RESTORING


class SessionState:
    """The state of one session. It changes only inside ``Sessions.section``; any thread reads it.

    :ivar state: see State.
    :ivar requests: number of session commands without a reply.
    :ivar unhandled_ends: number of ends, of connections and of the session, that still await
        their handlers, expected ones included.
    :ivar end_begun: True once the handlers of its last end run.
    :ivar deferred: commands that found no connection while earlier commands were pending; None if
        no earlier command is pending.
    :ivar drop_handled: True if a handler ran for a drop that nothing restores. The program may be
        about to open another session, for example on a timer.
    :ivar followed: True if a later session was opened.
    """

    def __init__(self) -> None:
        self.state = State.OPENING
        self.requests = 0
        # The first connection has one end to come.
        self.unhandled_ends = 1
        self.end_begun = False
        self.deferred: Optional[List[Request]] = None
        self.drop_handled = False
        self.followed = False

    @property
    def serves(self) -> bool:
        """True if a connection for commands is open or being opened."""
        return self.state in _SERVING

    @property
    def is_current(self) -> bool:
        """True if no other session may begin now."""
        return self.state in _CURRENT

    @property
    def expecting(self) -> bool:
        """True if it may still emit an event, or the handler of its drop may open a session."""
        return self.is_current or self.unhandled_ends > 0 or self.drop_handled

    @property
    def unclosed(self) -> bool:
        """True if the program has not closed it, and its handlers have not seen its end."""
        return self.state is not State.CLOSING and (self.is_current or self.unhandled_ends > 0)

    @property
    def ends_later(self) -> bool:
        """True if it has ended, and a handler that runs now does not know it yet."""
        return not self.is_current and self.unhandled_ends > 0 and not self.end_begun

    @property
    def is_useless(self) -> bool:
        """True if the server has opened no session and none is requested."""
        return self.state is State.OPENING and not self.requests

    def on_session_answered(self) -> None:
        """Count the reply of a session command."""
        self.requests -= 1

    def end(self, state: State) -> None:
        """Enter a final state: it takes no more commands and is not restored."""
        if self.serves:
            self.deferred = []
        self.state = state
        if state is State.CLOSING:
            self.drop_handled = False

    def lose(self) -> None:
        """Enter RESTORING after the connection was lost."""
        self.state, self.deferred = State.RESTORING, []

    def give_up(self) -> bool:
        """End the outage, so that the session is lost and ``lost`` is emitted.

        :returns: False if the outage was over already.
        """
        goes_on = self.state is State.RESTORING
        if goes_on:
            self.unhandled_ends += 1
            self.end(State.ENDED)
        return goes_on

    def on_end_handled(self, drop_handled: bool) -> None:
        """Count one end whose handlers have run.

        :param drop_handled: True if a handler ran, and nothing restores the session.
        """
        self.unhandled_ends -= 1
        if drop_handled and self.state is State.ENDED and not self.followed:
            self.drop_handled = True

    def follow(self) -> None:
        """Note that a later session was opened."""
        self.followed, self.drop_handled = True, False


S = TypeVar("S", bound=SessionState)


class Sessions(Generic[S]):
    """The sessions of one client that may still emit an event, oldest first.

    At most one is current. The others are closing, or their handlers have not run yet.

    :ivar section: guards all of them. A signal handler that interrupts it runs after it.
    :ivar changed: notified when a session ends.
    """

    def __init__(self) -> None:
        self.section = Section()
        self.changed = Wakeup()
        self.all: List[S] = []

    @property
    def current(self) -> Optional[S]:
        """The session that receives commands, or None."""
        for session in reversed(list(self.all)):
            if session.is_current:
                return session
        return None

    def expecting(self) -> bool:
        """Return True if an event may still come."""
        return any(session.expecting for session in list(self.all))

    def end_later(self) -> bool:
        """Return True if a session has ended, and a handler that runs now does not know it."""
        return any(session.ends_later for session in list(self.all))

    def close_if(self, session: S, condition: Callable[[], bool]) -> bool:
        """Set a session's state to CLOSING if a condition holds.

        :returns: True if the condition held.
        """

        def work() -> bool:
            holds = condition()
            if holds:
                session.end(State.CLOSING)
                self.forget_old()
            return holds

        return self.section.call(work)

    def on_end_handled(self, session: S, drop_handled: bool = False) -> None:
        """Count one end of a session whose handlers have run."""

        def work() -> None:
            session.on_end_handled(drop_handled)
            self.forget_old()

        self.section.call(work)

    def forget_old(self) -> None:
        """Remove sessions that will emit no more events. Call it inside the section."""
        self.all[:] = [session for session in self.all if session.expecting]
        self.changed.notify_all()

    def follow(self, newest: S) -> None:
        """Tell the others that a later session was opened. Call it inside the section."""
        for session in self.all:
            if session is not newest:
                session.follow()
        self.forget_old()

    def refuse(self, request: Request) -> None:
        """Complete a command without a connection, after the commands that were sent before."""
        deferred: List[Request] = []

        def work() -> None:
            for session in reversed(self.all):
                if session.deferred is not None:
                    session.deferred.append(request)
                    deferred.append(request)
                    return

        def answer() -> None:
            if not deferred:
                request.complete(self._not_connected(), None)

        self.section.run(work, answer)

    def refuse_deferred(self, session: S) -> None:
        """Complete the deferred commands, because the earlier ones of the session are complete."""
        deferred: List[Request] = []

        def work() -> None:
            deferred.extend(session.deferred or ())
            session.deferred = [] if deferred else None

        def answer() -> None:
            for request in deferred:
                request.complete(self._not_connected(), None)
            if deferred:
                # More may have been deferred in the meantime.
                self.refuse_deferred(session)

        self.section.run(work, answer)

    def _not_connected(self) -> ConnectionClosed:
        current = self.current
        return not_connected(current is not None and current.state is State.RESTORING)
