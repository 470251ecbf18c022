"""The known calls by callref, as received and as handlers see them."""

from contextlib import nullcontext
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from .._display.dates import ENDED
from .._net.log_thread import ThreadedLogger
from .._net.rate_limit import RateLimit
from .._net.reentrant import new_lock
from ..call import Call
from . import duplicates
from .call_views import (
    add_dates,
    handled_fields,
    is_shown_stale,
    is_stale,
    latest_fields,
    receive,
    set_stale,
    show,
    show_stale,
    trim,
)
from .kept_call import MAX_CALL_BYTES, keep_documented

_log = ThreadedLogger("keyyo_cti")

#: Maximum number of stale calls kept after two gaps without news. They have most likely ended,
#: and would otherwise leak.
_MAX_SILENT_CALLS = 1000

#: Minimum seconds between two warnings about forgotten calls.
_WARNING_PERIOD = 60.0

#: In place of a stage: handlers have seen the call since the last gap.
_RENEWED = -1


Fields = Mapping[str, Any]

#: The number of a change to the latest view, and the callrefs that it removed.
Change = Tuple[int, Sequence[str]]

#: The effect of a notification on the latest view: the call; NEW, UPDATED or DUPLICATE; all
#: fields that the server sent; the fields to keep after the handlers have run, mostly the same
#: object; the number of the change, and the callrefs that it removed. A plain tuple, because one
#: is made for each notification.
Update = Tuple[Call, str, Fields, Fields, int, Sequence[str]]


