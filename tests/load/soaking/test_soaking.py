"""The soak's rules, and the whole soak on faults that are planted: it finds each, and no more."""

from __future__ import annotations

import random
import threading
from functools import partial
from typing import Any, Callable, Dict, Iterator, List, Type, Union

import pytest

from keyyo_cti import CTI, UnreadableMessage
from keyyo_cti._sockjs import Unreadable
from keyyo_cti.backoff import Backoff
from keyyo_cti.simulator import Line, Simulator

from .account import BY_ERRORS, IN_GAPS, TOLD, Account
from .diary import (
    Called,
    Closing,
    Diary,
    Disconnected,
    Ended,
    Entry,
    Lost,
    NewCall,
    Opened,
    Opening,
    Restored,
    StateEvent,
)
from .errands import Errands, What
from .findings import LOST, OUTSIDE, REPEATED, Findings
from .handlers import Handlers
from .lag import Lag
from .life import CLOSED, DOWN, IDLE, UP, Life
from .model import Model
from .moments import restorations_timed
from .rules import Memory
from .tags import as_number
from .tally import Tally
from .truth import Truth
from .wiretap import Wiretap

PATIENCE = 20.0


def call(state: str, slot: str = "") -> Dict[str, Any]:
    return {"callref": "a", "state": state, **({"callpark_slot": slot} if slot else {})}


@pytest.mark.parametrize("restores", [True, False])
@pytest.mark.parametrize("before, after, told", [
    (call("SETUP"), call("SETUP"), []),
    (call("SETUP"), call("CONNECT"), ["newCall", "connect"]),
    (call("CONNECT"), call("SETUP"), []),
    (call("CONNECT"), call("CONNECT", "1"), ["newCall"]),
    (call("CONNECT"), call("RELEASE"), ["newCall", "release"]),
    (call("SETUP"), call("MISSED"), ["newCall", "missed"]),
])
def test_rules_after_a_gap(restores: bool, before: Any, after: Any, told: List[str]) -> None:
    """A client that restores by itself passes over what is no news; with JavaScript's way, and
    without a gap, everything is told."""
    memory = Memory(restores)
    memory.comes(before)
    assert len(memory.says(after)) == 2
    memory.gap()
    said = [getattr(each, "name", "newCall") for each in memory.says(after)]
    assert said == told if restores else len(said) == 2
    memory.comes(after)
    assert "a" not in memory.stale
    if len(told) == 2:
        assert len(memory.says(after)) == 2, "from its first news on, it is told as usual"


ENTRIES: Dict[str, Entry] = {
    "asks": Opening(0), "opens": Opened(0), "call": NewCall(0, {}, False),
    "state": StateEvent(0, "a", "setup", "SETUP"), "dropped": Disconnected(0, 0),
    "restored": Restored(0, 1.0, False, 0), "lost": Lost(0, None), "ends": Ended(0, "closed"),
}


@pytest.mark.parametrize("restores, words, state", [
    (True, "asks opens call state", UP),
    (True, "asks opens dropped", DOWN),
    (True, "asks opens dropped call restored dropped lost asks opens", UP),
    (True, "asks dropped asks opens dropped ends", CLOSED),
    (False, "asks opens dropped", IDLE),
    (False, "asks opens dropped asks dropped asks opens dropped", IDLE),
])
def test_rules_of_a_session(restores: bool, words: str, state: str) -> None:
    """Every drop is followed by restored, lost or an end, and any word too many is found."""
    complaints: List[str] = []
    life = Life(restores, complaints.append)
    for word in words.split():
        life.see(ENTRIES[word])
    assert life.state == state and complaints == []
    for word in {UP: ["restored", "lost", "opens"], DOWN: ["dropped"], IDLE: ["restored", "lost"],
                 CLOSED: ["call", "state", "dropped", "restored", "lost"]}[state]:
        complaints.clear()
        life.state = state
        life.see(ENTRIES[word])
        assert len(complaints) == 1, word


