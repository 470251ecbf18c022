"""Commands, replies and notifications, as they stand on the wire."""

from __future__ import annotations

import json
from typing import Any, Dict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyyo_cti._client import wire
from keyyo_cti._client.wire import (
    CALL_FIELDS,
    Command,
    Reply,
    create_session,
    decode,
)
from keyyo_cti._client.wire_log import name_command
from keyyo_cti.errors import KeyyoError, UnknownNotification, UnreadableMessage

from ...helpers.methods import CALLREF, USES, WRONG, Method, Use, name_use

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=60)


def make(method: Method, *positions: Any) -> Command:
    """Return the command that a method sends, by its arguments without a callback."""
    callref = (CALLREF,) if method.owner == "Call" else ()
    command: Command = getattr(wire, method.name)(*callref, *positions)
    return command


@pytest.mark.parametrize(("method", "use"), USES, ids=name_use)
def test_command_has_the_action_and_fields_of_the_protocol(method: Method, use: Use) -> None:
    message = make(method, *use.positions).encode(7)
    assert message.isascii()
    callref = {"call_ref": CALLREF} if method.owner == "Call" else {}
    assert json.loads(message) == {"action": method.action, "id": 7, **callref, **use.fields}


@pytest.mark.parametrize(("method", "use"), USES, ids=name_use)
def test_command_is_logged_by_the_name_of_its_method(method: Method, use: Use) -> None:
    assert name_command(make(method, *use.positions)) == method.name


@pytest.mark.parametrize(
    ("session_id", "fields"), [(None, {"session_id": None}), ("s", {"session_id": "s"})]
)
def test_restore_session_with_null_id_sends_a_missing_id_as_null(
    session_id: Any, fields: Dict[str, Any]
) -> None:
    message = wire.restore_session("t", session_id, null_id=True).encode(7)
    expected = {"action": "restore_session", "id": 7, "token": "t", "protocol_version": 1}
    assert json.loads(message) == {**expected, **fields}


@pytest.mark.parametrize(("method", "argument"), WRONG, ids=name_use)
def test_command_with_a_wrong_value_names_the_argument(method: Method, argument: str) -> None:
    before, after = method.before(argument), method.after(argument)
    for value in method.wrong[argument]:
        with pytest.raises(KeyyoError) as caught:
            make(method, *before.values(), value, *after.values())
        error = caught.value
        assert (error.status_code, error.error_code) == (400, "invalid_params"), value
        assert error.message.startswith(f"{argument}: expected "), value


def test_a_wrong_secret_is_not_shown() -> None:
    """The error about a token of the wrong kind says its kind and not the token."""
    with pytest.raises(KeyyoError) as caught:
        wire.create_session(b"CANARY")
    assert "CANARY" not in f"{caught.value} {caught.value!r} {caught.value.args}"


def test_repr_of_a_command() -> None:
    """The repr of a command tells its action and none of its fields."""
    command = wire.restore_session("CANARY-token", "CANARY-session")
    assert "restore_session" in repr(command)
    assert "CANARY" not in f"{command} {command!r}"


def test_repr_of_a_reply() -> None:
    """The repr of a reply does not show the session id in it."""
    reply = decode('{"id": 1, "result": {"session_id": "CANARY"}}')
    assert "CANARY" not in f"{reply} {reply!r}"


def test_two_equal_commands_are_equal() -> None:
    """A command is a value."""
    assert wire.dial("33") == wire.dial("33") != wire.dial("34")


@pytest.mark.parametrize(
    "text, expected",
    [
        ('{"id": 3, "result": 1}', Reply(3, None, 1)),
        ('{"id": 3, "result": null}', Reply(3, None, None)),
        ('{"id": 3, "result": 0, "error": null}', Reply(3, None, 0)),
        ('{"id": 3, "error": {"status_code": 401}}', Reply(3, {"status_code": 401}, None)),
        ('{"id": 3, "error": "no"}', Reply(3, "no", None)),
        ('{"id": 3, "error": "no", "result": 1}', Reply(3, "no", 1)),
        ('{"id": 3, "more": 1, "result": []}', Reply(3, None, [])),
    ],
)
def test_reply(text: str, expected: Reply) -> None:
    """A reply has the id of its command, and a result or an error."""
    assert decode(text) == expected


def test_reply_with_nothing_in_it() -> None:
    """A reply with neither a result nor an error is an error of the server's."""
    reply = decode('{"id": 3}')
    assert isinstance(reply, Reply)
    assert reply.error["status_code"] == 500


def test_notification() -> None:
    """A notification carries the call as the server sent it, unknown fields included."""
    said = decode('{"notify": "call", "call": {"callref": "r", "state": "SETUP", "x": [1]}}')
    assert said == {"callref": "r", "state": "SETUP", "x": [1]}


