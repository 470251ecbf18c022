"""Tells failures that may repeat for months, without a flood of messages."""

import threading
from contextlib import suppress
from typing import Callable, Dict, Hashable, List, Tuple

from .._net.clock import Monotonic, monotonic
from .._net.rate_limit import RateLimit

#: Seconds in which a kind of failure is told once.
_PERIOD = 3600.0

#: Kinds that are told apart.
_MAX_KINDS = 100

Tell = Callable[[str], object]


class FailureLog:
    """Tells each kind of failure once an hour, and how many others there were.

    :param tell: receives the messages, on any thread.
    """

    def __init__(self, tell: Tell, clock: Monotonic = monotonic) -> None:
        self._tell = tell
        self._clock = clock
        self._lock = threading.Lock()
        # Guarded by the lock: the limit of each kind, and its last message.
        self._kinds: Dict[Hashable, Tuple[RateLimit, List[str]]] = {}

    def tell(self, kind: Hashable, message: str) -> None:
        """Tell a failure, or count it."""
        with self._lock:
            if kind not in self._kinds and len(self._kinds) >= _MAX_KINDS:
                kind = None
            new = RateLimit(1, _PERIOD, self._clock), [message]
            limit, last = self._kinds.setdefault(kind, new)
            last[0] = message
            allowed = limit.allows()
            left_out = limit.take_left_out() if allowed else 0
        if allowed:
            others = f" ({left_out} more since it was last told)" if left_out else ""
            self._print(message + others)

    def summarize(self) -> None:
        """Tell what was only counted, at the end."""
        with self._lock:
            counts = [(limit.take_left_out(), last[0]) for limit, last in self._kinds.values()]
        for count, message in counts:
            if count:
                self._print(f"{count} more: {message}")

    def _print(self, message: str) -> None:
        # Without the lock, because the reader of a pipe may be slow. If stderr is closed, the
        # thread that wanted to tell something goes on.
        with suppress(OSError, ValueError):
            self._tell(message)
