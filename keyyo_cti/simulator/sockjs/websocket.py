"""The transport "websocket"."""

from __future__ import annotations

import asyncio
import logging
import struct

from aiohttp import WSMsgType, web

from .connection import Connection
from .frames import BrokenFrame, Frame, decode_messages
from .gate import HANDSHAKE, OPEN
from .served import Served

log = logging.getLogger("keyyo_cti.simulator")

WEBSOCKET = "websocket"
CLOSE_HANDSHAKE_TIMEOUT = 1.0

_FINAL_TEXT = 0x81
"""The first byte of a websocket's frame: all of a text."""

_LENGTH_FOLLOWS, _MOST_ANNOUNCED = 126, 0xFFFF
"""The second byte of one whose length is in the next two, and how long that may be."""


class _Websocket:
    """Carries one connection over a websocket."""

    def __init__(
        self,
        websocket: web.WebSocketResponse,
        connection: Connection,
        tcp: asyncio.Transport,
    ) -> None:
        self._websocket = websocket
        self._connection = connection
        self._tcp = tcp

    async def carry(self) -> None:
        """Carry frames and messages until either side ends it."""
        tasks = [asyncio.ensure_future(each) for each in (self._read(), self._write())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._connection.lost()
        await self._websocket.close()

    async def _read(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message.type is WSMsgType.TEXT:
                try:
                    self._connection.receive(decode_messages(message.data))
                except BrokenFrame as error:
                    log.debug("closing a websocket that sent a broken frame: %s", error)
                    return
            elif message.type is WSMsgType.PING:
                if not self._connection.silent:
                    await self._websocket.pong(message.data)
            elif message.type is not WSMsgType.PONG:
                if message.type is WSMsgType.CLOSE:
                    # A silent peer does not answer the closing handshake either.
                    await self._connection.until_audible()
                return

    async def _write(self) -> None:
        frame = Frame(b"")
        while not frame.last:
            frame = await self._connection.next_frame()
            if frame.cut:
                self._write_half(frame.payload)
                self._connection.half_written()
                await self._connection.until_audible()
                return
            await self._websocket.send_frame(frame.payload, WSMsgType.TEXT)

    def _write_half(self, payload: bytes) -> None:
        """Write a frame's head and half of what it announces."""
        size = min(len(payload), _MOST_ANNOUNCED)
        head = struct.pack("!BBH", _FINAL_TEXT, _LENGTH_FOLLOWS, size)
        if size < _LENGTH_FOLLOWS:
            head = bytes((_FINAL_TEXT, size))
        if not self._tcp.is_closing():
            self._tcp.write(head + payload[:size // 2])


async def serve_websocket(request: web.Request, endpoint: Served) -> web.StreamResponse:
    """A text frame each for what is sent, either way."""
    if request.method != "GET":
        raise web.HTTPMethodNotAllowed(request.method, ["GET"])
    instead = await endpoint.gate(HANDSHAKE, request)
    if instead is not None:
        return instead
    websocket = web.WebSocketResponse(
        autoping=False, autoclose=False, compress=False, timeout=CLOSE_HANDSHAKE_TIMEOUT)
    try:
        if request.transport is None:
            raise ConnectionResetError
        await websocket.prepare(request)
    except ConnectionError:
        # The client did not wait; nobody hears this.
        return web.Response(status=503)
    assert request.transport is not None  # it has just been written to
    connection = endpoint.connect(WEBSOCKET)
    connection.attach(request.transport)
    try:
        await endpoint.gate(OPEN, request)
        connection.opens()
        await _Websocket(websocket, connection, request.transport).carry()
    finally:
        endpoint.connections.discard(connection)
    return websocket
