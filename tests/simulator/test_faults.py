"""Faults on demand, on real sockets."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from typing import Any, Callable, Iterator
from urllib.parse import urlsplit

import pytest
import requests
import websocket

from keyyo_cti.simulator import Line, Simulator

from ..helpers.raw_client import RawClient, outcome
from .conftest import Connect

SHORT = 0.05
"""A wait that is meant to end in vain, in seconds."""


@pytest.fixture
def carol(sim: Simulator, connect: Connect) -> RawClient:
    """A client with a session of another line."""
    client = connect()
    client.create_session(sim.token(sim.line("33199000002")))
    return client


@pytest.fixture
def lively() -> Iterator[Simulator]:
    """A simulator whose heart beats fast."""
    with Simulator(heartbeat=0.01) as simulator:
        yield simulator


def hears_nothing(client: RawClient) -> bool:
    client.socket.settimeout(SHORT)
    try:
        client.frame()
    except websocket.WebSocketTimeoutException:
        return True
    finally:
        client.socket.settimeout(5)
    return False


def info(sim: Simulator, timeout: float = 5) -> requests.Response:
    return requests.get(sim.endpoint + "/info", timeout=timeout)


def address(sim: Simulator) -> Any:
    url = urlsplit(sim.endpoint)
    return url.hostname, url.port


# Open connections


def test_reset(sim: Simulator, alice: Line, client: RawClient, carol: RawClient) -> None:
    """A reset is ECONNRESET for the client, and one connection less for the session."""
    assert sim.faults.reset(alice) == 1
    with pytest.raises(ConnectionResetError):
        client.frame()
    sim.wait_for_session(alice, counter=0)
    assert outcome(carol.ask("ping")) == 1
    assert sim.faults.reset() == 1
    with pytest.raises(ConnectionResetError):
        carol.frame()


def test_drop(sim: Simulator, alice: Line, client: RawClient) -> None:
    """A drop is the end of TCP without any close frame."""
    assert sim.faults.drop() == 1
    with pytest.raises(websocket.WebSocketConnectionClosedException):
        client.frame()
    sim.wait_for_session(alice, counter=0)


def test_close(sim: Simulator, client: RawClient, carol: RawClient) -> None:
    """A close is a SockJS close frame with any code, then the end of the websocket."""
    assert sim.faults.close(2010, "Another connection still open", "33199000002") == 1
    assert [carol.frame(), carol.frame()] == ['c[2010,"Another connection still open"]', ""]
    assert sim.faults.close() == 1
    assert client.frame() == 'c[3000,"Go away!"]'


def test_garbage(sim: Simulator, client: RawClient) -> None:
    """Garbage goes out as it is, bytes that are no UTF-8 included, and the connection lives."""
    assert sim.faults.garbage('a["broken') == 1
    assert client.frame() == 'a["broken'
    sim.faults.garbage(b"\xff\xfe")
    with pytest.raises(websocket.WebSocketPayloadException, match=r"\\xff\\xfe"):
        client.frame()
    assert outcome(client.ask("ping")) == 1


def test_silence(lively: Simulator) -> None:
    """A silent connection sends no heartbeat, no reply, no PONG; later it speaks again."""
    client = RawClient(lively.endpoint)
    assert client.frame() == "h"
    client.create_session(lively.token(lively.line("33199000001")))
    assert lively.faults.silence() == 1
    drain(client)
    client.command("ping")
    client.socket.ping(b"?")
    assert hears_nothing(client)
    assert lively.received("ping") == []
    assert lively.faults.resume() == 1
    assert outcome(client.ask("ping")) == 1
    client.close()


def drain(client: RawClient) -> None:
    """Read the frames sent before the silence."""
    while not hears_nothing(client):
        pass


def test_silence_does_not_answer_a_close(sim: Simulator, alice: Line, client: RawClient) -> None:
    """The closing handshake meets silence too, until the connection is resumed."""
    sim.faults.silence()
    client.socket.send_close()
    assert hears_nothing(client)
    sim.faults.resume()
    assert client.frame() == ""
    sim.wait_for_session(alice, counter=0)


def test_silent_connection_that_ends(sim: Simulator, alice: Line, client: RawClient) -> None:
    """The end of TCP is noticed in silence too."""
    sim.faults.silence()
    client.close()
    sim.wait_for_session(alice, counter=0)


def test_silent_connection_that_is_dropped(
    sim: Simulator, alice: Line, client: RawClient
) -> None:
    """A silent connection that has been asked to close can be dropped."""
    sim.faults.silence()
    client.socket.send_close()
    assert hears_nothing(client)
    sim.faults.drop()
    with pytest.raises(websocket.WebSocketConnectionClosedException):
        client.frame()


def test_stop_reading(sim: Simulator, client: RawClient) -> None:
    """A peer that stops reading brings the client's sends to a halt."""
    assert sim.faults.stop_reading() == 1
    client.socket.settimeout(SHORT)
    with pytest.raises(websocket.WebSocketTimeoutException):
        for _ in range(1000):
            client.send_text("x" * 1_000_000)
    sim.faults.clear()


