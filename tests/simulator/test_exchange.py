"""The exchange, its transfers and its callpark, without sockets or threads."""

from __future__ import annotations

from typing import Any, FrozenSet, List, Tuple

import pytest

from keyyo_cti.simulator.callpark import CallPark
from keyyo_cti.simulator.calls import Call, CallRecord
from keyyo_cti.simulator.clock import ManualClock
from keyyo_cti.simulator.errors import NotPossible, WrongValue
from keyyo_cti.simulator.exchange import Exchange, Subscriber
from keyyo_cti.simulator.transfers import Transfers

NOW = 1_700_000_000
ALICE = "33199000001"
CAROL = "33199000002"
BOB = "33199020000"
DAVE = "33199020001"


class Bench:
    """An exchange with two lines and two outside telephones, and its changes."""

    def __init__(self, **settings: Any) -> None:
        self.clock = ManualClock(NOW)
        self.told: List[Tuple[CallRecord, FrozenSet[str]]] = []
        self.touched: List[str] = []
        self.exchange = Exchange(
            self.clock,
            self.clock,
            on_call=lambda record, audience: self.told.append((record, audience)),
            on_subscriber_change=lambda subscriber: self.touched.append(subscriber.number),
            **settings,
        )
        self.transfers = Transfers(self.exchange)
        self.park = CallPark(self.exchange, 2)
        self.alice, self.carol = map(self.exchange.add_line, (ALICE, CAROL))
        self.bob, self.dave = map(self.exchange.get_subscriber, (BOB, DAVE))

    def talk(self, caller: Subscriber, callee: str) -> Call:
        """A call that has been picked up."""
        call = self.exchange.place_call(caller, callee)
        self.exchange.connect(call)
        return call

    def story(self) -> List[str]:
        """Return the recorded changes in short form, and clear them."""
        told = [f"{r.callref} {r.caller}>{r.callee} {r.state}" for r, _ in self.told]
        self.told.clear()
        return told

    def states(self, subscriber: Subscriber) -> List[str]:
        return [leg.state for leg in self.exchange.find_legs(subscriber)]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_answered_call(bench: Bench) -> None:
    """A call rings, is picked up and hung up; each date is there from its change on."""
    call = bench.exchange.call_by_hand(bench.bob, ALICE)
    assert (bench.states(bench.bob), bench.states(bench.alice)) == (["calling"], ["ringing"])
    bench.clock.advance(5.9)
    bench.exchange.pick_up(bench.alice)
    assert (bench.states(bench.bob), bench.states(bench.alice)) == (["talking"], ["talking"])
    bench.clock.advance(60)
    bench.exchange.hang_up(bench.bob)
    assert bench.states(bench.bob) == bench.states(bench.alice) == []
    base = {"callref": call.record.callref, "caller": BOB, "callee": ALICE, "setup_date": NOW}
    assert [record.as_wire() for record, _ in bench.told] == [
        {**base, "state": "SETUP"},
        {**base, "state": "CONNECT", "connect_date": NOW + 5},
        {**base, "state": "RELEASE", "connect_date": NOW + 5, "release_date": NOW + 65},
    ]
    assert {audience for _, audience in bench.told} == {frozenset({BOB, ALICE})}


@pytest.mark.parametrize("number", [ALICE, BOB])
def test_hung_up_before_pick_up(bench: Bench, number: str) -> None:
    """A call that either side ends before it is picked up is missed."""
    bench.exchange.call_by_hand(bench.bob, ALICE)
    bench.exchange.hang_up(bench.exchange.get_subscriber(number))
    assert bench.exchange.get_records()[0].state == "MISSED"
    assert bench.exchange.get_live_calls() == []


def test_ring_timeout() -> None:
    """An unanswered call is missed when the ring timeout is over, an answered one is not."""
    bench = Bench(ring_timeout=30)
    answered, unanswered = (bench.exchange.place_call(bench.alice, to) for to in (BOB, DAVE))
    bench.exchange.connect(answered)
    bench.clock.advance(29)
    assert unanswered.ringing
    bench.clock.advance(1)
    assert (answered.talking, unanswered.record.state) == (True, "MISSED")


