"""The Futures that wait for events, each completed exactly once.

As with commands, the thread that removes a Future from the table completes it: the reader thread
with an event, or any thread at its deadline, at the end of the session, or on ``cancel``.
"""

import itertools
import threading
from collections import deque
from functools import partial
from typing import Any, Callable, Deque, Dict, NamedTuple, Optional, Sequence, Tuple, Union

from .._net import process
from .._net.clock import NEVER, Monotonic, monotonic
from ..call import Call
from ..errors import CallEnded, EventTimeout, KeyyoError, SessionEnded
from . import event_check
from .call_parties import judge
from .call_views import handled_fields, is_shown_stale, show, show_stale, trim
from .deadline_thread import DeadlineThread
from .dispatch import Dispatcher
from .duplicates import DUPLICATE, NEW
from .event_future import CallChange, EventFuture
from .registry import Fields, Registry, Update
from .session_state import Sessions
from .wait_table import WaitTable

_FORGOTTEN = "the call was forgotten, see max_active_calls"

_LOST = "the session was lost"
_CLOSED = "the session was closed"


class Occurrence(NamedTuple):
    """An event of a CTI that is not a call's."""

    event: str
    arguments: Tuple[Any, ...] = ()


class Waits:
    """The Futures of one client that wait for events.

    Their failures are not logged if the program never asks: an event that does not come is no
    mistake. Only an exception of a check is.

    :param number: the number of the client, for the name of the thread for deadlines.
    """

    def __init__(
        self,
        registry: Registry,
        dispatcher: Dispatcher,
        sessions: "Sessions[Any]",
        number: int = 0,
        clock: Monotonic = monotonic,
    ) -> None:
        self._registry = registry
        self._dispatcher = dispatcher
        self._sessions = sessions
        self._clock = clock
        self._process = process.current()
        self._keys = itertools.count()
        self.table = WaitTable(dispatcher.answered)
        self.pending = self.table.pending
        #: Received events whose handlers have not run, by their numbers, the oldest first. A wait
        #: that begins in a handler begins with these. The registry's lock guards additions.
        self.undelivered: Dict[int, Union[Update, Occurrence]] = {}
        #: True if the last session was lost; False if there is one, or the program has closed it.
        self.lost = False
        # Removed from the table, and to be failed outside of the critical section.
        self._cut_off: Deque[Tuple[EventFuture, str]] = deque()
        name = f"keyyo-cti-waits-{number}"
        self._deadlines = DeadlineThread(name, self._next_deadline, self.expire, clock)

    # By any thread of the program.

    def begin(
        self,
        events: Sequence[str],
        check: Optional[Callable[..., object]] = None,
        timeout: Optional[float] = None,
        call: Optional[Call] = None,
    ) -> EventFuture:
        """Return a Future of the next of these events.

        In a handler, that is the first one behind the event that it handles, received or not.
        """
        event_check.check_arguments(check, timeout)
        key = next(self._keys)
        future = EventFuture(self, self._dispatcher, key, events, check, timeout, call)
        self.table.add(future)
        self._dispatcher.expect(future.token)
        try:
            self._begin(future)
        except BaseException:
            # Ctrl-C in a check, which runs here.
            future.cancel()
            raise
        if future.deadline < NEVER and self.table.hold_until_deadline(future):
            self._deadlines.on_added(future.deadline)
        return future

    def _begin(self, future: EventFuture) -> None:
        call = future.call
        inside = self._dispatcher.inside()
        if not inside:
            with self._registry.lock:
                self._register(future)
        if call is not None:
            # After the registration: an event in between is judged twice, and completes it once.
            self._judge(future, call._fields, self._registry.last)
        if inside:
            self._catch_up(future)
        if call is not None and not self._registry.holds(call):
            self._fail_of_call(future, _FORGOTTEN)
        if self._sessions.current is None:
            self._refuse_if_over(future, inside)

    def _refuse_if_over(self, future: EventFuture, inside: bool) -> None:
        """Fail a Future that has begun without a session, if none may come.

        A program may begin to wait before it creates its session.
        """
        is_lost = self.lost and not self._sessions.expecting()
        if is_lost or (inside and self._sessions.end_later()):
            self._fail(future, self._session_ended(future, _LOST if self.lost else _CLOSED))
        elif future.call is not None:
            self._fail(future, self._session_ended(future, "there is no session"))

    def _register(self, future: EventFuture) -> None:
        """Let the reader thread find a Future. The caller holds the registry's lock."""
        future.since = self._registry.last
        self.table.register(future)

    def _catch_up(self, future: EventFuture) -> None:
        """Offer the events that wait behind the running handler, then register the Future."""
        seen = -1
        while future.key in self.pending:
            with self._registry.lock:
                known = list(self.undelivered.items())
                behind = [(number, event) for number, event in known if number > seen]
                if not behind:
                    self._register(future)
                    return
            for seen, event in behind:
                if future.key in self.pending:
                    self._offer_to(future, event)

    # By the reader thread, or wherever an event occurs.

    def on_update(self, update: Update) -> None:
        """Offer a notification to the Futures that wait for it."""
        call, number, forgotten = update[0], *update[4:]
        for future in self.table.of_event("newCall") + self.table.of_call(call):
            if future.since < number:
                self._offer_to(future, update)
        if forgotten:
            self.forget(forgotten)

    def on_settled(self, update: Update) -> None:
        """Offer the end of a call to the Futures of that call only: no handler is told of it."""
        for future in self.table.of_call(update[0]):
            self._offer_to(future, update)

    def forget(self, callrefs: Sequence[str]) -> None:
        """Fail the Futures of calls that the registry has forgotten."""
        for future in self.table.all():
            if future.call is not None and future.call.callref in callrefs:
                self._fail_of_call(future, _FORGOTTEN)

    def post(self, event: Occurrence, work: Callable[[], object]) -> None:
        """Offer an event of the CTI, then queue its handlers.

        :param work: calls the handlers.
        """
        with self._registry.lock:
            number = self._registry.count_event()
            self.undelivered[number] = event
        self.offer(event, number)
        self._dispatcher.put(partial(self._deliver, number, work))

    def has(self, event: str) -> bool:
        """Return True if a Future waits for an event of the CTI."""
        return bool(self.table.of_event(event))

    def _deliver(self, number: int, work: Callable[[], object]) -> None:
        self.undelivered.pop(number, None)
        work()

    def offer(self, event: Occurrence, number: float = NEVER) -> None:
        """Offer an event of the CTI to the Futures that wait for it."""
        for future in self.table.of_event(event.event):
            if future.since < number:
                self._offer_to(future, event)

    def _offer_to(self, future: EventFuture, event: Union[Update, Occurrence]) -> None:
        if isinstance(event, Occurrence):
            fits = future.call is None and event.event in future.events
            if fits and self._passes(future, event.arguments):
                self._complete(future, next(iter(event.arguments), None))
            return
        call, kind, fields, _, number, _ = event
        if kind == DUPLICATE:
            return
        if future.call is call:
            self._judge(future, fields, number)
        elif future.call is None and "newCall" in future.events:
            if self._passes(future, (call,), fields):
                self._complete(future, call, (call, fields, number))

    def repeat(self, update: Update) -> None:
        """Offer a duplicate that is an event all the same: the handlers had missed it."""
        with self._registry.lock:
            number = self._registry.count_event()
        self.on_update((update[0], NEW, *update[2:4], number, ()))

    def _judge(self, future: EventFuture, fields: Fields, number: int) -> None:
        """Complete a Future of a call whose state is the awaited one, or rules it out."""
        verdicts = [judge(event, fields) for event in future.events]
        if True in verdicts:
            assert future.call is not None
            self._complete(future, future.call, (future.call, fields, number))
        elif None not in verdicts:
            state = str(fields.get("state"))
            self._fail_of_call(future, f"the call is over, its state is {state}")

    def _passes(
        self, future: EventFuture, arguments: Tuple[Any, ...], fields: Optional[Fields] = None
    ) -> bool:
        """Return True if the check accepts an event. If it raises, the Future fails with that."""
        if future.check is None:
            return True
        try:
            if fields is not None and self._dispatcher.inside():
                return self._check_in_handler(future.check, arguments[0], fields)
            return event_check.run(future.check, arguments)
        except BaseException as error:
            main = threading.current_thread() is threading.main_thread()
            if main and isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
            process.check(self._process)
            if self.take(future):
                event_check.log(future.check, error)
                self._set_error(future, error)
            return False

    @staticmethod
    def _check_in_handler(check: Callable[..., object], call: Call, fields: Fields) -> bool:
        """Run a check while the handlers' view shows the event that it is about."""
        before, stale = handled_fields(call), is_shown_stale(call)
        show(call, fields)
        try:
            return event_check.run(check, (call,))
        finally:
            trim(call, before)
            show_stale(call, stale)

    # The end of a wait.

    def take(self, future: EventFuture) -> bool:
        """Remove a Future. Only the caller that gets True completes it."""
        return self.table.take(future)

    def hold(self, future: EventFuture) -> None:
        """Keep a Future although the program may drop it: a function is to be called."""
        self.table.hold(future)

    def ended(self, future: EventFuture) -> None:
        """Note that a Future is complete."""
        self._dispatcher.answered(future.token)
        if future.deadline < NEVER and not self.table.timed():
            # No deadline is left: the thread ends.
            self._deadlines.wake()

    def _complete(
        self, future: EventFuture, value: Any, change: Optional[CallChange] = None
    ) -> None:
        if self.take(future):
            future.change = change
            future.set_result(value)
            self.ended(future)

    def _fail(self, future: EventFuture, error: KeyyoError) -> None:
        if self.take(future):
            self._set_error(future, error)

    def _set_error(self, future: EventFuture, error: BaseException) -> None:
        future.set_exception(error)
        self.ended(future)

    def _fail_of_call(self, future: EventFuture, problem: str) -> None:
        self._fail(future, CallEnded(" or ".join(future.events), problem))

    def expire(self) -> None:
        """Fail the Futures whose deadlines have passed."""
        now = self._clock()
        for future in self.table.timed():
            if future.deadline <= now:
                assert future.timeout is not None
                self._fail(future, EventTimeout(" or ".join(future.events), future.timeout))

    def _next_deadline(self) -> float:
        return min((each.deadline for each in self.table.timed()), default=NEVER)

    def on_end(self, is_lost: bool, was_restoring: bool) -> None:
        """Cut the Futures off, because the current session ends.

        :param is_lost: False if the program or the server has ended it.
        :param was_restoring: True if it was being restored.
        """
        self.lost = is_lost
        if is_lost:
            # These events still come.
            self._cut(_LOST, "lost" if was_restoring else "disconnected")
        else:
            self._cut(_CLOSED)

    def on_close(self) -> None:
        """Cut the Futures off, because the program closes the CTI."""
        self.lost = False
        self._cut("the program has closed the CTI")

    def on_end_handled(self) -> None:
        """Fail the Futures that began after the end of a session, if no other one may follow."""

        def work() -> None:
            if self.lost and not self._sessions.expecting():
                self._cut(_LOST)

        self._sessions.section.run(work, self.settle)

    def on_overflow(self, reason: str) -> None:
        """Fail all Futures, although the session may be restored.

        Otherwise a handler that waits would keep the backlog full, and the next connection would
        end as this one.
        """
        self._cut(reason)
        self.settle()

    def _cut(self, reason: str, keeps: str = "") -> None:
        """Remove the Futures. ``settle`` fails them, outside of the section.

        The section has the change of the session's state too, so that a wait that begins later is
        one for the next session.

        :param keeps: an event that still comes.
        """
        for future in self.table.all():
            if keeps not in future.events and self.take(future):
                self._cut_off.append((future, reason))

    def settle(self) -> None:
        """Fail the Futures that were cut off."""
        while self._cut_off:
            try:
                future, reason = self._cut_off.popleft()
            except IndexError:
                return  # Another thread was faster.
            self._set_error(future, self._session_ended(future, reason))

    @staticmethod
    def _session_ended(future: EventFuture, reason: str) -> SessionEnded:
        return SessionEnded(" or ".join(future.events), reason)

    def show(self, change: CallChange) -> None:
        """Show an awaited event to the running handler."""
        if self._dispatcher.inside():
            self._registry.show_ahead(*change)

    def finish(self, timeout: float) -> None:
        """Wait for the end of the thread for deadlines, if none is left."""
        self._deadlines.finish(timeout)
