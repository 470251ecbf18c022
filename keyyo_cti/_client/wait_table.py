"""The Futures that wait for events: found by their events and by their calls.

Only what the program can still see is kept. A Future that it drops is forgotten at once, unless it
has a deadline or a function to call.
"""

import weakref
from functools import partial
from typing import Any, Callable, Dict, Iterable, List

from ..call import Call
from .event_future import EventFuture

#: By key: what returns the Future, or None if the program has dropped it.
Table = Dict[int, "weakref.ref[EventFuture]"]


class WaitTable:
    """The pending Futures of one client.

    There is no lock: a signal handler, or the end of a Future in any thread, may call any of this
    on the thread that it interrupts. Each change of a dict is one atomic step.

    :param on_dropped: is called with the token of a Future that the program has dropped.
    :ivar pending: the Futures that are not complete, by their keys.
    """

    def __init__(self, on_dropped: Callable[[object], object]) -> None:
        self.pending: Table = {}
        self._on_dropped = on_dropped
        # Those with a deadline, and those with a function to call: they live without the program.
        self._timed: Dict[int, EventFuture] = {}
        self._held: Dict[int, EventFuture] = {}
        self._of_events: Dict[str, Table] = {}

    def add(self, future: EventFuture) -> None:
        """Add a Future that no event finds yet."""
        dropped = partial(self._drop, future.key, future.tables, future.token)
        self.pending[future.key] = weakref.ref(future, dropped)

    def register(self, future: EventFuture) -> None:
        """Let the events of a Future find it."""
        reference = self.pending.get(future.key)
        if reference is None:
            return
        if future.call is not None:
            future.tables.append(vars(future.call).setdefault("_waits", {}))
        else:
            future.tables.extend(self._of_events.setdefault(name, {}) for name in future.events)
        for table in future.tables:
            table[future.key] = reference
        if future.key not in self.pending:
            _remove(future.key, future.tables)

    def take(self, future: EventFuture) -> bool:
        """Remove a Future. Only the caller that gets True completes it."""
        key = future.key
        if self.pending.pop(key, None) is None:
            return False
        self._timed.pop(key, None)
        self._held.pop(key, None)
        _remove(key, future.tables)
        return True

    def hold(self, future: EventFuture) -> None:
        """Keep a Future although the program may drop it: a function is to be called."""
        self._keep(self._held, future)

    def hold_until_deadline(self, future: EventFuture) -> bool:
        """Keep a Future that has a deadline. Return False if it is complete."""
        return self._keep(self._timed, future)

    def _keep(self, kept: Dict[int, EventFuture], future: EventFuture) -> bool:
        kept[future.key] = future
        if future.key in self.pending:
            return True
        kept.pop(future.key, None)
        return False

    def _drop(self, key: int, tables: Iterable[Table], token: object, _: Any) -> None:
        if self.pending.pop(key, None) is not None:
            _remove(key, tables)
            self._on_dropped(token)

    def all(self) -> List[EventFuture]:
        """Return all Futures."""
        return _alive(self.pending)

    def timed(self) -> List[EventFuture]:
        """Return the Futures with a deadline."""
        return list(self._timed.values())

    def of_event(self, name: str) -> List[EventFuture]:
        """Return the Futures that wait for an event of the CTI."""
        return _alive(self._of_events.get(name, {}))

    def of_call(self, call: Call) -> List[EventFuture]:
        """Return the Futures that wait for an event of a call."""
        return _alive(vars(call).get("_waits", {}))


def _alive(table: Table) -> List[EventFuture]:
    found = [reference() for reference in list(table.values())]
    return [future for future in found if future is not None]


def _remove(key: int, tables: Iterable[Table]) -> None:
    for table in tables:
        table.pop(key, None)