def test_busy_telephone(bench: Bench) -> None:
    """A call to a busy outside telephone is set up and missed at once."""
    bench.exchange.call_by_hand(bench.bob, ALICE)
    bench.story()
    bench.exchange.call_by_hand(bench.dave, BOB)
    assert bench.story() == [f"call-2 {DAVE}>{BOB} SETUP", f"call-2 {DAVE}>{BOB} MISSED"]


def test_busy_caller(bench: Bench) -> None:
    """An outside telephone that is busy cannot place a call."""
    bench.exchange.call_by_hand(bench.bob, ALICE)
    with pytest.raises(NotPossible, match=f"{BOB} is busy"):
        bench.exchange.call_by_hand(bench.bob, CAROL)


def test_calling_oneself(bench: Bench) -> None:
    """A line that calls itself is busy."""
    assert bench.exchange.place_call(bench.alice, ALICE).record.state == "MISSED"


def test_call_waiting(bench: Bench) -> None:
    """A line has several calls: the oldest is picked up first, the latest hung up first."""
    first = bench.exchange.call_by_hand(bench.bob, ALICE)
    second = bench.exchange.call_by_hand(bench.dave, ALICE)
    bench.exchange.pick_up(bench.alice)
    assert first.talking and second.ringing
    bench.exchange.pick_up(bench.alice)
    bench.exchange.hang_up(bench.alice)
    assert first.talking and second.ended


def test_talking_is_hung_up_before_ringing(bench: Bench) -> None:
    """Hanging up ends the conversation and lets the waiting call ring on."""
    first = bench.exchange.call_by_hand(bench.bob, ALICE)
    bench.exchange.pick_up(bench.alice)
    second = bench.exchange.call_by_hand(bench.dave, ALICE)
    bench.exchange.hang_up(bench.alice)
    assert first.ended and second.ringing


def test_unknown_number(bench: Bench) -> None:
    """An unknown number is an outside telephone that rings."""
    call = bench.exchange.place_call(bench.alice, "33199029999")
    assert call.ringing
    assert not bench.exchange.get_subscriber("33199029999").is_line


def test_line_and_outside_telephone_do_not_mix(bench: Bench) -> None:
    """An outside telephone cannot become a line."""
    with pytest.raises(NotPossible, match="outside telephone"):
        bench.exchange.add_line(BOB)
    assert bench.exchange.find_line(BOB) is None


def test_short_number(bench: Bench) -> None:
    """A line is reached by its short number, and the call shows the full one."""
    bench.carol.short_number = "12"
    assert bench.exchange.place_call(bench.alice, "12").record.callee == CAROL


def test_no_telephone_registered(bench: Bench) -> None:
    """Without a telephone a line misses calls at once, and neither dials nor picks up."""
    bench.alice.phone_registered = False
    assert bench.exchange.call_by_hand(bench.bob, ALICE).record.state == "MISSED"
    for attempt in (
        lambda: bench.exchange.dial(bench.alice, BOB),
        lambda: bench.exchange.call_by_hand(bench.alice, BOB),
        lambda: bench.exchange.pick_up(bench.alice),
    ):
        with pytest.raises(NotPossible, match="no telephone"):
            attempt()


def test_nothing_to_do_at_an_idle_telephone(bench: Bench) -> None:
    """An idle telephone can be neither picked up nor hung up."""
    with pytest.raises(NotPossible, match="does not ring"):
        bench.exchange.pick_up(bench.bob)
    with pytest.raises(NotPossible, match="no call"):
        bench.exchange.hang_up(bench.bob)


