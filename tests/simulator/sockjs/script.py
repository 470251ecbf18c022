"""A handler that follows a script."""

from __future__ import annotations

from queue import Queue
from typing import Any, Callable, List

from keyyo_cti.simulator.sockjs import Connection

TIMEOUT = 30.0


class Script:
    """A handler that records events and reacts to them as scripted."""

    def __init__(self) -> None:
        self.events: Queue[Any] = Queue()
        self.connections: List[Connection] = []
        self.greet: Callable[[Connection], object] = lambda connection: None
        self.answer: Callable[[Connection, str], object] = lambda connection, text: None

    def opened(self, connection: Connection) -> None:
        self.connections.append(connection)
        self.events.put("opened")
        self.greet(connection)

    def message(self, connection: Connection, text: str) -> None:
        self.events.put(text)
        self.answer(connection, text)

    def closed(self, connection: Connection) -> None:
        self.events.put("closed")

    def next(self) -> Any:
        return self.events.get(timeout=TIMEOUT)
