"""Catching up: what happened on a line while its CTI had no connection."""

import os
from concurrent.futures import Future
from functools import partial
from typing import (
    Any,
    Callable,
    Iterable,
    List,
    Mapping,
    Optional,
    Protocol,
    Sequence,
    Tuple,
    Union,
)

from ._catch_up.findings import Gap
from ._catch_up.inquiry import Answer, Inquiry, Timing
from ._catch_up.last_run import LastRun
from ._catch_up.told_calls import describe_all
from ._client.background import BackgroundClient
from ._client.callback import Callback
from ._display.telephone_number import FRANCE, normalize
from ._manager.period import Moment, read_period
from ._net.clock import monotonic, wall_clock
from ._net.reentrant import Flag
from ._net.user_code import find_owner
from .call import Call
from .call_history import CallRecord
from .errors import KeyyoError

__all__ = ["CatchUp", "CaughtUp", "HasHistory"]

#: Maximum seconds of an argument: a day.
_MAX_SECONDS = 86_400.0
#: Calls that are known, or a function that returns them.
KnownCalls = Union[Iterable[Call], Callable[[], Iterable[Call]]]


class HasHistory(Protocol):
    """A history: a ``ManagerClient``, or anything with this method."""

    def history(
        self, csi: Optional[str], since: float, until: float, /
    ) -> Iterable[CallRecord]:
        """Return the calls of a line, or of the whole account, between two Unix times."""


class HasClient(Protocol):
    """A ``Manager``, whose blocking client has the history."""

    @property
    def client(self) -> HasHistory:
        """The blocking client."""


class CaughtUp(Tuple[CallRecord, ...]):
    """The argument of ``caughtUp``: the records of calls, the oldest first.

    They are the calls that began and ended in the gap, and the calls whose end was in it.

    :ivar since: the beginning of the gap in Unix seconds, on the server's clock.
    :ivar until: its end.
    :ivar calls: record -> Call, for each call that was ``stale`` and whose end it is. By now its
        ``state`` is RELEASE or MISSED. Its ``release_date`` is None unless the CTI knew when it
        was answered.
    :ivar error: why calls may be missing: the history refused or did not answer. None if all is
        well. Unless ``error.final`` is True, the event of the next gap has these calls, too.
    """

    since: float
    until: float
    calls: Mapping[CallRecord, Call]
    error: Optional[KeyyoError]

    def __repr__(self) -> str:
        problem = "" if self.error is None else f", incomplete: {self.error}"
        return f"<CaughtUp: {len(self)} calls in {self.until - self.since:.0f} s{problem}>"


