"""A server with a handler that follows a script."""

from __future__ import annotations

from typing import Any, Callable, Iterator, List

import pytest

from keyyo_cti.simulator.serving import ServerThread
from keyyo_cti.simulator.sockjs import Endpoint

from ...helpers.raw_client import RawClient
from ...helpers.xhr_client import STREAMING, Web, XhrClient
from .script import Script

Serve = Callable[..., ServerThread]
Connect = Callable[..., XhrClient]


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def serve(script: Script) -> Iterator[Serve]:
    """Return a function that starts a server with these endpoint settings."""
    threads: List[ServerThread] = []

    def start(**settings: Any) -> ServerThread:
        threads.append(ServerThread(Endpoint(script, **settings)))
        threads[-1].start()
        return threads[-1]

    yield start
    for thread in threads:
        thread.stop()


@pytest.fixture
def endpoint(script: Script) -> Endpoint:
    # Who stays away stays away for longer than a test waits.
    return Endpoint(script, disconnect_delay=60)


@pytest.fixture
def server(endpoint: Endpoint) -> Iterator[ServerThread]:
    thread = ServerThread(endpoint)
    thread.start()
    yield thread
    thread.stop()


@pytest.fixture
def client(server: ServerThread) -> Iterator[RawClient]:
    raw = RawClient(server.base_url)
    yield raw
    raw.close()


@pytest.fixture
def connect(server: ServerThread) -> Iterator[Connect]:
    """Return a function that opens sessions over HTTP."""
    clients: List[XhrClient] = []

    def open_session(receiver: str = STREAMING, **settings: Any) -> XhrClient:
        clients.append(XhrClient(server.base_url, receiver, **settings))
        return clients[-1]

    yield open_session
    for client in clients:
        client.close()


@pytest.fixture
def web(server: ServerThread) -> Iterator[Web]:
    """A connection for requests by hand."""
    connection = Web(server.base_url)
    yield connection
    connection.close()
