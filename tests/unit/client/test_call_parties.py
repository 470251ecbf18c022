"""The parties of a call, in every form of their numbers."""

from __future__ import annotations

from typing import Any, Dict, Optional, Tuple

import pytest

from keyyo_cti import CTI, Call
from keyyo_cti._client.call_additions import CallAdditions
from keyyo_cti._client.call_parties import judge
from keyyo_cti._client.wire import Command, subscribe, unsubscribe
from keyyo_cti.results import LineInfo, wrap

ALICE, CAROL, DAVE, BOB = "33199000001", "33199000002", "33199000003", "33199020000"

LINES = [LineInfo(csi=ALICE, name="Alice", short_number="7701"), {"csi": CAROL}, DAVE]

#: The same number as a server, or a person, may write it.
FORMS = ("{0}", "+{0}", "00{0}", "0{1}", "+33 {1}", "tel:+{0}", "+33 (0){1}", " {0} ")


def write(number: str, form: str) -> str:
    return form.format(number, number[2:])


def make_cti(*subscriptions: str, number: Optional[str] = ALICE, **options: Any) -> CTI:
    cti = CTI(cookie_auto=False, **options)
    session = cti._client.session
    session.on_create(None, wrap({"number": number, "now": 1, "session_id": "s"}))
    for each in subscriptions:
        session.settings.record(subscribe(each), 1)
    return cti


def make_call(cti: CTI, caller: Any, callee: Any, state: str = "SETUP", **more: Any) -> Call:
    call = Call(cti._client, "ref")
    fields: Dict[str, Any] = {"caller": caller, "callee": callee, "state": state, **more}
    call.update({name: value for name, value in fields.items() if value != "absent"})
    return call


def seen(call: Call) -> Tuple[Any, ...]:
    return call.direction, call.line, call.other, call.other_side


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("other_form", FORMS)
def test_parties_in_every_form_of_their_numbers_are_recognized(form: str, other_form: str) -> None:
    cti = make_cti()
    alice, bob = write(ALICE, form), write(BOB, other_form)
    assert seen(make_call(cti, bob, alice)) == ("in", ALICE, BOB, "caller")
    assert seen(make_call(cti, alice, bob)) == ("out", ALICE, BOB, "callee")
    assert cti.same_number(bob, BOB) and not cti.same_number(bob, alice)


@pytest.mark.parametrize(
    "caller, callee, expected",
    [
        (BOB, CAROL, ("in", CAROL, BOB, "caller")),
        (CAROL, BOB, ("out", CAROL, BOB, "callee")),
        # The own line goes first, then the caller.
        (ALICE, CAROL, ("internal", ALICE, CAROL, "callee")),
        (CAROL, ALICE, ("internal", ALICE, CAROL, "caller")),
        (CAROL, DAVE, ("internal", CAROL, DAVE, "callee")),
        (BOB, "33199020001", (None, None, None, None)),
        (BOB, "callpark", (None, None, None, None)),
        ("7702", ALICE, ("in", ALICE, "7702", "caller")),
        (ALICE, "15", ("out", ALICE, "15", "callee")),
        (int(BOB), int(ALICE), ("in", ALICE, BOB, "caller")),
        (ALICE, None, ("out", ALICE, None, "callee")),
        (ALICE, ALICE, ("internal", ALICE, ALICE, "callee")),
        (True, ALICE, ("in", ALICE, None, "caller")),
    ],
)
def test_call_of_several_lines_concerns_the_likeliest(
    caller: Any, callee: Any, expected: Tuple[Any, ...]
) -> None:
    cti = make_cti(CAROL, "+" + DAVE, "callpark")
    call = make_call(cti, caller, callee)
    assert tuple(each if each != "+" + DAVE else DAVE for each in seen(call)) == expected


@pytest.mark.parametrize("caller", [
    None, "", " ", "absent", "anonymous", "Anonyme", "restricted", "unknown", "private", "0", "+",
    "33199XXXXXX", "sip:anonymous@anonymous.invalid", [], {}, False, "callpark",
])
def test_hidden_caller_has_no_number(caller: Any) -> None:
    call = make_call(make_cti(), caller, ALICE)
    assert call.hidden and seen(call) == ("in", ALICE, None, "caller")
    assert make_call(make_cti(), caller, BOB).hidden
    assert not make_cti().same_number(caller, caller)


@pytest.mark.parametrize("caller", [BOB, "15", "7701", "+33199020000"])
def test_caller_with_a_number_is_not_hidden(caller: str) -> None:
    assert not make_call(make_cti(), caller, ALICE).hidden


def test_short_number_of_a_line_that_the_program_told_is_its_number() -> None:
    cti = make_cti(lines=LINES)
    assert seen(make_call(cti, "7701", BOB)) == ("out", ALICE, BOB, "callee")
    assert make_call(cti, BOB, "7701").direction == "in"
    assert cti.same_number("7701", "0199000001")
    assert seen(make_call(make_cti(CAROL, lines=LINES), CAROL, "7701"))[:3] == (
        "internal", ALICE, CAROL
    )


