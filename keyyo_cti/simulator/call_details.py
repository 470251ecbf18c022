"""Records of the call history as the Manager API shows them. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Dict, Mapping, Optional

from .._display.paris import in_paris, paris
from .calls import CallRecord
from .constants import SETUP

IN, OUT = "in", "out"
DIRECTIONS = (IN, OUT)

SECOND = "second"

_DATE_FORMAT = "%Y-%m-%d %H:%M"


@dataclass(frozen=True)
class CallDetail:
    """A record of the history of a line.

    :param line: the number of the line.
    :param direction: one of `DIRECTIONS`.
    :param call_id: the id of the call, the same in the histories of both lines.
    :param start: Unix seconds.
    :param caller: digits, or None.
    :param callee: digits, or None.
    :param quantity: seconds of conversation, or the number of messages.
    :param unit: "second", "sms" or another one.
    :param more: fields that are added, or replace others.
    """

    line: str
    direction: str
    call_id: str
    start: float
    caller: Optional[str]
    callee: Optional[str]
    quantity: int = 0
    unit: str = SECOND
    more: Mapping[str, Any] = field(default_factory=dict)

    def as_fields(self) -> Dict[str, Any]:
        """Return the fields of a response; numbers are strings, as Keyyo sends them."""
        fields = {
            "call_id": self.call_id,
            "start_time": str(int(self.start)),
            **_make_number("caller", self.caller),
            **_make_number("callee", self.callee),
            **_make_number("caller_presentation", self.caller),
            **_make_number("translation_number", None),
            "quantity": str(self.quantity),
            "quantity_billed": str(self.quantity if self.direction == OUT else 0),
            "unit": self.unit,
            "cost": "0.0000",
            "repayment": "0.0000",
            "roaming": None,
        }
        if self.direction == OUT:
            fields["destination_name"] = "France"
        return {**fields, **self.more}


def find_quantity(record: CallRecord, at: float, partial: bool) -> Optional[int]:
    """Return the seconds of conversation of a call, as the history knew them at a time.

    :param record: the current record of the call.
    :param at: Unix seconds.
    :param partial: True if the history also lists calls that go on.
    :returns: None if the history did not list the call.
    """
    connected, ended = record.connect_date, record.release_date
    if ended is not None and ended <= at:
        return 0 if connected is None else ended - connected
    if partial and record.state != SETUP and connected is not None and connected <= at:
        return int(at - connected)
    return None


def parse_date(text: str) -> float:
    """Return the Unix time of a date in Paris.

    :raises ValueError: it is not of the form YYYY-MM-DD HH:MM.
    """
    return datetime.strptime(text, _DATE_FORMAT).replace(tzinfo=paris()).timestamp()


def find_month(now: float) -> float:
    """Return when the current month began in Paris."""
    month = in_paris(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return month.timestamp()


def _make_number(name: str, digits: Optional[str]) -> Dict[str, Optional[str]]:
    shown = digits if digits is None or len(digits) < 7 else f"+{digits}"
    return {name: shown, f"{name}_raw": digits}
