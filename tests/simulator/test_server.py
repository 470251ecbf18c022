"""The simulator as a whole, on real sockets and from its users' threads."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Dict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyyo_cti.simulator import Line, ManualClock, NotPossible, Phone, Simulator, service, serving

from ..helpers.old_aiohttp import LOGS_NO_URL
from ..helpers.raw_client import TIMEOUT, RawClient, outcome
from .conftest import Connect

SHORT = 0.05
"""A wait that is meant to end in vain, in seconds."""


def threads() -> int:
    return sum(thread.name == "keyyo-simulator" for thread in threading.enumerate())


# Life and death


def test_documented_example() -> None:
    """The example of the documentation works as it stands."""
    with Simulator() as sim:
        alice = sim.line("33199000001", name="Alice")
        client = RawClient(sim.endpoint)
        client.create_session(sim.token(alice))
        bob = sim.phone("33199020000")
        bob.call(alice)
        alice.phone.wait_until("ringing")
        alice.phone.pick_up()
        bob.hang_up()
        assert [client.call()["state"] for _ in range(3)] == ["SETUP", "CONNECT", "RELEASE"]
        client.close()


def test_stop_leaves_nothing() -> None:
    """After stop the thread is gone, the port is free and clients are disconnected."""
    sim = Simulator()
    sim.start()
    client = RawClient(sim.endpoint)
    port = int(sim.endpoint.split(":")[2].split("/")[0])
    sim.stop()
    sim.stop()
    assert threads() == 0
    assert client.frame_or_end() == ""
    client.close()
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_not_running() -> None:
    """Before start and after stop, every method raises an error with a hint."""
    sim = Simulator()
    assert repr(sim) == "<Simulator not running>"
    sim.stop()
    with pytest.raises(RuntimeError, match="call start"):
        sim.line("33199000001")
    with pytest.raises(RuntimeError, match="call start"):
        sim.endpoint
    sim.start()
    bob = sim.phone("33199020000")
    sim.stop()
    for attempt in (sim.calls, sim.sessions, sim.faults.reset, bob.hang_up, bob.wait_for_message):
        with pytest.raises(RuntimeError, match="has been stopped"):
            attempt()
    with pytest.raises(RuntimeError, match="only once"):
        sim.start()


def test_start_that_takes_too_long_leaves_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    given_up, accept = threading.Event(), serving.Listener.accept

    async def accept_late(listener: serving.Listener) -> None:
        given_up.wait(TIMEOUT)
        await accept(listener)

    monkeypatch.setattr(serving.Listener, "accept", accept_late)
    monkeypatch.setattr(serving, "CALL_TIMEOUT", 0)
    sim = Simulator()
    with pytest.raises(TimeoutError, match="did not start in 0 s"):
        sim.start()
    given_up.set()
    # The thread still starts. The fixture no_thread_left waits for its end.


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        pytest.param(
            b"GET http://[/cti HTTP/1.1\r\nHost: x\r\n\r\n",
            marks=pytest.mark.skipif(LOGS_NO_URL, reason="this aiohttp logs it by itself"),
        ),
        b"GET /cti HTTP/1.1\r\n:\r\n\r\n",
        b"POST /cti/000/abcdefgh/xhr_send HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\n"
        b"Content-Length: 5\r\n\r\nxxxxx",
        b"GET /cti/000/abcdefgh/websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    ],
    ids=["TLS", "no URL", "no header", "no gzip", "gone before the handshake"],
)
def test_no_http(sim: Simulator, sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """A client that sends invalid HTTP or disconnects early causes no traceback in the log.

    The next client is served.
    """
    host, port = sim.endpoint.split("/")[2].split(":")
    with socket.create_connection((host, int(port)), TIMEOUT) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        while client.recv(4096):
            pass
    RawClient(sim.endpoint).close()
    assert not [record for record in caplog.records if record.exc_info], caplog.text


def test_port_in_use(sim: Simulator) -> None:
    """A port in use is an OSError in start, and no thread is left."""
    second = Simulator(port=int(sim.endpoint.split(":")[2].split("/")[0]))
    before = threads()
    with pytest.raises(OSError):
        second.start()
    second.stop()
    assert threads() == before


def test_stop_while_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait raises an error when the simulator stops."""
    sim = Simulator()
    sim.start()
    bob = sim.phone("33199020000")
    started = threading.Event()
    until = sim._service.watchers.wait_for

    def note_and_wait(*args: Any) -> Any:
        started.set()
        return until(*args)

    monkeypatch.setattr(sim._service.watchers, "wait_for", note_and_wait)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(bob.wait_until, "ringing", 5)
        assert started.wait(5)
        sim.stop()
        with pytest.raises(RuntimeError, match="stopped meanwhile"):
            waiting.result(5)


