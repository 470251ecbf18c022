"""The calls that are known: callref -> Call."""

import threading
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional

from . import retelling
from .call import Call

#: How many calls are kept that went on when they were last told of, which was two gaps ago: each
#: of them has most likely ended in a gap, and would be kept for ever.
_MOST_SILENT = 1000


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
    :param max_ended: how many ended calls are kept, the last ones; None keeps all. Calls that
        go on are always kept.
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
        # Dicts for their order: the callrefs of the calls that have ended, and of those that
        # nobody has told of for two gaps.
        self._ended: Dict[str, None] = {}
        self._silent: Dict[str, None] = {}
        # Those that were known before the last gap and have had no news since: callref -> the
        # stage that they had reached.
        self._before: Dict[str, Optional[int]] = {}

    def update(self, callref: str, fields: Mapping[str, Any]) -> Update:
        """The call with what is now known of it, moved to the end."""
        with self._lock:
            call = self._calls.pop(callref, None)
            what = self._what(call, fields)
            if call is None:
                call = self._make(callref)
            if what == retelling.NEWS:
                self._before.pop(callref, None)
            if what == retelling.REPEAT:
                call.stale = False
            else:
                call.update(fields)
            self._calls[callref] = call
            self._silent.pop(callref, None)
            self._ended.pop(callref, None)
            if call.ended:
                self._ended[callref] = None
                self._forget(self._ended, self._max_ended)
            return Update(call, what)

    def mark_gap(self) -> None:
        """The connection is lost: what happens from here on is not told, so that of no call that
        goes on it is known whether it still does."""
        with self._lock:
            for callref, call in self._calls.items():
                if call.stale:
                    self._silent[callref] = None
                call.stale = not call.ended
                self._before.setdefault(callref, retelling.stage(call.fields))
            self._forget(self._silent, _MOST_SILENT)

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
        return retelling.compare(call.fields, fields, self._before[call.callref])

    def _forget(self, callrefs: Dict[str, None], most: Optional[int]) -> None:
        """Forgets the first of these calls, so that no more of them are kept."""
        assert self._lock.locked()
        while most is not None and len(callrefs) > most:
            oldest = next(iter(callrefs))
            del callrefs[oldest]
            del self._calls[oldest]
            self._before.pop(oldest, None)
