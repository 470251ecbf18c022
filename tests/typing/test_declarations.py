"""What is declared for type checkers agrees with what is there at run time."""

from __future__ import annotations

import inspect
from typing import Any, Callable, Dict, List, Optional, get_args, get_type_hints

import pytest

import keyyo_cti
from keyyo_cti import (
    CTI,
    Call,
    Callback,
    CTIOptions,
    KeyyoError,
    Result,
    Side,
    Transport,
    account,
    diagnosis,
    manager,
    oauth2,
    results,
    token_file,
    token_provider,
)
from keyyo_cti._client.literals import CallEvent, CTIEvent
from keyyo_cti._client.wire import CALL_FIELDS, transfer
from keyyo_cti._sockjs import TRANSPORTS
from keyyo_cti.errors import from_server
from keyyo_cti.options import Options
from keyyo_cti.results import wrap

REPLIES = (
    results.SessionInfo, results.Subscriptions, results.AutoAnswer, results.ConvertedNumber,
)


def test_typed_dict_has_the_options_with_their_types() -> None:
    assert get_type_hints(CTIOptions) == get_type_hints(Options)
    assert list(CTIOptions.__annotations__) == list(Options.__annotations__)
    assert not CTIOptions.__total__


def test_typed_dict_is_imported_lazily_and_other_names_are_refused() -> None:
    assert CTIOptions.__module__ == "keyyo_cti.options"
    assert not hasattr(keyyo_cti, "CTIOption")


@pytest.mark.parametrize(
    "literal, values",
    [(Transport, TRANSPORTS), (CTIEvent, CTI.EVENTS), (CallEvent, Call.EVENTS)],
    ids=["transports", "events of a CTI", "events of a call"],
)
def test_literals_are_the_values_that_are_accepted(literal: Any, values: Any) -> None:
    assert get_args(literal) == tuple(values)


def test_sides_are_those_that_are_accepted() -> None:
    sides: Any = get_args(Side)
    assert [transfer("ref", side, "33").fields["side"] for side in sides] == list(sides)
    assert get_args(Side) == ("caller", "callee")
    with pytest.raises(KeyyoError, match="side"):
        transfer("ref", "both", "33")


@pytest.mark.parametrize("reply", REPLIES)
def test_declared_field_that_is_missing_is_none(reply: Any) -> None:
    assert [getattr(Result(), name) for name in reply.__annotations__] == [
        None for _ in reply.__annotations__
    ]


def test_fields_that_may_be_missing_are_declared() -> None:
    assert set().union(*(reply.__annotations__ for reply in REPLIES)) == results._KNOWN


FUNCTIONS: Dict[str, Callable[..., Any]] = {
    f"{cls.__name__}.{name}": value
    for cls in (
        CTI, Call, Result, KeyyoError, account.Account, manager.Manager, manager.ManagerClient,
        oauth2.OAuth2, oauth2.OAuth2Client, oauth2.Tokens, token_file.TokenFile,
        token_provider.TokenProvider, diagnosis.Diagnosis, diagnosis.RingTest, Options,
    )
    for name, value in inspect.getmembers(cls, inspect.isfunction)
}


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_annotations_of_public_functions_can_be_evaluated(name: str) -> None:
    """Documentation tools and frameworks evaluate them, on each Python."""
    get_type_hints(FUNCTIONS[name])


def test_options_of_a_cti_are_evaluated_to_plain_types() -> None:
    hints = get_type_hints(CTI.__init__)
    assert hints["keywords"] is Any
    assert "Unpack[CTIOptions]" in str(inspect.signature(CTI))


def test_callback_takes_the_type_of_its_result() -> None:
    callback: Any = Callback
    parameters, returned = get_args(callback[int])
    assert parameters == get_args(Callable[[Optional[KeyyoError], int], Any])[0]
    assert returned is object


class Line:
    """A line that answers nothing."""

    def ask(self, make: Any, arguments: Any, callback: Any) -> Any:
        raise AssertionError("nothing is to be asked")

    def check_process(self) -> None:
        """This is its process."""

    def server_time(self) -> float:
        return 0.0


def with_fields(names: List[str]) -> List[Any]:
    """Something of each kind with these fields of the server."""
    fields = dict.fromkeys(names, 1)
    call = Call(Line(), "ref")
    call.update(fields)
    return [call, wrap(fields), from_server({"message": "m", **fields})]


@pytest.mark.parametrize("index", range(3), ids=["call", "result", "error"])
def test_dir_has_what_the_server_sent_if_it_can_be_an_attribute(index: int) -> None:
    thing = with_fields(["weather", "not an attribute", "2nd"])[index]
    assert "weather" in dir(thing) and thing.weather == 1
    assert not {"not an attribute", "2nd"} & set(dir(thing))
    assert set(dir(type(thing))) <= set(dir(thing))


def test_dir_of_a_call_has_the_documented_fields() -> None:
    assert set(CALL_FIELDS) <= set(dir(Call(Line(), "ref")))


def test_dir_of_an_error_has_no_names_of_pythons_own() -> None:
    assert dir(from_server({"message": "m", "__x__": 1})).count("__x__") == 0
