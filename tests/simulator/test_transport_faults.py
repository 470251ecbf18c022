"""Faults of the HTTP transports, and those that cause a fallback."""

from __future__ import annotations

import json
import select
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Callable, Iterator, List

import pytest
import websocket

from keyyo_cti.simulator import Line, Passage, Simulator

from ..helpers.raw_client import RawClient, outcome
from ..helpers.xhr_client import POLLING, RECEIVERS, STREAMING, Cut, Web, XhrClient

SHORT = 0.05
"""A wait that is meant to end in vain, in seconds."""

URL = "/000/abcdefgh/"
HTTP_TRANSPORTS = ("xhr_streaming", "xhr", "xhr_send")
receivers = pytest.mark.parametrize("receiver", RECEIVERS)

Connect = Callable[..., XhrClient]


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(disconnect_delay=60) as simulator:
        yield simulator


@pytest.fixture
def connect(sim: Simulator, alice: Line) -> Iterator[Connect]:
    """Return a function that opens sessions of Alice's line with a receiver."""
    clients: List[XhrClient] = []

    def open_client(receiver: str, **settings: Any) -> XhrClient:
        clients.append(XhrClient(sim.endpoint, receiver, **settings))
        clients[-1].create_session(sim.token(alice))
        clients[-1].receive()
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


@pytest.fixture
def opened(sim: Simulator, alice: Line, connect: Connect) -> Iterator[Callable[[str], Any]]:
    """Return a function that opens a session of Alice's line on any transport."""
    clients: List[RawClient] = []

    def open_client(receiver: str) -> Any:
        if receiver != "websocket":
            return connect(receiver)
        clients.append(RawClient(sim.endpoint))
        clients[-1].create_session(sim.token(alice))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


@pytest.fixture
def web(sim: Simulator) -> Iterator[Web]:
    connection = Web(sim.endpoint)
    yield connection
    connection.close()


# Open connections


@receivers
@pytest.mark.parametrize("name, complaint", [("reset", ConnectionResetError), ("drop", Cut)])
def test_tcp_ends(
    sim: Simulator, alice: Line, connect: Connect, receiver: str, name: str, complaint: Any
) -> None:
    """Dropped or reset is the receiver's TCP; the session of the line has one client less."""
    client = connect(receiver)
    assert getattr(sim.faults, name)(alice) == 1
    with pytest.raises(complaint):
        client.frame()
    sim.wait_for_session(alice, counter=0)
    assert sim.connections() == []


@receivers
@pytest.mark.parametrize("name, complaint", [("reset", ConnectionResetError), ("drop", Cut)])
def test_tcp_ends_on_an_action(
    sim: Simulator, connect: Connect, receiver: str, name: str, complaint: Any
) -> None:
    """The action that a drop or reset waits for is answered with 204, and not performed."""
    client = connect(receiver)
    getattr(sim.faults, name)(on="call")
    client.command("call", number="33199020000")
    with pytest.raises(complaint):
        client.frame()
    assert sim.calls() == []


@receivers
def test_close(sim: Simulator, alice: Line, connect: Connect, receiver: str) -> None:
    """A close is a close frame with any code, again and again."""
    client = connect(receiver)
    assert sim.faults.close(4001, "Enough") == 1
    assert [client.frame(), client.frame()] == ['c[4001,"Enough"]'] * 2
    sim.wait_for_session(alice, counter=0)
    assert sim.faults.close() == 0


@receivers
def test_garbage(sim: Simulator, connect: Connect, receiver: str) -> None:
    """Garbage goes out as a line, just as it is, and the session lives."""
    client = connect(receiver)
    for garbage, line in (('a["broken', 'a["broken'), (b"\xff\xfe", r"\xff\xfe")):
        assert sim.faults.garbage(garbage) == 1
        assert client.frame() == line
    assert outcome(client.ask("ping")) == 1


@receivers
def test_silence(sim: Simulator, connect: Connect, receiver: str) -> None:
    """In silence nothing is received, and a message is neither answered nor performed; resumed,
    it is answered and lost."""
    client = connect(receiver)
    assert sim.faults.silence() == 1
    assert client.hears_nothing(SHORT)
    ping = json.dumps([json.dumps({"action": "ping", "id": 99})])
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(client.post, ping.encode("ascii"))
        sim.wait_for_request(f"/cti{URL}xhr_send", count=2)
        assert not sending.done()
        assert sim.faults.resume() == 1
        assert sending.result(5) == (204, "")
    assert sim.received("ping") == []
    assert outcome(client.ask("ping")) == 1


