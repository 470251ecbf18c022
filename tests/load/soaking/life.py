"""What a client is told of its session: every drop is told once, and ends in exactly one of
restored, lost and closed."""

from __future__ import annotations

from typing import Callable, Dict

from .diary import Disconnected, Ended, Entry, Lost, NewCall, Opened, Opening, Restored, StateEvent

#: There is no session.
IDLE = "idle"

#: There is one, on a connection.
UP = "up"

#: There was one, whose connection was lost; something is still to come of it.
DOWN = "down"

#: The program has closed it, and asked for nothing since.
CLOSED = "closed"


class Life:
    """The state of one client's session, entry by entry.

    :param restores: whether it restores by itself.
    :param complain: is told what must not be.
    """

    def __init__(self, restores: bool, complain: Callable[[str], object]) -> None:
        self._restores = restores
        self._complain = complain
        self._complaints: Dict[str, int] = {}
        self.state = CLOSED

    def see(self, entry: Entry) -> None:
        """Goes on by one entry."""
        if self.state == CLOSED and isinstance(
            entry, (NewCall, StateEvent, Disconnected, Restored, Lost)
        ):
            self._complain(f"{type(entry).__name__} after the end")
        elif isinstance(entry, Opening):
            self.state = IDLE if self.state == CLOSED else self.state
        elif isinstance(entry, Opened):
            self._opened()
        elif isinstance(entry, Disconnected):
            self._disconnected()
        elif isinstance(entry, (Restored, Lost)):
            self._outage_over(entry)
        elif isinstance(entry, Ended):
            self.state = CLOSED

    def _opened(self) -> None:
        if self.state != IDLE:
            self._complain(f"a session is opened by the program while {self.state}")
        self.state = UP

    def _disconnected(self) -> None:
        if self.state == DOWN:
            self._complain("disconnected twice, with nothing in between")
        # A connection that could not be had is told too, and nobody restores what never was.
        self.state = DOWN if self._restores and self.state != IDLE else IDLE

    def _outage_over(self, entry: Entry) -> None:
        if self.state != DOWN:
            self._complain(f"{type(entry).__name__} while {self.state}")
        self.state = UP if isinstance(entry, Restored) else IDLE
