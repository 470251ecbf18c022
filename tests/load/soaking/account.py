"""One client's diary against what happened to the calls of its line: each change was told, or
lies in a gap that was announced.

The model compares the diary with what was sent; what fell into an outage was not. The account
knows nothing of connections. It takes the changes from the simulator's exchange, and the gaps from
what the client said of them.
"""

from __future__ import annotations

from collections import Counter
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence

from keyyo_cti import UnreadableMessage
from keyyo_cti._net.clock import NEVER

from .diary import (
    Called,
    Closing,
    Disconnected,
    Ended,
    Entry,
    Lost,
    NewCall,
    Opened,
    Problem,
    Restored,
    shown,
)
from .findings import OUTSIDE, Findings
from .truth import Change, key_of

#: What came of a change.
TOLD, IN_GAPS, BY_ERRORS, OFF = (
    "told", "in announced gaps", "announced by an error", "while the program had no session")

#: Seconds by which an announced gap may begin late. The server sends a change some time after it
#: happened. What happened before the last frame and is sent behind it is lost, too, and the
#: client cannot know.
MARGIN = 0.1

#: Threads that pass a frame on, each of which may be as late as the machine's lag says: the
#: server's, and two of the client's.
_HANDS = 3

#: Seconds before the last frame was read in which the lag counts.
_LATELY = 3.0

#: Seconds by which what came in a frame may be told before the frame counts as read.
_TOGETHER = 0.05

#: Seconds within which the error for a message that cannot be read is told.
_ERROR_WITHIN = 30.0

#: Seconds around a finding of which it shows what else happened.
_AROUND = 4.0


class Period(NamedTuple):
    """A time in which changes need not be told.

    :ivar begin: of a gap that of the margin.
    :ivar kind: IN_GAPS or OFF.
    """

    begin: float
    end: float
    kind: str


class _Heard(NamedTuple):
    """The last thing that a client has certainly got of the server.

    :ivar sent_at: when the server had it.
    :ivar told_at: when the client was told.
    """

    sent_at: float = -NEVER
    told_at: float = -NEVER

    def then(self, told_at: float, *sent_at: float) -> _Heard:
        """The later of this and another thing, if there is one."""
        return max([self, *(_Heard(each, told_at) for each in sent_at)])


