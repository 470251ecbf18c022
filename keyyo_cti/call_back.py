"""Whom to call back: the people whose calls were missed, and who have not been reached since."""

from dataclasses import dataclass
from datetime import datetime
from typing import (
    Any,
    Dict,
    Iterable,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Set,
    Tuple,
    Union,
)

from ._display.dates import dates_of
from ._display.paris import in_paris
from ._display.telephone_number import FRANCE, find_home, normalize
from ._net.clock import NEVER
from .call import Call
from .call_history import CallRecord

__all__ = ["CallBack", "to_call_back"]
#: Seconds between the starts of what is one call: on several lines that ring together, or in the
#: history and in the CTI, whose clocks differ.
_SAME_CALL = 5.0


@dataclass(frozen=True)
class CallBack:
    """A person to call back.

    :ivar number: digits, in international format; None for all hidden callers together.
    :ivar count: missed calls since the person was last reached or called. A call that several
        lines missed together counts once.
    :ivar first_time: when the first of them began, in Unix seconds.
    :ivar last_time: when the last of them began.
    :ivar lines: the lines that missed them.
    """

    number: Optional[str]
    count: int
    first_time: float
    last_time: float
    lines: Tuple[str, ...]

    @property
    def first(self) -> datetime:
        """When the first of the missed calls began, in Paris time."""
        return in_paris(self.first_time)

    @property
    def last(self) -> datetime:
        """When the last of the missed calls began, in Paris time."""
        return in_paris(self.last_time)

    @property
    def hidden(self) -> bool:
        """True for the hidden callers, who cannot be called."""
        return self.number is None


class _Contact(NamedTuple):
    """A call from the view of one line: it was missed, or the person was reached or called.

    :ivar until: the end of the conversation, as far as it is known. It is at most the seconds of
        the same call behind the start, so that a second call of the person counts.
    :ivar rang: True if other lines may have missed the same call.
    """

    person: Optional[str]
    time: float
    line: Optional[str]
    missed: bool
    until: float
    rang: bool = False


class _Reached:
    """Until when a person was reached, or called.

    Only an incoming call rings at several lines, which begin at nearly the same moment: the line
    that answers, and those that miss it. No other call can be the same as a missed one.
    """

    def __init__(self) -> None:
        self._until = -NEVER
        self._rang: Dict[Optional[str], float] = {}

    def add(self, contact: _Contact) -> None:
        """Note a call that reached the person, or was to do so."""
        self._until = max(self._until, contact.until)
        if contact.rang:
            before = self._rang.get(contact.line, -NEVER)
            self._rang[contact.line] = max(before, contact.time + _SAME_CALL)

    def covers(self, missed: _Contact) -> bool:
        """Return True if the person was reached in this call, or since."""
        return missed.time <= self._until or any(
            missed.time <= until for line, until in self._rang.items() if line != missed.line
        )


def to_call_back(
    records: Iterable[CallRecord], live: Iterable[Union[Call, CallRecord]] = ()
) -> List[CallBack]:
    """Return the people to call back: the longest waiting first, hidden callers together and last.

    Of two people, the one whose last missed call is earlier waits longer.

    A person is left out if any line has talked to the person since, or has called the person,
    with an answer or without. A conversation that began before the missed call does not count:
    several people may have one number. A record that does not tell whether somebody answered
    counts as neither. Numbers are compared in one form. The function is pure: records may come in
    any order and more than once.

    :param records: of one line, or of the account: ``ManagerClient.history(None, since)``.
    :param live: calls that the history may not have yet: ``cti.get_calls()``.
    """
    told = [contact for record in records for contact in _read_record(record)]
    told += _find_internal(told)
    told += _select_new(told, [contact for call in live for contact in _read_live(call)])
    missed: Dict[Optional[str], List[_Contact]] = {}
    reached: Dict[Optional[str], _Reached] = {}
    for contact in told:
        if contact.missed:
            missed.setdefault(contact.person, []).append(contact)
        elif contact.person is not None:
            reached.setdefault(contact.person, _Reached()).add(contact)
    people = []
    for person, contacts in missed.items():
        known = reached.get(person)
        waiting = [each for each in contacts if known is None or not known.covers(each)]
        if waiting:
            people.append(_summarize(person, waiting))
    return sorted(people, key=lambda each: (each.hidden, each.last_time, each.number))


def _find_internal(told: List[_Contact]) -> List[_Contact]:
    """Return the calls between two lines, from the view of the line that calls.

    Its own history may not be among the records, or has a short number.
    """
    lines = {contact.line for contact in told if contact.line is not None}
    return [
        _Contact(contact.line, contact.time, contact.person, False, contact.until)
        for contact in told
        if contact.rang and contact.person in lines and contact.person != contact.line
    ]


def _read_record(record: CallRecord) -> Iterator[_Contact]:
    if not record.is_call:
        return
    home = find_home(record.csi)
    caller, callee = normalize(home, record.caller), normalize(home, record.callee)
    start = record.start_time
    until = start + min(record.seconds or 0, _SAME_CALL)
    if record.direction == "out":
        yield _Contact(callee, start, caller, False, until)
    elif record.missed or record.answered or record.seconds:
        line = normalize(home, record.line) or record.line
        yield _Contact(caller, start, line, record.missed, until, True)


def _read_live(call: Any) -> Iterator[_Contact]:
    if isinstance(call, CallRecord):
        yield from _read_record(call)
        return
    dates = dates_of(call.fields)
    _, connect, release = dates
    # A call without any date has only just been notified.
    time = next((date for date in dates if date is not None), NEVER)
    home = call.line or FRANCE
    seconds = NEVER if connect is None or release is None else release - connect
    until = time + (min(seconds, _SAME_CALL) if call.answered else 0.0)
    caller, callee = normalize(home, call.caller), normalize(home, call.callee)
    if call.direction in ("out", "internal"):
        yield _Contact(callee, time, caller, False, until)
    if call.direction in ("in", "internal") and (call.answered or call.state == "MISSED"):
        yield _Contact(caller, time, callee, not call.answered, until, True)


def _select_new(told: List[_Contact], live: List[_Contact]) -> List[_Contact]:
    """Return what the history does not have of the live calls."""
    known: Dict[Tuple[Optional[str], Optional[str]], List[float]] = {}
    for contact in told:
        if contact.missed and live:
            known.setdefault((contact.person, contact.line), []).append(contact.time)
    return [
        contact
        for contact in live
        if not contact.missed
        or all(
            abs(contact.time - time) > _SAME_CALL
            for time in known.get((contact.person, contact.line), ())
        )
    ]


def _summarize(person: Optional[str], contacts: List[_Contact]) -> CallBack:
    contacts = sorted(set(contacts), key=lambda each: (each.time, each.line or ""))
    count, began = 0, -NEVER
    rang: Set[Optional[str]] = set()
    for contact in contacts:
        # The same line cannot miss one call twice: then it is another call.
        if contact.time - began > _SAME_CALL or contact.line in rang:
            count, began, rang = count + 1, contact.time, set()
        rang.add(contact.line)
    lines = dict.fromkeys(contact.line for contact in contacts if contact.line is not None)
    return CallBack(person, count, contacts[0].time, contacts[-1].time, tuple(sorted(lines)))
