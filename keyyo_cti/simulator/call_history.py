"""The history of the account's calls; all of it runs on the loop's thread."""

from __future__ import annotations

import bisect
import itertools
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Deque, Dict, FrozenSet, Iterator, List, Optional, Sequence, Tuple

from .call_details import IN, OUT, CallDetail, find_quantity
from .calls import CallRecord
from .clock import Clock
from .exchange import Exchange

MAX_RECORDS = 500_000

REPLACED, KEPT, NONE = "replaced", "kept", "none"
PARTIALS = (REPLACED, KEPT, NONE)
"""What happens to the record of a running call: the whole one replaces it, both stay listed, or
there is none."""


@dataclass
class Settings:
    """How the history deals with its records; see `History.set`."""

    delay: float = 0.0
    window: float = 92 * 86_400.0
    partials: str = REPLACED
    newest_first: bool = True
    hide_callers: bool = False


@dataclass(eq=False)
class _Recorded:
    """A call in the history of one line."""

    record: CallRecord
    line: str
    direction: str
    call_id: str


@dataclass
class _Running:
    """A running call: its id, and its records by direction and line."""

    call_id: str
    records: Dict[Tuple[str, str], _Recorded] = field(default_factory=dict)


@dataclass
class _Sorted:
    """Records by the time of their start."""

    details: List[CallDetail] = field(default_factory=list)
    starts: List[float] = field(default_factory=list)

    def add(self, details: Sequence[CallDetail]) -> None:
        self.details.extend(details)
        self.details.sort(key=_get_start)
        del self.details[MAX_RECORDS:]
        self.starts = list(map(_get_start, self.details))

    def find(self, begin: float, end: float) -> List[CallDetail]:
        """Return the records from `begin` until before `end`."""
        first, last = (bisect.bisect_left(self.starts, each) for each in (begin, end))
        return self.details[first:last]


class CallHistory:
    """What the account's lines have called, and who has called them.

    It shows the calls as they were `Settings.delay` seconds ago.

    :param exchange: knows which numbers are lines.
    :param clock: returns the time in Unix seconds.
    """

    def __init__(self, exchange: Exchange, clock: Clock) -> None:
        self.settings = Settings()
        self._exchange = exchange
        self._clock = clock
        self._numbers = itertools.count(1)
        self._recorded: Deque[_Recorded] = deque()
        self._running: Dict[str, _Running] = {}
        self._added: Dict[Tuple[Optional[str], str], _Sorted] = {}

    def make_call_id(self) -> str:
        """Return a new id."""
        return f"cdr-{next(self._numbers):08d}"

    def add(self, *details: CallDetail) -> None:
        """Add records by hand."""
        added: Dict[Tuple[Optional[str], str], List[CallDetail]] = {}
        for detail in details:
            for line in (detail.line, None):
                added.setdefault((line, detail.direction), []).append(detail)
        for key, some in added.items():
            self._added.setdefault(key, _Sorted()).add(some)

    def clear(self) -> None:
        """Remove every record; a running call comes back with its next change."""
        self._recorded.clear()
        self._running.clear()
        self._added.clear()

    def find(
        self, line: Optional[str], direction: str, begin: float, end: float
    ) -> Sequence[CallDetail]:
        """Return the records of a direction, in the order of `Settings.newest_first`.

        :param line: a line's number; None for the whole account.
        :param begin: Unix seconds of the earliest start.
        :param end: Unix seconds that are too late for a start.
        """
        begin = max(begin, self._clock() - self.settings.window)
        added = self._added.get((line, direction), _Sorted()).find(begin, end)
        of_calls = [
            detail
            for each in self._recorded
            if each.direction == direction and line in (None, each.line)
            and begin <= each.record.setup_date < end
            for detail in self._describe(each)
        ]
        found = sorted(added + of_calls, key=_get_start)
        return found[::-1] if self.settings.newest_first else found

    # Called by the service

    def on_call(self, record: CallRecord, audience: FrozenSet[str]) -> None:
        """Record a change of a call."""
        running = self._running.setdefault(record.callref, _Running(self.make_call_id()))
        parties = {(OUT, record.caller), (IN, record.callee)}
        for direction, number in sorted(parties):
            line = self._exchange.find_line(number)
            if line is None or line.number != number:
                continue
            if (direction, number) not in running.records:
                added = _Recorded(record, number, direction, running.call_id)
                running.records[direction, number] = added
                self._recorded.append(added)
            running.records[direction, number].record = record
        for left in running.records.keys() - parties:
            # The callpark or a merge has put another number in its place.
            before = running.records.pop(left)
            before.record = replace(before.record, release_date=int(self._clock()))
        if record.release_date is not None:
            self._running.pop(record.callref, None)
            self._prune()

    def on_message(self, sender: str, to: str) -> None:
        """Record a text message that a line has sent."""
        line = self._exchange.find_line(sender)
        if line is not None:
            self.add(CallDetail(
                line.number, OUT, self.make_call_id(), self._clock(), sender, to, 1, "sms"))

    # Private

    def _describe(self, recorded: _Recorded) -> Iterator[CallDetail]:
        """Yield the records of a call; none while the history does not know it."""
        record, settings = recorded.record, self.settings
        partial = settings.partials != NONE
        at = self._clock() - settings.delay
        quantity = find_quantity(record, at, partial)
        if quantity is None:
            return
        caller, more = self._show_caller(recorded)
        detail = CallDetail(
            recorded.line, recorded.direction, recorded.call_id, record.setup_date, caller,
            record.callee, quantity, more=more,
        )
        if settings.partials == KEPT and record.release_date is not None and quantity > 0:
            yield replace(detail, quantity=quantity // 2)
        yield detail

    def _show_caller(self, recorded: _Recorded) -> Tuple[Optional[str], Dict[str, str]]:
        """Return the caller, and ``actual_caller`` if Keyyo hides it there.

        Keyyo is known to do so for incoming calls from lines of the account.
        """
        caller = recorded.record.caller
        internal = self._exchange.find_line(caller) is not None
        if recorded.direction == IN and (internal or self.settings.hide_callers):
            return None, {"actual_caller": caller}
        return caller, {}

    def _prune(self) -> None:
        """Forget the oldest calls, which the window hides or the limit exceeds."""
        oldest = self._clock() - self.settings.window
        while self._recorded:
            first = self._recorded[0].record
            too_many = len(self._recorded) > MAX_RECORDS
            if first.release_date is None or not (too_many or first.setup_date < oldest):
                return
            self._recorded.popleft()


def _get_start(detail: CallDetail) -> float:
    return detail.start
