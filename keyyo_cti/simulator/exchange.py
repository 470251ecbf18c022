"""The telephone exchange: subscribers, telephones and calls.

It has no thread, socket or wall clock: the clock and the scheduler are arguments, and two
callbacks receive every change.
"""

from __future__ import annotations

import itertools
import re
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Deque, Dict, FrozenSet, List, NamedTuple, Optional, Union

from .calls import Call, CallRecord
from .clock import Clock, Scheduler
from .constants import CALLEE, CONNECT, MISSED, RELEASE, SETUP
from .errors import NotPossible

RINGING = "ringing"
CALLING = "calling"
TALKING = "talking"
PARKED = "parked"
IDLE = "idle"
PHONE_STATES = (TALKING, RINGING, CALLING, PARKED, IDLE)
"""The states of a telephone, in order of precedence."""

DO_NOT_DISTURB = "dnd"
"""The profile of a line that does not ring."""

MAX_ENDED_CALLS = 10_000

_CALLREF = re.compile(r"call-\d{1,12}")
"""A callref of this simulator. A client may send anything instead, even a secret."""

CallObserver = Callable[[CallRecord, FrozenSet[str]], None]
SubscriberObserver = Callable[["Subscriber"], None]
MessageObserver = Callable[[str, str], None]


class Message(NamedTuple):
    """A text message that a telephone has received."""

    sender: str
    text: str


@dataclass(eq=False)
class Subscriber:
    """The owner of a telephone number: a line of the account or an outside telephone.

    :param number: in international format, digits only.
    :param is_line: True for a line of the account.
    :param organisation: lines can subscribe only to lines of the same organisation.
    :param plugin_enabled: True if sessions may command the line.
    :param phone_registered: True if a telephone is registered.
    :param forced_profile: the identifier of the profile that is in force; None is the schedule.
    """

    number: str
    is_line: bool = False
    name: str = ""
    short_number: Optional[str] = None
    organisation: str = ""
    plugin_enabled: bool = True
    phone_registered: bool = True
    forced_profile: Optional[str] = None
    messages: List[Message] = field(default_factory=list)


@dataclass(eq=False)
class Prompt:
    """A dialled number that waits until the line's own ringing telephone is picked up."""

    subscriber: Subscriber
    to: str


class CallLeg(NamedTuple):
    """A telephone's part in one call or prompt."""

    state: str
    subject: Union[Call, Prompt]


