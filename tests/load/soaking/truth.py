"""What happened to the calls, whoever was connected and whatever was sent of it."""

from __future__ import annotations

import json
import threading
import time
from typing import Any, Callable, Dict, FrozenSet, Iterable, List, Mapping, NamedTuple

from keyyo_cti.simulator import CallRecord


class Change(NamedTuple):
    """A call came to be as it is here.

    :ivar at: monotonic time, before anything of it was sent.
    :ivar call: its fields, as they are notified.
    """

    at: float
    call: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The same for two calls that are alike in all fields."""
        return key_of(self.call)


def key_of(call: Mapping[str, Any]) -> str:
    return json.dumps(call, sort_keys=True)


class Truth:
    """A witness of the simulator's calls: keeps each change that concerns one of some lines.
    Told on the simulator's thread, read on any.

    :param lines: their numbers.
    """

    def __init__(
        self, lines: Iterable[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._changes: Dict[str, List[Change]] = {line: [] for line in lines}

    def __call__(self, record: CallRecord, numbers: FrozenSet[str]) -> None:
        change = Change(self._clock(), record.as_wire())
        with self._lock:
            for number in numbers & self._changes.keys():
                self._changes[number].append(change)

    def of(self, line: str) -> List[Change]:
        """The changes that concern a line, oldest first."""
        with self._lock:
            return list(self._changes[line])
