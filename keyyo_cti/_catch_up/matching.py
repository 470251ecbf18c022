"""Matches records of the history with the calls that the CTI has told. Pure.

Nothing links the two but the line, both numbers, and the start.
"""

from bisect import bisect_left
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from ..call_history import CallRecord

#: Maximum digits of a short number, whose full number may be unknown.
_MAX_SHORT = 6


class ToldCall(NamedTuple):
    """A call that the CTI has told.

    :ivar caller: the number in international format; None if hidden.
    :ivar callee: as ``caller``.
    :ivar starts: when it may have begun in the history, in Unix seconds: its setup and its
        connection, or the moment when it was told first.
    :ivar connect: when it was answered, as far as it was told.
    :ivar seconds: of conversation, as far as they were told; None if unknown.
    :ivar stale: True if its end may have come in a gap.
    :ivar call: the Call; None if an earlier run of the program knew it.
    :ivar callref: of the call; None if unknown.
    """

    caller: Optional[str]
    callee: Optional[str]
    starts: Tuple[float, ...]
    connect: Optional[float] = None
    seconds: Optional[float] = None
    stale: bool = False
    call: Any = None
    callref: Optional[str] = None


#: Maximum difference of two lengths of the same conversation, in seconds: both are rounded.
_MAX_DIFFERENCE = 2.0

#: What a number costs in place of which the history has another one of the same line, such as that
#: of a group; one that is hidden on both sides; and one that cannot be compared. Otherwise a
#: hidden call would fit a known caller as well as its own record.
_SAME_LINE, _BOTH_HIDDEN, _UNKNOWN = 1, 2, 3

#: How well a record fits a call, the best first: the cost of the numbers, True if the lengths
#: differ, seconds between the starts.
_Cost = Tuple[int, bool, float]


def match(
    told: Sequence[ToldCall], records: Sequence[CallRecord], tolerance: float
) -> Dict[int, int]:
    """Match each record with at most one call, the best match first.

    A call between two lines has a record in the history of each, so records of different
    histories may match the same call. As many records as possible find a call: a match is changed
    if another record would otherwise find none.

    :param tolerance: maximum seconds between the starts.
    :returns: index of a record -> index of its call.
    """
    histories: Dict[Tuple[Any, Any], List[int]] = {}
    for number, record in enumerate(records):
        histories.setdefault((record.csi, record.direction), []).append(number)
    by_start = sorted((start, number) for number, each in enumerate(told) for start in each.starts)
    found: Dict[int, int] = {}
    for numbers in histories.values():
        choices = {
            number: _find_choices(records[number], told, by_start, tolerance)
            for number in numbers
        }
        found.update(_assign(choices))
    return found


def _find_choices(
    record: CallRecord,
    told: Sequence[ToldCall],
    by_start: Sequence[Tuple[float, int]],
    tolerance: float,
) -> Dict[int, _Cost]:
    """Return the calls that may be the record's: index -> cost."""
    choices: Dict[int, _Cost] = {}
    for start, number in _between(
        by_start, record.start_time - tolerance, record.start_time + tolerance
    ):
        numbers = _compare(told[number], record)
        if numbers is not None:
            differs = _differ(told[number].seconds, record.seconds)
            cost = numbers, differs, abs(start - record.start_time)
            choices[number] = min(cost, choices.get(number, cost))
    return choices


def _between(
    by_start: Sequence[Tuple[float, int]], low: float, high: float
) -> Iterable[Tuple[float, int]]:
    for place in range(bisect_left(by_start, (low, -1)), len(by_start)):
        if by_start[place][0] > high:
            return
        yield by_start[place]


def _compare(told: ToldCall, record: CallRecord) -> Optional[int]:
    """Return the cost of the numbers; None if it is another call, or nothing can be compared."""
    is_incoming = record.direction == "in"
    return _sum_costs(
        _compare_numbers(told.caller, record.caller, None if is_incoming else record.csi),
        _compare_numbers(told.callee, record.callee, record.csi if is_incoming else None),
    )


def _sum_costs(*costs: Optional[int]) -> Optional[int]:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) and min(known) <= _SAME_LINE else None


def _compare_numbers(
    number: Optional[str], recorded: Optional[str], csi: Optional[str] = None
) -> Optional[int]:
    """Return what two numbers cost.

    :param csi: the line in whose history ``recorded`` is, if it is the number of that line.
    """
    if number is not None and number == recorded:
        return 0
    if number is not None and number == csi:
        return _SAME_LINE
    if number is None or recorded is None:
        return _BOTH_HIDDEN if number is recorded else _UNKNOWN
    is_short = len(number) <= _MAX_SHORT
    return None if is_short == (len(recorded) <= _MAX_SHORT) else _UNKNOWN