def test_on_an_action(sim: Simulator, alice: Line, client: RawClient, carol: RawClient) -> None:
    """A fault armed on an action happens once, in place of it, to its own line only."""
    assert sim.faults.reset(alice, on="call") == 0
    assert outcome(carol.ask("call", number="33199020000")) == 1
    assert outcome(client.ask("ping")) == 1
    client.command("call", number="33199020001")
    with pytest.raises(ConnectionResetError):
        client.frame()
    assert [record.callee for record in sim.calls()] == ["33199020000"]
    assert len(sim.received("call")) == 2


@pytest.mark.parametrize("arm, frame", [
    (lambda faults: faults.garbage("junk", on="ping"), "junk"),
    (lambda faults: faults.close(4000, "why", on="ping"), 'c[4000,"why"]'),
])
def test_other_faults_on_an_action(
    sim: Simulator, client: RawClient, arm: Callable[[Any], int], frame: str
) -> None:
    """Every fault of a connection can wait for an action."""
    arm(sim.faults)
    client.command("ping")
    assert client.frame() == frame


@pytest.mark.parametrize("name", ["silence", "stop_reading"])
def test_silence_on_an_action(sim: Simulator, client: RawClient, name: str) -> None:
    """A connection can fall silent at an action."""
    getattr(sim.faults, name)(on="ping")
    client.command("ping")
    assert hears_nothing(client)


def test_drop_on_an_action(sim: Simulator, client: RawClient) -> None:
    """A connection can be dropped at an action."""
    sim.faults.drop(on="ping")
    client.command("ping")
    with pytest.raises(websocket.WebSocketConnectionClosedException):
        client.frame()


# Actions


def test_ignore(sim: Simulator, client: RawClient) -> None:
    """An ignored action is neither performed nor answered, `times` times."""
    sim.faults.ignore("call", times=2)
    for _ in range(2):
        client.command("call", number="33199020000")
    assert outcome(client.ask("ping")) == 1
    assert (client.notified, sim.calls()) == ([], [])
    assert outcome(client.ask("call", number="33199020000")) == 1


def test_fail(sim: Simulator, alice: Line, client: RawClient, carol: RawClient) -> None:
    """A failing action gets the given error, by default once."""
    sim.faults.fail("ping", 503, "Busy", alice)
    assert outcome(carol.ask("ping")) == 1
    assert outcome(client.ask("ping")) == (503, "Busy")
    assert outcome(client.ask("ping")) == 1
    sim.faults.fail("ping", times=None)
    assert [outcome(client.ask("ping")) for _ in range(3)] == [(500, "Internal error")] * 3
    sim.faults.clear()
    assert outcome(client.ask("ping")) == 1


def test_delayed_action_is_performed_later_unless_its_client_has_left(
    sim: Simulator, alice: Line, client: RawClient
) -> None:
    sim.faults.delay("call", 20, times=2)
    late = client.command("call", number="33199020000")
    assert outcome(client.ask("ping")) == 1
    sim.elapse(19)
    assert sim.calls() == []
    sim.elapse(1)
    assert client.call()["state"] == "SETUP"
    assert client.message() == {"id": late, "result": 1}
    client.command("call", number="33199020000")
    client.ask("ping")
    client.close()
    sim.wait_for_session(alice, counter=0)
    sim.elapse(20)
    assert len(sim.calls()) == 1


def test_any_action_is_none_of_a_session(sim: Simulator, client: RawClient) -> None:
    sim.faults.fail("*", 503, "Busy", times=2)
    assert outcome(client.ask("ping")) == 1
    assert outcome(client.ask("get_auto_answer")) == (503, "Busy")
    assert outcome(client.ask("call", number="33199020000")) == (503, "Busy")
    assert outcome(client.ask("call", number="33199020000")) == 1


# New connections


def test_stall_accept(sim: Simulator, client: RawClient) -> None:
    """Stalled in accept, TCP opens without a response; `clear` serves the waiting clients."""
    sim.faults.stall("accept")
    sim.faults.stall("accept")
    with socket.create_connection(address(sim), timeout=5) as waiting:
        waiting.sendall(b"GET /cti HTTP/1.0\r\n\r\n")
        waiting.settimeout(SHORT)
        with pytest.raises(socket.timeout):
            waiting.recv(1)
        assert outcome(client.ask("ping")) == 1
        sim.faults.clear()
        waiting.settimeout(5)
        assert waiting.recv(4) == b"HTTP"


def test_stall_info(sim: Simulator) -> None:
    """Stalled in info, the request is never answered."""
    sim.faults.stall("info", times=1)
    with pytest.raises(requests.exceptions.ReadTimeout):
        info(sim, SHORT)
    assert info(sim).status_code == 200


def test_stall_handshake(sim: Simulator) -> None:
    """Stalled in the handshake, the websocket is never upgraded."""
    sim.faults.stall("handshake")
    with pytest.raises(websocket.WebSocketTimeoutException):
        RawClient(sim.endpoint, timeout=SHORT)


def test_stall_open(sim: Simulator) -> None:
    """Stalled before opening, the websocket is open and `clear` sends the opening frame."""
    sim.faults.stall("open")
    client = RawClient(sim.endpoint, opened=False)
    assert hears_nothing(client)
    sim.faults.clear()
    assert client.frame() == "o"
    client.close()


