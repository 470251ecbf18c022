"""The connected clients: which session each has, and who is told what."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import Any, Callable, Dict, FrozenSet, List, NamedTuple, Optional, Protocol

from .calls import CallRecord
from .sessions import Session


@dataclass(frozen=True)
class ConnectionSnapshot:
    """A connection as it stands at one moment.

    :ivar transport: "websocket", "xhr-streaming" or "xhr-polling".
    :ivar number: the line of its session; None while it has none.
    """

    transport: str
    number: Optional[str]


class Wire(Protocol):
    """What a client needs of its connection."""

    transport: str

    def send(self, text: str) -> bool:
        """Send one message; tells whether it is under way."""

    def send_many(self, texts: List[str], *, packed: bool = True) -> bool:
        """Send several messages, in one frame or in a frame each; tells whether they are under
        way."""

    def send_frame(self, frame: bytes) -> bool:
        """Send something as a frame, right or wrong; tells whether it is under way."""

    def close(self, code: int, reason: str) -> None:
        """Say goodbye and close."""


class Passage(NamedTuple):
    """Something that happens on a connection.

    :ivar connection: its number, which no other connection has.
    :ivar transport: "websocket", "xhr-streaming" or "xhr-polling".
    :ivar line: the line of its session; None while it has none.
    :ivar kind: `OPENED`, `RECEIVED`, `SENT`, `GARBLED` (sent in a form that nobody can read) or
        `CLOSED`.
    :ivar content: the message that was received or sent, or None; in it may be secrets.
    """

    connection: int
    transport: str
    line: Optional[str]
    kind: str
    content: Any


OPENED, RECEIVED, SENT, GARBLED, CLOSED = "opened", "received", "sent", "garbled", "closed"

Garble = Callable[[str], bytes]
"""Makes a frame of a message that nobody can read any more."""

Witness = Callable[[Passage], object]
"""Told what passes, in order, on the loop's thread: it must not wait, and must not raise."""


class Client:
    """One connection, and the session it has once it has one.

    :param wire: carries its messages.
    :param connection: its number.
    :param witnesses: told what passes on it.
    :ivar garble_next: what is done to the next notification; None for nothing.
    """

    def __init__(self, wire: Wire, connection: int, witnesses: List[Witness]) -> None:
        self.wire = wire
        self.session: Optional[Session] = None
        self.garble_next: Optional[Garble] = None
        self._connection = connection
        self._witnesses = witnesses

    @property
    def number(self) -> Optional[str]:
        """The line of the client's session."""
        return self.session.number if self.session else None

    def snapshot(self) -> ConnectionSnapshot:
        return ConnectionSnapshot(self.wire.transport, self.number)

    def send(self, message: Any) -> None:
        """Send one object of the protocol."""
        if self.wire.send(json.dumps(message)):
            self.testify(SENT, message)

    def push(self, texts: List[str], *, packed: bool) -> None:
        """Send messages as they are, in one frame or in a frame each."""
        if self.wire.send_many(texts, packed=packed):
            for text in texts:
                self.testify(SENT, json.loads(text))

    def testify(self, kind: str, content: Any = None) -> None:
        """Tell the witnesses."""
        for witness in self._witnesses:
            witness(Passage(self._connection, self.wire.transport, self.number, kind, content))

    def notify(self, record: CallRecord) -> None:
        """Tell how a call stands now."""
        message = {"notify": "call", "call": record.as_wire()}
        garble, self.garble_next = self.garble_next, None
        if garble is None:
            self.send(message)
        elif self.wire.send_frame(garble(json.dumps(message))):
            self.testify(GARBLED, message)


class Clients:
    """Every client that is connected."""

    def __init__(self) -> None:
        self.witnesses: List[Witness] = []
        self._by_wire: Dict[Any, Client] = {}
        self._numbers = itertools.count(1)

    def add(self, wire: Wire) -> None:
        client = self._by_wire[wire] = Client(wire, next(self._numbers), self.witnesses)
        client.testify(OPENED)

    def remove(self, wire: Wire) -> Client:
        client = self._by_wire.pop(wire)
        client.testify(CLOSED)
        return client

    def __getitem__(self, wire: Wire) -> Client:
        return self._by_wire[wire]

    def where(self, chosen: Callable[[Client], bool]) -> List[Client]:
        """The clients that are `chosen`, oldest first."""
        return [client for client in self._by_wire.values() if chosen(client)]

    def of_line(self, number: Optional[str]) -> List[Client]:
        """The clients whose session is of the line `number`; None gives all clients."""
        return self.where(lambda client: number is None or client.number == number)

    def snapshots(self) -> List[ConnectionSnapshot]:
        """Every connection as it stands, oldest first."""
        return [client.snapshot() for client in self._by_wire.values()]

    def notify(self, record: CallRecord, audience: FrozenSet[str]) -> None:
        """Tell a call once to each client that is subscribed to one of `audience`."""
        for client in self._by_wire.values():
            if client.session and client.session.hears(audience):
                client.notify(record)

    def dismiss(self, session: Session) -> None:
        """Close the connections of a session that has been destroyed."""
        for client in self.where(lambda each: each.session is session):
            client.session = None
            client.wire.close(3000, "Go away!")
