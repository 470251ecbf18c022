"""The calls that are known: callref -> Call, as received and as handlers see them."""

import logging
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from .._display.dates import ENDED
from .._net.rate_limit import RateLimit
from .._net.reentrant import new_lock
from ..call import Call
from . import retelling
from .call_views import (
    handled_fields,
    is_stale,
    latest_fields,
    receive,
    set_stale,
    show,
    show_stale,
    trim,
    with_dates,
)
from .kept_call import MAX_CALL_BYTES, documented_fields

_log = logging.getLogger("keyyo_cti")

#: Maximum number of stale calls that are kept after two gaps without news. They have most likely
#: ended, and would otherwise leak.
_MOST_SILENT = 1000

#: Seconds between two warnings that calls are forgotten.
_WARNING_PERIOD = 60.0

#: In place of a stage: to handlers, the call had its first news since the last gap already.
_RENEWED = -1


Fields = Mapping[str, Any]

#: The number of a change to the latest view, and the callrefs of the calls that are not kept any
#: longer since.
Change = Tuple[int, Sequence[str]]

#: What a notification did to the latest view, for ``Registry.handle``: the call; one of
#: ``retelling``'s NEWS, CHANGE and REPEAT; all that the server sent; what is kept of it once the
#: handlers have run, mostly the same object; the change.
#: A plain tuple, because one is made for each notification.
Update = Tuple[Call, str, Fields, Fields, Change]


