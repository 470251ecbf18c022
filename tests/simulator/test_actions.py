"""The actions of the protocol, with connections in memory."""

from __future__ import annotations

import json
import logging
from typing import Any, Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyyo_cti.simulator.actions import ACTIONS
from keyyo_cti.simulator.clients import Client
from keyyo_cti.simulator.commands import Command, decode

from ..helpers.raw_client import outcome
from .desk import (
    ALICE,
    BOB,
    CANNOT_TREAT,
    CAROL,
    DAVE,
    EXPIRED_TOKEN,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_TOKEN,
    MALFORMED,
    NOW,
    UNKNOWN_SESSION,
    Desk,
    sent,
    states,
)


@pytest.fixture
def client(desk: Desk) -> Client:
    """A client with a session of Alice's line."""
    return desk.signed_in()


# Sessions


def test_create_session(desk: Desk) -> None:
    """Creating a session returns the line, the server's time and an id."""
    result = desk.ask(desk.connect(), "create_session", token=desk.token(), protocol_version=1)
    session, = desk.sessions.get_all()
    assert result == {"number": ALICE, "now": NOW, "session_id": session.id}
    assert session.auto_answer


def test_create_session_without_auto_answer(desk: Desk) -> None:
    """A session can be created with auto-answer off."""
    assert desk.ask(desk.signed_in(auto_answer=False), "get_auto_answer") == {"auto_answer": False}


@pytest.mark.parametrize("fields, expected", [
    ({}, MALFORMED),
    ({"token": "nonsense"}, INVALID_TOKEN),
    ({"token": ""}, INVALID_TOKEN),
    ({"token": 7}, INVALID_PARAMS),
    ({"token": None}, INVALID_PARAMS),
    ({"token": "nonsense", "auto_answer": 1}, INVALID_PARAMS),
    ({"token": "nonsense", "protocol_version": 2}, INVALID_PARAMS),
])
def test_create_session_refused(desk: Desk, fields: Dict[str, Any], expected: Any) -> None:
    """A missing, wrong or null token, or one of a wrong type, is refused and opens no session."""
    assert desk.ask(desk.connect(), "create_session", **fields) == expected
    assert desk.sessions.get_all() == []


def test_expired_token(desk: Desk) -> None:
    """After an hour the token has expired, and the session that it opened continues."""
    token = desk.token()
    client = desk.connect()
    desk.ask(client, "create_session", token=token)
    desk.clock.advance(3600)
    assert desk.ask(desk.connect(), "create_session", token=token) == EXPIRED_TOKEN
    assert desk.ask(client, "ping") == 1


def test_restore_session(desk: Desk, client: Client) -> None:
    """A second connection restores the session and shares it."""
    second = desk.connect()
    session, = desk.sessions.get_all()
    result = desk.ask(second, "restore_session", token=desk.token(), session_id=session.id)
    assert result == {"number": ALICE, "now": NOW}
    assert session.counter == 2
    desk.incoming()
    assert states(client) == states(second) == [f"{BOB}>{ALICE} SETUP"]


@pytest.mark.parametrize("fields, expected", [
    ({}, MALFORMED),
    ({"session_id": "nonsense"}, UNKNOWN_SESSION),
    ({"session_id": ""}, UNKNOWN_SESSION),
    ({"session_id": 7}, INVALID_PARAMS),
    ({"session_id": None}, INVALID_PARAMS),
])
def test_restore_session_refused(desk: Desk, fields: Dict[str, Any], expected: Any) -> None:
    """A missing, unknown or null session id, or one of a wrong type, is refused."""
    assert desk.ask(desk.connect(), "restore_session", token=desk.token(), **fields) == expected


def test_restore_needs_a_token(desk: Desk, client: Client) -> None:
    """The id alone restores nothing."""
    session, = desk.sessions.get_all()
    result = desk.ask(desk.connect(), "restore_session", token="x", session_id=session.id)
    assert result == INVALID_TOKEN


def test_restore_on_the_same_connection(desk: Desk, client: Client) -> None:
    """A client that restores its own session remains its only connection."""
    session, = desk.sessions.get_all()
    desk.ask(client, "restore_session", token=desk.token(), session_id=session.id)
    desk.clock.advance(1000)
    assert (desk.sessions.get_all(), session.counter) == ([session], 1)