class CatchUp(BackgroundClient):
    """Asks the history what happened in each gap.

    With ``CTI(token_provider=..., catch_up=CatchUp(manager, csi))``, the CTI emits
    ``caughtUp(records)`` once for each gap, after ``restored``, or after the session that you open
    yourself. One CatchUp may serve several CTIs, unless it remembers. ``ask`` does the same by
    hand.

    It is not known how soon a call appears in Keyyo's history. So the history is asked again, with
    growing pauses, until nothing has changed for ``quiet`` seconds; after ``limit`` seconds, and
    one request, the event comes in any case. A call without seconds counts as missed once it
    cannot ring any more: after two minutes, or ``limit`` less ``quiet`` behind the gap. A gap that
    follows in between is asked for too, and both may have one event.

    :param manager: a ``Manager``, a ``ManagerClient``, or anything with ``history``.
    :param csi: the line's CSI; several, if the CTI subscribes to other lines; or None for the
        whole account.
    :param quiet: seconds without a change after which records have settled.
    :param limit: maximum seconds from the end of a gap to its event.
    :param margin: seconds around a gap that are asked for too.
    :param tolerance: maximum seconds between the start of a call in the history and in the CTI.
    :param remember: True to ask at the start for the time since the program last ran, too. What
        is needed for that is kept in a file in the user's state directory; a path is another file.
        Each program needs its own.
    :raises TypeError: an argument is of a wrong type.
    :raises ValueError: an argument has an invalid value.
    """

    def __init__(
        self,
        manager: Union[HasHistory, HasClient],
        csi: Union[str, Sequence[str], None],
        *,
        quiet: float = 60.0,
        limit: float = 300.0,
        margin: float = 60.0,
        tolerance: float = 5.0,
        remember: Union[bool, str, "os.PathLike[str]"] = False,
    ) -> None:
        history = find_owner(manager, "history")
        if not callable(getattr(history, "history", None)):
            raise TypeError("manager: expected a Manager, or an object with the method history")
        self._history: HasHistory = history
        self._lines = _read_lines(csi)
        for name, value in (
            ("quiet", quiet), ("limit", limit), ("margin", margin), ("tolerance", tolerance),
        ):
            _check_seconds(name, value)
        if limit < quiet:
            raise ValueError(f"limit: expected at least quiet, {quiet} s, got {limit}")
        self.timing = Timing(quiet, limit, margin, tolerance)
        self.last_run: Optional[LastRun] = None
        if remember is not False:
            if remember is not True and not isinstance(remember, (str, os.PathLike)):
                raise TypeError("remember: expected True, False, or the path of a file")
            path = None if remember is True else remember
            self.last_run = LastRun(path, "-".join(filter(None, self._lines)))
        self._closing = Flag()
        super().__init__("catch-up", None)

    def ask(
        self,
        since: Moment,
        until: Optional[Moment] = None,
        told: KnownCalls = (),
        callback: Optional[Callback[CaughtUp]] = None,
    ) -> "Future[CaughtUp]":
        """Ask what happened between two moments, by hand.

        :param since: an aware datetime, or Unix seconds.
        :param until: as ``since``; now by default.
        :param told: the calls that are known, which are not told again; ``cti.get_calls``, as a
            function, counts those that come until the records have settled, too.
        :returns: a Future of a CaughtUp. With an error of the history, it has what is known, and
            ``error``. It does not change the calls.
        :raises TypeError: an argument is of a wrong type.
        :raises ValueError: a moment has an invalid value.
        """
        now = wall_clock()
        gap = Gap(*read_period(since, now if until is None else until, now))
        ended_at = monotonic() - max(0.0, now - gap.until)
        known = told if callable(told) else _read_calls(told)
        work = partial(self._ask, gap, ended_at, known)
        return self._background.ask(work, callback)

    def close(self) -> None:
        """End what ``ask`` has begun; the Futures fail with 400 ``closed``.

        A CTI that uses it goes on to do so. It returns within two seconds.
        """
        self._closing.set()
        super().close()

    def search(self, since: float, until: float) -> List[CallRecord]:
        """Return the records between two Unix times, with one call of the history for each line.

        :raises KeyyoError: the history refused, or did not answer.
        """
        records = []
        for csi in self._lines:
            for record in self._history.history(csi, since, until):
                if not isinstance(record, CallRecord):
                    kind = type(record).__name__
                    raise TypeError(f"history: expected CallRecords, got {kind}")
                records.append(record)
        return records

    def _ask(self, gap: Gap, ended_at: float, told: KnownCalls) -> CaughtUp:
        home = next(filter(None, self._lines), FRANCE)

        def list_told() -> Sequence[Any]:
            calls = _read_calls(told()) if callable(told) else told
            return describe_all(calls, partial(normalize, home))

        inquiry = Inquiry(self.timing, self.search, list_told, repeats=False)
        inquiry.add(gap, ended_at)
        while not self._closing.wait(max(0.0, inquiry.due - monotonic())):
            answer = inquiry.poll()
            if answer is not None:
                ends = [(record, call.call) for call, record in answer.findings.ends]
                return make_caught_up(answer, ends)
        raise KeyyoError(400, "Closed: the history is not asked any more", "closed")

    def __repr__(self) -> str:
        lines = ", ".join("the whole account" if csi is None else csi for csi in self._lines)
        return f"<CatchUp of {lines}>"


def make_caught_up(
    answer: Answer, ends: Sequence[Tuple[CallRecord, Optional[Call]]]
) -> CaughtUp:
    """Return the argument of the event.

    :param ends: calls that have ended in the gap; None for a Call that an earlier run knew.
    """
    records = [*answer.findings.untold, *(record for record, _ in ends)]
    caught_up = CaughtUp(sorted(records, key=lambda each: each.start_time))
    caught_up.since = min(gap.since for gap in answer.gaps)
    caught_up.until = max(gap.until for gap in answer.gaps)
    caught_up.calls = {record: call for record, call in ends if call is not None}
    caught_up.error = answer.error
    return caught_up


def _read_lines(csi: Any) -> Tuple[Optional[str], ...]:
    if csi is None or isinstance(csi, str):
        csi = (csi,)
    lines = tuple(csi) if isinstance(csi, Iterable) else ()
    if not lines or not all(each is None or (isinstance(each, str) and each) for each in lines):
        raise TypeError("csi: expected a line's CSI, several, or None for the whole account")
    if None in lines and len(lines) > 1:
        raise TypeError("csi: expected either lines, or None for the whole account")
    return lines


def _read_calls(told: Any) -> Sequence[Call]:
    """Return a copy: the calls are read several times, and an iterator can be read only once."""
    calls = list(told) if isinstance(told, Iterable) else [told]
    for call in calls:
        if not isinstance(call, Call):
            raise TypeError(f"told: expected Calls, got {type(call).__name__}")
    return calls


def _check_seconds(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name}: expected a number of seconds, got {type(value).__name__}")
    if not 0 < value <= _MAX_SECONDS:
        raise ValueError(f"{name}: expected seconds above 0, at most a day, got {value}")
