"""The calls that are known: callref -> Call."""

import threading
from typing import Any, Callable, Dict, List, Mapping, Optional

from .call import Call


class Registry:
    """Every call of the session, in the order of their last notification. Thread-safe.

    :param make: makes the Call for a callref.
    :param max_ended: how many ended calls are kept, the last ones; None keeps all. Calls that
        go on are always kept.
    """

    def __init__(self, make: Callable[[str], Call], max_ended: Optional[int]) -> None:
        self._make = make
        self._max_ended = max_ended
        self._lock = threading.Lock()
        self._calls: Dict[str, Call] = {}
        # A dict for its order: the callrefs of the calls that have ended.
        self._ended: Dict[str, None] = {}

    def update(self, callref: str, fields: Mapping[str, Any]) -> Call:
        """The call with what is now known of it, moved to the end."""
        with self._lock:
            call = self._calls.pop(callref, None)
            if call is None:
                call = self._make(callref)
            call.update(fields)
            self._calls[callref] = call
            self._ended.pop(callref, None)
            if call.ended:
                self._ended[callref] = None
                self._forget()
            return call

    def get(self, callref: str) -> Optional[Call]:
        """The call, or None when it is not known, or not any more."""
        with self._lock:
            return self._calls.get(callref)

    def all(self) -> List[Call]:
        """The calls, the last notified last."""
        with self._lock:
            return list(self._calls.values())

    def _forget(self) -> None:
        assert self._lock.locked()
        while self._max_ended is not None and len(self._ended) > self._max_ended:
            oldest = next(iter(self._ended))
            del self._ended[oldest]
            del self._calls[oldest]
