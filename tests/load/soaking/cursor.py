"""How far one client has come in what was sent on one connection."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Protocol, Union

from .rules import EVENT_OF, Memory, Says, SaysNewCall
from .wiretap import Answered, Item, Told, Wire


class SaysCalled(NamedTuple):
    """A callback is called."""

    tag: int


#: What a client is told.
Emission = Union[Says, SaysCalled]


class Book(Protocol):
    """What is known of the commands that a client asked."""

    def calls_back(self, tag: int) -> bool:
        """Whether the server's answer, when it comes, is told by a callback."""

    def answered(self, tag: int) -> bool:
        """Whether the client has got the server's answer."""


class Cursor:
    """Goes through what was sent on a connection, as the client is told of it.

    :param memory: what the client knows; goes on with the cursor.
    :ivar at: how many items are behind.
    :ivar owed: what else is to be told of the last one of them.
    """

    def __init__(self, wire: Wire, memory: Memory, book: Book) -> None:
        self.wire = wire
        self.at = 0
        self.owed: List[Emission] = []
        self._memory = memory
        self._book = book

    def next(self) -> Optional[Emission]:
        """What the client is to be told next, if anything."""
        while not self.owed and self.at < len(self.wire.items):
            told = self._emissions(self.wire.items[self.at])
            if told:
                return told[0]
            self._pass()
        return self.owed[0] if self.owed else None

    def advance(self) -> None:
        """The client was told that, or never will be."""
        if self.next() is not None and not self.owed:
            self.owed = self._emissions(self.wire.items[self.at])
            self._pass()
        del self.owed[0]

    def can_leave(self) -> bool:
        """Whether the client was told all that it must have got."""
        if self.next() is None:
            return True
        return not self.owed and self.at >= self.acknowledged()

    def find(self, wanted: Emission) -> Optional[int]:
        """Where else something is on the connection: the nearest place ahead, or else behind."""
        places = [*range(self.at, len(self.wire.items)), *reversed(range(self.at))]
        return next((at for at in places if _is(self.wire.items[at], wanted)), None)

    def acknowledged(self) -> int:
        """How many items the client must have got: those up to the last answer that it got."""
        items = self.wire.items
        for at in reversed(range(self.at, len(items))):
            item = items[at]
            if isinstance(item, Answered) and item.tag and self._book.answered(item.tag):
                return at + 1
        return self.at

    def _emissions(self, item: Item) -> List[Emission]:
        if isinstance(item, Told):
            return [*self._memory.says(item.call)]
        if item.tag is None or not self._book.calls_back(item.tag):
            return []
        return [SaysCalled(item.tag)]

    def _pass(self) -> None:
        item = self.wire.items[self.at]
        self.at += 1
        if isinstance(item, Told):
            self._memory.comes(item.call)


def _is(item: Item, wanted: Emission) -> bool:
    if isinstance(item, Answered):
        return isinstance(wanted, SaysCalled) and item.tag == wanted.tag
    if isinstance(wanted, SaysCalled):
        return False
    if isinstance(wanted, SaysNewCall):
        return item.call == wanted.call
    return (item.call["callref"], EVENT_OF[item.call["state"]]) == wanted
