"""Calls: the record that clients see, and the state that the exchange keeps."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, FrozenSet, List, Optional

from .clock import Timer
from .constants import CALLEE, CALLER, CALLPARK, CONNECT, MISSED, RELEASE, SETUP
from .errors import WrongValue


@dataclass(frozen=True)
class CallRecord:
    """A snapshot of a call; dates are whole Unix seconds."""

    callref: str
    caller: str
    callee: str
    state: str
    setup_date: int
    connect_date: Optional[int] = None
    release_date: Optional[int] = None
    callpark_slot: Optional[str] = None

    def as_wire(self) -> Dict[str, Any]:
        """Return the fields of a notification, without those that are None."""
        fields = dataclasses.asdict(self)
        return {name: value for name, value in fields.items() if value is not None}

    @property
    def audience(self) -> FrozenSet[str]:
        """The numbers whose subscribers are notified of this call."""
        parties = {self.caller, self.callee}
        return frozenset(parties | {CALLPARK} if self.callpark_slot is not None else parties)

    def party(self, side: str) -> str:
        """Return the number on one side, "caller" or "callee"."""
        return self.caller if side == CALLER else self.callee


@dataclass(eq=False)
class Call:
    """A call in the exchange: its current record, its timers and its callbacks."""

    record: CallRecord
    parked_side: Optional[str] = None
    timers: List[Timer] = field(default_factory=list)
    on_connect: List[Callable[[], None]] = field(default_factory=list)
    on_end: List[Callable[[], None]] = field(default_factory=list)

    @property
    def ringing(self) -> bool:
        return self.record.state == SETUP

    @property
    def ended(self) -> bool:
        return self.record.state in (RELEASE, MISSED)

    @property
    def talking(self) -> bool:
        """True if both parties hear each other: the call is connected and not parked."""
        return self.record.state == CONNECT and self.parked_side is None

    def involves(self, number: str) -> bool:
        return number in (self.record.caller, self.record.callee)

    def get_side(self, number: str) -> str:
        """Return the side of `number`."""
        return CALLER if self.record.caller == number else CALLEE

    def cancel_timers(self) -> None:
        while self.timers:
            self.timers.pop().cancel()


def get_other_side(side: str) -> str:
    """Return the opposite side."""
    return CALLEE if side == CALLER else CALLER


def require_distinct(*numbers: str) -> None:
    """Refuse to connect a number to itself.

    :raises WrongValue: a number occurs twice.
    """
    if len(set(numbers)) < len(numbers):
        raise WrongValue("a number cannot be connected to itself")
