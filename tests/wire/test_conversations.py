"""Conversations of a whole CTI: both views, the event, drops and bounds."""

from __future__ import annotations

import gc
import weakref
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest

from keyyo_cti import CTI, Call, Conversation
from keyyo_cti._client.call_views import get_leg
from keyyo_cti._client.two_views import TwoViews
from keyyo_cti.simulator import Line, Simulator

from ..helpers.probe import PATIENCE, Record, eventually
from ..helpers.scripted_server import ScriptedServer
from .agreeing import NOW, call_then_reply, connect, notification, push

LINE, CAROL, BOB = "33199000001", "33199000002", "33199020000"

A = [notification(state, "a", setup_date=NOW, connect_date=NOW) for state in ("SETUP", "CONNECT")]
A_ENDS = notification("RELEASE", "a", setup_date=NOW, connect_date=NOW, release_date=NOW + 9)
B = notification("SETUP", "b", callee=CAROL, setup_date=NOW + 9)
B_ENDS = notification("MISSED", "b", callee=CAROL, setup_date=NOW + 9, release_date=NOW + 20)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(call_then_reply) as running:
        yield running


def received(server: ScriptedServer, cti: CTI, *messages: Dict[str, Any]) -> None:
    """Send notifications, and wait until they are received, though not handled."""
    server.push(*messages)
    cti.ping().result(PATIENCE)


def refs(conversation: Conversation) -> List[str]:
    return [call.callref for call in conversation.calls]


def conversation_of(cti: CTI, ref: str) -> Conversation:
    call = cti.get_call(ref)
    assert call is not None
    return call.conversation


def test_first_use_in_a_late_handler_shows_the_state_of_its_event(server: ScriptedServer) -> None:
    seen: List[Tuple[Any, List[str], Any]] = []

    def on_new_call(call: Call) -> None:
        conversation = call.conversation
        seen.append((call.state, refs(conversation), conversation.first.callref))

    with connect(server, dispatch="manual") as cti:
        cti.onNewCall = on_new_call
        received(server, cti, *A, A_ENDS, B)
        cti.poll()
        assert seen == [
            ("SETUP", ["a"], "a"), ("CONNECT", ["a"], "a"), ("RELEASE", ["a"], "a"),
            ("SETUP", ["a", "b"], "a"),
        ]
        assert refs(conversation_of(cti, "a")) == ["a", "b"]
        assert cti._client._conversations.queued == {}


def test_outside_handlers_the_latest_state_is_shown(server: ScriptedServer) -> None:
    with connect(server, dispatch="manual") as cti:
        received(server, cti, *A, A_ENDS, B)
        conversation = conversation_of(cti, "b")
        assert refs(conversation) == ["a", "b"] and not conversation.certain
        assert conversation is conversation_of(cti, "a")
        assert conversation.parties == (BOB, LINE, CAROL)
        shown = "<Conversation: 2 calls of 33199020000 and 33199000001 and 33199000002, not cert"
        assert repr(conversation).startswith(shown)


@pytest.mark.parametrize("dispatch", ["thread", "manual", "foreign"])
def test_end_is_told_once_and_after_the_last_release(
    server: ScriptedServer, dispatch: str
) -> None:
    works: List[Callable[[], None]] = []
    choices: Dict[str, Any] = {"manual": "manual", "foreign": works.append}
    options = {"dispatch": choices[dispatch]} if dispatch in choices else {}
    told = Record()

    def on_new_call(call: Call) -> None:
        call.onRelease = call.onMissed = lambda: told.add((call.callref, "ended"))

    def on_end(conversation: Conversation) -> None:
        told.add((refs(conversation), conversation.ended, conversation.first.ended))

    with connect(server, **options) as cti:
        cti.onNewCall = on_new_call
        cti.on("conversationEnded", on_end)
        received(server, cti, *A, A_ENDS, B, B_ENDS)

        def has_ended() -> bool:
            if dispatch == "manual":
                cti.poll(0.05)
            while works:
                works.pop(0)()
            return len(told.items) >= 3

        eventually(has_ended)
        received(server, cti, B_ENDS)
        has_ended()
    assert told.items[:3] == [("a", "ended"), ("b", "ended"), (["a", "b"], True, True)]
    assert [item for item in told.items if isinstance(item[0], list)] == [(["a", "b"], True, True)]