@receivers
def test_silence_for_a_new_receiver(sim: Simulator, connect: Connect, receiver: str) -> None:
    """A new receiver in a silence gets no headers until `resume`."""
    client = connect(POLLING)
    sim.faults.garbage("the last word")
    assert client.frame() == "the last word"
    sim.faults.silence()
    other = XhrClient(sim.endpoint, receiver, opened=False, timeout=SHORT)
    with pytest.raises(socket.timeout):
        other.receive()
    other.close()
    sim.wait_for_session("33199000001", counter=0)


def test_second_receiver_in_silence(sim: Simulator, connect: Connect, web: Web) -> None:
    """Silence is also kept towards a second receiver."""
    connect(STREAMING)
    sim.faults.silence()
    web.ask("POST", URL + POLLING)
    web.tcp.settimeout(SHORT)
    with pytest.raises(socket.timeout):
        web.tcp.recv(1)
    web.tcp.settimeout(5)
    sim.faults.resume()
    assert web.answer().line().startswith("c[2010,")


@receivers
def test_stop_reading(sim: Simulator, connect: Connect, receiver: str) -> None:
    """A large message to a server that does not read blocks."""
    client = connect(receiver)
    assert sim.faults.stop_reading() == 1
    size = 1_000_000_000
    client.sender.ask("POST", URL + "xhr_send", headers={"Content-Length": str(size)})
    client.sender.tcp.settimeout(SHORT)
    with pytest.raises(socket.timeout):
        for _ in range(size // 1_000_000):
            client.sender.tcp.sendall(b"x" * 1_000_000)
    client.close()
    sim.faults.clear()


@receivers
def test_resume_reading(sim: Simulator, connect: Connect, receiver: str) -> None:
    """Unread messages are read, performed and answered after `resume`."""
    client = connect(receiver)
    sim.faults.stop_reading()
    ping = json.dumps([json.dumps({"action": "ping", "id": 99})])
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(client.post, ping.encode("ascii"))
        sim.wait_for_request(f"/cti{URL}xhr_send", count=2)
        assert (sending.done(), sim.received("ping")) == (False, [])
        sim.faults.resume()
        assert sending.result(5) == (204, "")
    assert outcome(client.reply(99)) == 1


@receivers
def test_stopped_reader_and_a_client_that_leaves(
    sim: Simulator, alice: Line, connect: Connect, receiver: str
) -> None:
    """A disconnected client is detected after `resume`."""
    client = connect(receiver)
    sim.faults.stop_reading()
    client.close()
    assert sim.sessions()[0].counter == 1
    sim.faults.resume()
    sim.wait_for_session(alice, counter=0)


@receivers
def test_other_faults_on_an_action(sim: Simulator, connect: Connect, receiver: str) -> None:
    """Every fault of a connection can wait for an action on every transport."""
    client = connect(receiver)
    sim.faults.garbage("junk", on="ping")
    client.command("ping")
    assert client.frame() == "junk"
    sim.faults.fail("ping", 503, "Busy")
    assert outcome(client.ask("ping")) == (503, "Busy")
    sim.faults.ignore("ping", times=1)
    client.command("ping")
    assert outcome(client.ask("ping")) == 1
    sim.faults.close(4000, "why", on="ping")
    client.command("ping")
    assert client.frame() == 'c[4000,"why"]'


# New connections


@pytest.mark.parametrize("name", HTTP_TRANSPORTS)
def test_refuse(sim: Simulator, web: Web, name: str) -> None:
    """A refused transport gets the status, `times` times; the others work."""
    sim.faults.refuse(name, 502, times=2)
    for status in (502, 502, 404 if name == "xhr_send" else 200):
        answer = web.request("POST", URL + name, b'["x"]')
        assert answer.status == status
        if status == 502:
            answer.text()
    client = RawClient(sim.endpoint)
    client.close()


@pytest.mark.parametrize("name", ["info", "websocket", *HTTP_TRANSPORTS])
def test_refuse_by_a_reset(sim: Simulator, web: Web, name: str) -> None:
    """A transport can be refused by a reset of TCP, `times` times."""
    sim.faults.refuse(name, reset=True, times=1)
    method, path = ("GET", "/info") if name == "info" else ("POST", URL + name)
    if name == "websocket":
        method = "GET"
    with pytest.raises(ConnectionResetError):
        web.request(method, path)
    other = Web(sim.endpoint)
    assert other.request(method, path).status in (200, 400, 500)
    other.close()


@pytest.mark.parametrize("name", HTTP_TRANSPORTS)
def test_stall(sim: Simulator, web: Web, name: str) -> None:
    """A stalled transport answers nothing until it is cleared."""
    sim.faults.stall(name)
    web.ask("POST", URL + name)
    web.tcp.settimeout(SHORT)
    with pytest.raises(socket.timeout):
        web.tcp.recv(1)
    web.tcp.settimeout(5)
    sim.faults.clear()
    assert web.answer().status == (500 if name == "xhr_send" else 200)


@pytest.mark.parametrize("name", HTTP_TRANSPORTS)
def test_stalled_client_that_leaves(sim: Simulator, name: str) -> None:
    """A client that does not wait for the end of a stall leaves nothing behind."""
    sim.faults.stall(name)
    web = Web(sim.endpoint)
    web.ask("POST", URL + name, b'["x"]')
    sim.wait_for_request(f"/cti{URL}{name}")
    web.close()
    other = Web(sim.endpoint)
    assert other.request("GET", "/info").status == 200
    other.close()
    sim.faults.clear()
    client = XhrClient(sim.endpoint)
    assert len(sim.connections()) == 1
    client.close()


@receivers
def test_stall_open(sim: Simulator, receiver: str) -> None:
    """Stalled before opening, the response begins and `clear` sends the opening frame."""
    sim.faults.stall("open", times=1)
    client = XhrClient(sim.endpoint, receiver, opened=False)
    assert client.hears_nothing(SHORT)
    assert sim.connections() == []
    sim.faults.clear()
    assert client.frame() == "o"
    client.close()


@receivers
def test_stalled_opening_and_a_client_that_leaves(sim: Simulator, receiver: str) -> None:
    """A client that does not wait for the opening frame frees its session's id."""
    sim.faults.stall("open", times=1)
    client = XhrClient(sim.endpoint, receiver, opened=False)
    client.receive()
    client.close()
    for attempt in range(100):
        other = XhrClient(sim.endpoint, POLLING, opened=False)
        frame = other.frame()
        other.close()
        if frame == "o":
            return
        # The server has not noticed yet.
        assert frame.startswith("c[2010,")
    raise AssertionError("the session is still there")


def test_stop_with_stalled_requests() -> None:
    """Stalled requests do not keep the simulator from stopping."""
    with Simulator() as sim:
        sim.faults.stall("open", times=1)
        opening = XhrClient(sim.endpoint, opened=False)
        opening.receive()
        sim.faults.stall("xhr")
        polling = Web(sim.endpoint)
        polling.ask("POST", URL + POLLING)
        sim.wait_for_request(f"/cti{URL}xhr", count=2)
    with pytest.raises((Cut, OSError)):
        opening.frame()
    with pytest.raises((Cut, OSError)):
        polling.answer()
    opening.close()
    polling.close()


def test_fallback(sim: Simulator) -> None:
    """One transport after the other can be made to fail, as a client that falls back sees it."""
    sim.faults.refuse("websocket", reset=True)
    sim.faults.refuse("xhr_streaming", 500)
    with pytest.raises(ConnectionResetError):
        RawClient(sim.endpoint)
    web = Web(sim.endpoint)
    assert web.request("POST", URL + STREAMING).status == 500
    web.close()
    client = XhrClient(sim.endpoint, POLLING)
    assert sim.wait_for_connection().transport == "xhr-polling"
    assert sim.requested("/cti") == [
        "GET /cti/000/abcdefgh/websocket",
        "POST /cti/000/abcdefgh/xhr_streaming",
        "POST /cti/000/abcdefgh/xhr",
    ]
    client.close()


# Pages, proxies and frames that are cut or garbled


@pytest.mark.parametrize("name", ["info", "websocket", *HTTP_TRANSPORTS])
@pytest.mark.parametrize("status", [200, 401, 403])
def test_page_is_html_in_place_of_the_service(
    sim: Simulator, web: Web, name: str, status: int
) -> None:
    method, path = ("GET", "/info") if name == "info" else ("POST", URL + name)
    if name == "websocket":
        method = "GET"
    sim.faults.page(name, status, times=1)
    answer = web.request(method, path, b'["x"]' if method == "POST" else b"")
    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text().startswith("<!DOCTYPE html>")
    sim.faults.page(name, body="soon")
    assert web.request(method, path, b'["x"]' if method == "POST" else b"").text() == "soon"
    sim.faults.let_through(name)
    other = Web(sim.endpoint)
    assert other.request(method, path).status in (200, 400, 500)
    other.close()


def test_request_that_a_proxy_holds_is_answered_by_the_proxy(
    sim: Simulator, alice: Line, connect: Connect
) -> None:
    """The service does not see the held request: the next request gets pending messages."""
    client = connect(POLLING)
    sim.push(alice, {"notify": "weather"})
    assert "weather" in client.frame()
    sim.faults.time_out("xhr", SHORT, times=1)
    client.receiver.ask("POST", URL + "xhr")
    sim.push(alice, {"notify": "traffic"})
    assert client.receiver.answer().status == 504
    assert "traffic" in client.frame()


def test_request_that_a_proxy_holds_goes_on_when_it_is_let_through(
    sim: Simulator, alice: Line, connect: Connect
) -> None:
    client = connect(POLLING)
    sim.push(alice, {"notify": "weather"})
    assert "weather" in client.frame()
    sim.faults.time_out("xhr", 60)
    client.receiver.ask("POST", URL + "xhr")
    sim.wait_for_request(f"/cti{URL}xhr", count=3 + 1)
    sim.push(alice, {"notify": "traffic"})
    sim.faults.let_through("xhr")
    assert "traffic" in client.receiver.answer().line()


@pytest.mark.parametrize("receiver", [*RECEIVERS, "websocket"])
@pytest.mark.parametrize("part", ["message", "frame", "text"])
def test_garbled_notification_cannot_be_read_and_the_next_one_can(
    sim: Simulator, alice: Line, opened: Callable[[str], Any], receiver: str, part: str
) -> None:
    client = opened(receiver)
    seen: List[Passage] = []
    sim.on_traffic(seen.append)
    assert sim.faults.garble(alice, part=part) == 1
    bob = sim.phone("33199020000")
    callref = bob.call(alice)
    with pytest.raises((ValueError, websocket.WebSocketException)):
        client.message()
    bob.hang_up()
    assert client.message()["call"]["state"] == "MISSED"
    assert [each.kind for each in seen] == ["garbled", "sent"]
    assert seen[0].content["call"]["callref"] == callref


@pytest.mark.parametrize("then", ["reset", "drop", "silence"])
@pytest.mark.parametrize("receiver", [*RECEIVERS, "websocket"])
def test_cut_frame_is_written_by_half(
    sim: Simulator, alice: Line, opened: Callable[[str], Any], receiver: str, then: str
) -> None:
    """Half of a frame arrives, then the fault; nothing from the cut on is reported as sent."""
    client = opened(receiver)
    seen: List[Passage] = []
    sim.on_traffic(seen.append)
    assert sim.faults.cut(alice, then=then) == 1
    bob = sim.phone("33199020000")
    bob.call(alice)
    bob.hang_up()
    tcp = client.socket.sock if isinstance(client, RawClient) else client.receiver.tcp
    come = _all_that_comes(tcp, until=b"call")
    # A reset discards unread data.
    assert b"notify" in come or then == "reset"
    assert b"setup_date" not in come and b"MISSED" not in come
    if then == "silence":
        sim.faults.resume()
        assert not select.select([tcp], [], [], SHORT)[0]
        sim.faults.drop(alice)
    with suppress(ConnectionResetError):
        assert tcp.recv(100) == b""
    assert "sent" not in [each.kind for each in seen]
    sim.wait_for_session(alice, counter=0)


def _all_that_comes(tcp: Any, until: bytes) -> bytes:
    come = b""
    with suppress(ConnectionResetError):
        while until not in come:
            more = tcp.recv(4096)
            if not more:
                break
            come += more
    return come
