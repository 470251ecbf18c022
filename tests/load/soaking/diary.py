"""What a client was told, in order."""

from __future__ import annotations

import threading
import time
from typing import Any, Callable, List, Mapping, NamedTuple, Optional, Union


class Opening(NamedTuple):
    """The program begins to ask for a session."""

    at: float


class Opened(NamedTuple):
    """The program's own request for a session has succeeded."""

    at: float


class NewCall(NamedTuple):
    """``newCall`` came; `stale` is that of the call just then."""

    at: float
    call: Mapping[str, Any]
    stale: bool


class StateEvent(NamedTuple):
    """``setup``, ``connect``, ``release`` or ``missed`` came; `state` is that of the call."""

    at: float
    callref: str
    name: str
    state: Optional[str]


class Called(NamedTuple):
    """The callback of a command was called."""

    at: float
    tag: int


class Disconnected(NamedTuple):
    """``disconnected`` came; `fresh` are the calls that went on and were not stale."""

    at: float
    fresh: int


class Restored(NamedTuple):
    """``restored`` came; `back_at` is when the session was back, and the gap at its end."""

    at: float
    gap: float
    recreated: bool
    back_at: float


class Lost(NamedTuple):
    """``lost`` came."""

    at: float
    error: Any


class Problem(NamedTuple):
    """``error`` came."""

    at: float
    error: BaseException


class Closing(NamedTuple):
    """``close()`` is about to be called. Callbacks go on, after events that are left out."""

    at: float


class Ended(NamedTuple):
    """``close()`` has returned, or ``destroy_session`` was answered with success."""

    at: float
    how: str


Entry = Union[
    Opening, Opened, NewCall, StateEvent, Called, Disconnected, Restored, Lost, Problem, Closing,
    Ended,
]

#: Seconds after which ``close()`` has not waited for all handlers.
LATE = 1.5


class Diary:
    """Entries, from the threads of one client. Those of handlers and callbacks are in the order
    in which these ran."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._entries: List[Entry] = []

    def write(self, kind: Callable[..., Entry], *contents: Any) -> None:
        with self._changed:
            self._entries.append(kind(self._clock(), *contents))
            self._changed.notify_all()

    def tear_out(self) -> List[Entry]:
        """What was written since the last time."""
        with self._changed:
            entries, self._entries = self._entries, []
            return entries

    def wait(self, until: Callable[[], bool], timeout: float) -> bool:
        """Waits until something is so of which something is written here.

        :param timeout: seconds.
        :returns: whether it came to be so.
        """
        with self._changed:
            return self._changed.wait_for(until, timeout)


def shown(entry: Any) -> str:
    """An entry of a diary or of a wire, for a person: short, and without secrets."""
    name = type(entry).__name__
    if isinstance(getattr(entry, "call", None), Mapping):
        call = entry.call
        slot = f" in slot {call['callpark_slot']}" if "callpark_slot" in call else ""
        what = (f"{call.get('callref')} {call.get('state')} "
                f"{call.get('caller')} -> {call.get('callee')}{slot}")
    else:
        fields = {key: value for key, value in entry._asdict().items()
                  if key not in ("at", "result") and value is not None}
        what = " ".join(f"{key}={str(value)[:80]}" for key, value in fields.items())
    return f"{entry.at:12.3f} {name} {what}"
