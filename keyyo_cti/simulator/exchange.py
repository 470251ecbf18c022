"""The telephone exchange: who can be called, who rings, who talks to whom.

Pure: no thread, no socket, no wall clock. It is told the time and given a scheduler, and it
tells two observers what changes.
"""

from __future__ import annotations

import itertools
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
"""What a telephone can be doing, most telling first."""

ENDED_CALLS_KEPT = 10_000

CallObserver = Callable[[CallRecord, FrozenSet[str]], None]
StationObserver = Callable[["Station"], None]


class Message(NamedTuple):
    """A text message as it lies in a telephone."""

    sender: str
    text: str


@dataclass(eq=False)
class Station:
    """A telephone number: a line of the account, or the world outside.

    :param number: international format, digits only.
    :param is_line: belongs to an account that Keyyo serves.
    :param organisation: lines may subscribe to each other only within one organisation.
    :param plugin_enabled: whether sessions may command the line.
    :param phone_registered: whether a telephone is there to ring.
    """

    number: str
    is_line: bool = False
    name: str = ""
    short_number: Optional[str] = None
    organisation: str = ""
    plugin_enabled: bool = True
    phone_registered: bool = True
    messages: List[Message] = field(default_factory=list)


@dataclass(eq=False)
class Prompt:
    """A line's own telephone rings first: picked up, it calls `to`."""

    station: Station
    to: str


class Leg(NamedTuple):
    """One thing a telephone is busy with."""

    state: str
    subject: Union[Call, Prompt]