class Exchange:
    """Lines, outside telephones and their calls.

    :param clock: returns the time in Unix seconds.
    :param scheduler: runs a callback later.
    :param ring_timeout: seconds after which an unanswered call is missed; None is no timeout.
    :param on_call: receives each change of a call, and the numbers whose subscribers it concerns.
    :param on_subscriber_change: receives a telephone that changed without a change of a call.
    :param on_message: receives the sender and the recipient of each text message.
    """

    def __init__(
        self,
        clock: Clock,
        scheduler: Scheduler,
        *,
        ring_timeout: Optional[float] = None,
        on_call: CallObserver = lambda record, audience: None,
        on_subscriber_change: SubscriberObserver = lambda subscriber: None,
        on_message: MessageObserver = lambda sender, to: None,
    ) -> None:
        self.scheduler = scheduler
        self._clock = clock
        self._ring_timeout = ring_timeout
        self._on_call = on_call
        self._on_subscriber_change = on_subscriber_change
        self._on_message = on_message
        self._subscribers: Dict[str, Subscriber] = {}
        self._live: Dict[str, Call] = {}
        self._ended: Deque[Call] = deque(maxlen=MAX_ENDED_CALLS)
        self._prompts: List[Prompt] = []
        self._callrefs = (f"call-{count}" for count in itertools.count(1))

    # Subscribers

    def add_line(self, number: str) -> Subscriber:
        """Return the account's line `number`; create it if it is new.

        :raises NotPossible: the number is an outside telephone already.
        """
        subscriber = self._subscribers.setdefault(number, Subscriber(number, is_line=True))
        if not subscriber.is_line:
            raise NotPossible(f"{number} is an outside telephone, not a line")
        return subscriber

    def get_lines(self) -> List[Subscriber]:
        """Return the account's lines, oldest first."""
        return [subscriber for subscriber in self._subscribers.values() if subscriber.is_line]

    def find_line(self, number: str) -> Optional[Subscriber]:
        """Return the line with this full or short number, or None."""
        found = self._find_by_any_number(number)
        return found if found and found.is_line else None

    def get_subscriber(self, number: str) -> Subscriber:
        """Return the subscriber with this number; create an outside telephone if it is unknown."""
        known = self._find_by_any_number(number)
        return known or self._subscribers.setdefault(number, Subscriber(number))

    def _find_by_any_number(self, number: str) -> Optional[Subscriber]:
        if number in self._subscribers:
            return self._subscribers[number]
        short = (each for each in self._subscribers.values() if each.short_number == number)
        return next(short, None)

    # State

    def get_records(self) -> List[CallRecord]:
        """Return every recorded call, ended calls first."""
        return [call.record for call in (*self._ended, *self._live.values())]

    def get_live_calls(self) -> List[Call]:
        """Return the live calls, oldest first."""
        return list(self._live.values())

    def find_call(self, callref: str) -> Call:
        """Return the live call `callref`.

        :raises NotPossible: there is none, or it has ended.
        """
        try:
            return self._live[callref]
        except KeyError:
            shown = f": {callref}" if _CALLREF.fullmatch(callref) else ""
            raise NotPossible(f"no such call is active{shown}") from None

    def find_legs(self, subscriber: Subscriber) -> List[CallLeg]:
        """Return the call legs of a subscriber, prompts first, then oldest first."""
        prompts = [CallLeg(RINGING, prompt) for prompt in self._prompts
                   if prompt.subscriber is subscriber]
        calls = [CallLeg(state, call) for call in self._live.values()
                 for state in _find_leg_states(call, subscriber.number)]
        return prompts + calls

    # Placing calls

    def dial(self, line: Subscriber, to: str, *, auto_answer: bool = True) -> None:
        """Call `to` from `line`, after the line's own telephone is picked up.

        :param auto_answer: True places the call at once.
        :raises NotPossible: no telephone is registered on the line.
        """
        _require_telephone(line)
        if auto_answer:
            self.place_call(line, to)
            return
        prompt = Prompt(line, to)
        self._prompts.append(prompt)
        if self._ring_timeout is not None:
            self.scheduler.call_later(self._ring_timeout, lambda: self._drop(prompt))
        self._on_subscriber_change(line)

    def place_call(self, caller: Subscriber, to: str) -> Call:
        """Call `to` from `caller`; the call is missed at once if `to` cannot ring."""
        callee = self.get_subscriber(to)
        reachable = callee is not caller and self._can_ring(callee)
        call = self._begin(caller.number, callee.number, SETUP)
        if not reachable:
            self.end(call)
        elif self._ring_timeout is not None:
            self.end_if_unanswered(call, self._ring_timeout)
        return call

    def join(self, caller: str, callee: str) -> Call:
        """Connect two parties in a new call without ringing."""
        return self._begin(caller, callee, CONNECT, self._now())

    def connect(self, call: Call) -> None:
        """Connect a call because the callee has picked up.

        :raises NotPossible: the call does not ring.
        """
        if not call.ringing:
            raise NotPossible(f"{call.record.callref} does not ring")
        call.cancel_timers()
        self.change(call, state=CONNECT, connect_date=self._now())
        for then in call.on_connect:
            then()

    def end(self, call: Call) -> None:
        """End a call: a connected call is released, a ringing one is missed.

        :raises NotPossible: the call has ended.
        """
        if call.ended:
            raise NotPossible(f"{call.record.callref} has ended")
        call.cancel_timers()
        call.parked_side = None
        self._ended.append(self._live.pop(call.record.callref))
        self.change(
            call,
            state=MISSED if call.ringing else RELEASE,
            release_date=self._now(),
            callpark_slot=None,
        )
        for then in call.on_end:
            then()

    def end_if_unanswered(self, call: Call, seconds: float) -> None:
        """End the call unless the callee picks up within `seconds`."""
        call.timers.append(self.scheduler.call_later(seconds, lambda: self.end(call)))

    def change(self, call: Call, **fields: Any) -> None:
        """Change fields of a call's record and notify the old and the new audience."""
        before = call.record
        call.record = replace(before, **fields)
        self._on_call(call.record, before.audience | call.record.audience)

    # Actions at a telephone

    def call_by_hand(self, caller: Subscriber, to: str) -> Call:
        """Dial `to` on the telephone of `caller`.

        :raises NotPossible: the telephone is busy, or none is registered.
        """
        _require_telephone(caller)
        if not caller.is_line and self.find_legs(caller):
            raise NotPossible(f"telephone {caller.number} is busy")
        return self.place_call(caller, to)

    def pick_up(self, subscriber: Subscriber) -> None:
        """Answer the oldest leg that rings.

        :raises NotPossible: nothing rings.
        """
        _require_telephone(subscriber)
        leg = next((each for each in self.find_legs(subscriber) if each.state == RINGING), None)
        if leg is None:
            raise NotPossible(f"telephone {subscriber.number} does not ring")
        if isinstance(leg.subject, Prompt):
            self._drop(leg.subject)
            self.place_call(subscriber, leg.subject.to)
        else:
            self.connect(leg.subject)

    def hang_up(self, subscriber: Subscriber) -> None:
        """End the latest conversation; without one, a parked, outgoing or ringing call.

        :raises NotPossible: there is nothing to hang up.
        """
        legs = self.find_legs(subscriber)
        if not legs:
            raise NotPossible(f"telephone {subscriber.number} has no call to hang up")
        order = (RINGING, CALLING, PARKED, TALKING)
        subject = max(reversed(legs), key=lambda leg: order.index(leg.state)).subject
        if isinstance(subject, Prompt):
            self._drop(subject)
        else:
            self.end(subject)

    def deliver(self, sender: str, to: str, text: str) -> None:
        """Deliver a text message to the telephone of `to`."""
        recipient = self.get_subscriber(to)
        recipient.messages.append(Message(sender, text))
        self._on_message(sender, to)
        self._on_subscriber_change(recipient)

    # Private

    def _begin(
        self, caller: str, callee: str, state: str, connect_date: Optional[int] = None
    ) -> Call:
        record = CallRecord(
            next(self._callrefs), caller, callee, state, self._now(), connect_date)
        call = self._live[record.callref] = Call(record)
        self._on_call(record, record.audience)
        return call

    def _can_ring(self, subscriber: Subscriber) -> bool:
        if subscriber.is_line:
            return subscriber.phone_registered and subscriber.forced_profile != DO_NOT_DISTURB
        return not self.find_legs(subscriber)

    def _drop(self, prompt: Prompt) -> None:
        if prompt in self._prompts:
            self._prompts.remove(prompt)
            self._on_subscriber_change(prompt.subscriber)

    def _now(self) -> int:
        return int(self._clock())


def _find_leg_states(call: Call, number: str) -> List[str]:
    if not call.involves(number):
        return []
    side = call.get_side(number)
    if call.ringing:
        return [RINGING if side == CALLEE else CALLING]
    if call.talking:
        return [TALKING]
    # Parking has released the other party, and its telephone is free.

    return [PARKED] if side == call.parked_side else []


def _require_telephone(subscriber: Subscriber) -> None:
    if not subscriber.phone_registered:
        raise NotPossible(f"no telephone is registered on {subscriber.number}")
