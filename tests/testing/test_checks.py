"""What counts as a mistake of a program, and what does not."""

from __future__ import annotations

import threading
from typing import Any, List, Optional

import pytest

from keyyo_cti import ConnectionClosed, KeyyoError
from keyyo_cti.simulator import Passage
from keyyo_cti.testing.checks import Checks, describe_thread


@pytest.mark.parametrize("error, kind, closing, found", [
    (ConnectionClosed(False), ConnectionClosed, False, "ConnectionClosed in a thread"),
    (ConnectionClosed(False), ConnectionClosed, True, None),
    (ValueError(), ValueError, True, "ValueError in a thread"),
    (SystemExit(), SystemExit, False, None),
    (None, ValueError, False, None),
])
def test_exception_is_a_mistake_unless_the_rehearsal_or_the_program_has_ended(
    error: Any, kind: Any, closing: bool, found: Optional[str]
) -> None:
    checks = Checks()
    checks.closing = closing
    checks.on_thread_exception(threading.ExceptHookArgs((kind, error, None, None)))
    assert (checks.first and checks.first.key) == (found and ("raised", found))


@pytest.mark.parametrize("code, kept", [("invalid_params", True), ("closed", False)])
def test_only_a_wrong_value_is_a_mistake_of_a_command_that_is_not_sent(
    code: str, kept: bool
) -> None:
    checks = Checks()
    checks.on_refusal("dial", KeyyoError(400, "x", code))
    assert (checks.first is not None) is kept


CALL = {"callref": "1", "state": "SETUP", "callee": "33199000001"}
HANG_UP = {"id": 5, "action": "terminate_call", "call_ref": "1"}
REFUSED = {"id": 5, "error": {"status_code": 400, "message": "Cannot treat action"}}


@pytest.mark.parametrize("messages, found", [
    ([("received", HANG_UP), ("sent", REFUSED)], "the program was never notified of call 1"),
    ([("sent", {"notify": "call", "call": None}), ("received", HANG_UP), ("sent", REFUSED)],
     "the program was never notified of call 1"),
    ([("sent", {"notify": "call", "call": CALL}), ("received", HANG_UP), ("sent", REFUSED)], None),
    ([("sent", REFUSED)], None),
    ([("received", HANG_UP), ("garbled", REFUSED)], None),
])
def test_refusal_is_a_mistake_if_the_program_could_have_known(
    messages: List[Any], found: Optional[str]
) -> None:
    checks = Checks()
    for kind, content in messages:
        checks.on_traffic(Passage(1, "websocket", "33199000001", kind, content))
    assert found == (None if checks.first is None else checks.first.details)


def test_handler_that_refers_to_a_later_variable_is_found_twice(keyyo_cti: Any) -> None:
    checks = Checks()
    for _ in range(2):
        keyyo_cti.on("newCall", lambda call: later(call))
    checks.check_handlers([keyyo_cti._client])
    assert checks.first is not None and checks.first.kind == "added twice"
    keyyo_cti.off("newCall")
    later: Any = print


def test_thread_without_a_function_or_a_traceback_has_its_kind_only() -> None:
    ended = threading.Thread(target=print)
    ended.start()
    ended.join()
    assert describe_thread(ended) == "Thread"
