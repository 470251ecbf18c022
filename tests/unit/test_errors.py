"""What errors say, and what they hold back."""

from __future__ import annotations

import copy
import json
import pickle
import traceback
from typing import Any, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyyo_cti.errors import (
    CommandTimeout,
    ConnectionClosed,
    ConnectionFailed,
    KeyyoError,
    UnknownNotification,
    UnreadableMessage,
    from_server,
    invalid_params,
)

ALL = (
    KeyyoError(401, "Invalid token: unknown", "invalid_csi_token", "get another"),
    from_server({"status_code": 400, "message": "m", "more": [{"slot": 3}]}),
    CommandTimeout("dial", 30.0),
    ConnectionClosed(True, "a hint"),
    ConnectionClosed(False),
    ConnectionFailed("no route", "check the cable"),
)


@pytest.mark.parametrize(
    "message, code",
    [
        ("Malformed request (missing required parameters)", "missing_parameter"),
        ("Invalid token", "invalid_csi_token"),
        ("Invalid token (expired)", "invalid_csi_token"),
        ("RPC invalid params", "invalid_params"),
        ("Unknown session_id", "invalid_session_id"),
        ("Cannot treat action", None),
        ("unknown session_id", None),
        ("RPC invalid params.", None),
        ("An Invalid token", None),
        ("", None),
    ],
)
def test_code_by_message(message: str, code: Optional[str]) -> None:
    """The error code follows from the server's words, as in the JavaScript SDK."""
    error = from_server({"status_code": 400, "message": message})
    assert (error.status_code, error.message, error.error_code) == (400, message, code)


def test_cannot_treat_action_has_a_hint() -> None:
    """An error that people meet without having made a mistake says what to look at."""
    error = from_server({"status_code": 400, "message": "Cannot treat action"})
    assert "telephone" in str(error)
    assert error.error_code is None


@pytest.mark.parametrize("status", [400, "400", 400.0, "400.0", " 400 "])
def test_status_as_text_or_float_is_the_number(status: Any) -> None:
    """A program that compares the status with a number finds it, as in JavaScript."""
    error = from_server({"status_code": status, "message": "m"})
    assert error.status_code == error["status_code"] == 400
    assert type(error.status_code) is int


@pytest.mark.parametrize("status", [None, "", "bad", "400.5", 400.5, "nan", True, [], {}])
def test_status_that_is_no_number(status: Any) -> None:
    """A status that is no whole number counts as 500."""
    assert from_server({"status_code": status, "message": "m"}).status_code == 500


def test_message_of_null_says_that_there_is_no_reason() -> None:
    """A message of null is no word of the server's."""
    assert from_server({"message": None}).message == "The server gave no reason"


def test_further_fields_stay_by_attribute_and_by_key() -> None:
    """What else the server said of an error is there as in a result, objects in it too."""
    error: Any = from_server(
        {"status_code": 400, "message": "m", "reason": "busy", "more": [{"slot": 3}], "zero": 0}
    )
    assert error.reason == error["reason"] == "busy"
    assert error.more[0].slot == error["more"][0]["slot"] == 3
    assert error.zero == 0 and "zero" in error and "other" not in error
    assert dict(error.fields) == {
        "status_code": 400, "message": "m", "error_code": None, "reason": "busy",
        "more": [{"slot": 3}], "zero": 0,
    }
    assert set(error) == set(error.fields)


def test_own_fields_are_there_by_key() -> None:
    """The three fields of each error are there by key too, also of an error of the SDK's own."""
    error = CommandTimeout("dial", 30.0)
    assert (error["status_code"], error["message"]) == (408, error.message)
    assert error["error_code"] == "timeout" and "error_code" in error
    assert ConnectionClosed(False)["error_code"] is None


def test_field_that_is_missing_raises() -> None:
    """A slip of the pen is seen, and the message shows names and no values."""
    error = from_server({"message": "m", "session_id": "CANARY"})
    with pytest.raises(AttributeError, match=r"'sesion_id'.*\['session_id'\]") as caught:
        getattr(error, "sesion_id")
    assert "CANARY" not in str(caught.value)
    with pytest.raises(KeyError):
        error["sesion_id"]


@pytest.mark.parametrize("name, meant", [
    ("statusCode", "status_code"), ("errorCode", "error_code"), ("Reason", "reason"),
    ("hints", "hint")])
def test_other_spelling_of_a_field_is_suggested(name: str, meant: str) -> None:
    with pytest.raises(AttributeError, match=f"did you mean {meant}"):
        getattr(from_server({"message": "m", "reason": "busy"}), name)


def test_fields_can_be_sent_as_json_and_pickled() -> None:
    fields = from_server({"status_code": 400, "message": "m", "reason": "busy"}).fields
    assert json.loads(json.dumps(fields)) == pickle.loads(pickle.dumps(fields)) == fields


def test_error_code_of_the_server_stays_where_its_message_has_none() -> None:
    """The code that stands for a known message wins; otherwise the server's own stays."""
    assert from_server({"message": "m", "error_code": "own"}).error_code == "own"
    known = from_server({"message": "Unknown session_id", "error_code": "own"})
    assert known.error_code == known["error_code"] == "invalid_session_id"


@pytest.mark.parametrize(
    "sent, code",
    [(4217, "4217"), (4217.0, "4217"), ("4217", "4217"), (0, "0"), (True, None), ([4217], None)],
)
def test_error_code_of_the_server_that_is_a_number_is_kept_as_text(
    sent: Any, code: Optional[str]
) -> None:
    """``error_code`` is text or None, so a program compares one type."""
    error = from_server({"status_code": 400, "message": "m", "error_code": sent})
    assert error.error_code == error["error_code"] == code
    assert ("[4217]" in str(error)) == (code == "4217")


