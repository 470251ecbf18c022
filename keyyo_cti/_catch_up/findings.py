"""What the history adds to what the CTI has told. Pure."""

from typing import Container, List, NamedTuple, Optional, Sequence, Tuple

from ..call_history import CallRecord
from .matching import ToldCall, match, merge_histories

#: Minimum seconds around a gap in which a call may begin or end: dates are cut to whole seconds,
#: and the service's clock is known to within a second and the latency.
_MIN_SLACK = 3.0


class Gap(NamedTuple):
    """A time without events, in Unix seconds on the server's clock."""

    since: float
    until: float


class Findings(NamedTuple):
    """What the history adds.

    :ivar untold: calls that began and ended in gaps, without any event; the oldest first.
    :ivar ends: calls that were stale, with the records of their ends.
    :ivar running: records of calls without any event that went on after the gaps. The CTI tells
        their ends, or they lie in a later gap.
    :ivar unsettled: records that would be one of the others, if they did not change any more.
    """

    untold: List[CallRecord]
    ends: List[Tuple[ToldCall, CallRecord]]
    running: List[CallRecord]
    unsettled: List[CallRecord]


def find(
    gaps: Sequence[Gap],
    told: Sequence[ToldCall],
    records: Sequence[CallRecord],
    tolerance: float,
    reported: Container[str] = (),
    running: Container[str] = (),
    unsettled: Container[str] = (),
    past: Sequence[Gap] = (),
) -> Findings:
    """Compare the history with the calls that were told.

    The history knows no end of a call, but the call lasted for at least its seconds.

    :param tolerance: maximum seconds between the starts of the same call.
    :param reported: ids of records that were reported.
    :param running: ids of records that were ``running`` before.
    :param unsettled: ids of records that may be parts of calls that go on.
    :param past: earlier gaps. A call that began in one of them and ended in ``gaps`` has no event
        either.
    """
    slack = get_slack(tolerance)
    latest = max(gap.until for gap in gaps)
    fresh = [each for each in records if each.is_call and each.call_id not in reported]
    matches = match(told, fresh, tolerance)
    number_of = {id(record): number for number, record in enumerate(fresh)}
    findings = Findings([], [], [], [])
    for group in merge_histories(fresh, tolerance):
        calls = [matches.get(number_of[id(record)]) for record in group]
        known = [number for number in calls if number is not None]
        record = group[0]
        may_change = any(each.call_id in unsettled for each in group)
        if known:
            ended = told[known[0]]
            whole = _get_end(gaps, ended, group, slack)
            if whole is not None and may_change:
                findings.unsettled.append(whole)
            elif whole is not None:
                findings.ends.append((ended, whole))
            continue
        runs = _lies_in(gaps, record.start_time, slack) or any(
            each.call_id in running for each in group
        )
        # Well inside: a call that the CTI told then may be forgotten by now.
        began_unheard = runs or _lies_in(past, record.start_time, -slack)
        end = max(each.start_time + (each.seconds or 0) for each in group)
        if began_unheard and _lies_in(gaps, end, slack):
            (findings.unsettled if may_change else findings.untold).append(record)
        elif runs and (may_change or end > latest):
            findings.running.append(record)
        # Otherwise it ended before a gap, when the CTI told its end.
    return findings


def get_slack(tolerance: float) -> float:
    """Return the seconds around a gap in which a call may begin or end."""
    return max(tolerance, _MIN_SLACK)


def _lies_in(gaps: Sequence[Gap], time: float, slack: float) -> bool:
    return any(gap.since - slack <= time <= gap.until + slack for gap in gaps)


def _get_end(
    gaps: Sequence[Gap], call: ToldCall, group: Sequence[CallRecord], slack: float
) -> Optional[CallRecord]:
    """Return the record of a stale call if it has ended in a gap; None if that is not certain."""
    if not call.stale:
        return None
    for record in group:
        if record.seconds is None:
            continue
        if call.connect is None:
            # It rang for an unknown time, into the gap.
            end = max(record.start_time + record.seconds, min(gap.since for gap in gaps))
        else:
            # A record of a part of the call would end before the gap.
            end = call.connect + record.seconds
        if _lies_in(gaps, end, slack):
            return record
    return None
