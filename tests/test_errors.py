"""What errors say, and what they hold back."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyyo_cti.errors import (
    CommandTimeout,
    ConnectionClosed,
    ConnectionFailed,
    KeyyoError,
    UnreadableMessage,
    from_server,
    invalid_params,
)

ALL = (
    KeyyoError(401, "Invalid token: unknown", "invalid_csi_token", "get another"),
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


@pytest.mark.parametrize("status", [None, "400", 400.0, True, [], {}])
def test_status_that_is_no_number(status: Any) -> None:
    """A status that is no whole number counts as 500."""
    assert from_server({"status_code": status, "message": "m"}).status_code == 500


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
    assert str(error) == "400 side: expected something else [invalid_params]"


def test_str() -> None:
    """An error prints as its status, its words, its code and the hint."""
    assert str(ALL[0]) == "401 Invalid token: unknown [invalid_csi_token] (get another)"
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
    assert str(error) == "400 Connexion closed: no route (check the cable)"


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


def test_words_command_no_terminal() -> None:
    """What a server says is printed as text, in one line; ``message`` has it as it was sent."""
    error = KeyyoError(400, "\x1b[2Jevil\n")
    assert str(error).isprintable() and repr(error).isprintable()
    assert error.message == "\x1b[2Jevil\n"
