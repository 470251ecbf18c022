"""The calls that a CTI has told lately."""

from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Set

from .._display.dates import ENDED, dates_of
from .matching import ToldCall

#: Maximum number of calls that are kept while a gap lasts, or is asked about.
_MAX_CALLS = 50_000

#: Seconds for which a call without an end is remembered.
_MAX_AGE = 86_400.0

#: Number of calls above which the old ones are forgotten.
_FIRST_LIMIT = 1000


class ToldCalls:
    """Remembers calls for longer than the client, which may keep no call that has ended.

    The caller of its methods holds one lock.

    :param seconds: for which a call is remembered after it was told first.
    :param fields_of: returns the latest fields of a call.
    :param now: returns the server's Unix time.
    :ivar keeps_all: True while a gap lasts, or is asked about.
    """

    def __init__(
        self,
        seconds: float,
        fields_of: Callable[[Any], Mapping[str, Any]],
        now: Callable[[], float],
    ) -> None:
        self._seconds = seconds
        self._fields_of = fields_of
        self._now = now
        self._first: Dict[Any, float] = {}
        self._limit = _FIRST_LIMIT
        self.keeps_all = False

    def add(self, call: Any) -> bool:
        """Note that a call was notified.

        :returns: True if it is a new one.
        """
        if call in self._first:
            return False
        self._first[call] = self._now()
        if len(self._first) > self._limit:
            self._forget()
        return True

    def all(self) -> Dict[Any, float]:
        """Return the calls, each with the time when it was told first."""
        return dict(self._first)

    def _forget(self) -> None:
        now = self._now()

        def is_kept(call: Any, first: float) -> bool:
            ended = self._fields_of(call).get("state") in ENDED
            return first > now - (self._seconds if ended else _MAX_AGE)

        if not self.keeps_all:
            first_of = self._first.items()
            self._first = {call: first for call, first in first_of if is_kept(call, first)}
        while len(self._first) > _MAX_CALLS:
            del self._first[next(iter(self._first))]
        self._limit = min(_MAX_CALLS, max(_FIRST_LIMIT, 2 * len(self._first)))


def describe(
    call: Any,
    fields: Mapping[str, Any],
    first: Optional[float],
    stale: bool,
    normalize: Callable[[Any], Optional[str]],
) -> ToldCall:
    """Return a call as the history may show it.

    :param first: when it was told first; None if unknown.
    :param normalize: returns a number in international format, or None if it is hidden.
    """
    dates = dates_of(fields)
    known = [date for date in (dates.setup, dates.connect) if date is not None]
    if not known:
        known = [date for date in (first, dates.release) if date is not None][:1]
    caller, callee = normalize(fields.get("caller")), normalize(fields.get("callee"))
    seconds = None
    if fields.get("state") == "MISSED":
        seconds = 0.0
    elif dates.connect is not None and dates.release is not None:
        seconds = dates.release - dates.connect
    callref = fields.get("callref")
    return ToldCall(
        caller, callee, tuple(known), dates.connect, seconds, stale, call,
        None if callref is None else str(callref),
    )


def exclude(earlier: Iterable[ToldCall], told: Sequence[ToldCall]) -> List[ToldCall]:
    """Return the calls of an earlier run of the program that this run has not told.

    Callrefs tell calls of the same numbers in the same second apart. The service may use a callref
    again, but then the call begins at another time.
    """
    known: Set[object] = {each[:3] for each in told}
    known.update((each.callref, start) for each in told for start in each.starts)
    return [each for each in earlier if known.isdisjoint(_list_keys(each))]


def _list_keys(told: ToldCall) -> List[object]:
    if told.callref is None:
        return [told[:3]]
    return [(told.callref, start) for start in told.starts]


def describe_all(
    calls: Iterable[Any], normalize: Callable[[Any], Optional[str]]
) -> List[ToldCall]:
    """Return the calls of a program as the history may show them."""
    return [describe(call, call.fields, None, call.stale, normalize) for call in calls]