def test_stop_on_its_own_thread(sim: Simulator) -> None:
    """Methods work on the loop's own thread too, but waiting there is refused."""
    bob = sim.phone("33199020000")

    def inside() -> str:
        with pytest.raises(RuntimeError, match="cannot wait for itself"):
            bob.wait_until("ringing")
        state = bob.state
        sim.stop()
        return state

    assert sim._thread.call(inside) == "idle"


@pytest.mark.parametrize("arguments, complaint", [
    ({"port": "80"}, "port: expected an integer"),
    ({"port": True}, "port: expected an integer"),
    ({"port": 70_000}, "port: expected 0 to 65535"),
    ({"heartbeat": 0}, "heartbeat: expected more than 0"),
    ({"heartbeat": "25"}, "heartbeat: expected seconds"),
    ({"disconnect_delay": -1}, "disconnect_delay: "),
    ({"session_timer": None}, "session_timer: "),
    ({"token_lifetime": False}, "token_lifetime: "),
    ({"ring_timeout": 0}, "ring_timeout: "),
    ({"park_slots": 0}, "park_slots: expected 1 to 1000"),
    ({"clock": 17}, "clock: expected a function"),
    ({"stream_limit": 0}, "stream_limit: expected 1 to "),
    ({"transports": "websocket"}, "transports: expected a list of strings"),
    ({"transports": ["xhr"]}, "transports: expected one of websocket, xhr-streaming"),
])
def test_bad_settings(arguments: Dict[str, Any], complaint: str) -> None:
    """A bad setting is refused by name."""
    with pytest.raises((TypeError, ValueError), match=complaint):
        Simulator(**arguments)


def test_bad_arguments(sim: Simulator, alice: Line, bob: Phone) -> None:
    """A bad argument is refused by name."""
    attempts: Dict[str, Callable[[], Any]] = {
        "number: expected 2 to 15 digits": lambda: sim.line("+33199000001"),
        "number: expected a Line": lambda: sim.phone(33199020000),  # type: ignore[arg-type]
        "to: expected 2 to 15 digits": lambda: bob.call("bob"),
        "line: there is no line 33199020000": lambda: sim.token(bob),
        "lifetime: ": lambda: sim.token(alice, 0),
        "token: not one": lambda: sim.expire_token("nonsense"),
        "state: expected one of": lambda: bob.wait_until("sleeping"),
        "timeout: ": lambda: bob.wait_until("ringing", timeout=0),
        "count: expected 1 or more": lambda: bob.wait_for_message(count=0),
        "count: expected 1 to": lambda: sim.wait_for_action("call", count=0),
        "short_number: expected 2": lambda: sim.line(alice, short_number="x"),
        "name: expected str": lambda: alice.set(name=7),
        "colour: a line has no such setting": lambda: alice.set(colour="red"),
        "seconds: expected 0 or more": lambda: sim.elapse(-1),
    }
    for complaint, attempt in attempts.items():
        with pytest.raises((TypeError, ValueError), match="^" + complaint.replace("+", r"\+")):
            attempt()


def test_import_without_aiohttp() -> None:
    """Without aiohttp the import error names the package to install."""
    script = "import sys; sys.modules['aiohttp'] = None; import keyyo_cti.simulator"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))})
    assert done.returncode != 0
    assert 'pip install ".[simulator]" in the checkout' in done.stderr


# Lines, telephones and messages


def test_same_objects(sim: Simulator, alice: Line, bob: Phone) -> None:
    """A number has one Line and one Phone; a line's telephone is found by any of its numbers."""
    assert sim.line(alice, name="Alice A.", short_number="11", organisation="A") is alice
    assert (alice.name, alice.short_number, alice.organisation) == ("Alice A.", "11", "A")
    assert sim.phone(bob) is bob
    assert sim.phone(alice) is sim.phone("11") is alice.phone
    assert (repr(alice), repr(bob)) == ("<Line 33199000001 'Alice A.'>", "<Phone 33199020000>")


def test_settings_of_a_line(sim: Simulator, alice: Line, client: RawClient) -> None:
    """The settings of a line take effect while it is in use."""
    assert alice.plugin_enabled and alice.phone_registered
    alice.phone_registered = False
    assert outcome(client.ask("call", number="33199020000")) == (400, "Cannot treat action")
    alice.phone_registered = True
    alice.plugin_enabled = False
    assert outcome(client.ask("call", number="33199020000")) == (400, "Cannot treat action")
    alice.plugin_enabled = True
    assert outcome(client.ask("call", number="33199020000")) == 1
    sim.line("33199000002", organisation="others")
    assert outcome(client.ask("subscribe", number="33199000002")) == (400, "RPC invalid params")
    alice.organisation = "others"
    assert outcome(client.ask("subscribe", number="33199000002")) == 1