def test_further_fields_do_not_replace_what_an_error_is() -> None:
    """A further field with a name of ours is there by key only; one of Python's is not looked
    up, so that it is not printed in a traceback."""
    error = from_server(
        {"message": "m", "hint": "h", "final": 1, "args": 2, "sent": 3, "__notes__": ["n"]}
    )
    assert error.hint is None and error.final is None and error["hint"] == "h"
    assert error.args == (500, "m", None)
    assert not hasattr(error, "__notes__") and error["__notes__"] == ["n"]


def test_further_fields_show_no_secret() -> None:
    """Neither the error nor its traceback, nor its fields as a whole, show a session id."""
    secret = {"session_id": "CANARY-1", "x": [{"token": "CANARY-2"}]}
    error: Any = from_server({"message": "m", **secret})
    shown = [f"{error} {error!r} {error.fields!r} {error.args}", error._repr_html_()]
    shown += traceback.format_exception(type(error), error, None)
    assert "CANARY" not in "".join(shown)
    assert error.session_id == "CANARY-1" and error.x[0].token == "CANARY-2"


@pytest.mark.parametrize("error", ["Unknown session_id", 3, [], False])
def test_error_that_is_no_object(error: Any) -> None:
    """An error that is no object is taken as the message."""
    made = from_server(error)
    assert (made.status_code, made.message) == (500, str(error))


def test_error_without_a_message() -> None:
    """An error without words says so."""
    assert from_server({}).message == "The server gave no reason"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


@settings(deadline=None, derandomize=True, database=None, max_examples=60)
@given(
    JSON
    | st.fixed_dictionaries(
        {}, optional={"status_code": JSON, "message": JSON, "error_code": JSON}
    )
)
def test_any_error_of_the_server(error: Any) -> None:
    """Whatever the server sends as an error, there is a KeyyoError with a whole status and
    words."""
    made = from_server(error)
    assert type(made.status_code) is int
    assert type(made.message) is str
    assert str(made) and repr(made)


@pytest.mark.parametrize("field", ['{{"message": {}}}', "{}"])
def test_an_error_of_any_depth(field: str) -> None:
    """An error that is nested as deeply as JSON can be read is still an error."""
    for depth in (100, 500, 900, *range(950, 1000), 5_000):
        try:
            error = json.loads(field.format("[" * depth + "]" * depth))
        except RecursionError:
            continue
        assert isinstance(from_server(error), KeyyoError)


def test_invalid_params() -> None:
    """A wrong argument is a 400 invalid_params that names it."""
    error = invalid_params("side", "expected something else")
    assert (error.status_code, error.error_code) == (400, "invalid_params")
    assert str(error) == (
        "400 side: expected something else [invalid_params] (see docs/errors.md#invalid-params)"
    )


def test_str() -> None:
    """An error prints as its status, its words, its code and the hint."""
    assert str(ALL[0]) == (
        "401 Invalid token: unknown [invalid_csi_token] "
        "(get another; see docs/errors.md#invalid-csi-token)"
    )
    assert str(KeyyoError(500, "Oops")) == "500 Oops"
    assert repr(KeyyoError(500, "Oops")) == "<KeyyoError 500 Oops>"


def test_timeout() -> None:
    """A time-out is a 408 with a code of its own, and names the command and its seconds."""
    error = CommandTimeout("call", 2.5)
    assert (error.status_code, error.error_code) == (408, "timeout")
    assert error.message == "No answer to call within 2.5 s"


@pytest.mark.parametrize("sent", [False, True])
def test_closed(sent: bool) -> None:
    """A closed connection is JavaScript's 400 without a code, and says whether the command was
    sent."""
    error = ConnectionClosed(sent)
    assert (error.status_code, error.message) == (400, "Connexion closed")
    assert (error.error_code, error.sent) == (None, sent)


def test_failed() -> None:
    """A connection that could not be opened sent nothing, and tells why."""
    error = ConnectionFailed("no route", "check the cable")
    assert (error.status_code, error.sent) == (400, False)
    assert str(error) == (
        "400 Connexion closed: no route (check the cable; see docs/errors.md#connection-failed)"
    )


def test_family() -> None:
    """One except clause catches all that a callback can get; what the server garbles is apart."""
    assert all(isinstance(error, KeyyoError) for error in ALL)
    assert isinstance(ConnectionFailed("r"), ConnectionClosed)
    assert not issubclass(UnreadableMessage, KeyyoError)


@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
def test_copies(error: KeyyoError) -> None:
    """An error can be copied and pickled, as a process pool does with what a task raises."""
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(twin) is type(error)
        assert vars(twin) == vars(error)
        assert str(twin) == str(error)


def test_unknown_notification_copies() -> None:
    """It tells its kind, shortened, and so does its copy."""
    error = UnknownNotification("x" * 100)
    for twin in (error, copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert (twin.kind, str(twin)) == ("x" * 40, f"unknown notification {'x' * 40!r}")


def test_words_command_no_terminal() -> None:
    """What a server says is printed as text, in one line; ``message`` has it as it was sent."""
    error = KeyyoError(400, "\x1b[2Jevil\n")
    assert str(error).isprintable() and repr(error).isprintable()
    assert error.message == "\x1b[2Jevil\n"


@pytest.mark.fault(67)
@pytest.mark.parametrize("field", ["message", "error_code", "status_code"])
def test_long_fields_of_a_server_are_cut_where_they_are_shown(field: str) -> None:
    """An error is printed and logged in one line, whichever of its fields is long."""
    long = int("9" * 4000) if field == "status_code" else "y" * 3_000_000
    error = from_server({"status_code": 400, "message": "m", "error_code": "c", field: long})
    assert len(str(error)) < 1000 and len(repr(error)) < 1000
    assert getattr(error, field) == long
