"""From a notification to the handlers of its call."""

from collections import deque
from functools import partial
from typing import Any, Callable, Deque, Mapping, Optional, Tuple

from .._display.dates import latest_date
from ..call import Call
from . import user_errors
from .call_views import is_stale, latest_fields, receive
from .conversations import EVENT, Conversations, Ended
from .dispatch import Dispatcher
from .duplicates import DUPLICATE, UPDATED
from .emitter import Emitter
from .registry import Fields, Registry, Update
from .server_clock import ServerClock
from .waits import Occurrence, Waits
from .wire_log import WireLog, is_on

#: State of a call -> its event.
STATE_EVENTS = {"SETUP": "setup", "CONNECT": "connect", "RELEASE": "release", "MISSED": "missed"}


class EventSource:
    """Calls the handlers of one session, on the handlers' thread.

    :param cti: the emitter of ``newCall``, ``disconnected``, ``restored``, ``lost``, ``error``.
    :param number: greater for a session that was opened later.
    :ivar muted: True after ``close()`` has returned: no further handler may start.
    """

    def __init__(
        self, cti: Emitter, dispatcher: Dispatcher, waits: Waits, number: int = 0
    ) -> None:
        self.cti = cti
        self.waits = waits
        self.number = number
        self.muted = False
        self._dispatcher = dispatcher

    def is_wanted(self, name: str) -> bool:
        """Return True if there is a handler of an event of the CTI, or a wait for it."""
        return bool(self.cti.handlers(name)) or self.waits.has(name)

    def post(
        self, name: str, *arguments: Any, work: Optional[Callable[[], object]] = None
    ) -> None:
        """Complete the waits for an event of the CTI, then queue its handlers. From any thread.

        :param work: calls the handlers; by default ``emit``.
        """
        emit = partial(self.emit, name, *arguments)
        self.waits.post(Occurrence(name, arguments), work or emit)

    def post_error(self, error: BaseException) -> None:
        """Complete the waits for ``error``, then queue its handlers. From any thread."""
        self.post("error", error, work=partial(self.emit_error, error))

    def emit(self, name: str, *arguments: Any) -> bool:
        """Call the handlers of an event of the CTI.

        :returns: True if a handler was called.
        """
        return self.emit_on(self.cti, name, arguments)

    def emit_on(self, emitter: Emitter, name: str, arguments: Tuple[Any, ...]) -> bool:
        """Call the handlers of an event of the CTI or of a call.

        :param arguments: of the handlers.
        :returns: True if a handler was called.
        """
        handled = False
        for handler in emitter.handlers(name):
            if not self.muted:
                handled = self._dispatcher.call(handler, arguments, name) or handled
        return handled

    def emit_error(self, error: BaseException) -> bool:
        """Call the handlers of ``error``, which are not told of their own exceptions.

        :returns: True if a handler was called.
        """
        with self._dispatcher.reporting():
            return self.emit("error", error)

    def emit_new_error(self, error: BaseException) -> bool:
        """Complete the waits for ``error``, then call its handlers, where handlers run.

        :returns: True if a handler was called.
        """
        self.waits.offer(Occurrence("error", (error,)))
        return self.emit_error(error)

    def report(self, where: str, error: BaseException, emits: bool = True) -> None:
        """Log an exception of the program's code and tell the handlers of ``error``; any thread.

        Without such a handler it is printed at once: the program may be about to end.

        :param emits: False if the event would come too late.
        """
        user_errors.log(where, error)
        if emits and self.cti.handlers("error"):
            self.post("error", error, work=partial(self._tell, where, error))
        else:
            user_errors.show(where, error)

    def _tell(self, where: str, error: BaseException) -> None:
        if not self.emit_error(error):
            # The handler was removed in between, or the program has closed.
            user_errors.show(where, error)