def test_stop_with_stalled_connections() -> None:
    """Stalled connections do not keep the simulator from stopping."""
    with Simulator() as sim:
        sim.faults.stall("open")
        client = RawClient(sim.endpoint, opened=False)
        sim.faults.stall("info")
        with pytest.raises(requests.exceptions.ReadTimeout):
            info(sim, SHORT)
        sim.faults.stall("accept")
    with pytest.raises((OSError, websocket.WebSocketException)):
        client.frame()
    client.close()


def test_refuse_connect(sim: Simulator, client: RawClient) -> None:
    """While connections are refused, the port is closed until `clear`; open connections continue.
    """
    sim.faults.refuse("connect")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address(sim), timeout=5).close()
    assert outcome(client.ask("ping")) == 1
    before = sim.endpoint
    sim.faults.clear()
    assert info(sim).status_code == 200
    assert sim.endpoint == before


@pytest.mark.parametrize("phase", ["info", "open"])
def test_let_through(sim: Simulator, phase: str) -> None:
    """One phase is let through, and the fault of another remains."""
    sim.faults.refuse("xhr")
    sim.faults.stall(phase)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(RawClient, sim.endpoint) if phase == "open" else pool.submit(
            info, sim)
        with pytest.raises(Late):
            waiting.result(SHORT)
        sim.faults.let_through(phase)
        answered = waiting.result(5)
        answered.close()
    assert requests.post(sim.endpoint + "/000/abcdefgh/xhr", timeout=5).status_code == 403
    sim.faults.let_through("xhr")
    assert requests.post(sim.endpoint + "/000/abcdefgh/xhr", timeout=5).status_code == 200


def test_let_connect(sim: Simulator) -> None:
    """After a refusal to connect, the same port accepts connections again."""
    sim.faults.refuse("connect")
    sim.faults.let_through("connect")
    assert info(sim).status_code == 200


def test_forget_sessions(sim: Simulator, alice: Line, client: RawClient, carol: RawClient) -> None:
    """Forgotten sessions are gone and their connections are closed; those of others stay."""
    assert sim.faults.forget_sessions(alice) == 1
    assert client.frame() == 'c[3000,"Go away!"]'
    assert [session.number for session in sim.sessions()] == ["33199000002"]
    assert outcome(carol.ask("ping")) == 1
    assert sim.faults.forget_sessions() == 1


def test_forget_a_session_that_was_left(sim: Simulator, alice: Line, client: RawClient) -> None:
    """A session without connections is destroyed too, once."""
    client.close()
    sim.wait_for_session(alice, counter=0)
    assert sim.faults.forget_sessions(alice) == 1
    sim.elapse(300)
    assert sim.sessions() == []


def test_refuse_info(sim: Simulator) -> None:
    """A refused info request gets the given status, `times` times."""
    sim.faults.refuse("info", 503, times=2)
    assert [info(sim).status_code for _ in range(3)] == [503, 503, 200]


def test_refuse_websocket(sim: Simulator) -> None:
    """A refused websocket fails its handshake with the status, while info is answered."""
    sim.faults.refuse("websocket")
    assert info(sim).status_code == 200
    with pytest.raises(websocket.WebSocketBadStatusException) as caught:
        RawClient(sim.endpoint)
    assert caught.value.status_code == 403


@pytest.mark.parametrize("body, text", [("{broken", "{broken"), ({"websocket": False}, None)])
def test_info_override(sim: Simulator, body: Any, text: Any) -> None:
    """The info can be anything, also broken, with any status, until it is cleared."""
    sim.faults.info(body, 404)
    answer = info(sim)
    assert answer.status_code == 404
    assert answer.text == text if text else answer.json() == body
    sim.faults.clear()
    assert info(sim).json()["websocket"] is True


@pytest.mark.parametrize("attempt, complaint", [
    (lambda faults: faults.stall("lunch"), "phase: expected one of accept, info"),
    (lambda faults: faults.refuse("lunch"), "what: expected one of connect, info, websocket"),
    (lambda faults: faults.let_through("lunch"), "what: expected one of connect, info, websocket"),
    (lambda faults: faults.stall("info", times=0), "times: expected 1 or more"),
    (lambda faults: faults.page("connect"), "what: expected one of info, websocket"),
    (lambda faults: faults.page("info", 99), "status: expected 200 to 599"),
    (lambda faults: faults.time_out("xhr", 0), "seconds: expected more than 0"),
    (lambda faults: faults.garble(part="all"), "part: expected one of message, frame, text"),
    (lambda faults: faults.cut(then="go on"), "then: expected one of reset, drop, silence"),
    (lambda faults: faults.ignore("call", times=True), "times: expected an integer"),
    (lambda faults: faults.reset("alice"), "line: expected 2 to 15 digits"),
])
def test_bad_arguments(sim: Simulator, attempt: Callable[[Any], Any], complaint: str) -> None:
    """A bad argument is refused by name."""
    with pytest.raises((TypeError, ValueError), match=complaint):
        attempt(sim.faults)
