"""The connected clients: which session each has, and who is told what."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Callable, Dict, FrozenSet, List, Optional, Protocol

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

    def send(self, text: str) -> None:
        """Send one message."""

    def send_many(self, texts: List[str], *, packed: bool = True) -> None:
        """Send several messages, in one frame or in a frame each."""

    def close(self, code: int, reason: str) -> None:
        """Say goodbye and close."""


class Client:
    """One connection, and the session it has once it has one.

    :param wire: carries its messages.
    """

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.session: Optional[Session] = None

    @property
    def number(self) -> Optional[str]:
        """The line of the client's session."""
        return self.session.number if self.session else None

    def snapshot(self) -> ConnectionSnapshot:
        return ConnectionSnapshot(self.wire.transport, self.number)

    def send(self, message: Any) -> None:
        """Send one object of the protocol."""
        self.wire.send(json.dumps(message))

    def notify(self, record: CallRecord) -> None:
        """Tell how a call stands now."""
        self.send({"notify": "call", "call": record.as_wire()})


class Clients:
    """Every client that is connected."""

    def __init__(self) -> None:
        self._by_wire: Dict[Any, Client] = {}

    def add(self, wire: Wire) -> None:
        self._by_wire[wire] = Client(wire)

    def remove(self, wire: Wire) -> Client:
        return self._by_wire.pop(wire)

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
