"""The connected clients, their sessions and their notifications."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import Any, Callable, Dict, FrozenSet, List, NamedTuple, Optional, Protocol

from .calls import CallRecord
from .sessions import Session


@dataclass(frozen=True)
class ConnectionSnapshot:
    """A snapshot of a connection.

    :ivar transport: "websocket", "xhr-streaming" or "xhr-polling".
    :ivar number: the line of its session; None without a session.
    """

    transport: str
    number: Optional[str]


class Wire(Protocol):
    """The methods of a connection that a client uses."""

    transport: str

    def send(self, text: str) -> bool:
        """Send one message; return True if it will be sent."""

    def send_many(self, texts: List[str], *, packed: bool = True) -> bool:
        """Send messages in one frame or several; return True if they will be sent."""

    def send_frame(self, frame: bytes) -> bool:
        """Send a frame without checking it; return True if it will be sent."""

    def close(self, code: int, reason: str) -> None:
        """Send a close frame, then close the connection."""


class Passage(NamedTuple):
    """One event on a connection.

    :ivar connection: the unique number of the connection.
    :ivar transport: "websocket", "xhr-streaming" or "xhr-polling".
    :ivar line: the line of its session; None without a session.
    :ivar kind: `OPENED`, `RECEIVED`, `SENT`, `GARBLED` (sent in an unreadable form) or `CLOSED`.
    :ivar content: the message, or None; it may contain secrets.
    """

    connection: int
    transport: str
    line: Optional[str]
    kind: str
    content: Any


OPENED, RECEIVED, SENT, GARBLED, CLOSED = "opened", "received", "sent", "garbled", "closed"

Garble = Callable[[str], bytes]
"""Turns a message into an unreadable frame."""

TrafficCallback = Callable[[Passage], object]
"""Receives each `Passage` in order, on the loop's thread; it must not block or raise."""


class Client:
    """A connection and its session.

    :param wire: carries its messages.
    :param connection: its unique number.
    :param traffic_callbacks: called with each event on it.
    :ivar garble_next: garbles the next notification; None sends it unchanged.
    """

    def __init__(
        self, wire: Wire, connection: int, traffic_callbacks: List[TrafficCallback]
    ) -> None:
        self.wire = wire
        self.session: Optional[Session] = None
        self.garble_next: Optional[Garble] = None
        self._connection = connection
        self._traffic_callbacks = traffic_callbacks

    @property
    def number(self) -> Optional[str]:
        """The line of the client's session."""
        return self.session.number if self.session else None

    def take_snapshot(self) -> ConnectionSnapshot:
        return ConnectionSnapshot(self.wire.transport, self.number)

    def send(self, message: Any) -> None:
        """Send one message of the protocol."""
        if self.wire.send(json.dumps(message)):
            self.report(SENT, message)

    def push(self, texts: List[str], *, packed: bool) -> None:
        """Send encoded messages, in one frame or one frame each."""
        if self.wire.send_many(texts, packed=packed):
            for text in texts:
                self.report(SENT, json.loads(text))

    def report(self, kind: str, content: Any = None) -> None:
        """Call the traffic callbacks."""
        for callback in self._traffic_callbacks:
            callback(Passage(self._connection, self.wire.transport, self.number, kind, content))

    def notify(self, record: CallRecord) -> None:
        """Send the current state of a call."""
        message = {"notify": "call", "call": record.as_wire()}
        garble, self.garble_next = self.garble_next, None
        if garble is None:
            self.send(message)
        elif self.wire.send_frame(garble(json.dumps(message))):
            self.report(GARBLED, message)


class Clients:
    """The connected clients."""

    def __init__(self) -> None:
        self.traffic_callbacks: List[TrafficCallback] = []
        self._by_wire: Dict[Any, Client] = {}
        self._numbers = itertools.count(1)

    def add(self, wire: Wire) -> None:
        client = self._by_wire[wire] = Client(wire, next(self._numbers), self.traffic_callbacks)
        client.report(OPENED)

    def remove(self, wire: Wire) -> Client:
        client = self._by_wire.pop(wire)
        client.report(CLOSED)
        return client

    def __getitem__(self, wire: Wire) -> Client:
        return self._by_wire[wire]

    def select(self, predicate: Callable[[Client], bool]) -> List[Client]:
        """Return the clients for which `predicate` is true, oldest first."""
        return [client for client in self._by_wire.values() if predicate(client)]

    def find_by_line(self, number: Optional[str]) -> List[Client]:
        """Return the clients of the line `number`; None returns all clients."""
        return self.select(lambda client: number is None or client.number == number)

    def take_snapshots(self) -> List[ConnectionSnapshot]:
        """Return a snapshot of every connection, oldest first."""
        return [client.take_snapshot() for client in self._by_wire.values()]

    def notify(self, record: CallRecord, audience: FrozenSet[str]) -> None:
        """Notify each client that subscribes to one of `audience`, once."""
        for client in self._by_wire.values():
            if client.session and client.session.subscribes_to(audience):
                client.notify(record)

    def dismiss(self, session: Session) -> None:
        """Close the connections of a destroyed session."""
        for client in self.select(lambda each: each.session is session):
            client.session = None
            client.wire.close(3000, "Go away!")
