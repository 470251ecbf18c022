"""What samples/PORTING.md lists under "All differences", on the side of Python: events, calls,
connections, sessions.

``test_differences_javascript.py`` shows the other side, and binds both to the table.
"""

from __future__ import annotations

import http.cookiejar
import socket
import threading
from typing import Any, Callable, Dict, List, Optional

import pytest

from keyyo_cti import CTI, Call, ConnectionClosed, ConnectionFailed
from keyyo_cti._client.session_store import JarCookie
from keyyo_cti.options import Options
from keyyo_cti.simulator.sockjs import Connection

from ..helpers.probe import PATIENCE, Record
from ..helpers.scripted_server import ScriptedServer
from .agreeing import answered, connect, notification, push

# Events and calls.


@pytest.mark.difference(27)
def test_call_is_one_live_object_whose_handlers_stay(server: ScriptedServer, cti: CTI) -> None:
    kept: List[Call] = []
    released = threading.Event()

    def on_new_call(call: Call) -> None:
        kept.append(call)
        if call.state == "SETUP":
            call.onRelease = released.set

    cti.onNewCall = on_new_call
    push(server, cti, notification("SETUP"))
    before = dict(kept[0].fields)
    push(server, cti, notification("RELEASE"))
    assert kept[0] is kept[1] and kept[0].state == "RELEASE"
    assert before["state"] == "SETUP" and released.is_set()


@pytest.mark.difference(28)
def test_handler_that_call_on_added_is_for_that_call(server: ScriptedServer, cti: CTI) -> None:
    rang: List[str] = []
    push(server, cti, notification("SETUP", "a"), notification("SETUP", "b"))
    a, _ = cti.get_calls()
    a.on("connect", lambda: rang.append("a"))
    push(server, cti, notification("CONNECT", "b"), notification("CONNECT", "a"))
    assert rang == ["a"]


@pytest.mark.difference(28)
def test_call_on_in_new_call_adds_each_time(server: ScriptedServer, cti: CTI) -> None:
    over: List[str] = []
    cti.onNewCall = lambda call: call.on("release", lambda: over.append(call.callref))
    push(server, cti, notification("SETUP"), notification("CONNECT"), notification("RELEASE"))
    assert over == ["c1"] * 3


@pytest.mark.difference(29)
@pytest.mark.parametrize("name", ["off", "removeEventListener"])
def test_handler_removed_is_not_called(server: ScriptedServer, cti: CTI, name: str) -> None:
    seen: List[Call] = []
    cti.on("newCall", seen.append)
    getattr(cti, name)("newCall", seen.append)
    push(server, cti, notification("SETUP"))
    assert seen == []


@pytest.mark.difference(30)
def test_handler_added_inside_a_handler_runs_from_the_next_event_on(
    server: ScriptedServer, cti: CTI
) -> None:
    seen: List[Optional[str]] = []

    def first(call: Call) -> None:
        if call.state == "SETUP":
            cti.on("newCall", lambda call: seen.append(call.state))

    cti.on("newCall", first)
    push(server, cti, notification("SETUP"), notification("CONNECT"))
    assert seen == ["CONNECT"]


@pytest.mark.difference(31)
def test_exception_in_a_handler_leaves_the_next_ones_alone(
    server: ScriptedServer, cti: CTI, caplog: pytest.LogCaptureFixture
) -> None:
    seen: List[str] = []
    errors: List[BaseException] = []

    def mistaken(call: Call) -> None:
        call.onSetup = lambda: seen.append("setup")
        raise ValueError("a mistake")

    cti.onError = errors.append
    cti.on("newCall", mistaken)
    cti.on("newCall", lambda call: seen.append("next"))
    push(server, cti, notification("SETUP"))
    assert seen == ["next", "setup"]
    assert [str(error) for error in errors] == ["a mistake"]
    assert [record.name for record in caplog.records] == ["keyyo_cti"]


@pytest.mark.difference(32)
def test_get_calls_is_a_copy(server: ScriptedServer, cti: CTI) -> None:
    calls = cti.get_calls()
    push(server, cti, notification("SETUP"))
    assert calls == [] and len(cti.get_calls()) == 1


@pytest.mark.difference(33)
def test_ended_calls_are_kept_up_to_the_limit(server: ScriptedServer) -> None:
    assert Options().max_ended_calls == 10_000
    with connect(server, max_ended_calls=2) as cti:
        push(server, cti, *[notification("RELEASE", callref) for callref in "abc"])
        assert [call.callref for call in cti.get_calls()] == ["b", "c"]


@pytest.mark.difference(34)
@pytest.mark.parametrize("end", [CTI.close, lambda cti: cti.destroy_session().result(PATIENCE)])
def test_disconnected_does_not_come_for_an_end_that_was_asked_for(
    server: ScriptedServer, cti: CTI, end: Callable[[CTI], object]
) -> None:
    seen: List[None] = []
    cti.onDisconnected = lambda: seen.append(None)
    end(cti)
    assert cti.wait(PATIENCE)
    cti.close()
    assert seen == []