class Registry:
    """The calls of the session, in the order of their last notifications. Thread-safe.

    It has two views. The reader thread changes the latest view with ``update`` and ``mark_gap``.
    The handlers' thread then makes the same changes to the handlers' view with ``handle`` and
    ``handle_gap``. The reader takes every decision, once. A change that is handled late never
    takes the handlers' view back.

    :param make: makes the Call for a callref.
    :param max_ended: maximum number of ended calls, the last ones; None keeps all.
    :param detects_duplicates: True to recognize what a server repeats after a gap.
    :param max_active: maximum number of active calls; None keeps all.
    :param handling: returns True if this thread runs a handler, which sees the handlers' view.
    :param in_order: False if several threads may handle changes, out of order.
    :ivar last: the number of the last change to the latest view.
    :ivar handled_last: the number of the last change to the handlers' view.
    """

    def __init__(
        self,
        make: Callable[[str], Call],
        max_ended: Optional[int],
        detects_duplicates: bool = False,
        max_active: Optional[int] = None,
        handling: Callable[[], bool] = lambda: False,
        in_order: bool = True,
    ) -> None:
        self._make = make
        self._max_ended = max_ended
        self._max_active = max_active
        self._detects_duplicates = detects_duplicates
        self._handling = handling
        #: The reader thread holds it from an update until the update is queued, so that both
        #: views change in the same order. On a thread that holds it, a signal handler or
        #: ``__del__`` only reads the calls, which is safe at any moment.
        self.lock = new_lock()
        self._latest: Dict[str, Call] = {}
        # Only if changes may be handled out of order: the number of a duplicate -> the fields of
        # the latest view at that time.
        self._repeated: Dict[int, Fields] = {}
        self._handled: Dict[str, Call] = {}
        # Dicts for their order: the callrefs of ended calls, and of calls without news for two
        # gaps.
        self._ended: Dict[str, None] = {}
        self._silent: Dict[str, None] = {}
        # Calls known before the last gap without news since: callref -> the stage reached then.
        self._before: Dict[str, Optional[int]] = {}
        self._in_order = in_order
        # Numbers of changes: the last one made; the last one handled, of all kinds and of gaps;
        # and the last one of each call if changes may be out of order.
        self.last = 0
        self.handled_last = 0
        self._handled_gap = 0
        self._handled_of: Dict[str, int] = {}
        self._warnings = RateLimit(1, _WARNING_PERIOD)
        # Calls of which a handler has awaited a later event: call -> its fields in the handlers'
        # view before, whether it was stale, and whether it was known.
        self._ahead: Dict[Call, Tuple[Fields, bool, bool]] = {}
        #: Calls whose last notifications reached no handler, because the program had closed:
        #: callref -> the stage that handlers saw last, or None. Only the handlers' thread uses it.
        self.unnotified: Dict[str, Optional[int]] = {}

    # By the reader thread.

    def update(self, callref: str, fields: Fields, size: int = 0) -> Update:
        """Apply a notification to the latest view, where the call moves to the end.

        The caller holds the lock.

        :param size: memory of the fields in bytes. Above a limit, only the documented fields are
            kept.
        """
        latest, ended = self._latest, self._ended
        call = latest.pop(callref, None)
        known = call is not None
        if call is None:
            call = self._make(callref)
        fields = add_dates(call, fields)
        kept = fields if size <= MAX_CALL_BYTES else keep_documented(fields)
        kind = duplicates.NEW
        if known:
            ended.pop(callref, None)
            if self._before:
                kind = self._compare(call, kept)
        if kind != duplicates.DUPLICATE:
            receive(call, kept)
            now = kept
        else:
            set_stale(call, False)
            now = latest_fields(call)
        latest[callref] = call
        if self._silent:
            self._silent.pop(callref, None)
        forgotten: Sequence[str] = ()
        if now.get("state") in ENDED:
            ended[callref] = None
            if self._max_ended is not None and len(ended) > self._max_ended:
                forgotten = self._forget(ended, self._max_ended)
        elif self._max_active is not None and len(latest) - len(ended) > self._max_active:
            forgotten = self._forget_active(self._max_active)
        self.last += 1
        if kind == duplicates.DUPLICATE and not self._in_order:
            self._repeated[self.last] = now
        return call, kind, fields, kept, self.last, forgotten

    def count_event(self) -> int:
        """Return a number for an event that changes no call. The caller holds the lock."""
        self.last += 1
        return self.last

    def is_empty(self) -> bool:
        """Return True if no call is known."""
        return not self._latest

    def mark_gap(self) -> Change:
        """Mark the active calls as stale: the connection is lost, and their end may go unnoticed.

        The caller holds the lock.

        :returns: the change, for ``handle_gap``.
        """
        for callref, call in self._latest.items():
            if is_stale(call):
                self._silent[callref] = None
            fields = latest_fields(call)
            set_stale(call, fields.get("state") not in ENDED)
            self._before.setdefault(callref, duplicates.get_stage(fields))
        self.last += 1
        return self.last, self._forget(self._silent, _MAX_SILENT_CALLS)

    # By the handlers' thread.

    def handle(self, update: Update) -> None:
        """Apply an update to the handlers' view."""
        if self._in_order:
            # No lock: only this thread uses the handlers' view.
            self._handle(update)
        else:
            with self.lock:
                self._handle_out_of_order(update)

    def _handle(self, update: Update) -> None:
        call, kind, fields, _, number, forgotten = update
        if self._ahead:
            self._take_back()
        self.handled_last = number
        handled, callref = self._handled, call.callref
        handled.pop(callref, None)
        handled[callref] = call
        if forgotten:
            self._handle_forgotten(number, forgotten)
        if kind != duplicates.DUPLICATE:
            show(call, fields)
        else:
            show_stale(call, False)

    def _handle_out_of_order(self, update: Update) -> None:
        """Apply an update that may be older than the handlers' view.

        That happens if the program's ``dispatch`` raised for a later update, while this one was
        still in its queue.
        """
        call, kind, fields, _, number, forgotten = update
        later = number < self._handled_of.get(call.callref, 0)
        known = self._repeated.pop(number, None)
        if known is not None and not later:
            # What a duplicate repeats may still wait in the queue.
            show(call, known)
        if number > self.handled_last:
            self._handle(update)
        elif later:
            self._handle_forgotten(number, forgotten)
        else:
            if self._latest.get(call.callref) is call:
                # Otherwise a call that was forgotten in between would leak.
                self._handled[call.callref] = call
            self._handle_forgotten(number, forgotten)
            if kind != duplicates.DUPLICATE:
                show(call, fields)
            over = handled_fields(call).get("state") in ENDED
            show_stale(call, number < self._handled_gap and not over)
        if not later and call.callref in self._handled:
            self._handled_of[call.callref] = number

    def _handle_forgotten(self, number: int, forgotten: Sequence[str]) -> None:
        for callref in forgotten:
            # A callref that came again belongs to another call by now.
            if self._handled_of.get(callref, 0) <= number:
                self._handled.pop(callref, None)
                self._handled_of.pop(callref, None)
                self.unnotified.pop(callref, None)

    def skip(self, update: Update) -> None:
        """Apply an update to the handlers' view without handlers: the program has closed."""
        call, kind, fields = update[:3]
        if self._ahead:
            self._take_back()
        known = handled_fields(call)
        is_new = call.callref not in self._handled or duplicates.is_another(known, fields)
        if kind != duplicates.DUPLICATE and self._detects_duplicates:
            if is_new:
                self.unnotified[call.callref] = None
            elif self.unnotified.get(call.callref) == _RENEWED:
                self.unnotified[call.callref] = duplicates.get_stage(known)
            else:
                self.unnotified.setdefault(call.callref, duplicates.get_stage(known))
        # Last, because it may forget the call itself, whose callref would leak.
        self.handle(update)
        self.settle(update)

    def kind_for_handlers(self, update: Update) -> str:
        """Return NEW, UPDATED or DUPLICATE, from the handlers' point of view.

        A duplicate is news to handlers that missed the call's last notifications. Otherwise a
        program that closes and reopens while a call rings would never see it.
        """
        call, kind, _, kept = update[:4]
        older = kind == duplicates.DUPLICATE and handled_fields(call) != kept
        if older or call.callref not in self.unnotified:
            return kind
        if kind == duplicates.DUPLICATE and self.unnotified[call.callref] == _RENEWED:
            return kind
        told = self.unnotified.pop(call.callref)
        if kind != duplicates.NEW:
            if told is not None and duplicates.get_stage(kept) == told:
                return duplicates.UPDATED
            # After its first notification, the call's events are delivered as usual.
            self.unnotified[call.callref] = _RENEWED
        return duplicates.NEW

    def show_ahead(self, call: Call, fields: Fields, number: int) -> None:
        """Show the running handler an event that it has awaited, until the next event.

        Otherwise a call that it waited for would have no fields yet.
        """
        with nullcontext() if self._in_order else self.lock:
            handled = self.handled_last if self._in_order else self._handled_of.get(
                call.callref, 0
            )
            if number <= handled:
                return  # Handlers are past it.
            is_known = call.callref in self._handled
            before = handled_fields(call), is_shown_stale(call), is_known
            self._ahead.setdefault(call, before)
            if not is_known:
                self._handled[call.callref] = call
            show(call, fields)

    def _take_back(self) -> None:
        """Undo ``show_ahead``: each handler sees the state of its own event."""
        ahead, self._ahead = self._ahead, {}
        for call, (fields, stale, was_known) in ahead.items():
            trim(call, fields)
            show_stale(call, stale)
            if not was_known and self._handled.get(call.callref) is call:
                del self._handled[call.callref]

    def settle(self, update: Update) -> None:
        """Drop the fields that are not to be kept, after the handlers have run."""
        call, _, fields, kept = update[:4]
        if self._ahead:
            self._take_back()
        # A handler may run others in between, for a later event.
        if kept is not fields and handled_fields(call) is fields:
            trim(call, kept)

    def handle_gap(self, gap: Change) -> None:
        """Apply the change of ``mark_gap`` to the handlers' view."""
        if self._in_order:
            self._handle_gap(gap)
        else:
            with self.lock:
                self._handle_gap(gap)

    def _handle_gap(self, gap: Change) -> None:
        number, forgotten = gap
        if self._ahead:
            self._take_back()
        for callref, call in self._handled.items():
            if self._handled_of.get(callref, 0) < number:
                show_stale(call, handled_fields(call).get("state") not in ENDED)
        for callref in [ref for ref, told in self.unnotified.items() if told == _RENEWED]:
            del self.unnotified[callref]
        self._handled_gap = max(self._handled_gap, number)
        self.handled_last = max(self.handled_last, number)
        self._handle_forgotten(number, forgotten)

    # By any thread.

    def latest_calls(self) -> List[Call]:
        """Return the calls of the latest view. The caller holds the lock."""
        return list(self._latest.values())

    def get(self, callref: str) -> Optional[Call]:
        """Return the call, or None if it is unknown or forgotten."""
        if self._handling():
            return self._handled.get(callref)
        with self.lock:
            return self._latest.get(callref)

    def holds(self, call: Call) -> bool:
        """Return True if a call is known, or known again, as the same object."""
        return self._latest.get(call.callref) is call

    def all(self) -> List[Call]:
        """Return the calls, the last notified last."""
        if self._handling():
            return list(self._handled.values())
        with self.lock:
            return list(self._latest.values())

    def _compare(self, call: Call, fields: Fields) -> str:
        """Compare the fields with a known call, in a registry that has seen a gap."""
        if not self._detects_duplicates or call.callref not in self._before:
            return duplicates.NEW
        kind = duplicates.compare(latest_fields(call), fields, self._before[call.callref])
        if kind == duplicates.NEW:
            del self._before[call.callref]
        return kind

    def _forget(self, callrefs: Dict[str, None], most: int) -> List[str]:
        """Forget the oldest of these calls until at most ``most`` are left."""
        forgotten = []
        while len(callrefs) > most:
            oldest = next(iter(callrefs))
            del callrefs[oldest]
            del self._latest[oldest]
            self._before.pop(oldest, None)
            forgotten.append(oldest)
        return forgotten

    def _forget_active(self, most: int) -> List[str]:
        """Forget the active calls with the oldest notifications.

        It forgets one percent more than it must, because each search may scan all ended calls.
        """
        count = len(self._latest) - len(self._ended) - most + most // 100
        active = (callref for callref in self._latest if callref not in self._ended)
        found = [callref for callref, _ in zip(active, range(count))]
        if self._warnings.allows():
            more = self._warnings.take_left_out()
            _log.warning(
                "more than %d active calls: the oldest are forgotten, see max_active_calls%s",
                most, f" ({more} such warnings were left out)" if more else "",
            )
        for callref in found:
            del self._latest[callref]
            self._silent.pop(callref, None)
            self._before.pop(callref, None)
        return found
