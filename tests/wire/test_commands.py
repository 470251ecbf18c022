"""Every method on the wire: with every optional argument and without, by position and by
keyword, with and without a callback."""

from typing import Any, Dict, List, Tuple

import pytest

from keyyo_cti import CTI, Call, KeyyoError

from .probe import PATIENCE, Seen
from .scripted import ScriptedServer, session

TO = "33199020000"

#: method, arguments by position, the same by keyword, the action, its fields.
LINE: List[Tuple[str, Tuple[Any, ...], Dict[str, Any], str, Dict[str, Any]]] = [
    ("create_session", ("t",), {"csi_token": "t"}, "create_session",
     {"token": "t", "protocol_version": 1}),
    ("create_session", ("t", False), {"csi_token": "t", "auto_answer": False}, "create_session",
     {"token": "t", "protocol_version": 1, "auto_answer": False}),
    ("restore_session", ("t", "s"), {"csi_token": "t", "session_id": "s"}, "restore_session",
     {"token": "t", "session_id": "s", "protocol_version": 1}),
    ("restore_session", ("t",), {"csi_token": "t"}, "restore_session",
     {"token": "t", "protocol_version": 1}),
    ("subscribe", (TO,), {"number": TO}, "subscribe", {"number": TO}),
    ("unsubscribe", ("callpark",), {"number": "callpark"}, "unsubscribe", {"number": "callpark"}),
    ("get_subscriptions", (), {}, "get_subscriptions", {}),
    ("set_auto_answer", (True,), {"auto_answer": True}, "set_auto_answer", {"auto_answer": True}),
    ("get_auto_answer", (), {}, "get_auto_answer", {}),
    ("dial", (TO,), {"number": TO}, "call", {"number": TO}),
    ("send_message", (TO, "é\ud800☎"), {"number": TO, "message": "é\ud800☎"}, "send_message",
     {"number": TO, "message": "é\ud800☎"}),
    ("int_to_local", (TO,), {"number": TO}, "get_int_to_local_numbers", {"number": TO}),
    ("local_to_int", ("0199020000",), {"number": "0199020000"}, "get_local_to_int_number",
     {"number": "0199020000"}),
    ("ping", (), {}, "ping", {}),
    ("destroy_session", (), {}, "destroy_session", {}),
]

CALL: List[Tuple[str, Tuple[Any, ...], Dict[str, Any], str, Dict[str, Any]]] = [
    ("answer", (), {}, "answer_call", {}),
    ("hang_up", (), {}, "terminate_call", {}),
    ("reject", (), {}, "reject_call", {}),
    ("transfer", ("caller", TO), {"side": "caller", "to": TO}, "transfer_call",
     {"side": "caller", "to": TO}),
    ("supervised_transfer", ("callee", TO), {"side": "callee", "to": TO},
     "supervised_transfer_call", {"side": "callee", "to": TO}),
    ("supervised_transfer", ("callee", TO, 30), {"side": "callee", "to": TO, "invite_timer": 30},
     "supervised_transfer_call", {"side": "callee", "to": TO, "invite_timer": 30}),
    ("merge", ("caller", "c2", "callee"),
     {"side": "caller", "second_call": "c2", "second_call_side": "callee"}, "merge_call",
     {"side": "caller", "call_ref2": "c2", "side2": "callee"}),
    ("pause", (), {}, "pause_call", {}),
    ("park", ("callee",), {"side": "callee"}, "park_call", {"side": "callee"}),
    ("park", ("callee", 4), {"side": "callee", "slot": 4}, "park_call",
     {"side": "callee", "slot": 4}),
    ("unpark", (), {}, "unpark_call", {}),
]

pytestmark = pytest.mark.usefixtures("transport")


def _id(row: Any) -> str:
    return f"{row[0]}{len(row[1])}"