@pytest.mark.difference(35)
def test_error_event_brings_exceptions_and_messages(server: ScriptedServer, cti: CTI) -> None:
    errors = Record()
    cti.on("error", errors.add)

    def mistaken(call: Call) -> None:
        raise ValueError("a mistake")

    cti.onNewCall = mistaken
    server.push(notification("SETUP"))
    server.do(lambda connection: connection.send("not JSON"))
    assert [type(error).__name__ for error in errors.wait_for_count(2)] == [
        "ValueError", "UnreadableMessage"
    ]


# Connection and session.


@pytest.mark.difference(37)
def test_ctis_are_apart(server: ScriptedServer) -> None:
    with connect(server) as first, CTI(endpoint=server.endpoint, cookie_auto=False) as second:
        seen: List[Call] = []
        second.on("newCall", seen.append)
        push(server, first, notification("SETUP"))
        assert (first.connected, second.connected, second.get_calls(), seen) == (
            True, False, [], []
        )


@pytest.mark.difference(38)
def test_connection_that_cannot_be_opened_calls_back_and_then_disconnects(
    server: ScriptedServer,
) -> None:
    endpoint = server.endpoint.replace("//127.0.0.1", "//127.0.0.2")
    seen = Record()
    with CTI(endpoint=endpoint, cookie_auto=False, connect_timeout=2) as cti:
        cti.onDisconnected = lambda: seen.add("disconnected")
        cti.create_session("token", lambda err, res: seen.add(err))
        err, event = seen.wait_for_count(2)
    assert isinstance(err, ConnectionFailed) and event == "disconnected"


@pytest.mark.difference(38)
def test_retry_in_disconnected_only_is_not_doubled() -> None:
    """The recipe of the guide: each failure is followed by one attempt."""
    attempts = Record()

    def refuse(connection: Connection, command: Dict[str, Any]) -> None:
        attempts.add(command)
        connection.close(3000, "Go away!")

    with ScriptedServer(refuse) as server:
        cti = CTI(endpoint=server.endpoint, cookie_auto=False, transports=["websocket"])
        enough = threading.Event()
        ends: List[str] = []

        def connected(err: Any, res: Any) -> None:
            ends.append("callback")
            assert isinstance(err, ConnectionClosed)

        def retry() -> None:
            ends.append("disconnected")
            if len(ends) < 10:
                cti.create_session("token", connected)
            else:
                enough.set()

        cti.onDisconnected = retry
        cti.create_session("token", connected)
        assert enough.wait(PATIENCE)
        cti.close()
        assert ends == ["callback", "disconnected"] * 5 and len(attempts.items) == 5


@pytest.mark.difference(39)
def test_opening_takes_connect_timeout_at_most() -> None:
    """TCP connects, and nothing answers."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        endpoint = f"http://127.0.0.1:{deaf.getsockname()[1]}/cti"
        with CTI(endpoint=endpoint, cookie_auto=False, connect_timeout=0.5) as cti:
            err, _ = answered(lambda callback: cti.create_session("token", callback))
    assert isinstance(err, ConnectionFailed) and "no answer in time" in str(err)


@pytest.mark.difference(42)
def test_explicit_session_id_is_used_though_cookies_are_on(server: ScriptedServer) -> None:
    jar = http.cookiejar.CookieJar()
    JarCookie(jar, "__ksid", 60).save("of the cookie")
    with CTI(endpoint=server.endpoint, cookie_jar=jar) as cti:
        cti.restore_session("token", "mine").result(PATIENCE)
    assert server.received.items[0]["session_id"] == "mine"


@pytest.mark.difference(43)
def test_cookie_auto_false_leaves_an_older_cookie_alone(server: ScriptedServer) -> None:
    jar = http.cookiejar.CookieJar()
    JarCookie(jar, "__ksid", 60).save("older")
    with CTI(endpoint=server.endpoint, cookie_jar=jar, cookie_auto=False) as cti:
        cti.create_session("token").result(PATIENCE)
    assert {cookie.name: cookie.value for cookie in jar} == {"__ksid": "older"}


@pytest.mark.difference(44)
def test_cookie_is_found_by_the_next_program_of_the_same_endpoint_and_name(
    server: ScriptedServer,
) -> None:
    connect(server, cookie_auto=True, cookie_name="a").close()
    for name, exists in [("a", True), ("b", False)]:
        with CTI(endpoint=server.endpoint, cookie_name=name) as cti:
            assert cti.session_exists() is exists


@pytest.mark.difference(45)
def test_transports_are_three() -> None:
    assert list(Options().transports) == ["websocket", "xhr-streaming", "xhr-polling"]
