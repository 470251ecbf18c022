"""A running simulator with clients, and one without sockets."""

from __future__ import annotations

from typing import Callable, Iterator, List

import pytest

from keyyo_cti.simulator import Line, ManualClock, Simulator

from ..helpers.raw_client import RawClient
from .desk import Desk

Connect = Callable[[], RawClient]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(clock=ManualClock(), park_slots=2) as simulator:
        yield simulator


@pytest.fixture
def alice(sim: Simulator) -> Line:
    return sim.line("33199000001", name="Alice")


@pytest.fixture
def connect(sim: Simulator) -> Iterator[Connect]:
    """Return a function that opens raw clients of the simulator."""
    clients: List[RawClient] = []

    def open_client() -> RawClient:
        clients.append(RawClient(sim.endpoint))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


@pytest.fixture
def client(sim: Simulator, alice: Line, connect: Connect) -> RawClient:
    """A client with a session of Alice's line."""
    client = connect()
    client.create_session(sim.token(alice))
    return client