def test_second_session_leaves_the_first(desk: Desk, client: Client) -> None:
    """A connection that opens another session leaves its first one."""
    first, = desk.sessions.get_all()
    desk.ask(client, "create_session", token=desk.token(CAROL))
    assert (first.counter, client.number) == (0, CAROL)


def test_restored_session_is_told_the_calls_that_go_on(desk: Desk, client: Client) -> None:
    """After its reply a restored session is notified of the calls of its numbers, once each."""
    desk.incoming()
    desk.exchange.place_call(desk.carol, DAVE)
    session, = desk.sessions.get_all()
    second = desk.connect()
    desk.ask(second, "restore_session", token=desk.token(), session_id=session.id)
    assert "result" in sent(second)[0]
    assert states(second) == [f"{BOB}>{ALICE} SETUP"]


def test_replay_can_be_turned_off() -> None:
    """Without the replay a restored session gets no notifications."""
    desk = Desk(replay_on_restore=False)
    desk.signed_in()
    desk.incoming()
    second = desk.connect()
    session_id = desk.sessions.get_all()[0].id
    desk.ask(second, "restore_session", token=desk.token(), session_id=session_id)
    assert states(second) == []


def test_destroy_session(desk: Desk, client: Client) -> None:
    """Destroying answers, then closes every connection of the session and no other."""
    session, = desk.sessions.get_all()
    second, other = desk.connect(), desk.signed_in(CAROL)
    desk.ask(second, "restore_session", token=desk.token(), session_id=session.id)
    assert desk.ask(client, "destroy_session") == 1
    closed = [each.wire.closed for each in (client, second, other)]  # type: ignore[attr-defined]
    assert closed == [(3000, "Go away!"), (3000, "Go away!"), None]
    assert desk.ask(second, "ping") == UNKNOWN_SESSION
    result = desk.ask(other, "restore_session", token=desk.token(), session_id=session.id)
    assert result == UNKNOWN_SESSION


@pytest.mark.parametrize(
    "action", [name for name in ACTIONS if name not in ("create_session", "restore_session")])
def test_no_session(desk: Desk, action: str) -> None:
    """Without a session every action but the two that open one is refused."""
    assert desk.ask(desk.connect(), action) == UNKNOWN_SESSION


@pytest.mark.parametrize("action", [name for name, each in ACTIONS.items() if each.required])
def test_missing_fields(desk: Desk, client: Client, action: str) -> None:
    """Every action that needs a field says so when it is missing."""
    assert desk.ask(client, action) == MALFORMED


def test_unknown_action(desk: Desk, client: Client) -> None:
    """An unknown or missing action, or one of a wrong type, is refused."""
    assert desk.ask(client, "conference") == CANNOT_TREAT
    desk.actions.perform(client, Command(900, {}))
    desk.actions.perform(client, Command(901, {"action": ["call"]}))
    assert [outcome(reply) for reply in sent(client)[-2:]] == [MALFORMED, INVALID_PARAMS]


