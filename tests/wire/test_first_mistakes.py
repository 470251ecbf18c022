"""What a newcomer gets wrong in the first minutes is said, not swallowed."""

from __future__ import annotations

import copy
import json
import logging
import pickle
from typing import Any, Dict, List

import pytest

from keyyo_cti import CTI, Call, KeyyoError
from keyyo_cti.simulator import Line, Phone, Simulator
from keyyo_cti.simulator.sockjs import Connection

from ..helpers.methods import CALLREF, METHODS, SECOND_CALLREF, Method, name_use
from ..helpers.probe import PATIENCE, Seen, eventually
from ..helpers.scripted_server import ScriptedServer, session
from .agreeing import connect, settle

OPENING = ("create_session", "restore_session")
COMMANDS = [method for method in METHODS if method.name not in OPENING]


def refuse(connection: Connection, command: Dict[str, Any]) -> None:
    """Refuse every command but those that open a session."""
    if command["action"] in OPENING:
        session(connection, command)
    else:
        error = {"status_code": 400, "message": "RPC invalid params"}
        connection.send(json.dumps({"id": command["id"], "error": error}))


def warnings(caplog: pytest.LogCaptureFixture) -> List[str]:
    return [
        record.getMessage() for record in caplog.records
        if record.levelno == logging.WARNING and " failed: " in record.getMessage()
    ]


def target(cti: CTI, method: Method) -> Any:
    return cti if method.owner == "CTI" else cti.get_call(CALLREF)


def arguments(cti: CTI, method: Method) -> List[Any]:
    return [
        cti.get_call(value) if name == "second_call" else value
        for name, value in method.uses[0].arguments.items()
    ]


# Failures without a callback.


@pytest.mark.parametrize(
    "dispatch", [None, "manual", lambda work: work()], ids=["thread", "manual", "function"]
)
@pytest.mark.parametrize("method", COMMANDS, ids=name_use)
def test_refused_command_without_a_callback_is_logged_once(
    method: Method, dispatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with ScriptedServer(refuse) as server, connect(server, dispatch=dispatch) as cti:
        server.push(*[
            {"notify": "call", "call": {"callref": callref}}
            for callref in (CALLREF, SECOND_CALLREF)
        ])
        eventually(lambda: len(cti.get_calls()) == 2)
        getattr(target(cti, method), method.name)(*arguments(cti, method))
        eventually(lambda: warnings(caplog))
        asked = getattr(target(cti, method), method.name)(*arguments(cti, method))
        assert isinstance(asked.exception(PATIENCE), KeyyoError)
        del asked
    assert len(warnings(caplog)) == 1
    assert warnings(caplog)[0].startswith(f"{method.name}() failed: 400 RPC invalid params")


def test_command_with_a_callback_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with ScriptedServer(refuse) as server, connect(server) as cti:
        seen = Seen(cti)
        cti.dial("33199020000", seen.callback())
        assert isinstance(seen.wait_for("callback")[2], KeyyoError)
        settle(cti)
    assert warnings(caplog) == []


def test_pings_of_the_sdk_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with ScriptedServer(refuse) as server, connect(server, ping_interval=0.05) as cti:
        Seen(cti).wait_for("disconnected")
    assert server.received.items[-1]["action"] == "ping" and warnings(caplog) == []


@pytest.mark.parametrize("name", ["dial", "create_session"])
def test_wrong_value_without_a_callback_is_logged(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with CTI() as cti:
        getattr(cti, name)(33172587948)
        eventually(lambda: warnings(caplog))
    assert len(warnings(caplog)) == 1 and "expected a string, got int" in warnings(caplog)[0]


def test_command_without_a_session_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with CTI() as cti:
        cti.dial("33172587948")
        eventually(lambda: warnings(caplog))
    assert "not connected: call create_session" in warnings(caplog)[0]


def test_command_that_is_pending_at_close_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def only_session(connection: Connection, command: Dict[str, Any]) -> None:
        if command["action"] in OPENING:
            session(connection, command)

    with ScriptedServer(only_session) as server, connect(server) as cti:
        cti.dial("33172587948")
        server.received.wait_for_count(2)
    eventually(lambda: warnings(caplog))
    assert [text.split(":")[0] for text in warnings(caplog)] == ["dial() failed"]


# Numbers.


def test_number_as_people_write_it_is_sent_unchanged_and_the_hint_rewrites_it(
    sim: Simulator, alice: Line, bob: Phone
) -> None:
    with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        error = cti.dial("+33 1 99 02 00 00").exception(PATIENCE)
        assert isinstance(error, KeyyoError)
        assert (error.status_code, error.error_code) == (400, "invalid_params")
        said = "number: write '33199020000', because the service wants digits only; see "
        assert error.hint is not None and error.hint.startswith(said)
        assert error.hint in str(error)
        assert sim.received("call")[-1]["number"] == "+33 1 99 02 00 00"
        national = cti.dial("01 99 02 00 00").exception(PATIENCE)
        assert isinstance(national, KeyyoError) and "'33199020000'" in str(national.hint)
        assert cti.dial("33199020000").result(PATIENCE) == 1


# Names, copies and Futures.


def test_misspelt_event_of_a_cti_or_a_call_raises() -> None:
    cti: Any = CTI()
    call: Any = Call(cti._client, "ref")
    for emitter, name, meant in [
        (cti, "on_new_call", "onNewCall"), (cti, "onnewcall", "onNewCall"),
        (cti, "newCall", "onNewCall"), (cti, "NewCall", "onNewCall"), (cti, "lost", "onLost"),
        (cti, "on_disconnected", "onDisconnected"), (cti, "onerror", "onError"),
        (call, "on_setup", "onSetup"), (call, "onrelease", "onRelease"),
        (call, "missed", "onMissed"), (call, "ON_CONNECT", "onConnect"),
    ]:
        with pytest.raises(AttributeError, match=f"did you mean {meant}"):
            setattr(emitter, name, print)
    for name in ("new_call", "newcall", "onNewCall", "on_new_call"):
        with pytest.raises(TypeError, match="did you mean newCall"):
            cti.on(name, print)
    cti.note = call.note = call.setup_count = "free"


@pytest.mark.parametrize(
    "name, meant",
    [("getCalls", "get_calls"), ("dail", "dial"), ("createSession", "create_session"),
     ("sessionId", "session_id"), ("calls", "get_calls"), ("onNewcall", "onNewCall")],
)
def test_misspelt_name_of_a_cti_is_suggested(name: str, meant: str) -> None:
    words = rf"^CTI has no attribute {name!r}.*did you mean {meant}"
    with pytest.raises(AttributeError, match=words):
        getattr(CTI(), name)
    assert not hasattr(CTI(), name) and not hasattr(CTI(), "_repr_mimebundle_")


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, pickle.dumps])
def test_copy_and_pickle_of_a_cti_say_why_not(twin: Any) -> None:
    for value in (CTI(), {"cti": CTI()}, [CTI()]):
        if twin is copy.copy and not isinstance(value, CTI):
            continue
        with pytest.raises(TypeError, match="a CTI cannot be copied or pickled: its connection"):
            twin(value)
