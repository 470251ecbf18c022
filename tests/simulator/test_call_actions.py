"""The actions on calls, with connections in memory."""

from __future__ import annotations

from typing import Any, Dict

import pytest

from keyyo_cti.simulator.clients import Client

from .desk import (
    ALICE,
    BOB,
    CANNOT_TREAT,
    CAROL,
    DAVE,
    INVALID_PARAMS,
    Desk,
    sent,
    states,
)


@pytest.fixture
def client(desk: Desk) -> Client:
    """A client with a session of Alice's line."""
    return desk.signed_in()


def test_answer(desk: Desk, client: Client) -> None:
    """Answering connects an incoming call, once."""
    callref = desk.incoming()
    assert desk.ask(client, "answer_call", call_ref=callref) == 1
    assert states(client)[-1] == f"{BOB}>{ALICE} CONNECT"
    assert desk.ask(client, "answer_call", call_ref=callref) == CANNOT_TREAT


def test_reject(desk: Desk, client: Client) -> None:
    """Rejecting lets an incoming call be missed; once answered it is too late."""
    assert desk.ask(client, "reject_call", call_ref=desk.incoming()) == 1
    assert states(client)[-1] == f"{BOB}>{ALICE} MISSED"
    assert desk.ask(client, "reject_call", call_ref=desk.talking()) == CANNOT_TREAT


@pytest.mark.parametrize("action", ["answer_call", "reject_call"])
def test_outgoing_call_is_not_answered(desk: Desk, client: Client, action: str) -> None:
    """The caller can neither answer nor reject."""
    call = desk.exchange.place_call(desk.alice, BOB)
    assert desk.ask(client, action, call_ref=call.record.callref) == CANNOT_TREAT


def test_terminate(desk: Desk, client: Client) -> None:
    """Terminating ends a ringing and a connected call, and no ended one."""
    ringing = desk.incoming()
    assert desk.ask(client, "terminate_call", call_ref=ringing) == 1
    talking = desk.talking()
    assert desk.ask(client, "terminate_call", call_ref=talking) == 1
    told = [text.split()[1] for text in states(client)]
    assert told == ["SETUP", "MISSED", "SETUP", "CONNECT", "RELEASE"]
    assert desk.ask(client, "terminate_call", call_ref=talking) == CANNOT_TREAT
    assert desk.ask(client, "terminate_call", call_ref="nonsense") == CANNOT_TREAT


def test_calls_of_others(desk: Desk, client: Client) -> None:
    """A call outside the session's subscriptions gets the error of an unknown one."""
    callref = desk.exchange.place_call(desk.dave, CAROL).record.callref
    assert desk.ask(client, "terminate_call", call_ref=callref) == CANNOT_TREAT
    desk.ask(client, "subscribe", number=CAROL)
    assert desk.ask(client, "answer_call", call_ref=callref) == CANNOT_TREAT
    assert desk.ask(client, "terminate_call", call_ref=callref) == 1


def test_own_call_after_unsubscribing(desk: Desk, client: Client) -> None:
    """A session commands its own line's calls even when it has left its subscription."""
    desk.ask(client, "unsubscribe", number=ALICE)
    assert desk.ask(client, "answer_call", call_ref=desk.incoming()) == 1


def test_transfer(desk: Desk, client: Client) -> None:
    """The transfer command connects the caller to another number."""
    callref = desk.talking()
    assert desk.ask(client, "transfer_call", call_ref=callref, side="caller", to=CAROL) == 1
    assert desk.exchange.get_live_calls()[0].record.callee == CAROL


def test_supervised_transfer(desk: Desk, client: Client) -> None:
    """A supervised transfer by command obeys its timer."""
    fields = {"call_ref": desk.talking(), "side": "caller", "to": CAROL}
    assert desk.ask(client, "supervised_transfer_call", **fields, invite_timer=30) == 1
    desk.clock.advance(30)
    assert states(client)[-1] == f"{ALICE}>{CAROL} MISSED"
    assert desk.ask(client, "supervised_transfer_call", **fields) == 1
    desk.exchange.pick_up(desk.carol)
    assert desk.exchange.get_live_calls()[0].record.caller == BOB


def test_merge(desk: Desk, client: Client) -> None:
    """A merge by command leaves one call."""
    first = desk.talking()
    second = desk.exchange.place_call(desk.alice, DAVE)
    desk.exchange.connect(second)
    fields = {"call_ref": first, "side": "caller", "call_ref2": second.record.callref}
    assert desk.ask(client, "merge_call", **fields, side2="callee") == 1
    assert [call.record.callee for call in desk.exchange.get_live_calls()] == [DAVE]


def test_park_and_unpark(desk: Desk, client: Client) -> None:
    """A subscriber of the callpark can take a parked call; a taken slot is refused."""
    carol = desk.signed_in(CAROL)
    desk.ask(carol, "subscribe", number="callpark")
    first, second = desk.talking(), desk.exchange.place_call(desk.dave, ALICE)
    desk.exchange.connect(second)
    assert desk.ask(client, "park_call", call_ref=first, side="caller", slot=2) == 1
    fields = {"call_ref": second.record.callref, "side": "caller"}
    assert desk.ask(client, "park_call", **fields, slot=2) == CANNOT_TREAT
    assert desk.ask(client, "park_call", **fields) == 1
    assert desk.ask(carol, "unpark_call", call_ref=first) == 1
    assert states(carol)[-1] == f"{BOB}>{CAROL} CONNECT"
    assert "callpark_slot" not in sent(carol)[-2]["call"]


def test_pause(desk: Desk, client: Client) -> None:
    """Pausing parks in the slot that bears the session's number; unparking takes the call back."""
    callref = desk.talking()
    assert desk.ask(client, "pause_call", call_ref=callref) == 1
    assert desk.exchange.find_call(callref).record.callpark_slot == ALICE
    assert desk.ask(client, "unpark_call", call_ref=callref) == 1
    assert desk.exchange.find_call(callref).talking
    assert desk.ask(client, "unpark_call", call_ref=callref) == CANNOT_TREAT


@pytest.mark.parametrize("action, fields", [
    ("transfer_call", {"side": "both", "to": CAROL}),
    ("transfer_call", {"side": ["caller"], "to": CAROL}),
    ("transfer_call", {"side": "caller", "to": ""}),
    ("transfer_call", {"side": "caller", "to": BOB}),
    ("supervised_transfer_call", {"side": "caller", "to": CAROL, "invite_timer": -1}),
    ("supervised_transfer_call", {"side": "caller", "to": CAROL, "invite_timer": 86_401}),
    ("supervised_transfer_call", {"side": "caller", "to": CAROL, "invite_timer": 1.5}),
    ("supervised_transfer_call", {"side": "caller", "to": ALICE}),
    ("park_call", {"side": "caller", "slot": -2}),
    ("park_call", {"side": "caller", "slot": 3}),
    ("park_call", {"side": "caller", "slot": True}),
    ("park_call", {"side": "caller", "slot": "1"}),
    ("merge_call", {"side": "caller", "side2": "callee", "call_ref2": 7}),
    ("merge_call", {"side": "caller", "side2": "callee", "call_ref2": "call-1"}),
])
def test_wrong_values(desk: Desk, client: Client, action: str, fields: Dict[str, Any]) -> None:
    """A wrong type or value is refused and the call continues."""
    callref = desk.talking()
    assert desk.ask(client, action, call_ref=callref, **fields) == INVALID_PARAMS
    assert desk.exchange.find_call(callref).talking