class Account:
    """What came of each change of a call of one client's line.

    :param who: its name in findings.
    :param restores: True if it restores by itself, and so announces gaps.
    :param changes: gives those of its line.
    :param garbled: gives those that were sent to it in a form that nobody can read.
    :param answered_at: tells when a command was answered, if the client has got that.
    :param faults: tells the faults that it met between two times.
    :param lag: tells how late the machine ran threads between two times.
    """

    def __init__(
        self,
        who: str,
        restores: bool,
        changes: Callable[[], Sequence[Change]],
        garbled: Callable[[], Sequence[Change]],
        findings: Findings,
        answered_at: Callable[[int], Optional[float]] = lambda tag: None,
        faults: Callable[[float, float], List[str]] = lambda begin, end: [],
        lag: Callable[[float, float], float] = lambda begin, end: 0.0,
    ) -> None:
        self._who = who
        self._restores = restores
        self._changes = changes
        self._garbled = garbled
        self._findings = findings
        self._answered_at = answered_at
        self._faults = faults
        self._lag = lag
        self._entries: List[Entry] = []

    def read(self, entries: List[Entry]) -> None:
        """Goes on by these entries of the diary."""
        kinds = (
            NewCall, Called, Opened, Disconnected, Restored, Lost, Closing, Ended, Problem)
        self._entries += [entry for entry in entries if isinstance(entry, kinds)]

    def settle(self) -> "Counter[str]":
        """Counts the changes by what came of them, and finds those of which nothing came."""
        changes = self._changes()
        periods = self._periods(changes)
        tellings = _Tellings(self._entries)
        garbled = {(each.key, each.at): each for each in self._latest(changes)}
        excuses = _Excuses(self._entries)
        counts: "Counter[str]" = Counter()
        covered = []
        # Those outside of gaps first. Two changes can be alike, when a call is parked, taken back
        # and parked again; else what was told of the one would be taken for the other.
        for change in changes:
            period = _period_of(change, periods)
            if period is not None:
                covered.append((change, period))
            elif tellings.take(change) or (self._restores and tellings.known(change)):
                counts[TOLD] += 1
            elif (change.key, change.at) in garbled and excuses.take(change.at):
                counts[BY_ERRORS] += 1
            else:
                counts[OUTSIDE] += 1
                self._complain(change, periods)
        for change, period in covered:
            counts[TOLD if tellings.take(change) else period.kind] += 1
        return counts

    def _latest(self, changes: Sequence[Change]) -> List[Change]:
        """The changes that were garbled."""
        index = _index(changes)
        found = []
        for each in self._garbled():
            at = [at for at in index.get(each.key, ()) if at <= each.at]
            if at:
                found.append(each._replace(at=at[-1]))
        return found

    def _periods(self, changes: Sequence[Change]) -> List[Period]:
        index = _index(changes)
        periods = []
        # Up to when the client has certainly got everything; and since when the program has had
        # no session. What was on its way at the end was never received, and is part of it.
        told, since = _Heard(), -NEVER
        dropped = told
        off = True
        for entry in _without_callbacks_of_closing(self._entries):
            if isinstance(entry, NewCall):
                before = [at for at in index.get(key_of(entry.call), ()) if at <= entry.at]
                told = told.then(entry.at, *before[-1:])
            elif isinstance(entry, Called):
                told = told.then(entry.at, self._answered_at(entry.tag) or -NEVER)
            elif isinstance(entry, Restored):
                begin = self._begin(entry.back_at - entry.gap, dropped)
                periods.append(Period(begin, entry.back_at, IN_GAPS))
            elif isinstance(entry, Opened) and off:
                periods.append(Period(since, entry.at, OFF))
                off = False
            elif self._ends(entry) and not off:
                off, since = True, told.sent_at
            if isinstance(entry, Disconnected):
                dropped = told
        if off:
            periods.append(Period(since, NEVER, OFF))
        return periods

    def _begin(self, read_at: float, last: _Heard) -> float:
        """When an announced gap begins.

        :param read_at: when the last frame was read, as the client says.
        :param last: what the client heard last before the drop.
        """
        begin = read_at - MARGIN - _HANDS * self._lag(read_at - _LATELY, read_at)
        # If it came in that frame, all that happened later was sent behind the frame, however
        # long that was on its way.
        return min(begin, last.sent_at) if last.told_at >= read_at - _TOGETHER else begin

    def _ends(self, entry: Entry) -> bool:
        """True if the session is over, and only the program can bring it back."""
        by_hand = isinstance(entry, Disconnected) and not self._restores
        return by_hand or isinstance(entry, (Lost, Ended))

    def _complain(self, change: Change, periods: Sequence[Period]) -> None:
        begin, end = change.at - _AROUND, change.at + _AROUND
        context = ["faults:", *self._faults(begin, end), "periods:"]
        context += [f"{each.begin:12.3f} to {each.end:.3f}, {each.kind}" for each in periods
                    if each.begin <= end and each.end >= begin]
        context += ["the diary:", *(shown(each) for each in self._entries
                                    if begin <= each.at <= end)]
        early = min((each.begin - change.at for each in periods
                     if each.begin > change.at), default=NEVER)
        what = f"not told, {early:.3f} s before the next gap: {shown(change)}"
        self._findings.add(OUTSIDE, self._who, what, context)


class _Tellings:
    """The times at which calls were told, each good for one change."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._left: Dict[str, List[float]] = {}
        self._first: Dict[str, float] = {}
        for entry in entries:
            if isinstance(entry, NewCall):
                key = key_of(entry.call)
                self._left.setdefault(key, []).append(entry.at)
                self._first.setdefault(key, entry.at)

    def take(self, change: Change) -> bool:
        """True if one was left for it."""
        left = self._left.get(change.key, [])
        at = next((at for at in left if at >= change.at), None)
        if at is not None:
            left.remove(at)
        return at is not None

    def known(self, change: Change) -> bool:
        """True if the call was told just so before, and so may be passed over after a gap."""
        return self._first.get(change.key, NEVER) < change.at


class _Excuses:
    """The times of ``error`` for messages that could not be read, each good for one."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._left = [
            entry.at for entry in entries
            if isinstance(entry, Problem)
            and isinstance(entry.error, UnreadableMessage)]

    def take(self, at: float) -> bool:
        """True if one was left for a message of that time."""
        found = next((each for each in self._left if at <= each <= at + _ERROR_WITHIN), None)
        if found is not None:
            self._left.remove(found)
        return found is not None


def _without_callbacks_of_closing(entries: Sequence[Entry]) -> Iterator[Entry]:
    """The entries without callbacks that ran while ``close()`` did.

    They do not prove that the events before them were told.
    """
    closing = False
    for entry in entries:
        closing = isinstance(entry, Closing) or closing and not isinstance(entry, Ended)
        if not (closing and isinstance(entry, Called)):
            yield entry


def _index(changes: Sequence[Change]) -> Dict[str, List[float]]:
    """When calls came to be as they are in each key, oldest first."""
    index: Dict[str, List[float]] = {}
    for change in changes:
        index.setdefault(change.key, []).append(change.at)
    return index


def _period_of(change: Change, periods: Sequence[Period]) -> Optional[Period]:
    return next((period for period in periods
                 if period.begin <= change.at <= period.end), None)
