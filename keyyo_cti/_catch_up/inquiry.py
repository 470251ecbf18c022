"""Asks the history about gaps, again until the records have settled."""

import logging
from functools import partial
from typing import Callable, Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Tuple

from .._net import process
from .._net.clock import NEVER, Monotonic, monotonic
from ..call_history import CallRecord
from ..errors import KeyyoError
from .findings import Findings, Gap, find, get_slack
from .matching import ToldCall

_log = logging.getLogger("keyyo_cti")

#: Maximum seconds between a stale call's start and the gap. The history of a day has an end.
_MAX_LOOK_BACK = 86_400.0

#: Maximum seconds between a gap and one of before in which a call may have begun that the history
#: has not listed since.
_MAX_PAST = 4 * 3600.0

#: Number of pauses that double, within the time in which records settle.
_DOUBLINGS = 5

#: Maximum number of record ids that are kept.
_MAX_IDS = 10_000

#: Maximum number of gaps that are kept: without an answer, and after a failure.
_MAX_GAPS = 100

#: Maximum seconds for which a telephone rings. Until then, a call that the history lists without
#: seconds may still be answered.
_MAX_RINGING = 120.0

#: Returns the records of a time in Unix seconds.
Ask = Callable[[float, float], List[CallRecord]]


class Timing(NamedTuple):
    """When the history is asked, and what it is compared by; all in seconds.

    :ivar quiet: the records have settled if nothing has changed for so long.
    :ivar limit: the longest time until the answer, if they do not settle. No call rings for
        longer than ``limit`` less ``quiet`` behind a gap.
    :ivar margin: the time around a gap that is asked for too.
    :ivar tolerance: between two times of the same moment.
    """

    quiet: float
    limit: float
    margin: float
    tolerance: float


class Answer(NamedTuple):
    """What is known of gaps.

    :ivar error: why it may be incomplete, or None.
    """

    gaps: Tuple[Gap, ...]
    findings: Findings
    error: Optional[KeyyoError]

    @property
    def ids(self) -> List[str]:
        """The ids of the records that it reports."""
        ends = [record for _, record in self.findings.ends]
        return [record.call_id for record in [*self.findings.untold, *ends]]


class _Open(NamedTuple):
    """A gap without an answer.

    :ivar ended_at: monotonic time of its end, or of its first answer.
    :ivar again: True if it had an answer when some of its records had not settled.
    """

    gap: Gap
    ended_at: float
    again: bool = False


class Request:
    """One request of the history. It may run on another thread than the inquiry.

    :ivar asked_at: monotonic time.
    :ivar records: its result.
    :ivar error: what it raised, or None.
    """

    def __init__(self, ask: Ask, since: float, until: float, asked_at: float) -> None:
        self._work = partial(ask, since, until)
        self.asked_at = asked_at
        self.records: List[CallRecord] = []
        self.error: Optional[BaseException] = None

    def run(self) -> None:
        """Ask.

        :raises OtherProcess: the manager has forked, and this is the child.
        """
        try:
            self.records = self._work()
        except process.OtherProcess:
            raise
        except BaseException as error:
            self.error = error