def _differ(first: Optional[float], second: Optional[float]) -> bool:
    """Return True if two lengths cannot be those of the same conversation."""
    return first is not None and second is not None and abs(first - second) > _MAX_DIFFERENCE


def _assign(choices: Dict[int, Dict[int, _Cost]]) -> Dict[int, int]:
    """Return record -> call: the cheapest pairs first, then as many records as possible."""
    pairs = sorted(
        (cost, record, call) for record, calls in choices.items() for call, cost in calls.items()
    )
    record_of: Dict[int, int] = {}
    matched: Dict[int, int] = {}
    for _, record, call in pairs:
        if record not in matched and call not in record_of:
            matched[record], record_of[call] = call, record
    for record in choices:
        if record not in matched:
            _make_room(record, choices, record_of)
    return {record: call for call, record in record_of.items()}


def _make_room(
    record: int, choices: Dict[int, Dict[int, _Cost]], record_of: Dict[int, int]
) -> None:
    """Give a record a call, if the others can change theirs so that none of them loses its own."""
    came_from: Dict[int, int] = {}
    waiting = [record]
    for taker in waiting:
        for call in sorted(choices[taker], key=choices[taker].__getitem__):
            if call in came_from:
                continue
            came_from[call] = taker
            if call in record_of:
                waiting.append(record_of[call])
                continue
            _shift(call, record, came_from, record_of)
            return


def _shift(
    call: int, record: int, came_from: Dict[int, int], record_of: Dict[int, int]
) -> None:
    """Give each record of a chain the next call, from the free one back to the new record."""
    taker = came_from[call]
    while taker != record:
        freed = next(each for each, owner in record_of.items() if owner == taker)
        record_of[call], call = taker, freed
        taker = came_from[call]
    record_of[call] = record


def merge_histories(
    records: Sequence[CallRecord], tolerance: float
) -> List[Tuple[CallRecord, ...]]:
    """Group the records of the same call: a call between two lines is in the history of both.

    The history of the line that calls may have a short number, or the number of a group.

    :returns: one group a call, in order of the starts; the record of the called line goes first.
    """
    groups: List[List[CallRecord]] = []
    recent: Dict[Tuple[Any, Any], List[List[CallRecord]]] = {}
    for record in sorted(records, key=lambda each: each.start_time):
        known = recent.setdefault((record.caller, record.callee), [])
        group = None
        if record.caller is not None and record.callee is not None:
            group = next((each for each in known if _joins(each, record, tolerance)), None)
        if group is None:
            group = []
            groups.append(group)
            known.append(group)
        group.append(record)
    groups = _join_singles(groups, tolerance)
    return [tuple(sorted(each, key=lambda one: one.direction)) for each in groups]


def _join_singles(
    groups: Sequence[List[CallRecord]], tolerance: float
) -> List[List[CallRecord]]:
    """Join two records whose numbers may be the same, if neither has a group yet."""
    joined: List[List[CallRecord]] = []
    recent: List[List[CallRecord]] = []
    for group in groups:
        [record, *others] = group
        recent = [
            each for each in recent if record.start_time - each[0].start_time <= tolerance
        ]
        found = None
        if not others:
            found = next((each for each in recent if _may_be_same(each[0], record)), None)
            recent = [each for each in recent if each is not found]
        if found is not None:
            found.append(record)
            continue
        joined.append(group)
        if not others:
            recent.append(group)
    return joined


def _may_be_same(first: CallRecord, second: CallRecord) -> bool:
    """Return True if two records of different lines may be the same call."""
    parties = first.caller, first.callee, second.caller, second.callee
    if first.csi == second.csi or first.direction == second.direction or None in parties:
        return False
    incoming, outgoing = sorted((first, second), key=lambda each: each.direction)
    numbers = _sum_costs(
        _compare_numbers(incoming.caller, outgoing.caller, outgoing.csi),
        _compare_numbers(outgoing.callee, incoming.callee, incoming.csi),
    )
    return numbers is not None and not _differ(first.seconds, second.seconds)


def _joins(group: Sequence[CallRecord], record: CallRecord, tolerance: float) -> bool:
    return (
        record.start_time - group[0].start_time <= tolerance
        and all((each.csi, each.direction) != (record.csi, record.direction) for each in group)
    )