def test_ended_call_stays_ended(bench: Bench) -> None:
    """An ended call can be neither ended nor answered nor found again."""
    call = bench.talk(bench.alice, BOB)
    bench.exchange.end(call)
    for attempt in (bench.exchange.end, bench.exchange.connect):
        with pytest.raises(NotPossible):
            attempt(call)
    with pytest.raises(NotPossible, match="no such call"):
        bench.exchange.find_call(call.record.callref)


def test_dial_with_auto_answer(bench: Bench) -> None:
    """With auto-answer the call rings at the callee at once."""
    bench.exchange.dial(bench.alice, BOB)
    assert bench.story() == [f"call-1 {ALICE}>{BOB} SETUP"]
    assert bench.states(bench.alice) == ["calling"]


def test_dial_without_auto_answer(bench: Bench) -> None:
    """Without auto-answer the own telephone rings first, and its pick-up places the call."""
    bench.exchange.dial(bench.alice, BOB, auto_answer=False)
    assert (bench.states(bench.alice), bench.told) == (["ringing"], [])
    bench.exchange.pick_up(bench.alice)
    assert bench.story() == [f"call-1 {ALICE}>{BOB} SETUP"]
    assert bench.states(bench.alice) == ["calling"]


def test_dial_without_auto_answer_abandoned() -> None:
    """After hanging up or a timeout, the line's telephone drops the dialled number."""
    bench = Bench(ring_timeout=30)
    bench.exchange.dial(bench.alice, BOB, auto_answer=False)
    bench.exchange.hang_up(bench.alice)
    assert bench.states(bench.alice) == []
    bench.exchange.dial(bench.alice, BOB, auto_answer=False)
    bench.clock.advance(30)
    assert (bench.states(bench.alice), bench.told) == ([], [])
    assert bench.touched == [ALICE] * 4


def test_message(bench: Bench) -> None:
    """A message lies in the recipient's telephone with its sender."""
    bench.exchange.deliver(ALICE, BOB, "Bonjour")
    assert bench.bob.messages == [(ALICE, "Bonjour")]
    assert bench.touched == [BOB]


@pytest.mark.parametrize("side, party", [("caller", BOB), ("callee", ALICE)])
def test_transfer(bench: Bench, side: str, party: str) -> None:
    """A transfer releases the call, and the named side calls the new recipient."""
    call = bench.talk(bench.bob, ALICE)
    bench.story()
    bench.transfers.transfer(call, side, CAROL)
    assert bench.story() == [f"call-1 {BOB}>{ALICE} RELEASE", f"call-2 {party}>{CAROL} SETUP"]
    assert bench.states(bench.carol) == ["ringing"]


def test_transfer_needs_a_conversation(bench: Bench) -> None:
    """A ringing call cannot be transferred, nor a party to itself."""
    call = bench.exchange.place_call(bench.bob, ALICE)
    with pytest.raises(NotPossible):
        bench.transfers.transfer(call, "caller", CAROL)
    with pytest.raises(WrongValue):
        bench.transfers.transfer(call, "caller", BOB)
    assert call.ringing


def test_supervised_transfer_answered(bench: Bench) -> None:
    """The callee of a supervised transfer rings first; picking up joins it with the named side."""
    call = bench.talk(bench.bob, ALICE)
    bench.story()
    bench.transfers.supervised_transfer(call, "caller", CAROL, 30)
    assert bench.story() == [f"call-2 {ALICE}>{CAROL} SETUP"]
    assert call.talking
    bench.exchange.pick_up(bench.carol)
    assert bench.story() == [
        f"call-2 {ALICE}>{CAROL} CONNECT",
        f"call-1 {BOB}>{ALICE} RELEASE",
        f"call-2 {ALICE}>{CAROL} RELEASE",
        f"call-3 {BOB}>{CAROL} CONNECT",
    ]
    bench.clock.advance(60)
    assert bench.story() == []
    assert (bench.states(bench.alice), bench.states(bench.bob)) == ([], ["talking"])