def test_phone_states(sim: Simulator, alice: Line, bob: Phone, client: RawClient) -> None:
    """A telephone's state is the first in the order of precedence."""
    callref = bob.call(alice)
    assert (bob.state, alice.phone.state) == ("calling", "ringing")
    alice.phone.pick_up()
    sim.phone("33199020001").call(alice)
    assert (bob.state, alice.phone.state) == ("talking", "talking")
    alice.phone.wait_until("ringing")
    client.ask("park_call", call_ref=callref, side="caller")
    assert (bob.state, alice.phone.state) == ("parked", "ringing")
    with pytest.raises(NotPossible, match="is busy"):
        bob.call(alice)


def test_wait_until_names_what_it_saw(sim: Simulator, alice: Line, bob: Phone) -> None:
    """The timeout of a wait lists the states seen."""
    bob.call(alice)
    with pytest.raises(TimeoutError, match=r"33199020000 is not talking .* saw \['calling'\]"):
        bob.wait_until("talking", timeout=SHORT)


def test_wait_until_is_woken(sim: Simulator, alice: Line, bob: Phone, client: RawClient) -> None:
    """A wait ends as soon as a client's command makes it true."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(bob.wait_until, "ringing", 5)
        client.ask("call", number=bob.number)
        waiting.result(5)


def test_messages(sim: Simulator, bob: Phone, client: RawClient) -> None:
    """A message by command can be waited for and read at the telephone."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(bob.wait_for_message, 5, count=2)
        for text in ("Bonjour", "à tous ☎"):
            client.ask("send_message", number=bob.number, message=text)
        assert waiting.result(5).text == "à tous ☎"
    assert bob.messages == (("33199000001", "Bonjour"), ("33199000001", "à tous ☎"))
    with pytest.raises(TimeoutError, match="possession of 3 messages"):
        bob.wait_for_message(SHORT, count=3)


# Sessions and time


def test_counter_follows_the_connections(
    sim: Simulator, alice: Line, connect: Connect
) -> None:
    """The counter goes up with a restore and down with each connection that closes."""
    first, second = connect(), connect()
    session_id = first.create_session(sim.token(alice))
    second.ask("restore_session", token=sim.token(alice), session_id=session_id)
    assert sim.wait_for_session(alice, counter=2).subscriptions == (alice.number,)
    first.close()
    sim.wait_for_session(alice, counter=1)
    second.close()
    sim.wait_for_session(alice, counter=0)
    sim.elapse(299)
    assert len(sim.sessions()) == 1
    sim.elapse(1)
    assert sim.sessions() == []


def test_wait_for_session_in_vain(sim: Simulator, alice: Line, client: RawClient) -> None:
    """The timeout of a wait for a session lists the sessions, without their ids."""
    with pytest.raises(TimeoutError, match="no session of 33199000002 .*number='33199000001'"):
        sim.wait_for_session("33199000002", timeout=SHORT)


def test_destroy_closes(sim: Simulator, alice: Line, client: RawClient) -> None:
    """A destroyed session's connection gets its answer, then the close frame."""
    assert outcome(client.ask("destroy_session")) == 1
    assert [client.frame(), client.frame()] == ['c[3000,"Go away!"]', ""]
    assert sim.sessions() == []


def test_tokens(sim: Simulator, alice: Line, connect: Connect) -> None:
    """Tokens expire in time or on demand, or are revoked."""
    client = connect()
    old, expired, revoked, good = (
        sim.token(alice, lifetime=10), sim.token(alice), sim.token(alice.number), sim.token(alice))
    sim.expire_token(expired)
    sim.revoke_token(revoked)
    sim.elapse(10)
    assert [outcome(client.ask("create_session", token=token)) for token in (old, expired)] == [
        (400, "Invalid token (expired)")] * 2
    assert outcome(client.ask("create_session", token=revoked)) == (400, "Invalid token")
    assert client.create_session(good)


def test_invite_timer_elapses(sim: Simulator, alice: Line, bob: Phone, client: RawClient) -> None:
    """The invite timer runs on the manual clock."""
    callref = bob.call(alice)
    alice.phone.pick_up()
    client.ask("supervised_transfer_call", call_ref=callref, side="caller", to="33199020001",
               invite_timer=30)
    sim.phone("33199020001").wait_until("ringing")
    sim.elapse(30)
    sim.phone("33199020001").wait_until("idle")
    assert [record.state for record in sim.calls()] == ["MISSED", "CONNECT"]


