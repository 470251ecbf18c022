"""One way to explain what a client was told: on which connections it was.

Mostly there is only one. But a connection can open at the server without the client's ever
hearing of it, and the next one begins with the same calls.
"""

from __future__ import annotations

from typing import List, Optional

from .cursor import Book, Cursor, Emission
from .rules import Memory
from .wiretap import Wire


class Track:
    """Where the client is, if this explanation is right.

    :ivar memory: what it knows then.
    :ivar cursor: the connection that it is on, and how far; None while it is on none.
    :ivar last: the number of the last connection that it was on.
    :ivar movable: whether it may turn out to be on a later one.
    :ivar created: whether the server has made a session since the drop.
    :ivar told_at: when the last thing that it was told was sent.
    :ivar told_before: that of before the drop.
    """

    def __init__(self, memory: Memory, book: Book) -> None:
        self.memory = memory
        self.cursor: Optional[Cursor] = None
        self.last = 0
        self.movable = True
        self.created = False
        self.told_at = self.told_before = 0.0
        self._book = book

    def fits(self, what: Emission) -> bool:
        """Whether this is what the client is to be told next, where it is."""
        return self.cursor is not None and self.cursor.next() == what

    def advance(self) -> None:
        """The client was told that."""
        cursor = self.cursor
        assert cursor is not None
        cursor.advance()
        self.told_at = cursor.wire.items[cursor.at - 1].at

    def begun(self, wire: Wire) -> Cursor:
        """The beginning of a later connection, as it is if the client is there."""
        return Cursor(wire, self.memory.after_gap(), self._book)

    def moved(self, wire: Wire, passed: List[Wire]) -> Track:
        """The explanation that the client is on a later connection, at its beginning.

        :param passed: those that it was never on, and this one.
        """
        track = Track(self.memory.after_gap(), self._book)
        track.cursor = Cursor(wire, track.memory, self._book)
        track.last = wire.number
        track.created = self.created or any(
            each.opened_by == "create_session" for each in passed)
        track.told_at, track.told_before = self.told_at, self.told_before
        return track

    def can_leave(self) -> bool:
        """Whether the client was told all that it must have got where it is."""
        return self.cursor is None or self.cursor.can_leave()

    def cut(self) -> None:
        """The connection is gone."""
        self.cursor = None
        self.movable = True
        self.created = False
        self.told_before = self.told_at
        self.memory.gap()

    def agrees(self, recreated: bool) -> bool:
        """Whether the session can be what `restored` said of it."""
        if recreated:
            return self.created
        return self.cursor is None or self.cursor.wire.opened_by != "create_session"

    def is_like(self, other: Track) -> bool:
        """Whether nothing that is still to come can tell the two apart."""
        return (
            self._place() == other._place() and self.movable == other.movable
            and self.created == other.created and self.memory.calls == other.memory.calls
        )

    def _place(self) -> object:
        cursor = self.cursor
        return self.last if cursor is None else (cursor.wire.number, cursor.at, len(cursor.owed))
