"""The four services that the suite needs, on the simulator's SockJS server and on npm's."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import Any, Dict, Iterator, List, NamedTuple
from uuid import uuid4

from keyyo_cti.simulator.serving import ServerThread
from keyyo_cti.simulator.sockjs import Connection, Endpoint

from ...helpers.node_programs import EchoServer

#: Bytes after which a streaming answer ends.
STREAM_LIMIT = 4096

GO_AWAY = 'c[3000,"Go away!"]'


class Services(NamedTuple):
    """Base URLs of a SockJS server.

    :ivar echo: returns each message.
    :ivar without_websocket: the same without websockets.
    :ivar with_cookie: the same with the cookie JSESSIONID.
    :ivar closing: closes each connection at once.
    """

    echo: str
    without_websocket: str
    with_cookie: str
    closing: str


class Echo:
    """A handler that returns each message."""

    def opened(self, connection: Connection) -> None:
        pass

    def message(self, connection: Connection, text: str) -> None:
        connection.send(text)

    def closed(self, connection: Connection) -> None:
        pass


class Closing(Echo):
    """A handler that closes each connection."""

    def opened(self, connection: Connection) -> None:
        connection.close(3000, "Go away!")


@contextmanager
def of_the_simulator() -> Iterator[Services]:
    xhr = ["xhr-streaming", "xhr-polling"]
    endpoints = [
        Endpoint(Echo(), stream_limit=STREAM_LIMIT, jsessionid=False),
        Endpoint(Echo(), transports=xhr, jsessionid=False),
        Endpoint(Echo()),
        Endpoint(Closing(), jsessionid=False),
    ]
    with ExitStack() as ending:
        threads = [ServerThread(endpoint) for endpoint in endpoints]
        for thread in threads:
            thread.start()
            ending.callback(thread.stop)
        yield Services(*(thread.base_url for thread in threads))


@contextmanager
def of_npm() -> Iterator[Services]:
    settings: List[Dict[str, Any]] = [
        {"response_limit": STREAM_LIMIT},
        {"websocket": False},
        {"jsessionid": True},
        {"go_away": True},
    ]
    with ExitStack() as ending:
        servers = [EchoServer(**options) for options in settings]
        for server in servers:
            ending.enter_context(server)
        yield Services(*(server.endpoint for server in servers))


def new_session() -> str:
    """Return the path of a session that no other case uses."""
    return f"/000/{uuid4().hex}/"