class Exchange:
    """Lines, outside telephones and their calls.

    :param clock: tells the time in Unix seconds.
    :param scheduler: runs a callback later.
    :param ring_timeout: seconds after which an unanswered call is missed; None rings for ever.
    :param on_call: told each change of a call, with the numbers whose subscribers it concerns.
    :param on_station: told when a telephone changes without a change of a call.
    """

    def __init__(
        self,
        clock: Clock,
        scheduler: Scheduler,
        *,
        ring_timeout: Optional[float] = None,
        on_call: CallObserver = lambda record, audience: None,
        on_station: StationObserver = lambda station: None,
    ) -> None:
        self.scheduler = scheduler
        self._clock = clock
        self._ring_timeout = ring_timeout
        self._on_call = on_call
        self._on_station = on_station
        self._stations: Dict[str, Station] = {}
        self._live: Dict[str, Call] = {}
        self._ended: Deque[Call] = deque(maxlen=ENDED_CALLS_KEPT)
        self._prompts: List[Prompt] = []
        self._callrefs = (f"call-{count}" for count in itertools.count(1))

    # Who can be called

    def add_line(self, number: str) -> Station:
        """Give the account's line `number`, created when it is new.

        :raises NotPossible: the number is an outside telephone already.
        """
        station = self._stations.setdefault(number, Station(number, is_line=True))
        if not station.is_line:
            raise NotPossible(f"{number} is an outside telephone, not a line")
        return station

    def lines(self) -> List[Station]:
        """The account's lines, oldest first."""
        return [station for station in self._stations.values() if station.is_line]

    def line(self, number: str) -> Optional[Station]:
        """The line called `number`, by its full or its short number."""
        found = self._by_any_number(number)
        return found if found and found.is_line else None

    def station(self, number: str) -> Station:
        """Whoever answers to `number`; unknown, it becomes an outside telephone."""
        return self._by_any_number(number) or self._stations.setdefault(number, Station(number))

    def _by_any_number(self, number: str) -> Optional[Station]:
        if number in self._stations:
            return self._stations[number]
        short = (each for each in self._stations.values() if each.short_number == number)
        return next(short, None)

    # What goes on

    def records(self) -> List[CallRecord]:
        """Every call that is remembered, those that go on last."""
        return [call.record for call in (*self._ended, *self._live.values())]

    def live(self) -> List[Call]:
        """The calls that go on, oldest first."""
        return list(self._live.values())

    def find(self, callref: str) -> Call:
        """The call that goes on under `callref`.

        :raises NotPossible: there is none, or it has ended.
        """
        try:
            return self._live[callref]
        except KeyError:
            raise NotPossible("no such call goes on") from None

    def legs(self, station: Station) -> List[Leg]:
        """What the telephone of `station` is busy with, oldest first."""
        prompts = [Leg(RINGING, each) for each in self._prompts if each.station is station]
        calls = [Leg(state, call) for call in self._live.values()
                 for state in _leg_states(call, station.number)]
        return prompts + calls

    # Placing calls

    def dial(self, line: Station, to: str, *, auto_answer: bool = True) -> None:
        """Call `to` from `line`: at once, or once the line's own ringing telephone is picked up.

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
        self._on_station(line)

    def place_call(self, caller: Station, to: str) -> Call:
        """Ring `to` on behalf of `caller`; one who is busy or absent misses the call at once."""
        callee = self.station(to)
        reachable = callee is not caller and self._can_ring(callee)
        call = self._begin(caller.number, callee.number, SETUP)
        if not reachable:
            self.end(call)
        elif self._ring_timeout is not None:
            self.end_if_unanswered(call, self._ring_timeout)
        return call

    def join(self, caller: str, callee: str) -> Call:
        """Let two parties talk in a new call that nobody had to pick up."""
        return self._begin(caller, callee, CONNECT, self._now())

    def connect(self, call: Call) -> None:
        """The callee picks up.

        :raises NotPossible: the call does not ring.
        """
        if not call.ringing:
            raise NotPossible("the call does not ring")
        call.cancel_timers()
        self.change(call, state=CONNECT, connect_date=self._now())
        for then in call.on_connect:
            then()

    def end(self, call: Call) -> None:
        """Hang up: released when it was picked up, missed when not.

        :raises NotPossible: the call has ended.
        """
        if call.ended:
            raise NotPossible("the call has ended")
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
        """Let the call be missed unless it is picked up within `seconds`."""
        call.timers.append(self.scheduler.call_later(seconds, lambda: self.end(call)))

    def change(self, call: Call, **fields: Any) -> None:
        """Change fields of a call's record and tell whom it concerns or has concerned."""
        before = call.record
        call.record = replace(before, **fields)
        self._on_call(call.record, before.audience | call.record.audience)

    # What is done at a telephone

    def call_by_hand(self, caller: Station, to: str) -> Call:
        """Someone at the telephone of `caller` dials `to`.

        :raises NotPossible: the telephone is busy, or none is there.
        """
        _require_telephone(caller)
        if not caller.is_line and self.legs(caller):
            raise NotPossible(f"telephone {caller.number} is busy")
        return self.place_call(caller, to)

    def pick_up(self, station: Station) -> None:
        """Someone picks up what has been ringing longest.

        :raises NotPossible: nothing rings there.
        """
        _require_telephone(station)
        leg = next((each for each in self.legs(station) if each.state == RINGING), None)
        if leg is None:
            raise NotPossible(f"telephone {station.number} does not ring")
        if isinstance(leg.subject, Prompt):
            self._drop(leg.subject)
            self.place_call(station, leg.subject.to)
        else:
            self.connect(leg.subject)

    def hang_up(self, station: Station) -> None:
        """Someone ends the last conversation there; without one, what he calls or what rings.

        :raises NotPossible: nothing goes on there.
        """
        legs = self.legs(station)
        if not legs:
            raise NotPossible(f"telephone {station.number} has no call to hang up")
        order = (RINGING, CALLING, PARKED, TALKING)
        subject = max(reversed(legs), key=lambda leg: order.index(leg.state)).subject
        if isinstance(subject, Prompt):
            self._drop(subject)
        else:
            self.end(subject)

    def deliver(self, sender: str, to: str, text: str) -> None:
        """Put a text message into the telephone of `to`."""
        recipient = self.station(to)
        recipient.messages.append(Message(sender, text))
        self._on_station(recipient)

    # Inside

    def _begin(
        self, caller: str, callee: str, state: str, connect_date: Optional[int] = None
    ) -> Call:
        record = CallRecord(
            next(self._callrefs), caller, callee, state, self._now(), connect_date)
        call = self._live[record.callref] = Call(record)
        self._on_call(record, record.audience)
        return call

    def _can_ring(self, station: Station) -> bool:
        if station.is_line:
            return station.phone_registered
        return not self.legs(station)

    def _drop(self, prompt: Prompt) -> None:
        if prompt in self._prompts:
            self._prompts.remove(prompt)
            self._on_station(prompt.station)

    def _now(self) -> int:
        return int(self._clock())


def _leg_states(call: Call, number: str) -> List[str]:
    if not call.involves(number):
        return []
    side = call.side_of(number)
    if call.ringing:
        return [RINGING if side == CALLEE else CALLING]
    if call.talking:
        return [TALKING]
    # The party that is not parked has been let go: its telephone is free.
    return [PARKED] if side == call.parked_side else []


def _require_telephone(station: Station) -> None:
    if not station.phone_registered:
        raise NotPossible(f"no telephone is registered on {station.number}")