class Notifications:
    """Updates the calls and queues the same updates for the handlers.

    :ivar conversations: follows which calls belong together.
    """

    def __init__(
        self,
        registry: Registry,
        clock: ServerClock,
        dispatcher: Dispatcher,
        conversations: Conversations,
        waits: Waits,
        wire_log: Optional[WireLog] = None,
    ) -> None:
        self.conversations = conversations
        self._waits = waits
        self._wire_log = wire_log or WireLog()
        #: Called with each call that is notified, under the registry's lock.
        self.on_call: Optional[Callable[[Call], object]] = None
        self._registry = registry
        self._clock = clock
        self._dispatcher = dispatcher
        # The session that the latest view shows; guarded by the registry's lock.
        self._heard: Optional[EventSource] = None
        # Conversations that have ended, with the session to tell of it, outside of the lock.
        self._ended: Deque[Tuple[EventSource, Any]] = deque()

    # By the thread of a session.

    def receive(
        self, source: EventSource, callref: str, fields: Mapping[str, Any], size: int
    ) -> None:
        """Update the latest view with a notification, then queue the update.

        :param size: memory of the fields in bytes.
        """
        self._clock.learn(latest_date(fields))
        waits = self._waits
        with self._registry.lock:
            if source is not self._heard and not self._hear(source):
                return
            update = self._registry.update(callref, fields, size)
            waits.undelivered[update[4]] = update
            self.conversations.follow(update, source.is_wanted)
            self._dispatcher.put(partial(self._deliver, source, update), size)
            if self.on_call is not None:
                self.on_call(update[0])
        if self._ended:
            self._post_ended()
        if waits.pending:
            # Without the lock: a check is user code.
            waits.on_update(update)

    def end(self, source: EventSource, in_session: bool) -> None:
        """Mark a gap, because the connection of a session has ended.

        :param in_session: True if a session was opened on the connection.
        """
        with self._registry.lock:
            # Even a session that failed may have sent notifications. If it stayed the current
            # source, the next drop would mark no gap.
            if self._heard is source or (self._heard is None and in_session):
                self._heard = None
                self._mark_gap(source)
        self._post_ended()

    def settle(
        self, source: EventSource, call: Call, complete: Callable[[Fields], Fields]
    ) -> bool:
        """End a call that is stale, without an event. From any thread.

        :param complete: returns the fields at the end, from the latest ones.
        :returns: False if there was news of the call, or if it is forgotten.
        """
        with self._registry.lock:
            if not is_stale(call) or not self._registry.holds(call):
                return False
            fields = complete(latest_fields(call))
            _, kind, _, _, number, forgotten = self._registry.update(call.callref, fields)
            # Again: the registry has added the date of now, because the end has none.
            receive(call, fields)
            update = call, kind, fields, fields, number, forgotten
            self.conversations.follow(update, source.is_wanted)
            self._dispatcher.put(partial(self._show_settled, update))
        self._waits.on_settled(update)
        return True

    def _show_settled(self, update: Update) -> None:
        self._registry.handle(update)
        if self.conversations.queued:
            self.conversations.show_queued(update[4])
        # A handler may have begun to wait before this.
        self._waits.on_settled(update)

    def on_due(self, source: EventSource, now: float) -> None:
        """End the conversations in which nothing has followed in time."""
        if now >= self.conversations.due:
            with self._registry.lock:
                self._put_ended(self._heard or source, self.conversations.expire())
            self._post_ended()

    def _hear(self, source: EventSource) -> bool:
        """Make a session the source of the latest view.

        :returns: False for an older session that is still closing.
        """
        if self._heard is not None:
            if source.number < self._heard.number:
                return False
            self._mark_gap(self._heard)
        self._heard = source
        return True

    def _mark_gap(self, source: EventSource) -> None:
        """Mark a gap.

        :param source: the session whose connection has ended.
        """
        self._put_ended(source, self.conversations.mark_gap())
        if self._registry.is_empty():
            return
        gap = self._registry.mark_gap()
        self._dispatcher.put(partial(self._registry.handle_gap, gap))
        if gap[1]:
            self._waits.forget(gap[1])

    def _put_ended(self, source: EventSource, ended: Ended) -> None:
        conversations, changes = ended
        if changes:
            self._dispatcher.put(partial(self.conversations.show, changes))
        self._ended.extend((source, conversation) for conversation in conversations)

    def _post_ended(self) -> None:
        """Tell of conversations that have ended. Without the lock: a check is user code."""
        while self._ended:
            try:
                source, conversation = self._ended.popleft()
            except IndexError:
                return  # The thread of another session was faster.
            source.post(EVENT, conversation)

    # Where handlers run.

    def _deliver(self, source: EventSource, update: Update) -> None:
        """Update the handlers' view, then run the handlers of exactly that state."""
        self._waits.undelivered.pop(update[4], None)
        if source.muted:
            self._registry.skip(update)
            self.conversations.show_queued(update[4])
            self._explain(update, "the program has closed")
            return
        self._registry.handle(update)
        call, kind, fields, kept, number, _ = update
        if self.conversations.queued:
            self.conversations.show_queued(number)
        if self._registry.unnotified:
            kind = self._registry.kind_for_handlers(update)
            if update[1] == DUPLICATE != kind:
                self._waits.repeat(update)
        if kind == DUPLICATE:
            self._registry.settle(update)
            self._explain(update, "the handlers knew it before the connection was lost")
            return
        try:
            handled = source.emit_on(source.cti, "newCall", (call,))
            state = fields.get("state")
            event = STATE_EVENTS.get(state) if isinstance(state, str) else None
            event = None if kind == UPDATED else event
            if event is not None:
                handled = source.emit_on(call, event, ()) or handled
            if not handled:
                self._explain(update, _explain_silence(source, call, event))
        finally:
            if kept is not fields:
                self._registry.settle(update)

    def _explain(self, update: Update, reason: str) -> None:
        if is_on():
            self._wire_log.undelivered(update[2], reason)


def _explain_silence(source: EventSource, call: Call, event: Optional[str]) -> str:
    """Return why no handler was called."""
    if source.cti.handlers("newCall") or (event is not None and call.handlers(event)):
        return "the program's dispatch function has not run it"
    events = "newCall" if event is None else f"newCall or {event}"
    return f"there is no handler for {events}; set cti.onNewCall"
