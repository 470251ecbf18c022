"""The transport "websocket" on real sockets, with handlers that follow a script."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
import requests
import websocket
from aiohttp import web

from keyyo_cti.simulator.serving import ServerThread
from keyyo_cti.simulator.sockjs import HANDSHAKE, Connection, Endpoint

from ...helpers.raw_client import RawClient
from .conftest import Serve
from .script import TIMEOUT, Script


def test_websocket_needs_an_upgrade(server: ServerThread) -> None:
    """A plain GET on the websocket transport is a bad request, a POST is not allowed."""
    url = server.base_url + "/000/abcdefgh/websocket"
    assert requests.get(url, timeout=TIMEOUT).status_code == 400
    assert requests.post(url, timeout=TIMEOUT).status_code == 405


def test_messages(client: RawClient, script: Script) -> None:
    """Arrays of strings and single strings arrive in order, empty frames are ignored."""
    for frame in ('["a", "b"]', "", '"c"', "[]", '["d"]'):
        client.send_text(frame)
    assert [script.next() for _ in range(5)] == ["opened", "a", "b", "c", "d"]


@pytest.mark.parametrize("frame", [
    "[", "nonsense", "7", "{}", "[1]", '["a", null]', "[" * 100_000,
])
def test_broken_frame(client: RawClient, script: Script, frame: str) -> None:
    """A frame that is not an array of strings closes the websocket, and the handler is called."""
    client.send_text(frame)
    assert client.frame() == ""
    assert [script.next() for _ in range(2)] == ["opened", "closed"]


def test_binary_frame(client: RawClient, script: Script) -> None:
    """A binary frame closes the websocket."""
    client.socket.send_binary(b'["a"]')
    assert client.frame() == ""


def test_replies(client: RawClient, script: Script) -> None:
    """Several messages go out packed in one frame, or in a frame each."""
    script.answer = lambda connection, text: connection.send_many(
        ["x", "y"], packed=text == "packed")
    client.send_text('["packed"]')
    assert client.frame() == 'a["x","y"]'
    client.send_text('["one by one"]')
    assert [client.frame(), client.frame()] == ['a["x"]', 'a["y"]']


def test_lone_surrogate(client: RawClient, script: Script) -> None:
    """A lone surrogate passes in both directions."""
    script.answer = lambda connection, text: connection.send(text)
    client.send_text(json.dumps(["\ud800"]))
    assert json.loads(client.frame()[1:]) == ["\ud800"]


def test_close(client: RawClient, script: Script) -> None:
    """Closing sends the close frame, closes the websocket, and nothing after it."""
    def close(connection: Connection, text: str) -> None:
        connection.close(3000, "Go away!")
        connection.send("too late")
        connection.close(3001, "Twice")

    script.answer = close
    client.send_text('["bye", "after"]')
    assert [client.frame(), client.frame()] == ['c[3000,"Go away!"]', ""]
    assert [script.next() for _ in range(3)] == ["opened", "bye", "closed"]


def test_client_closes(client: RawClient, script: Script) -> None:
    """A client's closing handshake is answered, and the handler is called."""
    client.socket.send_close()
    assert client.frame() == ""
    assert [script.next() for _ in range(2)] == ["opened", "closed"]


def test_client_vanishes(client: RawClient, script: Script) -> None:
    """The end of TCP is detected, and the handler is called."""
    client.close()
    assert [script.next() for _ in range(2)] == ["opened", "closed"]


def test_ping(client: RawClient) -> None:
    """A websocket PING gets its PONG with the same data; a PONG is passed over."""
    client.socket.pong(b"unasked")
    client.socket.ping(b"1234")
    opcode, data = client.socket.recv_data(control_frame=True)
    assert (opcode, data) == (websocket.ABNF.OPCODE_PONG, b"1234")


def test_no_compression(server: ServerThread) -> None:
    """Compression is not accepted, even if it is offered."""
    client = RawClient(server.base_url, header={"Sec-WebSocket-Extensions": "permessage-deflate"})
    assert "sec-websocket-extensions" not in client.socket.getheaders()
    client.close()


def test_heartbeats(serve: Serve) -> None:
    """Heartbeats are periodic."""
    client = RawClient(serve(heartbeat=0.01).base_url)
    assert [client.frame() for _ in range(3)] == ["h", "h", "h"]
    client.close()


def test_handler_that_raises(
    client: RawClient, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    """A handler's exception is logged, and the next message arrives."""
    def mistaken(connection: Connection, text: str) -> None:
        if text == "first":
            raise KeyError("oops")
        connection.send(text)

    script.answer = mistaken
    client.send_text('["first", "second"]')
    assert client.frame() == 'a["second"]'
    failures = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.name for record in failures] == ["keyyo_cti.simulator"]


def test_connections_are_forgotten(
    server: ServerThread, endpoint: Endpoint, script: Script
) -> None:
    """A hundred connections later the server holds none."""
    for _ in range(100):
        client = RawClient(server.base_url)
        client.close()
        assert [script.next(), script.next()] == ["opened", "closed"]
    last = RawClient(server.base_url)
    last.send_text('["settle"]')
    assert [script.next(), script.next()] == ["opened", "settle"]
    assert server.call(len, endpoint.connections) == 1
    last.close()


def test_client_that_does_not_wait(
    serve: Serve, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    """A client that is gone before its handshake is answered is no error, and no connection."""

    async def gate(phase: str, request: web.Request) -> None:
        if phase == HANDSHAKE:
            assert request.transport is not None
            request.transport.abort()
            while request.transport is not None:
                await asyncio.sleep(0)

    server = serve(gate=gate)
    with pytest.raises((OSError, websocket.WebSocketException)):
        RawClient(server.base_url)
    server.stop()
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert script.events.empty()