@pytest.mark.parametrize("how", ["attribute", "subclass"])
def test_close_ends_what_waits_and_nothing_comes_later(server: ScriptedServer, how: str) -> None:
    told = Record()

    class Program(CTI):
        def onConversationEnded(self, conversation: Conversation) -> None:
            told.add(refs(conversation))

    kind = Program if how == "subclass" else CTI
    cti = kind(endpoint=server.endpoint, transports=["websocket"], cookie_auto=False)
    if how == "attribute":
        cti.onConversationEnded = lambda conversation: told.add(refs(conversation))
    cti.create_session("token").result(PATIENCE)
    push(server, cti, *A, A_ENDS, notification("SETUP", "c", caller="33199020001"))
    cti.close()
    assert told.items == [["a"]]
    assert [conversation_of(cti, ref).ended for ref in ("a", "c")] == [True, False]


def test_calls_from_before_the_log_are_not_certain(server: ScriptedServer) -> None:
    many = [
        notification(state, f"n{number}", caller=f"331990{number:05}", setup_date=NOW,
                     release_date=NOW)
        for number in range(300) for state in ("SETUP", "MISSED")
    ]
    with connect(server) as cti:
        push(server, cti, *A, *many)
        assert not conversation_of(cti, "a").certain
        assert not conversation_of(cti, "n0").certain and conversation_of(cti, "n0").ended
        assert conversation_of(cti, "n299").certain
        push(server, cti, A_ENDS, B)
        assert refs(conversation_of(cti, "b")) == ["a", "b"]


def test_lost_connection_makes_what_goes_on_uncertain(server: ScriptedServer) -> None:
    restored = Record()
    told = Record()
    with connect(server, token_provider=lambda: "token") as cti:
        cti.onRestored = restored.add
        cti.onConversationEnded = lambda conversation: told.add(refs(conversation))
        push(server, cti, *A)
        conversation = conversation_of(cti, "a")
        assert conversation.certain
        server.do(lambda connection: connection.close(1000, "drop"))
        restored.wait_for_count(1)
        push(server, cti, *A)
        assert conversation is conversation_of(cti, "a")
        assert not conversation.certain and not conversation.ended
        push(server, cti, A_ENDS)
    assert told.items == [["a"]]


def test_conversations_are_forgotten_with_their_calls(server: ScriptedServer) -> None:
    with connect(server, max_ended_calls=2) as cti:
        known: List[Any] = []
        cti.onNewCall = lambda call: known.append(weakref.ref(call.conversation))
        for number in range(20):
            dates = {"setup_date": NOW, "release_date": NOW, "caller": f"3319902{number:04}"}
            push(server, cti, *(notification(state, f"n{number}", **dates)
                                for state in ("SETUP", "MISSED")))
        cti.close()
        gc.collect()
        assert len({id(ref()) for ref in known} - {id(None)}) == 2


def test_forgotten_active_call_ends_its_conversation(server: ScriptedServer) -> None:
    told = Record()
    with connect(server, max_active_calls=1) as cti:
        conversation: List[Conversation] = []
        cti.onNewCall = lambda call: conversation.append(call.conversation)
        cti.onConversationEnded = lambda conversation: told.add(refs(conversation))
        push(server, cti, *A, notification("SETUP", "c", caller="33199020001"))
    assert told.items == [["a"]]
    assert conversation[0].ended and not conversation[0].certain


