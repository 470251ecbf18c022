"""The CTI service: the exchange, the sessions and the clients."""

from __future__ import annotations

import logging
from collections import deque
from typing import Callable, Deque, FrozenSet, List, Optional

from .actions import Actions
from .call_history import CallHistory
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

MAX_RECEIVED_COMMANDS = 10_000
SECRETS = ("token", "session_id")

CallCallback = Callable[[CallRecord, FrozenSet[str]], object]
"""Receives each change of a call, and the numbers whose subscribers it concerns.

It runs on the loop's thread, before any client is notified; it must not block or raise.
"""


class Service:
    """The handler of the SockJS endpoint; all of it runs on the loop's thread.

    :param clock: returns the time in Unix seconds.
    :param scheduler: runs the timers of sessions and calls.
    :param intercept: called before a command is performed; it returns True to replace it.
    :param session_timer: seconds until a session without connections is destroyed.
    :param ring_timeout: seconds after which a call is missed; None is no timeout.
    :param park_slots: number of numbered callpark slots.
    :param replay_on_restore: True if a restored session is notified of its live calls.
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
        self.received: Deque[Fields] = deque(maxlen=MAX_RECEIVED_COMMANDS)
        self.call_callbacks: List[CallCallback] = []
        self.tokens = Tokens(clock)
        self.sessions = Sessions(scheduler, session_timer, self._on_session_destroyed)
        self.exchange = Exchange(
            clock,
            scheduler,
            ring_timeout=ring_timeout,
            on_call=self._on_call_change,
            on_subscriber_change=lambda subscriber: self.watchers.notify(),
            on_message=lambda sender, to: self.history.on_message(sender, to),
        )
        self.history = CallHistory(self.exchange, clock)
        self._scheduler = scheduler
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
        """Add a client, which has no session yet."""
        self.clients.add(connection)
        self.watchers.notify()

    def message(self, connection: Connection, text: str) -> None:
        """Perform a client's command."""
        client = self.clients[connection]
        command = decode(text)
        if command is None:
            log.debug("ignored a message without a usable id from %s", client.number)
            return
        self.received.append(
            {name: value for name, value in command.fields.items() if name not in SECRETS})
        client.report(RECEIVED, command.fields)
        if not self._intercept(client, command):
            self._actions.perform(client, command)
        self.watchers.notify()

    def perform_later(self, client: Client, command: Command, seconds: float) -> None:
        """Perform a command after a delay, unless its client has left by then."""

        def perform() -> None:
            if self.clients.select(lambda each: each is client):
                self._actions.perform(client, command)
                self.watchers.notify()

        self._scheduler.call_later(seconds, perform)

    def closed(self, connection: Connection) -> None:
        """Remove a client from its session."""
        self._actions.leave(self.clients.remove(connection))
        self.watchers.notify()

    def _on_call_change(self, record: CallRecord, audience: FrozenSet[str]) -> None:
        log.debug("%s: %s -> %s %s", record.callref, record.caller, record.callee, record.state)
        self.history.on_call(record, audience)
        for callback in self.call_callbacks:
            callback(record, audience)
        self.clients.notify(record, audience)
        self.watchers.notify()

    def _on_session_destroyed(self, session: Session) -> None:
        self.clients.dismiss(session)
        self.watchers.notify()
