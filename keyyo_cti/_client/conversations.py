"""The conversations of one client: they are followed from their first use on.

Most programs use none, so their notifications are only logged, and the last ones are followed
when a program first asks for a conversation or handles the end of one.
"""

from collections import deque
from contextlib import suppress
from functools import partial
from typing import Any, Callable, Deque, Dict, FrozenSet, Iterable, List, Optional, Tuple, cast

from .._display.dates import ENDED
from .._net.clock import NEVER, Monotonic, monotonic, moved_by_hand
from ..call import Call, Conversation
from ..errors import CommandTimeout, ConnectionClosed, KeyyoError
from . import handovers
from .call_views import get_leg, latest_fields, set_leg
from .conversation_model import ConversationModel
from .conversation_views import ConversationViews, State, read_root, state_of
from .dispatch import Dispatcher
from .duplicates import DUPLICATE
from .guesses import CALLPARK
from .handovers import Handover, make_handover
from .leg_groups import Change, LegGroups
from .legs import FOLLOW_UP, Key
from .pending import Reaction
from .registry import Registry, Update
from .session import Session
from .wire import Command

EVENT = "conversationEnded"

#: Maximum number of notifications that are logged before the first use.
_MAX_LOG = 500

#: Maximum digits of a short number, whose full number is unknown.
_MAX_SHORT = 6

#: A logged notification: the call, its fields, the number of the change, the calls that it
#: removed, and its monotonic time.
_Entry = Tuple[Call, str, Any, int, Any, float]

#: Conversations that have ended, and the changes of all.
Ended = Tuple[List[ConversationViews[Any]], List[Change]]

#: A step of a command: the number of the last change before it, its monotonic time, what it does.
_Step = Tuple[int, float, Callable[[ConversationModel, float], object]]


