"""Observation of a simulator's connections."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, List

import pytest

from keyyo_cti.simulator import ConnectionSnapshot, Line, Passage, Simulator

from ..helpers.raw_client import RawClient
from ..helpers.xhr_client import POLLING, STREAMING, XhrClient

SHORT = 0.05
"""A wait that is meant to end in vain, in seconds."""


def test_connections(sim: Simulator, alice: Line) -> None:
    """Every connection is shown with its transport, and with its line once it has a session."""
    clients = [
        RawClient(sim.endpoint),
        XhrClient(sim.endpoint, STREAMING, session="streaming"),
        XhrClient(sim.endpoint, POLLING, session="polling"),
    ]
    clients[2].create_session(sim.token(alice))
    assert sim.connections() == [
        ConnectionSnapshot("websocket", None),
        ConnectionSnapshot("xhr-streaming", None),
        ConnectionSnapshot("xhr-polling", alice.number),
    ]
    for client in clients:
        client.close()


def test_wait_for_connection(sim: Simulator) -> None:
    """A wait for a connection ends when a client is connected on that transport."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(sim.wait_for_connection, "xhr-polling", 5)
        first, second = RawClient(sim.endpoint), XhrClient(sim.endpoint, POLLING)
        assert waiting.result(5) == ConnectionSnapshot("xhr-polling", None)
    assert sim.wait_for_connection("websocket").transport == "websocket"
    assert sim.wait_for_connection().transport == "xhr-polling"
    first.close()
    second.close()


def test_wait_for_connection_in_vain(sim: Simulator) -> None:
    """The timeout of a wait lists the connections."""
    client = RawClient(sim.endpoint)
    with pytest.raises(TimeoutError, match="no connection on xhr-polling .*'websocket'"):
        sim.wait_for_connection("xhr-polling", SHORT)
    client.close()
    with pytest.raises(ValueError, match="transport: expected one of websocket, xhr-streaming"):
        sim.wait_for_connection("xhr")


@pytest.mark.slow
def test_witness(sim: Simulator, alice: Line) -> None:
    """A traffic callback receives the events of each connection, in order, with its line."""
    seen: List[Passage] = []
    sim.on_traffic(seen.append)
    client = XhrClient(sim.endpoint, POLLING)
    client.create_session(sim.token(alice))
    sim.push(alice, {"notify": "weather"})
    client.message()
    client.close()
    sim.wait_for_session(alice, counter=0)
    assert {(each.connection, each.transport) for each in seen} == {(1, "xhr-polling")}
    assert [(each.line, each.kind) for each in seen] == [
        (None, "opened"),
        (None, "received"),
        (alice.number, "sent"),
        (alice.number, "sent"),
        (alice.number, "closed"),
    ]
    contents: List[Any] = [each.content for each in seen]
    assert contents[0] is None and contents[4] is None
    assert (contents[1]["action"], contents[1]["id"]) == ("create_session", contents[2]["id"])
    assert contents[3] == {"notify": "weather"}


def test_witness_of_a_silence(sim: Simulator, alice: Line) -> None:
    """Messages discarded in a silence are not reported as sent, nor ignored ones as received."""
    seen: List[Passage] = []
    client = RawClient(sim.endpoint)
    client.create_session(sim.token(alice))
    sim.on_traffic(seen.append)
    sim.faults.silence()
    client.command("ping")
    sim.push(alice, {"notify": "weather"})
    client.close()
    sim.wait_for_session(alice, counter=0)
    assert [(each.connection, each.kind) for each in seen] == [(1, "closed")]


def test_call_witness_is_told_every_change_whoever_is_connected(
    sim: Simulator, alice: Line
) -> None:
    seen: List[Any] = []
    sim.on_call_change(lambda call, numbers: seen.append((call, numbers)))
    bob = sim.phone("33199020000")
    callref = bob.call(alice)
    alice.phone.pick_up()
    client = RawClient(sim.endpoint)
    client.create_session(sim.token(alice))
    sim.faults.silence()
    bob.hang_up()
    client.close()
    assert [call.state for call, _ in seen] == ["SETUP", "CONNECT", "RELEASE"]
    assert all(call.callref == callref for call, _ in seen)
    assert all(numbers == {alice.number, bob.number} for _, numbers in seen)
