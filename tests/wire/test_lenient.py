"""What JavaScript's JSON and truth take, end to end: a program notices nothing of it."""

import logging
import operator
from typing import Any, Dict

import pytest

from keyyo_cti import CTI, KeyyoError, UnreadableMessage

from ..helpers.probe import PATIENCE, Seen
from ..helpers.scripted_server import ScriptedServer, session

pytestmark = pytest.mark.usefixtures("transport")


class Lenient:
    """Opens a session, and answers every other command in the shape that a test gives."""

    def __init__(self, shape: str) -> None:
        self.shape = shape

    def __call__(self, connection: Any, command: Dict[str, Any]) -> None:
        if command["action"] == "create_session":
            session(connection, command)
        else:
            connection.send(self.shape.replace("ID", str(command["id"])))


@pytest.mark.fault(36)
@pytest.mark.parametrize(
    "shape",
    [
        '{"id": ID, "error": false, "result": 1}',
        '{"id": ID, "error": 0, "result": 1}',
        '{"id": ID, "error": "", "result": 1}',
        '{"id": ID, "error": {}, "result": 1}',
        '{"id": ID, "error": null, "result": 1}',
        '{"id": "ID", "result": 1}',
        '{"id": ID.0, "result": 1}',
        '{"notify": null, "id": ID, "result": 1}',
        '{"notify": false, "id": "ID", "error": 0, "result": 1}',
    ],
)
def test_reply_that_javascript_takes_for_a_success_is_one(shape: str) -> None:
    """Neither a false error nor the form of the id makes a program dial twice."""
    with ScriptedServer(Lenient(shape)) as server, CTI(endpoint=server.endpoint) as cti:
        seen = Seen(cti)
        cti.create_session("tok").result(PATIENCE)
        assert cti.dial("33199020000", seen.callback()).result(PATIENCE) == 1
        assert seen.wait_for("callback")[2:] == (None, 1)
        assert not seen.of("error")


def test_result_of_null_is_like_none() -> None:
    """A callback and a Future get a result that is false and equal to None."""
    shape = '{"id": ID, "result": null}'
    with ScriptedServer(Lenient(shape)) as server, CTI(endpoint=server.endpoint) as cti:
        seen = Seen(cti)
        cti.create_session("tok").result(PATIENCE)
        result = cti.ping(seen.callback()).result(PATIENCE)
        _, _, error, told = seen.wait_for("callback")
        assert error is None and told is not None and not told and not result
        assert operator.eq(told, None) and operator.eq(result, None)


def test_status_as_text_and_further_fields_reach_the_callback() -> None:
    """An error has a whole status and what else the server said."""
    shape = '{"id": ID, "error": {"status_code": "400", "message": "m", "reason": {"slot": 3}}}'
    with ScriptedServer(Lenient(shape)) as server, CTI(endpoint=server.endpoint) as cti:
        cti.create_session("tok").result(PATIENCE)
        error = cti.ping().exception(PATIENCE)
        assert isinstance(error, KeyyoError)
        assert error.status_code == 400
        assert getattr(error, "reason").slot == error["reason"]["slot"] == 3


def test_call_whose_callref_is_a_number() -> None:
    """It is one call, found by the number and by its text, and commands carry the text."""
    shape = '{"id": ID, "result": 1}'
    with ScriptedServer(Lenient(shape)) as server, CTI(endpoint=server.endpoint) as cti:
        seen = Seen(cti)
        cti.create_session("tok").result(PATIENCE)
        for callref, state in ((7, "SETUP"), (7.0, "CONNECT"), ("7", "RELEASE")):
            server.push({"notify": "call", "call": {"callref": callref, "state": state}})
        assert seen.wait_for("release") == ("release", "7")
        assert not seen.of("error")
        (call,) = cti.get_calls()
        assert call.callref == call["callref"] == "7"
        assert cti.get_call("7") is call and cti.get_call(7) is call  # type: ignore[arg-type]
        assert cti.get_call(None) is None  # type: ignore[arg-type]
        call.hang_up().result(PATIENCE)
        assert server.received.items[-1]["call_ref"] == "7"


def test_notifications_of_other_kinds(caplog: pytest.LogCaptureFixture) -> None:
    """Kinds that the JavaScript SDK names are passed over with a line at DEBUG; any other is told
    once. None of them shows what it carries, and calls go on."""
    with caplog.at_level(logging.DEBUG, "keyyo_cti"):
        with ScriptedServer(session) as server, CTI(endpoint=server.endpoint) as cti:
            seen = Seen(cti)
            cti.create_session("tok").result(PATIENCE)
            for kind in ("log", "error", "weather", "log", "weather", "news", "weather"):
                server.push({"notify": kind, "token": "CANARY", "call": {"callref": "x"}})
            server.push({"notify": "call", "call": {"callref": "c1", "state": "SETUP"}})
            seen.wait_for("setup")
            assert [call.callref for call in cti.get_calls()] == ["c1"]
    told = [error for _, error in seen.of("error")]
    assert all(isinstance(error, UnreadableMessage) for error in told)
    assert [error.kind for error in told] == ["weather", "news"]
    passed = [
        record.getMessage()
        for record in caplog.records
        if record.name == "keyyo_cti" and record.levelno == logging.DEBUG
        and "notification" in record.getMessage()
    ]
    assert [line.split()[-1] for line in passed] == ["log", "error", "log", "weather", "weather"]
    warned = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warned) == 2
    assert "CANARY" not in "".join(
        record.getMessage() for record in caplog.records if record.name == "keyyo_cti"
    )


def test_unknown_kind_on_the_next_connection_is_told_again() -> None:
    """Each connection tells a kind once: the program may have been changed meanwhile."""
    with ScriptedServer(session) as server, CTI(endpoint=server.endpoint) as cti:
        seen = Seen(cti)
        for connection in (1, 2):
            cti.create_session("tok").result(PATIENCE)
            for _ in range(2):
                server.push({"notify": "weather"})
            seen.wait_for("error", connection)
            cti.close()
        assert len(seen.of("error")) == 2
        assert {str(error) for _, error in seen.of("error")} == {"unknown notification 'weather'"}
