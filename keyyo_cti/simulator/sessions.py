"""Keyyo sessions and CSI tokens.

A session outlives its connections: a counter says how many there are, and at zero a timer
starts. Pure: the clock and the scheduler are given.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Callable, Dict, Iterable, List, Optional, Tuple

from .clock import Clock, Scheduler, Timer
from .errors import EXPIRED_TOKEN, INVALID_TOKEN, UNKNOWN_SESSION, Refused


@dataclass(frozen=True)
class SessionSnapshot:
    """A session as it stands at one moment, without its id."""

    number: str
    counter: int
    subscriptions: Tuple[str, ...]
    auto_answer: bool


class Session:
    """One session: its line, its subscriptions and how many connections share it.

    :param number: the line's CSI.
    :param auto_answer: whether the line's own telephone goes off hook by itself on dialling.
    :param commands_allowed: whether the line's plugin was enabled when the session opened.
    """

    def __init__(self, number: str, auto_answer: bool, commands_allowed: bool = True) -> None:
        self.id = secrets.token_urlsafe(24)
        self.number = number
        self.auto_answer = auto_answer
        self.commands_allowed = commands_allowed
        self.counter = 1
        # A dict keeps the order of subscribing, which get_subscriptions shows.
        self._subscriptions: Dict[str, None] = {number: None}
        self.timer: Optional[Timer] = None

    def __repr__(self) -> str:
        return f"<Session of {self.number}, counter {self.counter}>"

    @property
    def subscriptions(self) -> List[str]:
        return list(self._subscriptions)

    def subscribe(self, number: str) -> None:
        self._subscriptions[number] = None

    def unsubscribe(self, number: str) -> None:
        self._subscriptions.pop(number, None)

    def hears(self, numbers: Iterable[str]) -> bool:
        """Whether one of `numbers` is subscribed to."""
        return not self._subscriptions.keys().isdisjoint(numbers)

    def snapshot(self) -> SessionSnapshot:
        return SessionSnapshot(
            self.number, self.counter, tuple(self._subscriptions), self.auto_answer)


class Sessions:
    """Every session of the service.

    :param scheduler: runs the timer of a session that nobody is connected to.
    :param session_timer: how long such a session stays, in seconds.
    :param on_destroyed: told each session that is destroyed, by hand or by its timer.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        session_timer: float,
        on_destroyed: Callable[[Session], None] = lambda session: None,
    ) -> None:
        self._scheduler = scheduler
        self._session_timer = session_timer
        self._on_destroyed = on_destroyed
        self._by_id: Dict[str, Session] = {}

    def all(self) -> List[Session]:
        """Every session that can be restored or is in use, oldest first."""
        return list(self._by_id.values())

    def create(self, number: str, auto_answer: bool, commands_allowed: bool = True) -> Session:
        """Open a session of the line `number`; its counter is 1."""
        session = Session(number, auto_answer, commands_allowed)
        self._by_id[session.id] = session
        return session

    def restore(self, session_id: str, number: str) -> Session:
        """Join a session: its counter goes up and its timer stops.

        :raises Refused: unknown or destroyed, or a session of another line than `number`.
        """
        session = self._by_id.get(session_id)
        if session is None or session.number != number:
            raise Refused(UNKNOWN_SESSION)
        session.counter += 1
        if session.timer is not None:
            session.timer.cancel()
            session.timer = None
        return session

    def close(self, session: Session) -> None:
        """One connection less: at zero the timer starts."""
        session.counter -= 1
        if session.counter == 0 and session.id in self._by_id:
            session.timer = self._scheduler.call_later(
                self._session_timer, lambda: self.destroy(session))

    def destroy(self, session: Session) -> None:
        """Forget a session: it is not usable any more."""
        del self._by_id[session.id]
        if session.timer is not None:
            session.timer.cancel()
        self._on_destroyed(session)

    def destroy_all(self, number: Optional[str]) -> int:
        """Forget the sessions of a line, or every one; how many there were."""
        doomed = [each for each in self.all() if number in (None, each.number)]
        for session in doomed:
            self.destroy(session)
        return len(doomed)


@dataclass
class _Grant:
    number: str
    expires: float


class Tokens:
    """The CSI tokens that were handed out.

    :param clock: tells the time in Unix seconds.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._grants: Dict[str, _Grant] = {}

    def mint(self, number: str, lifetime: float) -> str:
        """A new token for the line `number`, good for `lifetime` seconds."""
        token = secrets.token_hex(20)
        self._grants[token] = _Grant(number, self._clock() + lifetime)
        return token

    def check(self, token: str) -> str:
        """The number of the line that `token` stands for.

        :raises Refused: the token is wrong, revoked or expired.
        """
        grant = self._grants.get(token)
        if grant is None:
            raise Refused(INVALID_TOKEN)
        if self._clock() >= grant.expires:
            raise Refused(EXPIRED_TOKEN)
        return grant.number

    def expire(self, token: str) -> None:
        """Let a token run out now.

        :raises ValueError: not a token of this service.
        """
        self._known(token).expires = self._clock()

    def revoke(self, token: str) -> None:
        """Make a token invalid, as if it had never been.

        :raises ValueError: not a token of this service.
        """
        self._known(token)
        del self._grants[token]

    def _known(self, token: str) -> _Grant:
        try:
            return self._grants[token]
        except KeyError:
            # The token itself stays out of the message and of the chain.
            raise ValueError("token: not one that this simulator gave out") from None