class Registry:
    """Every call of the session, in the order of its last notification. Thread-safe.

    There are two views. The reader thread changes the latest one with ``update`` and
    ``mark_gap``; the thread of the handlers makes the same changes, in the same order, to the
    view of handlers with ``handle`` and ``handle_gap``. All decisions are made once, by the
    reader. A change that is handled behind a later one does not take the view back.

    :param make: makes the Call for a callref.
    :param max_ended: how many ended calls are kept, the last ones; None keeps all.
    :param knows_repeats: whether what a server tells again after a gap is told from news.
    :param max_active: how many calls that go on are kept; None keeps all.
    :param handling: True if this thread runs a handler, which sees the view of handlers.
    :param in_order: False if changes may be handled by several threads, and out of order.
    """

    def __init__(
        self,
        make: Callable[[str], Call],
        max_ended: Optional[int],
        knows_repeats: bool = False,
        max_active: Optional[int] = None,
        handling: Callable[[], bool] = lambda: False,
        in_order: bool = True,
    ) -> None:
        self._make = make
        self._max_ended = max_ended
        self._max_active = max_active
        self._knows_repeats = knows_repeats
        self._handling = handling
        #: Held by the reader thread from an update until it is queued for the handlers, so that
        #: both views change in the same order. A signal handler, or ``__del__``, of a thread that
        #: holds it only looks at the calls, which it may at any moment.
        self.lock = new_lock()
        self._latest: Dict[str, Call] = {}
        self._handled: Dict[str, Call] = {}
        # Dicts for their order: the callrefs of ended calls, and of calls without news for two
        # gaps.
        self._ended: Dict[str, None] = {}
        self._silent: Dict[str, None] = {}
        # Those that were known before the last gap and have had no news since: callref -> the
        # stage that they had reached.
        self._before: Dict[str, Optional[int]] = {}
        self._in_order = in_order
        # Numbers of changes: the last one made; the last ones handled, of all and of gaps, and
        # of each call unless changes are in order.
        self._last = 0
        self._handled_last = 0
        self._handled_gap = 0
        self._handled_of: Dict[str, int] = {}
        self._complaints = RateLimit(1, _WARNING_PERIOD)
        #: The calls whose last notifications no handler was told, because the program had
        #: closed: callref -> the stage that handlers were told, None for none. Only the thread of
        #: the handlers touches it.
        self.untold: Dict[str, Optional[int]] = {}

    # By the reader thread.

    def update(self, callref: str, fields: Fields, size: int = 0) -> Update:
        """Apply a notification to the latest view; the call moves to the end. The caller holds
        the lock.

        :param size: bytes of memory that the fields take. Of those that take too much, only the
            documented ones are kept.
        """
        latest, ended = self._latest, self._ended
        call = latest.pop(callref, None)
        known = call is not None
        if call is None:
            call = self._make(callref)
        fields = with_dates(call, fields)
        kept = fields if size <= MAX_CALL_BYTES else documented_fields(fields)
        what = retelling.NEWS
        if known:
            ended.pop(callref, None)
            if self._before:
                what = self._compare(call, kept)
        if what != retelling.REPEAT:
            receive(call, kept)
        else:
            set_stale(call, False)
        latest[callref] = call
        if self._silent:
            self._silent.pop(callref, None)
        forgotten: Sequence[str] = ()
        if latest_fields(call).get("state") in ENDED:
            ended[callref] = None
            if self._max_ended is not None and len(ended) > self._max_ended:
                forgotten = self._forget(ended, self._max_ended)
        elif self._max_active is not None and len(latest) - len(ended) > self._max_active:
            forgotten = self._forget_active(self._max_active)
        self._last += 1
        return call, what, fields, kept, (self._last, forgotten)

    def is_empty(self) -> bool:
        """True if no call is known, so that there is none to be marked."""
        return not self._latest

    def mark_gap(self) -> Change:
        """Mark the calls that go on as stale: the connection is lost, and they may end unseen.
        The caller holds the lock.

        :returns: the change, for ``handle_gap``.
        """
        for callref, call in self._latest.items():
            if is_stale(call):
                self._silent[callref] = None
            fields = latest_fields(call)
            set_stale(call, fields.get("state") not in ENDED)
            self._before.setdefault(callref, retelling.stage(fields))
        self._last += 1
        return self._last, self._forget(self._silent, _MOST_SILENT)

    # By the thread of the handlers.

    def handle(self, update: Update) -> None:
        """Make the change of an update to the view of handlers."""
        if self._in_order:
            # No lock: only this thread looks at the view of handlers.
            self._handle(update)
        else:
            with self.lock:
                self._handle_anyhow(update)

    def _handle(self, update: Update) -> None:
        call, what, fields, _, (number, forgotten) = update
        self._handled_last = number
        handled = self._handled
        handled.pop(call.callref, None)
        handled[call.callref] = call
        if forgotten:
            self._handle_forgotten(number, forgotten)
        if what != retelling.REPEAT:
            show(call, fields)
        else:
            show_stale(call, False)

    def _handle_anyhow(self, update: Update) -> None:
        """Handle an update that may come behind a later one: the program's ``dispatch`` has
        raised for that, while this one was in its queue."""
        call, what, fields, _, (number, forgotten) = update
        later = number < self._handled_of.get(call.callref, 0)
        if number > self._handled_last:
            self._handle(update)
        elif later:
            self._handle_forgotten(number, forgotten)
        else:
            if self._latest.get(call.callref) is call:
                # Otherwise it was forgotten since, and would stay in the view for ever.
                self._handled[call.callref] = call
            self._handle_forgotten(number, forgotten)
            if what != retelling.REPEAT:
                show(call, fields)
            over = fields.get("state") in ENDED
            show_stale(call, number < self._handled_gap and not over)
        if not later and call.callref in self._handled:
            self._handled_of[call.callref] = number

    def _handle_forgotten(self, number: int, forgotten: Sequence[str]) -> None:
        for callref in forgotten:
            # One that came again is another call by now.
            if self._handled_of.get(callref, 0) <= number:
                self._handled.pop(callref, None)
                self._handled_of.pop(callref, None)
                self.untold.pop(callref, None)

    def skip(self, update: Update) -> None:
        """Make the change of an update to the view of handlers, of which no handler is told,
        because the program has closed."""
        call, what, fields = update[:3]
        known = handled_fields(call)
        is_new = call.callref not in self._handled or retelling.is_another(known, fields)
        self.handle(update)
        if what != retelling.REPEAT and self._knows_repeats:
            if is_new:
                self.untold[call.callref] = None
            elif self.untold.get(call.callref) == _RENEWED:
                self.untold[call.callref] = retelling.stage(known)
            else:
                self.untold.setdefault(call.callref, retelling.stage(known))
        self.settle(update)

    def retold(self, update: Update) -> str:
        """Return what an update says to handlers. Of a call whose last notifications they were
        not told, a repetition is no repetition to them. Otherwise a program that closes and opens
        again while a call rings would never hear of it."""
        call, what, _, kept, _ = update
        older = what == retelling.REPEAT and handled_fields(call) != kept
        if older or call.callref not in self.untold:
            return what
        if what == retelling.REPEAT and self.untold[call.callref] == _RENEWED:
            return what
        told = self.untold.pop(call.callref)
        if what != retelling.NEWS:
            if told is not None and retelling.stage(kept) == told:
                return retelling.CHANGE
            # From its first news on, each change of a call has its event, up to the next gap.
            self.untold[call.callref] = _RENEWED
        return retelling.NEWS

    def settle(self, update: Update) -> None:
        """The handlers of an update have run: keep of it what is to be kept."""
        call, what, fields, kept, _ = update
        # A handler may run others, whose event is a later one.
        if kept is not fields and handled_fields(call) is fields:
            trim(call, kept)

    def handle_gap(self, gap: Change) -> None:
        """Make the change of ``mark_gap`` to the view of handlers."""
        if self._in_order:
            self._handle_gap(gap)
        else:
            with self.lock:
                self._handle_gap(gap)

    def _handle_gap(self, gap: Change) -> None:
        number, forgotten = gap
        for callref, call in self._handled.items():
            if self._handled_of.get(callref, 0) < number:
                show_stale(call, handled_fields(call).get("state") not in ENDED)
        for callref in [ref for ref, told in self.untold.items() if told == _RENEWED]:
            del self.untold[callref]
        self._handled_gap = max(self._handled_gap, number)
        self._handled_last = max(self._handled_last, number)
        self._handle_forgotten(number, forgotten)

    # By any thread.

    def get(self, callref: str) -> Optional[Call]:
        """The call, or None when it is not known, or not any more."""
        if self._handling():
            return self._handled.get(callref)
        with self.lock:
            return self._latest.get(callref)

    def all(self) -> List[Call]:
        """The calls, the last notified last."""
        if self._handling():
            return list(self._handled.values())
        with self.lock:
            return list(self._latest.values())

    def _compare(self, call: Call, fields: Fields) -> str:
        """What is said of a call that is known, in a registry that has seen a gap."""
        if not self._knows_repeats or call.callref not in self._before:
            return retelling.NEWS
        what = retelling.compare(latest_fields(call), fields, self._before[call.callref])
        if what == retelling.NEWS:
            del self._before[call.callref]
        return what

    def _forget(self, callrefs: Dict[str, None], most: int) -> List[str]:
        """Forget the first of these calls, so that no more of them are kept."""
        forgotten = []
        while len(callrefs) > most:
            oldest = next(iter(callrefs))
            del callrefs[oldest]
            del self._latest[oldest]
            self._before.pop(oldest, None)
            forgotten.append(oldest)
        return forgotten

    def _forget_active(self, most: int) -> List[str]:
        """Forget the active calls that were notified first.

        It forgets some more than it must, because the search may pass all the ended calls.
        """
        count = len(self._latest) - len(self._ended) - most + most // 100
        active = (callref for callref in self._latest if callref not in self._ended)
        found = [callref for callref, _ in zip(active, range(count))]
        if self._complaints.allows():
            more = self._complaints.take_left_out()
            _log.warning(
                "more than %d calls go on: the oldest are forgotten, see max_active_calls%s",
                most, f" (left out {more} such warnings)" if more else "",
            )
        for callref in found:
            del self._latest[callref]
            self._silent.pop(callref, None)
            self._before.pop(callref, None)
        return found