def test_line_of_the_account_is_followed_only_if_no_subscription_is_a_party() -> None:
    cti = make_cti(lines=LINES)
    assert seen(make_call(cti, CAROL, ALICE))[:2] == ("in", ALICE)
    # After a restore, a subscription may be unknown.
    assert seen(make_call(cti, BOB, CAROL))[:2] == ("in", CAROL)
    assert seen(make_call(cti, CAROL, DAVE))[:2] == ("internal", CAROL)


def test_call_of_a_former_subscription_keeps_its_line() -> None:
    cti = make_cti(CAROL)
    of_carol, of_both = make_call(cti, BOB, CAROL), make_call(cti, ALICE, CAROL)
    settings = cti._client.session.settings
    settings.record(unsubscribe(CAROL), 1)
    assert (of_carol.direction, of_both.direction) == ("in", "out")
    cti._client.session.on_create(None, wrap({"number": DAVE, "now": 1, "session_id": "s"}))
    settings.record(Command("create_session", {}), 1)
    assert of_carol.line == CAROL and of_both.line == ALICE
    assert make_call(cti, ALICE, DAVE).direction == "in"


def test_call_before_the_reply_to_its_subscription_has_its_line() -> None:
    cti = make_cti()
    settings = cti._client.session.settings
    settings.on_ask(subscribe(CAROL))
    assert make_call(cti, BOB, CAROL).line == CAROL
    settings.on_refusal(subscribe(CAROL))
    assert make_call(cti, BOB, CAROL).line is None
    assert settings.list_followed() == [ALICE]


def test_subscriptions_that_the_server_lists_are_lines() -> None:
    cti = make_cti()
    listed = wrap({"numbers": [ALICE, CAROL, 5, "callpark"]})
    cti._client.session.settings.record(Command("get_subscriptions"), listed)
    assert make_call(cti, BOB, CAROL).line == CAROL


@pytest.mark.parametrize("number", [None, 33, ""])
def test_call_without_a_line_of_its_own_has_no_direction(number: Any) -> None:
    assert seen(make_call(make_cti(number=number), BOB, ALICE)) == (None, None, None, None)
    assert seen(make_call(CTI(cookie_auto=False), BOB, ALICE)) == (None, None, None, None)


def test_number_of_the_session_is_returned_as_the_server_wrote_it() -> None:
    for form in FORMS[:4]:
        cti = make_cti(number=write(ALICE, form))
        assert make_call(cti, "0199020000", ALICE).line == cti.number
        assert make_call(cti, "0199020000", ALICE).other == BOB


@pytest.mark.parametrize(
    "state, connect_date, active, answered",
    [
        ("SETUP", "absent", True, False),
        ("CONNECT", "absent", True, True),
        ("CONNECT", 1700000000, True, True),
        ("RELEASE", 1700000000, False, True),
        ("RELEASE", "absent", False, False),
        ("RELEASE", 0, False, False),
        ("MISSED", "absent", False, False),
        ("MISSED", 1700000000, False, False),
        ("ELSE", "absent", True, False),
        (None, "absent", True, False),
        (["SETUP"], "absent", True, False),
    ],
)
def test_active_and_answered_follow_the_state_and_the_dates(
    state: Any, connect_date: Any, active: bool, answered: bool
) -> None:
    call = make_call(make_cti(), BOB, ALICE, state, connect_date=connect_date)
    assert (call.active, call.answered) == (active, answered)


#: For each event: True for the states that have come to it, False for those that never will.
COME_TO = {
    "setup": {"SETUP": True, "CONNECT": True, "RELEASE": True, "MISSED": True},
    "connect": {"CONNECT": True, "RELEASE": False, "MISSED": False},
    "release": {"RELEASE": True, "MISSED": False},
    "missed": {"MISSED": True, "RELEASE": False},
}


@pytest.mark.parametrize("state", ["SETUP", "CONNECT", "RELEASE", "MISSED", "ELSE", None, []])
@pytest.mark.parametrize("event", COME_TO)
def test_judge_says_if_a_call_has_come_to_an_event(event: str, state: Any) -> None:
    known = state if isinstance(state, str) else ""
    assert judge(event, {"state": state}) is COME_TO[event].get(known)
    if state == "RELEASE":
        assert judge("connect", {"state": state, "connect_date": 1700000000}) is True


def test_call_that_was_answered_stays_so_if_the_last_notification_lacks_the_date() -> None:
    call = make_call(make_cti(), BOB, ALICE, "CONNECT", connect_date=1700000000)
    call.update({"caller": BOB, "callee": ALICE, "state": "RELEASE"})
    assert call.answered and not call.active


def test_program_may_set_an_attribute_of_the_same_name() -> None:
    """The port of a page that keeps ``call.answered`` must not raise."""
    call = make_call(make_cti(), BOB, ALICE)
    for name in ("direction", "line", "other", "other_side", "hidden", "active", "answered"):
        assert getattr(CallAdditions, name).__doc__ and name in dir(call)
        setattr(call, name, "own")
        assert getattr(call, name) == "own"


@pytest.mark.parametrize("value", [None, "33", 5, [5], [None], [{"csi": 5}], [{}], {"7701": "33"}])
def test_wrong_lines_are_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="lines: expected a list of numbers"):
        CTI(lines=value)


def test_lines_without_a_number_are_ignored() -> None:
    cti = make_cti(lines=[{"csi": "mail@example.invalid", "short_number": "7705"}, ""])
    assert make_call(cti, "7705", ALICE).other == "7705"
