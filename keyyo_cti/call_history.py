"""The history of calls: what Keyyo recorded about each of them."""

from datetime import datetime
from typing import Any, Iterable, Literal, Mapping, NoReturn, Optional, Tuple

from ._display.dates import as_date
from ._display.paris import in_paris
from ._display.telephone_number import find_home, to_international
from ._net.javascript import as_key, as_number
from .results import Fields

__all__ = ["CallRecord", "HistoryDirection", "read_record"]

#: A call of the history is incoming or outgoing; a call between two lines is in both histories.
HistoryDirection = Literal["in", "out"]

#: The unit of calls. Any other one is of messages or data.
CALL_UNIT = "second"
_MAX_NUMBER_LENGTH = 40

#: More are no conversation.
_MAX_SECONDS = 2**31

#: The fields with a number, the best first. ``caller`` is often null on incoming calls.
_NUMBERS = {
    "caller": ("caller_raw", "caller", "actual_caller"),
    "callee": ("callee_raw", "callee"),
}


class CallRecord:
    """One call of the history. Immutable; equal to another one with the same content.

    Keyyo does not record when a call ended, how long it rang, and which telephone took it.

    :ivar call_id: Keyyo's id of the call, which has nothing in common with ``call.callref``. If
        Keyyo left it out, it is made of the other fields.
    :ivar csi: the line whose history it is; None in the history of the whole account.
    :ivar start_time: when the call began, in Unix seconds.
    :ivar caller: digits, or None if hidden or unknown.
    :ivar callee: digits, or None if unknown.
    :ivar direction: ``"in"`` or ``"out"``.
    :ivar unit: ``"second"`` for calls; ``"sms"`` and others for messages and data.
    :ivar seconds: of conversation so far. A call that goes on may be recorded with a part of them.
        None if unknown, and for messages and data.
    :ivar answered: True if somebody answered, False for a missed call. None if unknown, as for an
        outgoing call of 0 seconds.
    :ivar fields: everything that Keyyo sent, read-only.
    """

    __slots__ = (
        "call_id", "csi", "start_time", "caller", "callee", "direction", "unit", "seconds",
        "answered", "fields",
    )

    call_id: str
    csi: Optional[str]
    start_time: float
    caller: Optional[str]
    callee: Optional[str]
    direction: HistoryDirection
    unit: str
    seconds: Optional[int]
    answered: Optional[bool]
    fields: Mapping[str, Any]

    def __init__(
        self,
        call_id: str,
        csi: Optional[str],
        start_time: float,
        caller: Optional[str],
        callee: Optional[str],
        direction: HistoryDirection,
        unit: str = CALL_UNIT,
        seconds: Optional[int] = None,
        answered: Optional[bool] = None,
        fields: Mapping[str, Any] = Fields(),
    ) -> None:
        values = (
            call_id, csi, start_time, caller, callee, direction, unit, seconds, answered, fields,
        )
        for name, value in zip(self.__slots__, values):
            object.__setattr__(self, name, value)

    @property
    def start(self) -> datetime:
        """When the call began, with the time zone Europe/Paris."""
        return in_paris(self.start_time)

    @property
    def missed(self) -> bool:
        """True for an incoming call without a conversation."""
        return self.direction == "in" and self.seconds == 0

    @property
    def other(self) -> Optional[str]:
        """The number of the other side, or None if hidden or unknown."""
        return self.caller if self.direction == "in" else self.callee

    @property
    def line(self) -> Optional[str]:
        """The number of the account's line, or None if unknown."""
        own = self.callee if self.direction == "in" else self.caller
        return own if self.csi is None else self.csi

    @property
    def is_call(self) -> bool:
        """False for messages and data."""
        return self.unit == CALL_UNIT

    def _content(self) -> Tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__slots__[:-1])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CallRecord) and self._content() == other._content()

    def __hash__(self) -> int:
        return hash(self._content())

    def __repr__(self) -> str:
        parties = f"{self.caller or 'hidden'} -> {self.callee or 'unknown'}"
        how = "missed" if self.missed else self._describe_length()
        return f"<CallRecord {self.direction} {parties} {self.start:%Y-%m-%d %H:%M:%S} {how}>"

    def _describe_length(self) -> str:
        if not self.is_call:
            return repr(self.unit)
        return "of unknown length" if self.seconds is None else f"{self.seconds} s"

    def __reduce__(self) -> Any:
        return CallRecord, (*self._content(), self.fields)

    def _refuse(self, *_: Any) -> NoReturn:
        raise AttributeError("a CallRecord is read-only")

    __setattr__ = __delattr__ = _refuse


def read_record(
    fields: Mapping[str, Any], csi: Optional[str], direction: HistoryDirection
) -> Optional[CallRecord]:
    """Return Keyyo's fields of a call as a record, or None if they have no date.

    :param fields: of Keyyo. Numbers may come as text and text as numbers.
    :param csi: the line whose history it is; None for the whole account.
    """
    start_time = as_date(fields.get("start_time"))
    if start_time is None:
        return None
    # The id of a record without one must not depend on how the date is written.
    start_time = float(start_time)
    caller, callee = (_read_number(fields, _NUMBERS[side], csi) for side in _NUMBERS)
    unit = as_key(fields.get("unit")) or CALL_UNIT
    quantity = as_number(fields.get("quantity"))
    call_id = as_key(fields.get("call_id")) or f"{direction}/{start_time}/{caller}/{callee}/{unit}"
    seconds = answered = None
    if unit == CALL_UNIT and quantity is not None and 0 <= quantity < _MAX_SECONDS:
        seconds = int(quantity)
        # Keyyo does not tell missed calls; an incoming call without seconds was one.
        answered = True if quantity else (False if direction == "in" else None)
    return CallRecord(
        call_id, csi, start_time, caller, callee, direction, unit, seconds, answered,
        fields if isinstance(fields, Fields) else Fields(fields),
    )


def _read_number(
    fields: Mapping[str, Any], names: Iterable[str], csi: Optional[str]
) -> Optional[str]:
    """Return the first number that is there, or None.

    A word such as "anonymous" means that the caller is hidden. Otherwise ``actual_caller`` would
    show a number that its owner hides.
    """
    home = find_home(csi)
    for name in names:
        text = as_key(fields.get(name))
        if text and text.strip():
            return to_international(text, home) if len(text) <= _MAX_NUMBER_LENGTH else None
    return None
