"""The states of one client's sessions, of which at most one is current."""

from enum import Enum
from typing import Callable, Generic, List, Optional, TypeVar

from .._net.reentrant import Section, Wakeup
from ..errors import ConnectionClosed
from .failure_hints import not_connected
from .pending import Request


class State(Enum):
    """Where a session is."""

    OPENING = "no session yet"
    OPEN = "a session is open"
    RESTORING = "the session was lost and is being restored"
    CLOSING = "the program asked for the end"
    ENDED = "the connection was lost, and nothing restores it"


class SessionState:
    """The state of one session. Changed in ``Sessions.section`` only, and read anywhere.

    :ivar state: see State.
    :ivar requests: how many session requests have no reply.
    :ivar untold: how many ends, of connections and of the session, are queued or to come, whose
        handlers have not been called.
    :ivar behind: commands that found no connection while others, sent before, had no answer yet;
        None if there are no such others.
    :ivar drop_handled: True if a handler was called for a drop that nothing restores: the program
        may be about to open another session, on a timer of its own.
    :ivar followed: True if another session was opened later.
    """

    def __init__(self) -> None:
        self.state = State.OPENING
        self.requests = 0
        # The end of the first connection is to come.
        self.untold = 1
        self.behind: Optional[List[Request]] = None
        self.drop_handled = False
        self.followed = False

    @property
    def serves(self) -> bool:
        """True if there is a connection for commands, or one is being opened."""
        return self.state in (State.OPENING, State.OPEN)

    @property
    def is_current(self) -> bool:
        """True if no other session may begin."""
        return self.serves or self.state is State.RESTORING

    @property
    def expecting(self) -> bool:
        """True if an event may still come of it, or of the handler of its drop."""
        return self.is_current or self.untold > 0 or self.drop_handled

    @property
    def unclosed(self) -> bool:
        """True if the program has not asked for its end, and its handlers do not know of one."""
        return self.state is not State.CLOSING and (self.is_current or self.untold > 0)

    @property
    def is_useless(self) -> bool:
        """True if no session was opened, and none is asked for."""
        return self.state is State.OPENING and not self.requests

    def end(self, state: State) -> None:
        """No command goes to it any more, and nothing is restored."""
        if self.serves:
            self.behind = []
        self.state = state
        if state is State.CLOSING:
            self.drop_handled = False

    def lose(self) -> None:
        """Its connection was lost, and is being restored."""
        self.state, self.behind = State.RESTORING, []

    def give_up(self) -> bool:
        """End its outage: it is lost for good, which is to be told.

        :returns: False if the outage was over before.
        """
        goes_on = self.state is State.RESTORING
        if goes_on:
            self.untold += 1
            self.end(State.ENDED)
        return goes_on

    def told(self, drop_handled: bool) -> None:
        """The handlers of one end have been called.

        :param drop_handled: True if there were any, and nothing restores the session.
        """
        self.untold -= 1
        if drop_handled and self.state is State.ENDED and not self.followed:
            self.drop_handled = True

    def follow(self) -> None:
        """Another session was opened."""
        self.followed, self.drop_handled = True, False


S = TypeVar("S", bound=SessionState)


class Sessions(Generic[S]):
    """The sessions of one client of which something may still come, in the order they began.

    At most one is current; others may still be closing, or their handlers are still to be called.

    :ivar section: guards them all. A signal handler that interrupts it runs after it.
    :ivar changed: to wait until nothing is expected any more.
    """

    def __init__(self) -> None:
        self.section = Section()
        self.changed = Wakeup()
        self.all: List[S] = []

    @property
    def current(self) -> Optional[S]:
        """The session that commands go to."""
        for session in reversed(list(self.all)):
            if session.is_current:
                return session
        return None

    def expecting(self) -> bool:
        """True if an event may still come."""
        return any(session.expecting for session in list(self.all))

    def close_if(self, session: S, condition: Callable[[], bool]) -> bool:
        """Change the state of a session to CLOSING, if a condition holds.

        :returns: True if it does.
        """

        def work() -> bool:
            holds = condition()
            if holds:
                session.end(State.CLOSING)
                self.forget_old()
            return holds

        return self.section.call(work)

    def told(self, session: S, drop_handled: bool = False) -> None:
        """The handlers of one end of a session have been called."""

        def work() -> None:
            session.told(drop_handled)
            self.forget_old()

        self.section.call(work)

    def forget_old(self) -> None:
        """Forget those of which nothing comes any more. In the section."""
        self.all[:] = [session for session in self.all if session.expecting]
        self.changed.notify_all()

    def follow(self, newest: S) -> None:
        """A session was opened. In the section."""
        for session in self.all:
            if session is not newest:
                session.follow()
        self.forget_old()

    def refuse(self, request: Request) -> None:
        """Answer a command that finds no connection, after those that were sent before it."""
        deferred: List[Request] = []

        def work() -> None:
            for session in reversed(self.all):
                if session.behind is not None:
                    session.behind.append(request)
                    deferred.append(request)
                    return

        def answer() -> None:
            if not deferred:
                request.complete(self._not_connected(), None)

        self.section.run(work, answer)

    def answer_behind(self, session: S) -> None:
        """Answer the commands that came after those of a session, which have their answers."""
        behind: List[Request] = []

        def work() -> None:
            behind.extend(session.behind or ())
            session.behind = [] if behind else None

        def answer() -> None:
            for request in behind:
                request.complete(self._not_connected(), None)
            if behind:
                # Others may have come after these meanwhile.
                self.answer_behind(session)

        self.section.run(work, answer)

    def _not_connected(self) -> ConnectionClosed:
        current = self.current
        return not_connected(current is not None and current.state is State.RESTORING)
