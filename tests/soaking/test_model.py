"""The model can fail: it finds what is lost, repeated, out of order or never sent, and no more."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Set

import pytest

from .diary import (
    Called,
    Disconnected,
    Ended,
    Entry,
    Lost,
    NewCall,
    Opened,
    Opening,
    Problem,
    Restored,
    StateEvent,
)
from .findings import LOST, REPEATED, WRONG, Findings
from .model import Model
from .rules import EVENT_OF
from .wiretap import Answered, Told, Wire

LINE = "33199000001"


class Scene:
    """One client, a server that says what a test says, and a diary with what a test writes.

    Every step takes a second.
    """

    def __init__(self, restores: bool = True, **settings: Any) -> None:
        self.findings = Findings()
        self.all_wires: List[Wire] = []
        self.silent: Set[int] = set()
        self.unanswered: Set[int] = set()
        self._tags: Dict[int, int] = {}
        self._now = 0.0
        self.model = Model("alice", LINE, restores, self, self, self.findings, **settings)

    # What the model asks.

    def wires(self, line: str, after: int) -> List[Wire]:
        assert line == LINE
        return [wire for wire in self.all_wires if wire.number > after]

    def wires_of(self, tag: int) -> List[int]:
        return [self._tags[tag]] if tag in self._tags else []

    def calls_back(self, tag: int) -> bool:
        return tag not in self.silent

    def answered(self, tag: int) -> bool:
        return tag not in self.unanswered

    # The server.

    def connect(self, by: str = "restore_session") -> Wire:
        wire = Wire(len(self.all_wires) + 1, "websocket", LINE, by, self.later())
        self.all_wires.append(wire)
        return wire

    def tell(self, *calls: Dict[str, Any]) -> None:
        self.all_wires[-1].items += [Told(self.later(), each) for each in calls]

    def answer(self, tag: int, silent: bool = False) -> None:
        """A command with a callback, or without one."""
        wire = self.all_wires[-1]
        wire.items.append(Answered(self.later(), tag, "ping", tag, None, 1))
        self._tags[tag] = wire.number
        if silent:
            self.silent.add(tag)

    # The client.

    def write(self, kind: Any, *contents: Any) -> None:
        entry: Entry = kind(self.later(), *contents)
        self.model.read([entry])

    def told(self, *calls: Dict[str, Any]) -> None:
        """``newCall`` and the event of its state, of each call."""
        for each in calls:
            self.new_call(each)
            self.state(each)

    def new_call(self, call: Dict[str, Any], stale: bool = False) -> None:
        self.write(NewCall, dict(call), stale)

    def state(self, call: Dict[str, Any]) -> None:
        self.write(StateEvent, call["callref"], EVENT_OF[call["state"]], call["state"])

    def called(self, tag: int) -> None:
        self.write(Called, tag)

    def opens(self, by: str = "create_session") -> None:
        """The program opens a session."""
        self.write(Opening)
        self.connect(by)
        self.write(Opened)

    def is_dropped(self) -> None:
        self.write(Disconnected, 0)

    def is_restored(self, by: str = "restore_session") -> None:
        self.connect(by)
        self.write(Restored, 1.0, by == "create_session", 0.0)

    # What comes of it.

    def found(self) -> List[str]:
        return [finding.kind for finding in self.findings.first()]

    def words(self) -> str:
        return "; ".join(finding.what for finding in self.findings.first())

    def later(self) -> float:
        self._now += 1.0
        return self._now


def call(ref: str = "a", state: str = "SETUP", slot: Optional[str] = None) -> Dict[str, Any]:
    fields = {"callref": ref, "state": state, "caller": "33199020000", "callee": LINE}
    return fields if slot is None else {**fields, "callpark_slot": slot}


A, B, C = call("a"), call("b"), call("c")
TALKING = call("a", "CONNECT")
OVER = call("a", "RELEASE")


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.opens()
    return scene


def by_hand() -> Scene:
    """A client that restores by hand, as with JavaScript."""
    scene = Scene(restores=False)
    scene.opens()
    return scene


# What is right.


def test_all_that_was_sent(scene: Scene) -> None:
    """Who is told what was sent, in order, was told right."""
    scene.tell(A, TALKING)
    scene.answer(1)
    scene.tell(B, OVER)
    scene.told(A, TALKING)
    scene.called(1)
    scene.told(B, OVER)
    scene.model.finish()
    assert scene.found() == [] and scene.model.memory.calls == {"a": OVER, "b": B}


def test_what_a_drop_takes(scene: Scene) -> None:
    """What was sent before a drop, and never acknowledged, may be missing; the next connection
    begins anew."""
    scene.tell(A, B)
    scene.told(A)
    scene.is_dropped()
    scene.is_restored()
    scene.tell(C)
    scene.told(C)
    assert scene.found() == []


def test_what_is_told_again(scene: Scene) -> None:
    """After a gap a repetition is no event, an older state neither; more of the same state is
    ``newCall`` alone, and a later state all of it."""
    parked = call("a", "CONNECT", slot="1")
    scene.tell(A, TALKING)
    scene.told(A, TALKING)
    scene.is_dropped()
    scene.is_restored()
    scene.tell(TALKING, A, parked)
    scene.new_call(parked)
    scene.tell(OVER)
    scene.told(OVER)
    scene.answer(1)
    scene.called(1)
    scene.model.finish()
    assert scene.found() == []


def test_by_hand_everything_is_told() -> None:
    """Who restores by hand is told everything, as with JavaScript, and nothing restored."""
    scene = by_hand()
    scene.tell(TALKING, A)
    scene.told(TALKING, A)
    scene.is_dropped()
    scene.opens("restore_session")
    scene.tell(A, A)
    scene.told(A, A)
    scene.model.finish()
    assert scene.found() == []


def test_commands_without_a_callback_in_order(scene: Scene) -> None:
    """An answer that no callback tells of is no event, nor is one that came too late."""
    scene.answer(1, silent=True)
    scene.tell(A)
    scene.told(A)
    assert scene.found() == []


def test_connection_that_the_client_never_heard_of(scene: Scene) -> None:
    """A connection whose opening the client never heard of begins like the next one. Which of
    the two it was on, its commands tell, however late."""
    scene.is_dropped()
    scene.connect()
    scene.tell(A, B)
    scene.is_restored()
    scene.tell(A, C)
    scene.told(A)
    scene.answer(1)
    scene.told(C)
    scene.called(1)
    scene.model.finish()
    assert scene.found() == [] and scene.model.wire is scene.all_wires[-1]


def test_attempt_that_fails_late(scene: Scene) -> None:
    """An attempt to restore that fails after its session was open may have told something, and
    is no event; the next one counts."""
    scene.is_dropped()
    scene.connect()
    scene.tell(A, B)
    scene.told(A)
    scene.is_restored()
    scene.tell(A, C)
    scene.told(C)
    scene.answer(1)
    scene.called(1)
    scene.model.finish()
    assert scene.found() == []


def test_session_of_before_the_last_close(scene: Scene) -> None:
    """After a close nothing more is told of what was before, and a callback may still come."""
    scene.tell(A)
    scene.answer(1)
    scene.write(Ended, "closed late")
    scene.opens()
    scene.tell(B)
    scene.called(1)
    scene.told(B)
    scene.model.finish()
    assert scene.found() == []


def test_call_on_its_way_at_a_close_is_unheard_until_it_is_told(scene: Scene) -> None:
    """The client may know it, and no handler was told: the two need not agree on it."""
    scene.tell(A, B)
    scene.told(A)
    scene.write(Ended, "closed late")
    assert scene.model.unheard == {"b"}
    scene.opens()
    scene.tell(B)
    scene.told(B)
    scene.model.finish()
    assert scene.model.unheard == set() and scene.found() == []


def test_session_of_after_the_last_close(scene: Scene) -> None:
    """What was sent after a close is not asked for at the close, though it is known by then."""
    ended = Ended(scene.later(), "closed")
    opening = Opening(scene.later())
    scene.connect("create_session")
    scene.tell(A)
    scene.answer(1, silent=True)
    scene.model.read([ended, opening, Opened(scene.later())])
    scene.told(A)
    scene.model.finish()
    assert scene.found() == []


# What is lost.


@pytest.mark.parametrize("restores", [True, False])
def test_lost_event(restores: bool) -> None:
    """An event that is missing before another one is lost."""
    scene = Scene(restores)
    scene.opens()
    scene.tell(A, B)
    scene.told(B)
    assert scene.found() == [LOST, LOST]
    assert "SaysNewCall" in scene.words() and "SaysState" in scene.words()
    scene.tell(C)
    scene.told(C)
    assert len(scene.found()) == 2, "it is found once"


def test_lost_state_event(scene: Scene) -> None:
    """``newCall`` without the event of the state is a loss."""
    scene.tell(A, B)
    scene.new_call(A)
    scene.told(B)
    assert scene.found() == [LOST] and "setup" in scene.words()


def test_lost_new_call(scene: Scene) -> None:
    """So is the event of the state without ``newCall``."""
    scene.tell(A)
    scene.state(A)
    assert scene.found() == [LOST] and "SaysNewCall" in scene.words()


@pytest.mark.parametrize("silent", [True, False])
def test_acknowledged_and_lost(scene: Scene, silent: bool) -> None:
    """What was sent before an answer that the client has got is lost if it is not told before
    the drop; so is the callback of that answer."""
    scene.tell(A, B)
    scene.told(A)
    scene.answer(1, silent)
    scene.is_dropped()
    assert scene.found() == [LOST] * (2 if silent else 3)


@pytest.mark.parametrize("told", [True, False])
def test_acknowledged_and_all_lost(scene: Scene, told: bool) -> None:
    """So is all that was sent on a connection of which nothing was told, as soon as a later one
    tells something, or in the end."""
    scene.tell(A)
    scene.answer(1, silent=True)
    scene.is_dropped()
    scene.is_restored()
    if told:
        scene.tell(B)
        scene.told(B)
    else:
        scene.model.finish()
    assert scene.found() == [LOST, LOST]


def test_lost_at_the_end(scene: Scene) -> None:
    """So it is at the end."""
    scene.tell(A)
    scene.answer(1, silent=True)
    scene.model.finish()
    assert scene.found() == [LOST, LOST]


@pytest.mark.parametrize(
    ("how", "precede", "lost"),
    [("closed", True, 2), ("closed", False, 0), ("closed late", True, 0), ("destroyed", False, 2)],
)
def test_lost_at_a_close(how: str, precede: bool, lost: int) -> None:
    """A close that has waited for the handlers loses nothing that was acknowledged either."""
    scene = Scene(events_precede_close=precede)
    scene.opens()
    scene.tell(A)
    scene.answer(1, silent=True)
    scene.write(Ended, how)
    assert scene.found() == [LOST] * lost


def test_lost_news_after_a_restoration(scene: Scene) -> None:
    """A call that has come further meanwhile is news, and must be told."""
    scene.tell(A)
    scene.told(A)
    scene.is_dropped()
    scene.is_restored()
    scene.tell(TALKING)
    scene.answer(1)
    scene.called(1)
    assert scene.found() == [LOST, LOST]


def test_lost_repetition_by_hand() -> None:
    """Who restores by hand must be told what is told again."""
    scene = by_hand()
    scene.tell(A, A)
    scene.answer(1)
    scene.told(A)
    scene.called(1)
    assert scene.found() == [LOST, LOST]


def test_lost_in_a_late_attempt(scene: Scene) -> None:
    """An attempt that fails late may lose what was not acknowledged, and nothing else."""
    scene.is_dropped()
    scene.connect()
    scene.tell(A)
    scene.answer(1)
    scene.called(1)
    scene.is_restored()
    assert scene.found() == [LOST, LOST]


# What is repeated, or out of order.


def test_repeated_event(scene: Scene) -> None:
    """An event that comes twice is a repetition."""
    scene.tell(A, B)
    scene.told(A)
    scene.new_call(A)
    scene.told(B)
    assert scene.found() == [REPEATED]


def test_repeated_callback(scene: Scene) -> None:
    """So is a callback."""
    scene.answer(1)
    scene.called(1)
    scene.called(1)
    assert scene.found() == [REPEATED]


def test_reordered_events(scene: Scene) -> None:
    """Two events in the wrong order are a loss and a repetition."""
    scene.tell(A, B)
    scene.told(B, A)
    assert scene.found() == [LOST, LOST, REPEATED, REPEATED]


@pytest.mark.parametrize("early", [True, False])
def test_callback_out_of_order(scene: Scene, early: bool) -> None:
    """A callback that overtakes an event is found, and one that an event overtakes."""
    if early:
        scene.tell(A)
        scene.answer(1)
        scene.called(1)
        scene.told(A)
    else:
        scene.answer(1)
        scene.tell(A)
        scene.told(A)
        scene.called(1)
    assert set(scene.found()) == {LOST, REPEATED}


@pytest.mark.parametrize("again", [A, TALKING])
def test_told_again_after_a_gap(scene: Scene, again: Dict[str, Any]) -> None:
    """A repetition that comes with a restoration is not to be told, nor an older state."""
    scene.tell(A, TALKING)
    scene.told(A, TALKING)
    scene.is_dropped()
    scene.is_restored()
    scene.tell(B, again, C)
    scene.told(B, again, C)
    assert scene.found() == [REPEATED, REPEATED]


def test_state_told_again_after_a_gap(scene: Scene) -> None:
    """The event of a state that is known is not told again because the call has changed."""
    parked = call("a", "CONNECT", slot="1")
    scene.tell(TALKING)
    scene.told(TALKING)
    scene.is_dropped()
    scene.is_restored()
    scene.tell(parked)
    scene.told(parked)
    assert scene.found() == [REPEATED]


# What was never sent, and what is otherwise wrong.


def test_event_from_nowhere(scene: Scene) -> None:
    """What no connection has sent is wrong."""
    scene.tell(A)
    scene.told(A)
    scene.new_call(B)
    assert scene.found() == [WRONG]


def test_event_of_a_connection_that_is_gone(scene: Scene) -> None:
    """What an older connection has sent is not told on a later one."""
    scene.tell(A, B)
    scene.told(A)
    scene.is_dropped()
    scene.is_restored()
    scene.tell(C)
    scene.told(C)
    scene.new_call(B)
    assert scene.found() == [WRONG]


def test_answer_on_another_connection(scene: Scene) -> None:
    """While a session is up, nothing is told of another connection."""
    scene.tell(A)
    scene.told(A)
    scene.connect()
    scene.answer(1)
    scene.called(1)
    assert scene.found() == [WRONG]


def test_answer_to_what_never_came_in(scene: Scene) -> None:
    """An answer to a command that the server never saw is wrong."""
    scene.called(7)
    assert scene.found() == [WRONG]


def test_wrong_state_in_a_handler(scene: Scene) -> None:
    """A handler sees the state of the event that it handles."""
    scene.tell(A)
    scene.new_call(A)
    scene.write(StateEvent, "a", "setup", "CONNECT")
    assert scene.found() == [WRONG]


def test_stale(scene: Scene) -> None:
    """A call that is just notified is not stale; after a drop every one is that goes on."""
    scene.tell(A)
    scene.new_call(A, stale=True)
    scene.state(A)
    assert scene.found() == [WRONG]
    scene.write(Disconnected, 1)
    assert scene.found() == [WRONG, WRONG]
    assert scene.model.memory.stale == {"a"}


@pytest.mark.parametrize(("gap", "found"), [(0.0, []), (4.2, []), (4.3, [WRONG]), (-0.1, [WRONG])])
def test_gap(scene: Scene, gap: float, found: List[str]) -> None:
    """A gap is no shorter than nothing, and no longer than the time since the last event."""
    scene.tell(A)
    scene.told(A)
    scene.is_dropped()
    scene.write(Restored, gap, False, 0.0)
    assert scene.found() == found


@pytest.mark.parametrize("by", ["create_session", "restore_session"])
@pytest.mark.parametrize("said", [True, False])
def test_recreated(scene: Scene, by: str, said: bool) -> None:
    """Whether the session is another one is told as it is."""
    scene.answer(9)
    scene.called(9)
    scene.is_dropped()
    scene.connect(by)
    scene.write(Restored, 1.0, said, 0.0)
    scene.answer(1)
    scene.called(1)
    assert scene.found() == ([] if said == (by == "create_session") else [WRONG])


def test_recreated_by_an_attempt_that_failed(scene: Scene) -> None:
    """A session that an attempt has made, and a later one has restored, is another one."""
    scene.is_dropped()
    scene.connect("create_session")
    scene.connect("restore_session")
    scene.write(Restored, 1.0, True, 0.0)
    scene.answer(1)
    scene.called(1)
    assert scene.found() == []


def test_errors_and_losses_that_nobody_meant() -> None:
    """An error event that nobody caused is wrong, and so is a session lost for no reason."""
    scene = Scene(is_meant=lambda error: False, may_lose=lambda error: False)
    scene.opens()
    scene.write(Problem, ValueError("why"))
    scene.is_dropped()
    scene.write(Lost, ValueError("why"))
    assert scene.found() == [WRONG, WRONG]


def test_context() -> None:
    """A finding shows the last entries of the diary, and what was sent."""
    scene = by_hand()
    scene.tell(A, B)
    scene.told(B)
    (finding, *_) = scene.findings.first()
    diary = finding.context[finding.context.index("the diary:") + 1:]
    assert "NewCall b SETUP" in diary[2] and "Opened" in finding.context[3]
    assert any("Told a SETUP" in line for line in finding.context)
