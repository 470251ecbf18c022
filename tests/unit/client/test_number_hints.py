"""Hints about numbers that the service refuses."""

from __future__ import annotations

from typing import Any, Dict, List, Optional

import pytest

from keyyo_cti._client.dial_guard import DialGuard
from keyyo_cti._client.number_hints import add_number_hint
from keyyo_cti._client.wire import Command
from keyyo_cti._display.error_page import get_advice
from keyyo_cti.errors import ConnectionClosed, KeyyoError, from_server

from ...helpers.methods import METHODS, Method

LINE = "33199000001"

#: Each method with a number -> the name of that argument.
WITH_NUMBER = [
    (method, argument)
    for method in METHODS
    for argument in ("number", "to")
    if argument in method.uses[0].arguments
]


def hint(command: Command, message: str = "RPC invalid params", line: Any = LINE) -> Optional[str]:
    error = from_server({"status_code": 400, "message": message})
    add_number_hint(error, command, line)
    return get_advice(error)


def command(method: Method, argument: str, number: str) -> Command:
    fields: Dict[str, Any] = {**method.uses[0].fields, argument: number}
    return Command(method.action, fields)


def test_methods_with_a_number_are_known() -> None:
    assert {method.name for method, _ in WITH_NUMBER} == {
        "dial", "send_message", "subscribe", "unsubscribe", "int_to_local", "local_to_int",
        "transfer", "supervised_transfer",
    }


@pytest.mark.parametrize("method, argument", WITH_NUMBER, ids=str)
def test_may_dial_is_asked_by_each_method_that_calls_its_number(
    method: Method, argument: str
) -> None:
    """The others name a line or convert a number. A new method has to be one or the other."""
    asked: List[str] = []
    guard = DialGuard(asked.append, lambda where, error: None)
    refused = guard.refusal(command(method, argument, "33199020000")) is not None
    calls = method.name in {"dial", "transfer", "supervised_transfer"}
    assert refused == calls and asked == ["33199020000"] * calls


@pytest.mark.parametrize("method, argument", WITH_NUMBER, ids=str)
@pytest.mark.parametrize(
    "number", ["+33 1 99 02 00 00", "0033 1.99.02.00.00", "+33 (0)1 99-02-00-00", "+33199020000"]
)
def test_hint_rewrites_an_international_number(
    method: Method, argument: str, number: str
) -> None:
    said = hint(command(method, argument, number))
    assert said == f"{argument}: write '33199020000', because the service wants digits only"


@pytest.mark.parametrize("method, argument", WITH_NUMBER, ids=str)
def test_hint_rewrites_a_national_number(method: Method, argument: str) -> None:
    """In the line's country; local_to_int takes it in its national form."""
    right = "0199020000" if method.name == "local_to_int" else "33199020000"
    said = hint(command(method, argument, "01 99 02 00 00"))
    assert said == f"{argument}: write {right!r}, because the service wants digits only"


@pytest.mark.parametrize("line", [None, "7701"])
def test_hint_for_a_line_without_a_country_keeps_the_national_form(line: Optional[str]) -> None:
    said = hint(Command("call", {"number": "01 99 02 00 00"}), line=line)
    assert said is not None and "write '0199020000'" in said


@pytest.mark.parametrize("number", ["Call Park", "CALLPARK", "call_park", " callpark"])
@pytest.mark.parametrize("action", ["subscribe", "unsubscribe"])
def test_hint_rewrites_callpark(action: str, number: str) -> None:
    said = hint(Command(action, {"number": number}))
    assert said is not None and said.startswith("number: write 'callpark'")


@pytest.mark.parametrize("number", ["bob", "+", "*21*33199020000#", "33199020000 or 1", "1" * 16])
def test_hint_for_what_cannot_be_rewritten_says_what_is_accepted(number: str) -> None:
    said = hint(Command("call", {"number": number}))
    assert said == "number: the service accepts only digits, such as '33172587948'"
    said = hint(Command("subscribe", {"number": number}))
    assert said is not None and said.endswith("or 'callpark'")


@pytest.mark.parametrize("number", ["0199020000", "0033199020000"])
def test_hint_for_digits_in_another_format_names_the_format(number: str) -> None:
    said = hint(Command("call", {"number": number}), "Cannot treat action")
    wanted = "number: write '33199020000', because the service wants the international format; or "
    assert said is not None and said.startswith(wanted)


@pytest.mark.parametrize("number", ["33199020000", "7701", "1", "callpark"])
def test_right_number_gets_no_hint(number: str) -> None:
    assert hint(Command("call", {"number": number})) is None
    assert hint(Command("transfer_call", {"to": number, "side": "caller"})) is None


def test_hint_of_cannot_treat_action_keeps_the_other_reasons() -> None:
    said = hint(Command("call", {"number": "+33199020000"}), "Cannot treat action")
    assert said is not None and said.startswith("number: write '33199020000'")
    assert "; or the line may have no telephone registered" in said
    plain = hint(Command("call", {"number": "33199020000"}), "Cannot treat action")
    assert plain is not None and plain.startswith("the line may")


@pytest.mark.parametrize(
    "error", [ConnectionClosed(True, "a hint"), KeyyoError(403, "no", "not_allowed", "a hint")]
)
def test_other_errors_stay_as_they_are(error: KeyyoError) -> None:
    add_number_hint(error, Command("call", {"number": "+33199020000"}), LINE)
    assert get_advice(error) == "a hint"