class Inquiry:
    """Asks about one gap after another. Gaps that follow each other quickly are one inquiry.

    One thread uses it. Another one may run the request that ``begin`` returns.

    :param told: returns the calls that were told, up to now.
    :param clock: monotonic seconds.
    :param repeats: True if a gap whose records have not settled in time has a second answer about
        the rest. A call that goes on would otherwise look like one that came and went.
    :ivar reported: ids of records that were reported -> the time of their gaps.
    :ivar running: ids of records that went on after their gaps -> their starts. The end of each is
        told, or lies in a later gap.
    :ivar past: gaps that have an answer, the last ones.
    :ivar is_down: True while the connection is lost again. Then a failure decides nothing: the
        network may be dead, and the next gap will follow.
    """

    def __init__(
        self,
        timing: Timing,
        ask: Ask,
        told: Callable[[], Sequence[ToldCall]],
        clock: Monotonic = monotonic,
        repeats: bool = True,
    ) -> None:
        self._repeats = repeats
        self._timing = timing
        self._ask = ask
        self._told = told
        self._clock = clock
        self.reported: Dict[str, float] = {}
        self.running: Dict[str, float] = {}
        self.past: List[Gap] = []
        self.is_down = False
        # The request that runs now, and the gaps that it does not ask about.
        self._under_way: Optional[Request] = None
        self._added: List[_Open] = []
        # In the order of their times.
        self._gaps: List[_Open] = []
        # The end of the last one, in monotonic time, and what makes it Unix time.
        self._last_end = self._offset = 0.0
        # Gaps whose answer was a failure that may pass. The next inquiry makes up for them.
        self._failed: List[Gap] = []
        self._records: List[CallRecord] = []
        self._error: Optional[KeyyoError] = None
        self._seen: Optional[FrozenSet[Tuple[str, Optional[int]]]] = None
        # When a record was first seen as it is now, and when the history was asked last.
        self._first_seen: Dict[CallRecord, float] = {}
        self._asked_at = 0.0
        # Since when it has answered each time.
        self._works_since = -NEVER
        self._changed_at = self._pause = 0.0
        self._next_at = NEVER
        self._is_logged = False

    @property
    def due(self) -> float:
        """Monotonic time at which to ask; NEVER without a gap, or during a request."""
        return self._next_at if self._gaps and self._under_way is None else NEVER

    @property
    def since(self) -> Optional[float]:
        """The beginning of the first gap without an answer, or with a failure; or None."""
        gaps = [*self._all_gaps(), *(each.gap for each in self._added)]
        return min((gap.since for gap in gaps), default=None)

    def add(self, gap: Gap, ended_at: Optional[float] = None) -> None:
        """Ask about a gap that has just ended.

        :param ended_at: monotonic time of its end; now by default.
        """
        opened = _Open(gap, self._clock() if ended_at is None else ended_at)
        if self._under_way is None:
            self._add(opened)
        else:
            # Its answer says nothing about this gap.
            self._added = _bound([*self._added, opened])

    def _add(self, opened: _Open) -> None:
        now = opened.ended_at
        self._last_end, self._offset = now, opened.gap.until - now
        if not self._gaps:
            self._changed_at = now
            self._pause = self._timing.quiet / 2 ** _DOUBLINGS
            self._next_at = now + self._pause
        # Otherwise the next request is planned. Gaps that follow each other quickly would push it
        # away as long as they come.
        self._gaps = _bound([*self._gaps, opened])

    def forget(self) -> None:
        """Forget the gaps that have no answer yet."""
        self._failed, self._added, self._under_way = [], [], None
        self._reset()

    def poll(self) -> Optional[Answer]:
        """Ask once.

        :returns: the answer, once for each gap; None if it is not certain yet.
        :raises OtherProcess: the manager has forked, and this is the child.
        """
        request = self.begin()
        request.run()
        return self.end(request)

    def begin(self) -> Request:
        """Return the request to run now, for ``end``."""
        told, gaps = self._told(), self._all_gaps()
        since = min(gap.since for gap in gaps)
        starts = [min(each.starts) for each in told if each.stale] + list(self.running.values())
        starts += [gap.since for gap in self._find_past(gaps)]
        earliest = [start for start in starts if start > since - _MAX_LOOK_BACK]
        margin, last = self._timing.margin, max(gap.until for gap in gaps)
        self._under_way = Request(
            self._ask, min([since, *earliest]) - margin, last + margin, self._clock()
        )
        return self._under_way

    def end(self, request: Request) -> Optional[Answer]:
        """Take the result of a request; as ``poll``. It is ignored if its gaps are forgotten."""
        if request is not self._under_way:
            return None
        self._under_way = None
        self._take(request)
        answer = self._decide()
        added, self._added = self._added, []
        for each in added:
            self._add(each)
        return answer

    def _decide(self) -> Optional[Answer]:
        now, ends = self._clock(), [each.ended_at for each in self._gaps]
        settled_at = max(self._changed_at, self._last_end, ends[-1]) + self._timing.quiet
        failed = self._error is not None
        if failed and self._error is not None and self._error.final:
            return self._conclude(len(ends))
        if not failed and self._asked_at >= settled_at and not self._may_ring():
            return self._conclude(len(ends))
        # After a failure, there is time again to see what changes.
        earliest = -NEVER if failed else self._works_since + self._timing.quiet
        deadlines = [max(at + self._timing.limit, earliest) for at in ends]
        late = sum(now >= deadline for deadline in deadlines)
        if late and not (failed and self.is_down):
            return self._conclude(late, self._find_unsettled())
        self._pause = min(self._pause * 2, self._timing.quiet / 2)
        self._plan(now, NEVER if failed else settled_at, deadlines[0])
        return None

    def _plan(self, now: float, *bounds: float) -> None:
        """Plan the next request: after the pause, or at an earlier bound."""
        self._next_at = min([now + self._pause, *(bound for bound in bounds if bound > now)])

    def _may_ring(self) -> bool:
        """Return True if a call that looks like a missed one may still ring."""
        timing = self._timing
        if self._asked_at >= self._last_end + timing.limit - timing.quiet:
            return False
        since = self._asked_at + self._offset - _MAX_RINGING
        ids = frozenset(
            each.call_id for each in self._records if not each.seconds and each.start_time > since
        )
        return bool(ids and self._find(self._all_gaps(), ids).unsettled)

    def _find(self, gaps: Sequence[Gap], unsettled: FrozenSet[str]) -> Findings:
        return find(
            gaps, self._told(), self._records, self._timing.tolerance, self.reported, self.running,
            unsettled, self._find_past(gaps),
        )

    def _find_past(self, gaps: Sequence[Gap]) -> List[Gap]:
        since = min(gap.since for gap in gaps) - _MAX_PAST
        return [gap for gap in self.past if gap.until > since]

    def _reset(self) -> None:
        self._gaps, self._records, self._seen, self._error = [], [], None, None
        self._first_seen = {}
        self._is_logged = False

    def _all_gaps(self) -> List[Gap]:
        return [*self._failed, *(each.gap for each in self._gaps)]

    def _take(self, request: Request) -> None:
        if request.error is not None:
            self._on_error(request.error)
            return
        now = self._clock()
        if self._error is not None or self._works_since == -NEVER:
            self._works_since = now
        records, self._asked_at = request.records, request.asked_at
        self._records, self._error, self._is_logged = records, None, False
        self._first_seen = {each: self._first_seen.get(each, now) for each in records}
        # A call that goes on changes with each second, until it lies behind the gap for certain.
        until = max(gap.until for gap in self._all_gaps()) + get_slack(self._timing.tolerance)
        seen = frozenset(
            (each.call_id, each.seconds) for each in records
            if each.start_time + (each.seconds or 0) <= until
        )
        if self._seen not in (None, seen):
            self._changed_at = now
        self._seen = seen

    def _find_unsettled(self) -> FrozenSet[str]:
        """Return the ids of the records that have not been the same for long enough."""
        latest = self._asked_at - self._timing.quiet
        return frozenset(each.call_id for each, at in self._first_seen.items() if at > latest)

    def _on_error(self, error: BaseException) -> None:
        if not isinstance(error, KeyyoError):
            failure = KeyyoError(500, f"The history failed: {type(error).__name__}", "internal")
            failure.__cause__ = error
            error = failure
        self._error = error
        if not self._is_logged:
            # Once until it works again. Otherwise each attempt of a night would be logged.
            self._is_logged = True
            _log.warning("what happened in the gap cannot be asked: %s", error, exc_info=(
                error.__cause__ if error.error_code == "internal" else None
            ))

    def _conclude(self, count: int, unsettled: FrozenSet[str] = frozenset()) -> Optional[Answer]:
        """Return the answer of the oldest gaps; None if a second one would have nothing new.

        :param unsettled: ids of records that are left for a second answer.
        """
        opened, error = self._gaps[:count], self._error
        gaps, again = tuple(each.gap for each in opened), all(each.again for each in opened)
        if again or not self._repeats:
            unsettled = frozenset()
        findings = self._find((*self._failed, *gaps), unsettled)
        self._gaps = self._gaps[count:]
        if findings.unsettled and error is None:
            now = self._clock()
            self._gaps += [_Open(each.gap, now, True) for each in opened if not each.again]
        if error is None or error.final:
            self.past = [*self.past, *self._failed, *gaps][-_MAX_GAPS:]
            self._failed = []
        else:
            self._failed = [*self._failed, *gaps][-_MAX_GAPS:]
        unfinished = [*findings.running, *findings.unsettled]
        answer = Answer(gaps, findings, error)
        # After a failure, the records of earlier ones may be missing.
        running = {} if error is None else self.running
        running = {**running, **{each.call_id: each.start_time for each in unfinished}}
        self.running = _keep({each: at for each, at in running.items() if each not in answer.ids})
        self.reported = _keep({**self.reported, **dict.fromkeys(answer.ids, gaps[-1].until)})
        if self._gaps:
            self._plan(self._clock(), self._gaps[0].ended_at + self._timing.limit)
        else:
            self._reset()
        return None if again and error is None and not answer.ids else answer


def _bound(gaps: List[_Open]) -> List[_Open]:
    """Return as many gaps as are kept, in order: join the two that end next to each other.

    The joined gap has the earlier bound. The calls between both are known.
    """
    gaps = sorted(gaps, key=lambda each: each.ended_at)
    if len(gaps) <= _MAX_GAPS:
        return gaps
    pairs = zip(gaps, gaps[1:])
    distances = [(a.again != b.again, b.ended_at - a.ended_at) for a, b in pairs]
    place = distances.index(min(distances))
    first, second = gaps[place:place + 2]
    since = min(first.gap.since, second.gap.since)
    until = max(first.gap.until, second.gap.until)
    joined = first._replace(gap=Gap(since, until), again=first.again and second.again)
    return [*gaps[:place], joined, *gaps[place + 2:]]


def _keep(ids: Dict[str, float]) -> Dict[str, float]:
    """Return the last ids, as many as are kept."""
    if len(ids) <= _MAX_IDS:
        return ids
    return dict(sorted(ids.items(), key=lambda each: each[1])[-_MAX_IDS:])