class Rig:
    """One client of a simulator, with all that looks at it."""

    def __init__(self, sim: Simulator, line: Line, events_precede_close: bool = True) -> None:
        self.findings, self.diary = Findings(), Diary()
        self.line, self._sim = line, sim
        self._wiretap, self._truth = Wiretap(self.findings), Truth([line.number])
        sim.on_traffic(self._wiretap)
        sim.on_call_change(self._truth)
        self.cti = CTI(
            endpoint=sim.endpoint, cookie_auto=False, token_provider=lambda: sim.token(line),
            backoff=Backoff(first=0.01, longest=0.02), heartbeat_timeout=1.0)
        calm = threading.Event()
        calm.set()
        handlers = Handlers(
            "alice", self.cti, self.diary, random.Random(1), calm, Tally(), self.findings)
        handlers.set()
        self._errands = Errands("alice", Tally(), self.findings)
        meant = (UnreadableMessage, Unreadable)
        self._model = Model(
            "alice", line.number, True, self._wiretap, self._errands, self.findings,
            events_precede_close, lambda error: isinstance(error, meant))
        self._account = Account(
            "alice", True, lambda: self._truth.of(line.number),
            lambda: self._wiretap.garbled(line.number), self.findings,
            self._wiretap.answered_at)
        #: Plants a fault: makes another diary of what was told.
        self.spoil: Callable[[List[Entry]], List[Entry]] = list
        self._bob = sim.phone("33199020000")
        self.diary.write(Opening)
        self.cti.create_session(sim.token(line)).result(PATIENCE)
        self.diary.write(Opened)

    def call(self) -> None:
        """A call rings, and is over."""
        self._bob.call(self.line)
        self._bob.hang_up()

    def wait_for(self, kind: Any, count: int = 1) -> None:
        def there() -> bool:
            entries = self.diary._entries
            return len([each for each in entries if isinstance(each, kind)]) >= count

        assert self.diary.wait(there, PATIENCE)

    def verdict(self) -> List[str]:
        """The kinds of findings, in the end."""
        # What comes before the answer has been told when its callback is called.
        done = threading.Event()
        number = as_number(1)
        errand = self._errands.begin(What("int_to_local"), 1, True, self.diary, done.set)
        errand.future = self.cti.int_to_local(number, errand.callback)
        assert done.wait(PATIENCE)
        self.cti.close()
        self.diary.write(Ended, "closed")
        entries = self.spoil(self.diary.tear_out())
        self._model.read(entries)
        self._account.read(entries)
        self.counts = dict(self._account.settle())
        return sorted({finding.kind for finding in self.findings.first()})


@pytest.fixture
def quick() -> Iterator[Simulator]:
    with Simulator(heartbeat=0.05) as sim, restorations_timed():
        yield sim


@pytest.fixture
def rig(quick: Simulator) -> Iterator[Rig]:
    rig = Rig(quick, quick.line("33199000001"))
    yield rig
    rig.cti.close()


def has_an_outage(quick: Simulator, rig: Rig) -> None:
    """A call that is told, one in a silence that ends with the connection, and one after it."""
    rig.call()
    rig.wait_for(StateEvent, 2)
    quick.faults.silence()
    rig.call()
    quick.faults.drop()
    rig.wait_for(Restored)
    rig.call()
    rig.wait_for(StateEvent, 4)


@pytest.mark.promise(3)
@pytest.mark.fault(79)
def test_outage_of_the_sdk_is_announced(quick: Simulator, rig: Rig) -> None:
    has_an_outage(quick, rig)
    assert rig.verdict() == []
    assert rig.counts == {TOLD: 4, IN_GAPS: 2}


def event_is_lost(entries: List[Entry]) -> List[Entry]:
    return [
        each for each in entries
        if getattr(each, "state", getattr(each, "call", call(""))["state"]) != "SETUP"
    ]


def event_is_told_twice(entries: List[Entry]) -> List[Entry]:
    told: List[Entry] = []
    for entry in entries:
        told.append(entry)
        if isinstance(entry, StateEvent):
            told += told[-2:]
    return told


