"""What a simulator shows of its connections."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from keyyo_cti.simulator import ConnectionSnapshot, Line, Simulator

from .raw_client import RawClient
from .xhr_client import POLLING, STREAMING, XhrClient

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
    """A wait in vain tells which connections there are."""
    client = RawClient(sim.endpoint)
    with pytest.raises(TimeoutError, match="no connection on xhr-polling .*'websocket'"):
        sim.wait_for_connection("xhr-polling", SHORT)
    client.close()
    with pytest.raises(ValueError, match="transport: expected one of websocket, xhr-streaming"):
        sim.wait_for_connection("xhr")