def test_signal_handler_inside_the_sdk_gets_a_guess(server: ScriptedServer) -> None:
    with connect(server) as cti:
        push(server, cti, *A)
        with cti._client._registry.lock:
            guess = conversation_of(cti, "a")
            assert refs(guess) == ["a"] and guess.parties == (BOB, LINE)
            assert not guess.certain and not guess.ended
        call = cti.get_call("a")
        assert call is not None and get_leg(call) is None
        assert call.conversation.certain


def test_change_that_is_handled_late_takes_no_view_back() -> None:
    handling = [True]
    views = TwoViews("old", lambda: handling[0])
    views.receive("newer")
    assert views.read() == "newer"
    views.show("newer", 2)
    views.show("new", 1)
    assert views.read() == "newer"
    views.receive("newest")
    assert views.read() == "newer"
    handling[0] = False
    assert views.read() == "newest"


# On the simulator.


class People:
    """Alice's program, which watches Carol's line too, and the telephones."""

    def __init__(self, sim: Simulator, cti: CTI) -> None:
        self.alice, self.carol = sim.line(LINE), sim.line(CAROL)
        self.bob = sim.phone(BOB)
        self.cti = cti
        cti.create_session(sim.token(self.alice)).result(PATIENCE)
        cti.subscribe(CAROL).result(PATIENCE)

    def talk(self, line: Line) -> Call:
        ref = self.bob.call(line)
        line.phone.pick_up()
        self.cti.ping().result(PATIENCE)
        call = self.cti.get_call(ref)
        assert call is not None and call.state == "CONNECT"
        return call


@pytest.fixture
def people() -> Iterator[People]:
    with Simulator() as sim, CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        yield People(sim, cti)


@pytest.mark.parametrize("early", [True, False], ids=["followed before", "asked afterwards"])
def test_transfer_on_the_simulator_is_one_certain_conversation(
    people: People, early: bool
) -> None:
    told = Record()
    if early:
        people.cti.onNewCall = lambda call: told.add(refs(call.conversation))
    call = people.talk(people.alice)
    call.transfer("caller", CAROL).result(PATIENCE)
    conversation = call.conversation
    assert [each.state for each in conversation.calls] == ["RELEASE", "SETUP"]
    assert conversation.certain and conversation.first is call and not conversation.ended
    if early:
        told.wait(lambda items: items[-1:] == [refs(conversation)])


def test_supervised_transfer_and_parking_on_the_simulator_are_one_conversation(
    people: People
) -> None:
    told = Record()
    people.cti.onConversationEnded = lambda conversation: told.add(
        (conversation, len(conversation.calls), conversation.certain)
    )
    call = people.talk(people.alice)
    call.supervised_transfer("caller", CAROL, 30).result(PATIENCE)
    people.carol.phone.pick_up()
    people.cti.ping().result(PATIENCE)
    third = call.conversation.calls[-1]
    assert (third.caller, third.callee) == (BOB, CAROL)
    assert third.conversation.first is call
    third.park("caller").result(PATIENCE)
    third.unpark().result(PATIENCE)
    people.bob.hang_up()
    assert told.wait_for_count(1) == [(call.conversation, 3, True)]


def test_merge_on_the_simulator_is_one_certain_conversation(people: People) -> None:
    call = people.talk(people.alice)
    people.cti.dial(CAROL).result(PATIENCE)
    people.carol.phone.pick_up()
    people.cti.ping().result(PATIENCE)
    second = people.cti.get_calls()[-1]
    assert second.conversation is not call.conversation
    call.merge("caller", second, "callee").result(PATIENCE)
    assert call.conversation is second.conversation
    assert refs(call.conversation) == ["call-1", "call-2", "call-3"]
    assert call.conversation.certain and call.conversation.first is call


def test_refused_transfer_on_the_simulator_changes_nothing(people: People) -> None:
    call = people.talk(people.alice)
    error = call.transfer("caller", BOB).exception(PATIENCE)
    assert error is not None
    assert refs(call.conversation) == ["call-1"] and call.conversation.certain