def test_internal_error(
    desk: Desk, client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception in the simulator gets the reply 500 and is logged."""
    def mistaken(*args: Any, **kwargs: Any) -> None:
        raise KeyError("oops")

    monkeypatch.setattr(desk.exchange, "dial", mistaken)
    assert desk.ask(client, "call", number=BOB) == INTERNAL_ERROR
    assert "an action failed" in caplog.text


# Subscriptions and settings


def test_subscriptions(desk: Desk, client: Client) -> None:
    """A subscription to another line brings its calls, until it is left."""
    assert desk.ask(client, "subscribe", number=CAROL) == 1
    assert desk.ask(client, "get_subscriptions") == {"numbers": [ALICE, CAROL]}
    desk.exchange.place_call(desk.dave, CAROL)
    assert desk.ask(client, "unsubscribe", number=CAROL) == 1
    desk.exchange.place_call(desk.bob, CAROL)
    assert states(client) == [f"{DAVE}>{CAROL} SETUP"]


def test_call_between_two_subscribed_lines(desk: Desk, client: Client) -> None:
    """A call whose both parties are subscribed to is notified once."""
    desk.ask(client, "subscribe", number=CAROL)
    desk.exchange.place_call(desk.alice, CAROL)
    assert states(client) == [f"{ALICE}>{CAROL} SETUP"]


@pytest.mark.parametrize("number", [
    "", "x", "+33199000002", "33199029999", BOB, 33199000002, None,
])
def test_subscribe_refused(desk: Desk, client: Client, number: Any) -> None:
    """Only lines of the account can be subscribed to."""
    assert desk.ask(client, "subscribe", number=number) == INVALID_PARAMS


def test_organisations(desk: Desk, client: Client) -> None:
    """A line of another organisation cannot be subscribed to."""
    desk.carol.organisation = "others"
    assert desk.ask(client, "subscribe", number=CAROL) == INVALID_PARAMS


def test_short_number_subscription(desk: Desk, client: Client) -> None:
    """A line can be subscribed to, and left, by its short number."""
    desk.carol.short_number = "12"
    desk.ask(client, "subscribe", number="12")
    assert desk.ask(client, "get_subscriptions") == {"numbers": [ALICE, CAROL]}
    desk.ask(client, "unsubscribe", number="12")
    assert desk.ask(client, "get_subscriptions") == {"numbers": [ALICE]}


def test_unsubscribe_own_line(desk: Desk, client: Client) -> None:
    """A session can unsubscribe from its own line, and from a number that it has not subscribed
    to.
    """
    assert desk.ask(client, "unsubscribe", number=ALICE) == 1
    assert desk.ask(client, "unsubscribe", number=BOB) == 1
    desk.incoming()
    assert states(client) == []


def test_callpark_subscription(desk: Desk, client: Client) -> None:
    """Subscribing to the callpark replays the parked calls after the reply."""
    callref = desk.talking()
    desk.ask(client, "park_call", call_ref=callref, side="caller")
    carol = desk.signed_in(CAROL)
    assert desk.ask(carol, "subscribe", number="callpark") == 1
    assert states(carol) == [f"{BOB}>{ALICE} CONNECT"]
    assert sent(carol)[-1]["call"]["callpark_slot"] == "1"
    desk.exchange.hang_up(desk.bob)
    assert states(carol)[1:] == [f"{BOB}>{ALICE} RELEASE"]


def test_auto_answer(desk: Desk, client: Client) -> None:
    """Auto-answer belongs to the session, and decides which telephone rings first."""
    assert desk.ask(client, "get_auto_answer") == {"auto_answer": True}
    assert desk.ask(client, "set_auto_answer", auto_answer=False) == 1
    assert desk.ask(client, "get_auto_answer") == {"auto_answer": False}
    desk.ask(client, "call", number=BOB)
    assert states(client) == []
    desk.exchange.pick_up(desk.alice)
    assert states(client) == [f"{ALICE}>{BOB} SETUP"]
    assert desk.ask(client, "set_auto_answer", auto_answer="yes") == INVALID_PARAMS


# The line


def test_dial(desk: Desk, client: Client) -> None:
    """Dialling rings at the callee; the call is notified to the session."""
    assert desk.ask(client, "call", number=BOB) == 1
    assert states(client) == [f"{ALICE}>{BOB} SETUP"]


@pytest.mark.parametrize("number", ["callpark", "0x12", "+33199020000", "1", "3" * 16, 12, None])
def test_dial_refused(desk: Desk, client: Client, number: Any) -> None:
    """Dialling an invalid number is refused."""
    assert desk.ask(client, "call", number=number) == INVALID_PARAMS


def test_send_message(desk: Desk, client: Client) -> None:
    """A message of any content reaches the recipient's telephone."""
    assert desk.ask(client, "send_message", number=BOB, message="à tous \ud800 ☎") == 1
    assert desk.bob.messages == [(ALICE, "à tous \ud800 ☎")]
    assert desk.ask(client, "send_message", number=BOB, message="") == INVALID_PARAMS


@pytest.mark.parametrize("action, number, expected", [
    ("get_int_to_local_numbers", "33199020000", "0199020000"),
    ("get_int_to_local_numbers", "44199020000", "44199020000"),
    ("get_int_to_local_numbers", "12", "12"),
    ("get_local_to_int_number", "0199020000", "33199020000"),
    ("get_local_to_int_number", "0044199020000", "44199020000"),
    ("get_local_to_int_number", "33199020000", "33199020000"),
    ("get_local_to_int_number", "12", CAROL),
])
def test_number_formats(
    desk: Desk, client: Client, action: str, number: str, expected: str
) -> None:
    """French numbers are converted both ways; others are returned unchanged."""
    desk.carol.short_number = "12"
    assert desk.ask(client, action, number=number) == {"number": expected}


LINE_ACTIONS = {
    "call": {"number": BOB},
    "send_message": {"number": BOB, "message": "x"},
    "answer_call": {},
    "terminate_call": {},
}


@pytest.mark.parametrize("action", LINE_ACTIONS)
@pytest.mark.parametrize("setting", ["plugin_enabled", "phone_registered"])
def test_line_that_cannot_be_commanded(desk: Desk, action: str, setting: str) -> None:
    """Without the plugin or a telephone the session opens, and the line cannot be commanded."""
    client = desk.signed_in()
    fields = {"call_ref": desk.incoming(), **LINE_ACTIONS[action]}
    setattr(desk.alice, setting, False)
    assert desk.ask(client, action, **fields) == CANNOT_TREAT
    assert desk.ask(client, "ping") == 1
    setattr(desk.alice, setting, True)
    assert desk.ask(client, action, **fields) == 1


def test_plugin_enabled_later(desk: Desk) -> None:
    """Enabling the plugin helps the sessions created afterwards only."""
    desk.alice.plugin_enabled = False
    early = desk.signed_in()
    desk.alice.plugin_enabled = True
    assert desk.ask(early, "call", number=BOB) == CANNOT_TREAT
    assert desk.ask(desk.signed_in(), "call", number=BOB) == 1


# Malformed messages


@pytest.mark.parametrize("text", [
    "", "null", "nonsense", "[" * 100_000, "[]", "7", '"call"', "{}", '{"action": "ping"}',
    '{"id": 0}', '{"id": -1}', '{"id": true}', '{"id": "1"}', '{"id": 1.5}', '{"id": null}',
    '{"id": 1' + "0" * 30 + "}", '{"id": 1' + "0" * 5000 + "}",
])
def test_nothing_to_answer_to(text: str) -> None:
    """A message without a valid id is ignored."""
    assert decode(text) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
NAMES = ("token", "session_id", "number", "message", "call_ref", "call_ref2", "side", "side2",
         "to", "slot", "invite_timer", "auto_answer", "protocol_version")
LIKELY = st.sampled_from([ALICE, BOB, "callpark", "call-1", "call-2", "caller", "callee", 1, -1])
COMMANDS = st.fixed_dictionaries(
    {"action": st.sampled_from(sorted(ACTIONS))},
    optional={name: LIKELY | JSON for name in NAMES},
)


@pytest.mark.slow
@given(JSON | COMMANDS, st.booleans(), st.integers(min_value=1, max_value=2**63))
def test_junk(message: Any, signed_in: bool, number: int) -> None:
    """Any JSON gets exactly one reply if it has an id, and none otherwise."""
    desk = Desk()
    client = desk.signed_in() if signed_in else desk.connect()
    desk.talking()
    sent(client).clear()
    if isinstance(message, dict):
        message["id"] = number
    command = decode(json.dumps(message))
    if command is not None:
        desk.actions.perform(client, command)
    replies = [each for each in sent(client) if each.get("id") == number]
    assert len(replies) == (1 if isinstance(message, dict) else 0)
    assert all(outcome(reply) != INTERNAL_ERROR for reply in replies)


def test_nothing_secret_is_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Tokens and session ids are never logged, errors included."""
    caplog.set_level(logging.DEBUG)
    client = desk.connect()
    token = desk.token()
    session_id = desk.ask(client, "create_session", token=token)["session_id"]
    desk.ask(client, "restore_session", token="s3cret", session_id=session_id)
    desk.ask(client, token)
    desk.ask(client, "terminate_call", call_ref=session_id)
    assert caplog.text != ""
    assert not any(secret in caplog.text for secret in (token, session_id, "s3cret"))
