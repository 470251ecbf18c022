"""Keyyo sessions and CSI tokens.

A session outlives its connections: it counts them, and starts a timer at zero. The clock and
the scheduler are arguments.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Callable, Dict, Iterable, List, Optional, Tuple

from .clock import Clock, Scheduler, Timer
from .errors import EXPIRED_TOKEN, INVALID_TOKEN, UNKNOWN_SESSION, Refused


@dataclass(frozen=True)
class SessionSnapshot:
    """A snapshot of a session, without its id."""

    number: str
    counter: int
    subscriptions: Tuple[str, ...]
    auto_answer: bool


class Session:
    """A session: its line, its subscriptions and the number of its connections.

    :param number: the line's CSI.
    :param auto_answer: True if the line's own telephone goes off hook by itself on dialling.
    :param commands_allowed: True if the line's plugin was enabled when the session opened.
    """

    def __init__(self, number: str, auto_answer: bool, commands_allowed: bool = True) -> None:
        self.id = secrets.token_urlsafe(24)
        self.number = number
        self.auto_answer = auto_answer
        self.commands_allowed = commands_allowed
        self.counter = 1
        # A dict keeps the order of subscribing, in which get_subscriptions lists them.
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

    def subscribes_to(self, numbers: Iterable[str]) -> bool:
        """Return True if the session subscribes to one of `numbers`."""
        return not self._subscriptions.keys().isdisjoint(numbers)

    def take_snapshot(self) -> SessionSnapshot:
        return SessionSnapshot(
            self.number, self.counter, tuple(self._subscriptions), self.auto_answer)


class Sessions:
    """The sessions of the service.

    :param scheduler: runs the timer of a session without connections.
    :param session_timer: seconds until such a session is destroyed.
    :param on_destroyed: receives each destroyed session.
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

    def get_all(self) -> List[Session]:
        """Return every session that can be used or restored, oldest first."""
        return list(self._by_id.values())

    def create(self, number: str, auto_answer: bool, commands_allowed: bool = True) -> Session:
        """Open a session of the line `number`, with one connection."""
        session = Session(number, auto_answer, commands_allowed)
        self._by_id[session.id] = session
        return session

    def restore(self, session_id: str, number: str) -> Session:
        """Add a connection to a session and stop its timer.

        :raises Refused: the session does not exist, or belongs to another line than `number`.
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
        """Remove a connection from a session; start its timer at zero."""
        session.counter -= 1
        if session.counter == 0 and session.id in self._by_id:
            session.timer = self._scheduler.call_later(
                self._session_timer, lambda: self.destroy(session))

    def destroy(self, session: Session) -> None:
        """Destroy a session, so that it cannot be used or restored."""
        del self._by_id[session.id]
        if session.timer is not None:
            session.timer.cancel()
        self._on_destroyed(session)

    def destroy_all(self, number: Optional[str]) -> int:
        """Destroy the sessions of a line, or every session; return their number."""
        matching = [each for each in self.get_all() if number in (None, each.number)]
        for session in matching:
            self.destroy(session)
        return len(matching)


@dataclass
class _Grant:
    number: str
    expires: float


class Tokens:
    """The issued CSI tokens.

    :param clock: returns the time in Unix seconds.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._grants: Dict[str, _Grant] = {}

    def mint(self, number: str, lifetime: float) -> str:
        """Return a new token for the line `number`, valid for `lifetime` seconds."""
        token = secrets.token_hex(20)
        self._grants[token] = _Grant(number, self._clock() + lifetime)
        return token

    def check(self, token: str) -> str:
        """Return the number of the token's line.

        :raises Refused: the token is unknown, revoked or expired.
        """
        grant = self._grants.get(token)
        if grant is None:
            raise Refused(INVALID_TOKEN)
        if self._clock() >= grant.expires:
            raise Refused(EXPIRED_TOKEN)
        return grant.number

    def expire(self, token: str) -> None:
        """Let a token expire now.

        :raises ValueError: this service did not issue the token.
        """
        self._find(token).expires = self._clock()

    def revoke(self, token: str) -> None:
        """Make a token invalid, as if it had never been issued.

        :raises ValueError: this service did not issue the token.
        """
        self._find(token)
        del self._grants[token]

    def _find(self, token: str) -> _Grant:
        try:
            return self._grants[token]
        except KeyError:
            # Otherwise the chained KeyError would show the token.
            raise ValueError("token: not one that this simulator issued") from None