@pytest.mark.parametrize(
    "message",
    [
        None,
        1,
        b"{}",
        [],
        '{"id": 1, "result": NaN}',
        '{"id": 1, "result": -Infinity}',
        {"id": 1, "result": 1},
        "",
        "{",
        "[]",
        "null",
        "nul",
        '"text"',
        "{}",
        '{"id": true, "result": 1}',
        '{"id": null}',
        '{"id": "x", "result": 1}',
        '{"id": "", "result": 1}',
        '{"id": 1.5, "result": 1}',
        '{"id": "1e999", "result": 1}',
        '{"id": "1_0", "result": 1}',
        '{"id": [1], "result": 1}',
        '{"notify": "other"}',
        '{"notify": null}',
        '{"notify": ["call"]}',
        '{"notify": "call"}',
        '{"notify": "call", "call": []}',
        '{"notify": "call", "call": {}}',
        '{"notify": "call", "call": {"callref": null}}',
        '{"notify": "call", "call": {"callref": true}}',
        '{"notify": "call", "call": {"callref": [3]}}',
        '{"notify": "call", "call": null}',
        "[" * 100_000,
        '{"id": ' + "9" * 5000 + "}x",
    ],
)
def test_unreadable(message: Any) -> None:
    """What is not of the protocol raises UnreadableMessage."""
    with pytest.raises(UnreadableMessage):
        decode(message)


@pytest.mark.parametrize("error", ["null", "false", "0", "0.0", '""', "{}", "[]"])
@pytest.mark.parametrize("result", ["1", "0", "null", "{}"])
def test_reply_with_an_empty_error_is_a_success(error: str, result: str) -> None:
    """An error that JavaScript takes for none, or that says nothing, is none beside a result."""
    said = decode(f'{{"id": 1, "error": {error}, "result": {result}}}')
    assert said == Reply(1, None, json.loads(result))


@pytest.mark.parametrize("error", ["false", "0", '""'])
def test_reply_with_a_false_error_alone_is_a_success(error: str) -> None:
    """An error of false says that there is none; a program that got one would try again."""
    assert decode(f'{{"id": 1, "error": {error}}}') == Reply(1, None, None)


@pytest.mark.parametrize("fields", ["", ', "error": null', ', "error": {}', ', "error": []'])
def test_reply_without_an_answer_is_an_error(fields: str) -> None:
    """A reply that says neither is a 500 of the SDK's."""
    said = decode(f'{{"id": 1{fields}}}')
    assert isinstance(said, Reply) and said.error["status_code"] == 500


@pytest.mark.parametrize("error", ["true", "1", '"no"', "[1]", '{"status_code": 400}'])
def test_reply_with_an_error_is_no_success(error: str) -> None:
    """Any other error is one, also beside a result."""
    assert decode(f'{{"id": 1, "error": {error}, "result": 1}}') == Reply(1, json.loads(error), 1)


@pytest.mark.parametrize("number", ["4", "4.0", '"4"', '"4.0"', '" 4 "', "4e0"])
def test_id_of_a_reply_as_text_or_float_is_the_number(number: str) -> None:
    """A reply finds its command however the server writes the id."""
    said = decode(f'{{"id": {number}, "result": 1}}')
    assert said == Reply(4, None, 1) and type(said[0]) is int


@pytest.mark.parametrize("notify", ["null", "false", "0", '""'])
def test_reply_with_a_false_notify_is_a_reply(notify: str) -> None:
    """A notify that JavaScript takes for none does not make a reply a notification."""
    assert decode(f'{{"notify": {notify}, "id": 4, "result": 1}}') == Reply(4, None, 1)


@pytest.mark.parametrize(
    "callref, text",
    [
        ("7", "7"),
        ("7.0", "7"),
        ("-7", "-7"),
        ("1.5", "1.5"),
        ("0", "0"),
        ("1e20", "1" + "0" * 20),
        ("1e21", "1e+21"),
        ("1e-7", "1e-7"),
        ("12345678901234567890", "12345678901234567890"),
        ('"7"', "7"),
        ('""', ""),
    ],
)
def test_callref_that_is_a_number_is_its_text(callref: str, text: str) -> None:
    """A number as callref is the text that JavaScript knows the call by, in the fields too."""
    said = decode(f'{{"notify": "call", "call": {{"callref": {callref}, "x": 1}}}}')
    assert said == {"callref": text, "x": 1}


@pytest.mark.parametrize("kind", ["log", "error", "weather", ["call"], 1, True, {"a": 1}])
def test_other_notification_tells_its_kind(kind: Any) -> None:
    """A notification of something else than a call is apart from what cannot be read."""
    with pytest.raises(UnknownNotification) as caught:
        decode(json.dumps({"notify": kind, "id": 4, "result": 1}))
    assert caught.value.kind == str(kind)