def test_supervised_transfer_timed_out(bench: Bench) -> None:
    """When the invite timer expires, the second call is missed and the first continues."""
    call = bench.talk(bench.bob, ALICE)
    bench.transfers.supervised_transfer(call, "caller", CAROL, 30)
    bench.story()
    bench.clock.advance(30)
    assert bench.story() == [f"call-2 {ALICE}>{CAROL} MISSED"]
    assert call.talking


def test_supervised_transfer_without_timer(bench: Bench) -> None:
    """Without an invite timer the second call rings on."""
    call = bench.talk(bench.bob, ALICE)
    bench.transfers.supervised_transfer(call, "caller", CAROL)
    bench.clock.advance(86_400)
    assert bench.states(bench.carol) == ["ringing"]


def test_supervised_transfer_to_the_busy(bench: Bench) -> None:
    """A busy recipient leaves the first call as it was."""
    call = bench.talk(bench.bob, ALICE)
    bench.talk(bench.dave, CAROL)
    bench.transfers.supervised_transfer(call, "caller", DAVE, 30)
    assert bench.exchange.get_records()[0].state == "MISSED"
    assert call.talking


def test_supervised_transfer_of_an_ended_call(bench: Bench) -> None:
    """When the first call ends, the second stops ringing."""
    call = bench.talk(bench.bob, ALICE)
    bench.transfers.supervised_transfer(call, "caller", CAROL)
    bench.exchange.end(call)
    assert bench.states(bench.carol) == []


def test_supervised_transfer_of_a_parked_call(bench: Bench) -> None:
    """If the first call was parked meanwhile, picking up merges nothing."""
    call = bench.talk(bench.bob, ALICE)
    bench.transfers.supervised_transfer(call, "caller", CAROL)
    bench.park.park(call, "caller")
    bench.exchange.pick_up(bench.carol)
    assert (bench.states(bench.alice), bench.states(bench.bob)) == (["talking"], ["parked"])


def test_merge(bench: Bench) -> None:
    """A merge releases both calls and connects the two named sides."""
    first, second = bench.talk(bench.bob, ALICE), bench.talk(bench.alice, DAVE)
    bench.clock.advance(7)
    bench.story()
    bench.transfers.merge(first, "caller", second, "callee")
    assert bench.story() == [
        f"call-1 {BOB}>{ALICE} RELEASE",
        f"call-2 {ALICE}>{DAVE} RELEASE",
        f"call-3 {BOB}>{DAVE} CONNECT",
    ]
    joined = bench.exchange.get_live_calls()[0].record
    assert (joined.setup_date, joined.connect_date) == (NOW + 7, NOW + 7)


def test_merge_refused(bench: Bench) -> None:
    """A call merges neither with itself, nor a party with itself, nor while one rings."""
    first, second = bench.talk(bench.bob, ALICE), bench.exchange.place_call(bench.alice, DAVE)
    with pytest.raises(WrongValue):
        bench.transfers.merge(first, "caller", first, "callee")
    with pytest.raises(WrongValue):
        bench.transfers.merge(first, "callee", second, "caller")
    with pytest.raises(NotPossible):
        bench.transfers.merge(first, "caller", second, "callee")
    assert first.talking and second.ringing


def test_park(bench: Bench) -> None:
    """A parked call stays connected in its slot; one party is parked and the other is free."""
    call = bench.talk(bench.bob, ALICE)
    bench.told.clear()
    bench.park.park(call, "caller", 2)
    record, audience = bench.told[-1]
    assert (record.state, record.callpark_slot) == ("CONNECT", "2")
    assert audience == {BOB, ALICE, "callpark"}
    assert (bench.states(bench.bob), bench.states(bench.alice)) == (["parked"], [])
    assert bench.park.get_parked() == [call]


