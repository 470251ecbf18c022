"""The service behind the connections: everything but the thread and the telephones' owners."""

from __future__ import annotations

import logging
from collections import deque
from typing import Callable, Deque, FrozenSet, List, Optional

from .actions import Actions
from .callpark import CallPark
from .calls import CallRecord
from .clients import RECEIVED, Client, Clients
from .clock import Clock, Scheduler
from .commands import Command, Fields, decode
from .exchange import Exchange
from .sessions import Session, Sessions, Tokens
from .sockjs import Connection
from .watchers import Watchers

log = logging.getLogger("keyyo_cti.simulator")

RECEIVED_KEPT = 10_000
SECRETS = ("token", "session_id")

CallWitness = Callable[[CallRecord, FrozenSet[str]], object]
"""Told each change of a call, before any client is, and the numbers whose subscribers it
concerns; on the loop's thread: it must not wait, and must not raise."""


class Service:
    """The exchange, the sessions and the clients, wired together; a handler for SockJS.

    Everything here belongs to the loop's thread.

    :param clock: tells the time in Unix seconds.
    :param scheduler: runs the timers of sessions and calls.
    :param intercept: asked before a command is performed; True means it has been dealt with.
    :param session_timer: seconds that a session without connections stays.
    :param ring_timeout: seconds after which a call is missed; None rings for ever.
    :param park_slots: how many numbered slots the callpark has.
    :param replay_on_restore: whether a restored session is told the calls that go on.
    """

    def __init__(
        self,
        clock: Clock,
        scheduler: Scheduler,
        intercept: Callable[[Client, Command], bool],
        *,
        session_timer: float,
        ring_timeout: Optional[float],
        park_slots: int,
        replay_on_restore: bool,
    ) -> None:
        self.clients = Clients()
        self.watchers = Watchers()
        self.received: Deque[Fields] = deque(maxlen=RECEIVED_KEPT)
        self.call_witnesses: List[CallWitness] = []
        self.tokens = Tokens(clock)
        self.sessions = Sessions(scheduler, session_timer, self._session_destroyed)
        self.exchange = Exchange(
            clock,
            scheduler,
            ring_timeout=ring_timeout,
            on_call=self._call_changed,
            on_station=lambda station: self.watchers.changed(),
        )
        self._intercept = intercept
        self._actions = Actions(
            self.exchange,
            CallPark(self.exchange, park_slots),
            self.sessions,
            self.tokens,
            clock,
            replay_on_restore=replay_on_restore,
        )

    def opened(self, connection: Connection) -> None:
        """A client has connected; it has no session yet."""
        self.clients.add(connection)
        self.watchers.changed()

    def message(self, connection: Connection, text: str) -> None:
        """A client asks for something."""
        client = self.clients[connection]
        command = decode(text)
        if command is None:
            log.debug("ignored a message without a usable id from %s", client.number)
            return
        self.received.append(
            {name: value for name, value in command.fields.items() if name not in SECRETS})
        client.testify(RECEIVED, command.fields)
        if not self._intercept(client, command):
            self._actions.perform(client, command)
        self.watchers.changed()

    def closed(self, connection: Connection) -> None:
        """A client is gone, and leaves its session."""
        self._actions.leave(self.clients.remove(connection))
        self.watchers.changed()

    def _call_changed(self, record: CallRecord, audience: FrozenSet[str]) -> None:
        log.debug("%s: %s -> %s %s", record.callref, record.caller, record.callee, record.state)
        for witness in self.call_witnesses:
            witness(record, audience)
        self.clients.notify(record, audience)
        self.watchers.changed()

    def _session_destroyed(self, session: Session) -> None:
        self.clients.dismiss(session)
        self.watchers.changed()
