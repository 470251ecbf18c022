"""Detecting a disconnected client without disturbing aiohttp's protocol."""

from __future__ import annotations

import asyncio
from typing import Optional, cast

import pytest
from aiohttp import web as aiohttp_web

from keyyo_cti.simulator.sockjs import OPEN
from keyyo_cti.simulator.sockjs.disconnect_watcher import DisconnectWatcher

from ...helpers.xhr_client import POLLING, PRELUDE, STREAMING, Web, XhrClient
from .conftest import Connect, Serve
from .script import Script

URL = "/000/abcdefgh/"


class Closing(asyncio.Transport):
    """A TCP connection that is closing."""

    def is_closing(self) -> bool:
        return True

    def get_protocol(self) -> asyncio.Protocol:
        return asyncio.Protocol()


def test_gone_already() -> None:
    """A client that has disconnected before the check is detected at once."""
    async def look() -> None:
        with DisconnectWatcher(cast(asyncio.Transport, Closing())) as watcher:
            await asyncio.wait_for(watcher.wait(), 5)

    asyncio.run(look())


def test_requests_in_a_row(connect: Connect, script: Script, web: Web) -> None:
    """A request sent before the previous response waits for its turn."""
    script.answer = lambda connection, text: connection.send_many(["a", "b"], packed=False)
    client = connect(POLLING)
    web.ask("POST", URL + POLLING)
    first = web.answer()
    web.ask("POST", URL + POLLING)
    client.say("now")
    assert [first.text(), web.answer().text()] == ['a["a"]\n', 'a["b"]\n']


def test_slow_reader(script: Script, web: Web) -> None:
    """A slow reader receives large messages completely."""
    texts = [letter * 5_000_000 for letter in "abc"]
    script.greet = lambda connection: connection.send_many(texts, packed=False)
    stream = web.request("POST", URL + STREAMING)
    assert [stream.line(), stream.line()] == [PRELUDE, "o"]
    for text in texts:
        # Each message is too much for the answer that it is in.
        assert [stream.line(), stream.line()] == [f'a["{text}"]', ""]
        stream = web.request("POST", URL + STREAMING)
        assert stream.line() == PRELUDE


def test_mistake_while_carrying(
    serve: Serve, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception of ours is logged and is not a disconnect; the session's id is free."""
    mistakes = [ZeroDivisionError("oops")]

    async def gate(
        phase: str, request: aiohttp_web.Request
    ) -> Optional[aiohttp_web.StreamResponse]:
        if phase == OPEN and mistakes:
            raise mistakes.pop()
        return None

    server = serve(gate=gate)
    mistaken = Web(server.base_url)
    mistaken.request("POST", URL + STREAMING)
    client = XhrClient(server.base_url)
    assert script.next() == "opened"
    assert "oops" in caplog.text
    client.close()
    mistaken.close()