def test_slots(bench: Bench) -> None:
    """The first free slot is taken; a taken one is refused, and so is one too many."""
    calls = [bench.talk(bench.exchange.get_subscriber(f"3319902{i:04}"), ALICE) for i in range(3)]
    bench.park.park(calls[0], "caller")
    with pytest.raises(NotPossible, match="slot is taken"):
        bench.park.park(calls[1], "caller", 1)
    bench.park.park(calls[1], "caller")
    assert [call.record.callpark_slot for call in calls] == ["1", "2", None]
    with pytest.raises(NotPossible, match="all slots"):
        bench.park.park(calls[2], "caller")
    bench.exchange.end(calls[0])
    bench.park.park(calls[2], "caller")
    assert calls[2].record.callpark_slot == "1"


@pytest.mark.parametrize("slot", [-2, 0, 3, 10**30])
def test_no_such_slot(bench: Bench, slot: int) -> None:
    """A number that is not a slot is a wrong value."""
    with pytest.raises(WrongValue):
        bench.park.park(bench.talk(bench.bob, ALICE), "caller", slot)


def test_parked_calls_are_left_alone(bench: Bench) -> None:
    """A parked call can be neither parked again nor transferred."""
    call = bench.talk(bench.bob, ALICE)
    bench.park.park(call, "caller")
    with pytest.raises(NotPossible):
        bench.park.park(call, "caller")
    with pytest.raises(NotPossible):
        bench.transfers.transfer(call, "caller", CAROL)


def test_parked_party_hangs_up(bench: Bench) -> None:
    """When the parked party hangs up, the slot is free and the callpark is notified."""
    call = bench.talk(bench.bob, ALICE)
    bench.park.park(call, "caller")
    bench.exchange.hang_up(bench.bob)
    record, audience = bench.told[-1]
    assert (record.state, record.callpark_slot) == ("RELEASE", None)
    assert "callpark" in audience
    assert bench.park.get_parked() == []


def test_unpark_by_another_line(bench: Bench) -> None:
    """The unparking line replaces the released party, and every party is notified."""
    call = bench.talk(bench.bob, ALICE)
    bench.park.park(call, "caller")
    bench.park.unpark(call, bench.carol)
    record, audience = bench.told[-1]
    assert (record.caller, record.callee, record.callpark_slot) == (BOB, CAROL, None)
    assert audience == {BOB, ALICE, CAROL, "callpark"}
    assert bench.states(bench.bob) == bench.states(bench.carol) == ["talking"]


def test_unpark_refused(bench: Bench) -> None:
    """Only a parked call is unparked, and not by the line that is parked."""
    call = bench.talk(bench.bob, ALICE)
    with pytest.raises(NotPossible, match="not parked"):
        bench.park.unpark(call, bench.alice)
    bench.park.park(call, "callee")
    with pytest.raises(NotPossible, match="parked itself"):
        bench.park.unpark(call, bench.alice)


def test_pause(bench: Bench) -> None:
    """Pausing parks the other party in the slot named after the line."""
    call = bench.talk(bench.bob, ALICE)
    bench.park.pause(call, bench.alice)
    assert call.record.callpark_slot == ALICE
    assert bench.states(bench.bob) == ["parked"]
    second = bench.talk(bench.dave, ALICE)
    with pytest.raises(NotPossible, match="taken"):
        bench.park.pause(second, bench.alice)
    with pytest.raises(NotPossible, match="no party"):
        bench.park.pause(second, bench.carol)


def test_cancelled_timer_does_not_run(bench: Bench) -> None:
    """The manual clock runs timers in order of time, skips cancelled ones, and never goes back."""
    ran: List[Tuple[str, float]] = []
    bench.clock.call_later(2, lambda: ran.append(("late", bench.clock())))
    bench.clock.call_later(1, lambda: ran.append(("early", bench.clock())))
    bench.clock.call_later(1.5, lambda: ran.append(("never", bench.clock()))).cancel()
    bench.clock.advance(3)
    assert ran == [("early", NOW + 1), ("late", NOW + 2)]
    assert bench.clock() == NOW + 3
    with pytest.raises(ValueError, match="seconds"):
        bench.clock.advance(-1)