def test_an_unknown_notification_is_named_briefly() -> None:
    """The error about an unknown notification names it, but not at any length."""
    with pytest.raises(UnreadableMessage, match="unknown notification") as caught:
        decode(json.dumps({"notify": "x" * 100_000}))
    assert len(str(caught.value)) < 100


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)

#: Objects that come near to what is of the protocol.
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "id": st.integers() | JSON,
        "result": JSON,
        "error": JSON,
        "notify": st.just("call") | JSON,
        "call": st.fixed_dictionaries({}, optional={"callref": st.text() | JSON, "state": JSON})
        | JSON,
    },
)


def _decodes(message: Any) -> None:
    try:
        said = decode(message)
    except UnreadableMessage:
        return
    if isinstance(said, Reply):
        assert type(said.id) is int
    else:
        assert isinstance(said["callref"], str)


@PURE
@given(JSON)
def test_any_json_value(value: Any) -> None:
    """Any JSON value, as it is or as text, is a reply, a notification, or unreadable."""
    _decodes(value)
    _decodes(json.dumps(value))


@PURE
@given(NEARLY)
def test_any_object(value: Any) -> None:
    """Any object with the protocol's fields is a reply, a notification, or unreadable."""
    _decodes(json.dumps(value))


@PURE
@given(st.text())
def test_any_string(text: str) -> None:
    """Any string is a reply, a notification, or unreadable."""
    _decodes(text)


@pytest.mark.parametrize("shape", ["[{}]", '{{"a":{}}}'])
@pytest.mark.parametrize("frame", ['{{"notify": {}}}', '{{"id": 1, "result": {}}}'])
def test_any_depth(shape: str, frame: str) -> None:
    """However deep the JSON is, decode gives what it says or raises UnreadableMessage."""
    opening, closing = shape.replace("{{", "{").replace("}}", "}").split("{}")
    for depth in (10, 100, *range(900, 1000), 2_000, 10_000, 100_000):
        _decodes(frame.format(opening * depth + "1" + closing * depth))


@PURE
@given(st.text(min_size=1), st.text(min_size=1), st.integers(min_value=1))
def test_any_text_goes_through(number: str, message: str, identity: int) -> None:
    """Whatever a text holds, lone surrogates included, the server gets it unchanged."""
    sent = wire.send_message(number, message).encode(identity)
    sent.encode("ascii")
    fields = json.loads(sent)
    assert (fields["number"], fields["message"], fields["id"]) == (number, message, identity)


def test_names_are_shared() -> None:
    """The documented fields of all calls have the same names in memory."""
    message = json.dumps(
        {"notify": "call", "call": {**dict.fromkeys(CALL_FIELDS, "x"), "other": 1}}
    )
    first, second = decode(message), decode(message)
    assert isinstance(first, dict) and isinstance(second, dict)
    assert first == second and list(first) == [*CALL_FIELDS, "other"]
    for one, other, known in zip(first, second, CALL_FIELDS):
        assert one is other is known


def test_names_are_shared_by_calls_with_other_fields_in_between() -> None:
    """A call that rings and one that was missed may have the same number of fields."""
    calls = [{"callref": "x", name: 1, "undocumented": 2} for name in CALL_FIELDS[5:8]] * 3
    messages = [json.dumps({"notify": "call", "call": call}) for call in calls]
    decoded = [decode(message) for message in messages]
    assert all(isinstance(each, dict) for each in decoded)
    names = [id(name) for fields in decoded[3:] for name in fields]
    assert len(set(names)) == 1 + 3 + 3


def test_names_in_another_order_keep_that_order() -> None:
    orders = [[*CALL_FIELDS], [*CALL_FIELDS][::-1], [*CALL_FIELDS[:-1], "other"]]
    for names in orders * 2:
        call = dict(zip(names, "abcdefgh"))
        decoded = decode(json.dumps({"notify": "call", "call": call}))
        assert decoded == call and list(decoded) == names


def test_layouts_of_names_are_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    layouts: Dict[int, Any] = {}
    monkeypatch.setattr(wire, "_layouts", layouts)
    for count in range(1, 100):
        for variant in range(20):
            fields = {f"{variant}.{number}": 1 for number in range(count)}
            call = {"callref": "x", **fields}
            assert decode(json.dumps({"notify": "call", "call": call})) == call
    assert [len(each) for each in layouts.values()] == [8] * 49
    layouts.clear()
    decode(json.dumps({"notify": "call", "call": {"callref": "x", "y" * 501: 1}}))
    assert layouts == {}


@pytest.mark.parametrize("hidden", [create_session("secret"), Reply(3, "secret", "secret")])
def test_repr_hides_what_may_be_secret(hidden: Any) -> None:
    """Neither a command nor a reply shows what it carries."""
    assert "secret" not in f"{hidden} {hidden!r}"