@pytest.mark.parametrize("row", LINE + CALL, ids=_id)
@pytest.mark.parametrize("how", ["positions", "keywords", "callback last", "callback keyword"])
def test_method(row: Any, how: str) -> None:
    """A method sends its action and fields, and gives its answer to Future and callback alike."""
    method, positions, keywords, action, fields = row
    with ScriptedServer(session) as server:
        with CTI(endpoint=server.endpoint, cookie_auto=False) as cti:
            seen = Seen(cti)
            cti.create_session("tok").result(PATIENCE)
            server.push(
                *[{"notify": "call", "call": {"callref": ref}} for ref in ("c1", "c2")]
            )
            seen.wait_for("newCall", 2)
            target: Any = cti.get_call("c1") if row in CALL else cti
            call2 = cti.get_call("c2")
            positions = [call2 if value == "c2" else value for value in positions]
            keywords = {k: call2 if v == "c2" else v for k, v in keywords.items()}
            ask = getattr(target, method)
            callback = seen.callback()
            if how == "positions":
                future = ask(*positions)
            elif how == "keywords":
                future = ask(**keywords)
            elif how == "callback last":
                future = ask(*positions, callback)
            else:
                future = ask(**keywords, callback=callback)
            result = future.result(PATIENCE)
            if "callback" in how:
                assert seen.wait_for("callback")[3] == result
        sent = server.received.items[1]
    expected = dict(fields, action=action, id=2)
    if row in CALL:
        expected["call_ref"] = "c1"
    assert sent == expected


@pytest.mark.parametrize(
    "method, arguments, argument",
    [
        ("create_session", (None,), "csi_token"),
        ("create_session", ("t", "yes"), "auto_answer"),
        ("restore_session", ("t", 7), "session_id"),
        ("dial", ("",), "number"),
        ("dial", (33199020000,), "number"),
        ("send_message", (TO, b"x"), "message"),
        ("set_auto_answer", (1,), "auto_answer"),
        ("subscribe", (None,), "number"),
    ],
)
def test_wrong_value(method: str, arguments: Tuple[Any, ...], argument: str) -> None:
    """A wrong value is answered with 400 invalid_params that names the argument; nothing is
    sent, and nothing is opened."""
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint) as cti:
        seen = Seen(cti)
        future = getattr(cti, method)(*arguments, seen.callback())
        error = future.exception(PATIENCE)
        assert isinstance(error, KeyyoError) and error.error_code == "invalid_params"
        assert error.status_code == 400 and error.message.startswith(f"{argument}: expected")
        assert seen.wait_for("callback")[2] is error
        assert cti.wait(0) and server.connections == []


def test_wrong_value_of_a_call() -> None:
    """The same for the methods of a call."""
    with ScriptedServer(session) as server:
        with CTI(endpoint=server.endpoint) as cti, CTI() as other:
            seen = Seen(cti)
            cti.create_session("tok").result(PATIENCE)
            server.push({"notify": "call", "call": {"callref": "c1"}})
            seen.wait_for("newCall")
            (call,) = cti.get_calls()
            stranger = Call(other._switchboard, "c1")
            for future, argument in [
                (call.transfer("left", TO), "side"),
                (call.transfer("caller", ""), "to"),
                (call.supervised_transfer("callee", TO, -1), "invite_timer"),
                (call.supervised_transfer("callee", TO, 1.5), "invite_timer"),  # type: ignore
                (call.park("callee", -2), "slot"),
                (call.park("callee", True), "slot"),
                (call.merge("caller", "c2", "callee"), "second_call"),  # type: ignore
                (call.merge("caller", stranger, "callee"), "second_call"),
                (call.merge("caller", call, "x"), "second_call_side"),
            ]:
                error = future.exception(PATIENCE)
                assert isinstance(error, KeyyoError) and error.error_code == "invalid_params"
                assert error.message.startswith(argument)
        assert len(server.received.items) == 1


def test_mistakes_in_the_program() -> None:
    """A callback that cannot be called, a missing argument, an unknown option or event: a
    TypeError at once, in the caller."""
    cti: Any = CTI()
    for mistake in (
        lambda: cti.dial("33199020000", "print"),
        lambda: cti.dial(),
        lambda: cti.dial(print),
        lambda: cti.send_message("33199020000", print),
        lambda: cti.create_session(print),
        lambda: CTI(cookie_nam="x"),
        lambda: CTI({"cookie_nam": "x"}),
        lambda: CTI({"timeout": 1}, timeout=1),
        lambda: CTI(timeout="1"),
        lambda: cti.on("newcall", print),
        lambda: cti.on("newCall", None),
    ):
        with pytest.raises(TypeError):
            mistake()
    with pytest.raises(AttributeError, match="onNewCall"):
        cti.onNewcall = print