def test_timers_on_real_time() -> None:
    """Without a manual clock the timers run by themselves, and cannot be moved by hand."""
    with Simulator(ring_timeout=0.01) as sim:
        bob = sim.phone("33199020000")
        bob.call(sim.line("33199000001"))
        bob.wait_until("idle")
        assert sim.calls()[0].state == "MISSED"
        with pytest.raises(RuntimeError, match="ManualClock"):
            sim.elapse(1)


def test_dates_are_of_the_clock() -> None:
    """Dates are whole seconds of the simulator's clock."""
    with Simulator(clock=lambda: 1_600_000_000.75) as sim:
        sim.phone("33199020000").call(sim.line("33199000001"))
        assert sim.calls()[0].setup_date == 1_600_000_000


# What a test sees and does


def test_received(sim: Simulator, alice: Line, client: RawClient) -> None:
    """The commands that came in can be read and waited for, without their secrets."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(sim.wait_for_action, "ping", 5, count=2)
        client.ask("ping")
        client.ask("ping", extra="x")
        assert waiting.result(5) == {"action": "ping", "id": 3, "extra": "x"}
    assert [each["action"] for each in sim.received()] == ["create_session", "ping", "ping"]
    assert "token" not in sim.received("create_session")[0]
    with pytest.raises(TimeoutError, match=r"'call' number 1 .*\['create_session', 'ping'"):
        sim.wait_for_action("call", SHORT)


def test_push(sim: Simulator, alice: Line, connect: Connect, client: RawClient) -> None:
    """Anything can be sent unasked, to one line or to all, packed or one by one."""
    other = connect()
    other.create_session(sim.token(sim.line("33199000002")))
    assert sim.push(alice, {"notify": "weather"}, 7) == 1
    assert client.frame() == r'a["{\"notify\": \"weather\"}","7"]'
    assert sim.push("all", [], None, packed=False) == 2
    for each in (client, other):
        assert [each.frame(), each.frame()] == ['a["[]"]', 'a["null"]']


def test_secrets_stay_out_of_sight(
    alice: Line, sim: Simulator, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    """No token and no session id is in a log, a repr or a snapshot."""
    caplog.set_level(logging.DEBUG)
    token = sim.token(alice)
    client = connect()
    session_id = client.create_session(token)
    client.ask("restore_session", token=token + "x", session_id=session_id)
    client.send({"token": token, "session_id": session_id})
    client.ask("ping")
    shown = caplog.text + repr((sim, alice, sim.sessions(), sim.received(), sim.faults))
    assert token not in shown and session_id not in shown
    ours = [record for record in caplog.records if record.name.startswith("keyyo_cti")]
    assert {record.name for record in ours} == {"keyyo_cti.simulator"}


def test_many_threads(sim: Simulator, alice: Line) -> None:
    """Sixteen threads operate telephones at once, and every call ends."""
    def play(index: int) -> None:
        phone = sim.phone(f"331990300{index:02}")
        for _ in range(20):
            phone.call(alice)
            phone.hang_up()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(play, range(16)))
    assert [record.state for record in sim.calls()] == ["MISSED"] * 320


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON | st.dictionaries(st.sampled_from(["action", "number", "token"]), JSON))
def test_junk_on_the_wire(client: RawClient, message: Any) -> None:
    """After any JSON from a client, the connection stays open and answers the next command."""
    client.send(message)
    assert outcome(client.ask("ping")) == 1


def test_text_that_is_no_json(client: RawClient) -> None:
    """A message that is not JSON is ignored."""
    client.send_text(json.dumps(["", "nonsense", "[" * 10_000]))
    assert outcome(client.ask("ping")) == 1


def test_received_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the latest commands are kept."""
    monkeypatch.setattr(service, "MAX_RECEIVED_COMMANDS", 3)
    with Simulator() as sim:
        client = RawClient(sim.endpoint)
        for _ in range(5):
            client.ask("ping")
        client.close()
        assert [each["id"] for each in sim.received()] == [3, 4, 5]


def test_manual_clock_is_shared() -> None:
    """A session's time is that of the given clock."""
    clock = ManualClock(1_500_000_000)
    with Simulator(clock=clock) as sim:
        client = RawClient(sim.endpoint)
        sim.elapse(7)
        token = sim.token(sim.line("33199000001"))
        result = client.ask("create_session", token=token)["result"]
        assert result["now"] == 1_500_000_007
        client.close()