def gap_is_too_late(entries: List[Entry]) -> List[Entry]:
    return [
        each._replace(back_at=each.back_at + each.gap + 60) if isinstance(each, Restored) else each
        for each in entries
    ]


def callback_is_called_twice(entries: List[Entry]) -> List[Entry]:
    return [again for each in entries for again in [each] * (1 + isinstance(each, Called))]


@pytest.mark.fault(79)
@pytest.mark.parametrize("plant, found", [
    (event_is_lost, [LOST, OUTSIDE]),
    (event_is_told_twice, [REPEATED]),
    (gap_is_too_late, [OUTSIDE]),
    (callback_is_called_twice, [REPEATED]),
])
def test_planted_fault_is_found(
    quick: Simulator, rig: Rig, plant: Any, found: List[str]
) -> None:
    rig.spoil = plant
    has_an_outage(quick, rig)
    assert rig.verdict() == found


def rest_is_left_out(entries: List[Entry], closing_before: Type[Union[Called, Ended]],
                     left_out: int = 3) -> List[Entry]:
    """The last events are missing before the callback; close() begins before it or after it."""
    at = next(at for at, each in enumerate(entries) if isinstance(each, Called))
    told = [*entries[:at - left_out], *entries[at:]]
    at = next(at for at, each in enumerate(told) if isinstance(each, closing_before))
    return [*told[:at], Closing(told[at].at), *told[at:]]


def middle_is_left_out(entries: List[Entry]) -> List[Entry]:
    """While close() runs, one event is missing, and a later one is delivered."""
    at = next(at for at, each in enumerate(entries) if isinstance(each, StateEvent))
    return [*entries[:at], Closing(entries[at].at), *entries[at + 2:]]


def callback_is_called_twice_while_closing(entries: List[Entry]) -> List[Entry]:
    return callback_is_called_twice(rest_is_left_out(entries, Called, 0))


@pytest.mark.fault(79)
@pytest.mark.parametrize("events_precede_close, plant, found", [
    (False, partial(rest_is_left_out, closing_before=Called), []),
    (False, partial(rest_is_left_out, closing_before=Ended), [LOST, OUTSIDE]),
    (True, partial(rest_is_left_out, closing_before=Called), [LOST]),
    (False, middle_is_left_out, [LOST]),
    (False, callback_is_called_twice_while_closing, [REPEATED]),
])
def test_callback_proves_the_events_before_it_unless_close_leaves_them_out(
    quick: Simulator, events_precede_close: bool, plant: Any, found: List[str]
) -> None:
    rig = Rig(quick, quick.line("33199000001"), events_precede_close)
    rig.spoil = plant
    rig.call()
    rig.wait_for(StateEvent, 2)
    assert rig.verdict() == found


def test_lag_that_is_noted_late_counts_from_its_beginning() -> None:
    lag = Lag(lambda: 10.5)
    lag.note(10.0)
    times = [(9.0, 10.0), (9.0, 10.1), (10.4, 10.6), (10.6, 11.0)]
    assert [lag.worst(*each) for each in times] == pytest.approx([0, 0.48, 0.48, 0])


@pytest.mark.fault(79)
@pytest.mark.parametrize("part", ["message", "frame", "text"])
def test_message_that_was_garbled_is_announced_by_an_error(
    quick: Simulator, rig: Rig, part: str
) -> None:
    rig.call()
    quick.faults.garble(part=part)
    rig.call()
    rig.wait_for(StateEvent, 3)
    assert rig.verdict() == []
    assert rig.counts == {TOLD: 3, BY_ERRORS: 1}


@pytest.mark.fault(79)
@pytest.mark.parametrize("then", ["reset", "drop", "silence"])
def test_frame_that_was_cut_is_in_the_announced_gap(
    quick: Simulator, rig: Rig, then: str
) -> None:
    rig.call()
    rig.wait_for(StateEvent, 2)
    quick.faults.cut(then=then)
    rig.call()
    rig.wait_for(Restored)
    rig.call()
    rig.wait_for(StateEvent, 4)
    assert rig.verdict() == []
    assert rig.counts == {TOLD: 4, IN_GAPS: 2}
