"""The calls that are known: callref -> Call."""

import threading
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Set

from . import retelling
from .call import Call


class Update(NamedTuple):
    """What a notification did.

    :ivar call: the call that it is about.
    :ivar what: one of ``retelling``'s NEWS, CHANGE and REPEAT.
    """

    call: Call
    what: str


class Registry:
    """Every call of the session, in the order of their last notification. Thread-safe.

    :param make: makes the Call for a callref.
    :param max_ended: how many are kept of the calls that have ended, or that nobody has told of
        for two gaps, the last ones; None keeps all. Calls that go on are always kept.
    :param knows_repeats: whether what a server tells again after a gap is told from news.
    """

    def __init__(
        self, make: Callable[[str], Call], max_ended: Optional[int], knows_repeats: bool = False
    ) -> None:
        self._make = make
        self._max_ended = max_ended
        self._knows_repeats = knows_repeats
        self._lock = threading.Lock()
        self._calls: Dict[str, Call] = {}
        # A dict for its order: the callrefs of the calls that may be forgotten.
        self._over: Dict[str, None] = {}
        # The callrefs of those that were known before the last gap.
        self._before: Set[str] = set()

    def update(self, callref: str, fields: Mapping[str, Any]) -> Update:
        """The call with what is now known of it, moved to the end."""
        with self._lock:
            call = self._calls.pop(callref, None)
            what = self._what(call, fields)
            if call is None:
                call = self._make(callref)
            if what == retelling.REPEAT:
                call.stale = False
            else:
                call.update(fields)
            self._calls[callref] = call
            self._over.pop(callref, None)
            if call.ended:
                self._over[callref] = None
                self._forget()
            return Update(call, what)

    def mark_gap(self) -> None:
        """The connection is lost: what happens from here on is not told, so that of no call that
        goes on it is known whether it still does."""
        with self._lock:
            self._before = set(self._calls)
            for callref, call in self._calls.items():
                if call.stale:
                    # For the second time: it would be kept for ever.
                    self._over[callref] = None
                call.stale = not call.ended
            self._forget()

    def get(self, callref: str) -> Optional[Call]:
        """The call, or None when it is not known, or not any more."""
        with self._lock:
            return self._calls.get(callref)

    def all(self) -> List[Call]:
        """The calls, the last notified last."""
        with self._lock:
            return list(self._calls.values())

    def _what(self, call: Optional[Call], fields: Mapping[str, Any]) -> str:
        if call is None or not self._knows_repeats or call.callref not in self._before:
            return retelling.NEWS
        return retelling.compare(call.fields, fields)

    def _forget(self) -> None:
        assert self._lock.locked()
        while self._max_ended is not None and len(self._over) > self._max_ended:
            oldest = next(iter(self._over))
            del self._over[oldest]
            del self._calls[oldest]
            self._before.discard(oldest)