class Conversations:
    """Follows the calls of a client and its commands.

    The caller of a method under "By the reader thread" holds the lock of the registry.

    :param key_of: returns the key of a number.
    :ivar queued: by the number of a change of the registry: what it changes in conversations.
    """

    def __init__(
        self,
        registry: Registry,
        dispatcher: Dispatcher,
        session: Session,
        key_of: Key,
        clock: Monotonic = monotonic,
    ) -> None:
        self._due = NEVER
        self.queued: Dict[int, List[Change]] = {}
        self._registry = registry
        self._dispatcher = dispatcher
        self._session = session
        self._key_of = key_of
        self._clock = clock
        self._model: Optional[ConversationModel] = None
        self._log: Deque[_Entry] = deque(maxlen=_MAX_LOG)
        # False after a gap: earlier notifications are not in the log.
        self._is_complete = True
        # Steps that the model has not followed yet. Any thread appends, without a lock.
        self._steps: Deque[_Step] = deque()
        self._lines_of: Any = None

    # By the reader thread.

    @property
    def due(self) -> float:
        """Monotonic time at which to call ``expire``."""
        return self._due - moved_by_hand()

    def follow(self, update: Update, is_wanted: Callable[[str], bool]) -> None:
        """Follow a notification, before it is queued for the handlers.

        :param is_wanted: returns True if the program expects an event.
        """
        # The log has the kept fields only: all fields may take much memory.
        call, kind, _, kept, number, forgotten = update
        now = self._now()
        entry = call, kind, kept, number, forgotten, now
        if self._model is not None:
            self._follow(self._model, entry, True)
            return
        self._log.append(entry)
        if kept.get("state") in ENDED:
            # If the program asks within this time, the end must come in time.
            self._due = now + FOLLOW_UP
            if is_wanted(EVENT):
                self._start()

    def mark_gap(self) -> Ended:
        """Follow the end of a connection.

        :returns: the conversations that have ended, and the changes.
        """
        self._due = NEVER
        model = self._model
        if model is None:
            self._log.clear()
            self._steps.clear()
            self._is_complete = False
            return [], []
        self._take_steps(model)
        return model.gap(self._now()), model.take_changes()

    def expire(self) -> Ended:
        """Return the conversations that have ended, and the changes."""
        self._due = NEVER
        model = self._model
        if model is None:
            return [], []
        self._take_steps(model)
        ended = model.expire(self._now())
        self._set_due(model)
        return ended, model.take_changes()

    # By the thread that sends a command, or completes it.

    def ask(self, command: Command) -> Optional[Reaction]:
        """Follow a command that is about to be sent.

        :returns: the reaction to its reply; None if no call depends on it.
        """
        if command.action in ("subscribe", "unsubscribe"):
            return lambda error, result: self.disturb()
        handover = make_handover(command)
        if handover is None:
            return None
        self._add_step(lambda model, now: model.begin(handover, now))
        return partial(self._on_reply, handover)

    def disturb(self) -> None:
        """Follow something that may have hidden a notification."""
        # Once in a row: one frame may hold a million messages that cannot be read.
        with suppress(IndexError):
            if self._steps[-1][2] is ConversationModel.disturb_at:
                return
        self._add_step(ConversationModel.disturb_at)

    def _on_reply(self, handover: Handover, error: Optional[KeyyoError], result: Any) -> None:
        outcome = _outcome(error)
        self._add_step(lambda model, now: model.resolve(handover, outcome, now))
        lock = self._registry.lock
        if self._model is None or lock._is_owned():
            # In a signal handler or __del__ that interrupted the SDK, the next event does it.
            return
        with lock:
            self._take_steps(self._model)
            self._set_due(self._model)
            changes = self._model.take_changes()
            if changes:
                self._dispatcher.put(partial(self.show, changes))

    def _add_step(self, work: Callable[[ConversationModel, float], object]) -> None:
        self._steps.append((self._registry.last, self._now(), work))
        if self._model is None and len(self._steps) > _MAX_LOG:
            with suppress(IndexError):
                self._steps.popleft()

    # Where handlers run.

    def show(self, changes: Iterable[Change]) -> None:
        """Make changes to the handlers' view."""
        for views, value, number in changes:
            views.show(value, number)

    def show_queued(self, number: int) -> None:
        """Make the changes that belong to a change of the registry."""
        changes = self.queued.pop(number, None)
        if changes is not None:
            self.show(changes)

    # By any thread.

    def get(self, call: Call) -> Conversation:
        """Return the conversation of a call."""
        leg = get_leg(call)
        if leg is None or self._model is None:
            if self._registry.lock._is_owned():
                return _make_guess(call, self._key_of)
            with self._registry.lock:
                model = self._model or self._start()
                leg = get_leg(call) or self._adopt(model, call)
        return cast(Conversation, read_root(leg.views.read())[0])

    def _adopt(self, model: ConversationModel, call: Call) -> Any:
        """Follow a call whose notifications are unknown."""
        leg = model.adopt(call, call.callref, latest_fields(call), self._now())
        set_leg(call, leg)
        self.show(model.take_changes())
        return leg

    def _start(self) -> ConversationModel:
        """Begin to follow conversations, with what is logged. Under the lock."""
        handling = self._dispatcher.inside
        groups = LegGroups(partial(Conversation, handling), handling)
        model = ConversationModel(groups, self._key_of)
        self._refresh_lines(model)
        entries = list(self._log)
        is_complete = self._is_complete and len(entries) < _MAX_LOG
        logged = {entry[0].callref for entry in entries}
        for call in () if is_complete else self._registry.latest_calls():
            if call.callref not in logged and latest_fields(call).get("state") not in ENDED:
                self._adopt(model, call)
        for entry in entries:
            model.expire(entry[5])
            is_new = is_complete or entry[2].get("state") == "SETUP"
            self._follow(model, entry, is_new)
        self._log.clear()
        # First: a thread that adds a step then looks for the model.
        self._model = model
        self._take_steps(model)
        # Nobody waited for the conversations that ended before.
        model.expire(self._now())
        self.show(model.take_changes())
        self._set_due(model)
        # The handlers' thread looks for changes after it has handled an update, and this thread
        # after it has queued them. So one of both finds them.
        handled = self._registry.handled_last
        for number in [each for each in list(self.queued) if each <= handled]:
            self.show_queued(number)
        return model

    def _follow(self, model: ConversationModel, entry: _Entry, is_new: bool) -> None:
        call, kind, fields, number, forgotten, now = entry
        self._refresh_lines(model)
        self._take_steps(model, number)
        if kind != DUPLICATE:
            known = get_leg(call)
            leg = model.notify(known, call, call.callref, fields, now, is_new)
            if leg is not known:
                set_leg(call, leg)
        if forgotten:
            model.forget(forgotten, now)
        changes = model.take_changes()
        if changes:
            self.queued[number] = changes
        self._set_due(model)

    def _take_steps(self, model: ConversationModel, before: float = NEVER) -> None:
        """Let the model follow the steps of commands.

        :param before: the number of a change of the registry; later steps stay.
        """
        steps = self._steps
        while steps and steps[0][0] < before:
            _, now, work = steps.popleft()
            work(model, now)

    def _now(self) -> float:
        return self._clock() + moved_by_hand()

    def _set_due(self, model: ConversationModel) -> None:
        due = model.due
        self._due = NEVER if due is None else due

    def _refresh_lines(self, model: ConversationModel) -> None:
        session = self._session
        settings = session.settings
        lines_of = session.number, settings.version, settings.complete
        if lines_of != self._lines_of:
            self._lines_of = lines_of
            model.guesses.own = self._key_of(session.number)
            model.guesses.lines = _find_lines(
                settings.list_subscriptions(session.number), self._key_of
            )


def _make_guess(call: Call, key_of: Key) -> Conversation:
    """Return a conversation of one call: a signal handler that interrupted the SDK gets it."""
    views = Conversation()
    numbers = (each for each in (call.caller, call.callee) if key_of(each) is not None)
    state_of(views).receive(State((call,), call, tuple(map(str, numbers)), call.ended))
    return views


def _find_lines(numbers: Optional[List[str]], key_of: Key) -> Optional[FrozenSet[str]]:
    """Return the keys of the lines whose calls are notified, or None if they are unknown."""
    keys = [number if number == CALLPARK else key_of(number) for number in numbers or ()]
    if numbers is None or any(key is None or len(key) <= _MAX_SHORT for key in keys):
        return None
    return frozenset(key for key in keys if key is not None)


def _outcome(error: Optional[KeyyoError]) -> str:
    if error is None:
        return handovers.DONE
    if isinstance(error, CommandTimeout) or (isinstance(error, ConnectionClosed) and error.sent):
        return handovers.UNKNOWN
    status = error.status_code
    fails = isinstance(status, int) and status >= 500
    return handovers.UNKNOWN if fails else handovers.REFUSED
