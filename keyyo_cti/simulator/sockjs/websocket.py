"""The transport "websocket"."""

from __future__ import annotations

import asyncio
import logging
import struct

from aiohttp import WSMsgType, web

from .connection import Connection
from .connection_table import ConnectionTable
from .frames import BrokenFrame, Frame, decode_messages
from .gate import HANDSHAKE, OPEN

log = logging.getLogger("keyyo_cti.simulator")

WEBSOCKET = "websocket"
CLOSE_HANDSHAKE_TIMEOUT = 1.0

_FINAL_TEXT = 0x81
"""The first byte of an unfragmented text frame."""

_LENGTH_FOLLOWS, _MAX_PAYLOAD_BYTES = 126, 0xFFFF
"""The second byte of a frame with a two-byte length, and the maximum of that length."""


class _Websocket:
    """A websocket that carries one connection."""

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
        """Carry frames and messages until either side ends the connection."""
        tasks = [asyncio.ensure_future(each) for each in (self._read(), self._write())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._connection.mark_closed()
        await self._websocket.close()

    async def _read(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message.type is WSMsgType.TEXT:
                try:
                    self._connection.receive(decode_messages(message.data))
                except BrokenFrame as error:
                    log.debug("closing a websocket after a broken frame: %s", error)
                    return
            elif message.type is WSMsgType.PING:
                if not self._connection.silent:
                    await self._websocket.pong(message.data)
            elif message.type is not WSMsgType.PONG:
                if message.type is WSMsgType.CLOSE:
                    # A silent connection must not answer the closing handshake either.
                    await self._connection.wait_until_audible()
                return

    async def _write(self) -> None:
        frame = Frame(b"")
        while not frame.last:
            frame = await self._connection.next_frame()
            if frame.cut:
                self._write_half(frame.payload)
                self._connection.finish_cut()
                await self._connection.wait_until_audible()
                return
            await self._websocket.send_frame(frame.payload, WSMsgType.TEXT)

    def _write_half(self, payload: bytes) -> None:
        """Write the head of a frame and half of its payload."""
        size = min(len(payload), _MAX_PAYLOAD_BYTES)
        head = struct.pack("!BBH", _FINAL_TEXT, _LENGTH_FOLLOWS, size)
        if size < _LENGTH_FOLLOWS:
            head = bytes((_FINAL_TEXT, size))
        if not self._tcp.is_closing():
            self._tcp.write(head + payload[:size // 2])


async def serve_websocket(request: web.Request, table: ConnectionTable) -> web.StreamResponse:
    """Serve a websocket, with one text frame for each SockJS frame."""
    if request.method != "GET":
        raise web.HTTPMethodNotAllowed(request.method, ["GET"])
    instead = await table.gate(HANDSHAKE, request)
    if instead is not None:
        return instead
    websocket = web.WebSocketResponse(
        autoping=False, autoclose=False, compress=False, timeout=CLOSE_HANDSHAKE_TIMEOUT)
    try:
        if request.transport is None:
            raise ConnectionResetError
        await websocket.prepare(request)
    except ConnectionError:
        # The client has disconnected and does not receive this response.
        return web.Response(status=503)
    assert request.transport is not None  # prepare() has just written to it
    connection = table.connect(WEBSOCKET)
    connection.attach(request.transport)
    try:
        await table.gate(OPEN, request)
        connection.open()
        await _Websocket(websocket, connection, request.transport).carry()
    finally:
        table.connections.discard(connection)
    return websocket
