"""The transports "xhr-streaming" and "xhr-polling": frames in the responses to POST requests.

If a receiver's TCP connection breaks, its current frame is lost. The session then ends, so that
the handler learns of the loss. sockjs-node does the same.
"""

from __future__ import annotations

import asyncio
from functools import wraps
from typing import Awaitable, Callable, List, NamedTuple

from aiohttp import HttpVersion11, web

from . import gate
from .connection_table import ConnectionTable
from .disconnect_watcher import DisconnectWatcher
from .frames import EXPECTED, BrokenFrame, Frame, decode_posted, make_close_frame
from .headers import (
    POST_METHODS,
    SCRIPT,
    TEXT,
    UNCACHED,
    make_cors_headers,
    make_preflight_response,
)
from .http_session import HttpSession

XHR_STREAMING, XHR_POLLING = "xhr-streaming", "xhr-polling"

PRELUDE = b"h" * 2048 + b"\n"
BODY_TYPES = ("", "text/plain", "T", "application/json", "application/xml", "text/xml")
STILL_OPEN = make_close_frame(2010, "Another connection still open")

Serve = Callable[[web.Request, ConnectionTable], Awaitable[web.StreamResponse]]


class ReceiverKind(NamedTuple):
    """The difference between the two kinds of receiver.

    :ivar transport: its name.
    :ivar prelude: the start of its response.
    :ivar limit: bytes after which its response ends; frames are never split.
    """

    transport: str
    prelude: bytes
    limit: int


class _Receiver:
    """One response that carries frames of a session."""

    def __init__(self, request: web.Request, table: ConnectionTable, kind: ReceiverKind) -> None:
        self._request = request
        self._table = table
        self._kind = kind
        headers = {**table.make_headers(request), **UNCACHED, **SCRIPT}
        self._response = web.StreamResponse(headers={**headers, **make_cors_headers(request)})

    async def serve(self, transport: asyncio.Transport) -> web.StreamResponse:
        """Carry the session until the response is full or the client disconnects."""
        session = self._table.get_session(self._request, self._kind.transport)
        tcp_fault = session.connection.tcp_fault
        if tcp_fault is not None:
            # A fault ended the connection while it had no receiver.
            tcp_fault(transport)
            session.end()
        elif session.received:
            await session.connection.wait_until_audible()
            await self._begin()
            await self._write(STILL_OPEN)
        else:
            await self._receive(session, transport)
        return self._response

    async def _receive(self, session: HttpSession, transport: asyncio.Transport) -> None:
        session.connection.transport = self._kind.transport
        session.attach(transport)
        with DisconnectWatcher(transport) as departure:
            carrying = asyncio.ensure_future(self._carry(session, transport))
            leaving = asyncio.ensure_future(departure.wait())
            try:
                await asyncio.wait((carrying, leaving), return_when=asyncio.FIRST_COMPLETED)
            finally:
                carrying.cancel()
                leaving.cancel()
                outcome, _ = await asyncio.gather(carrying, leaving, return_exceptions=True)
                if outcome is not None:
                    session.end()
        if isinstance(outcome, Exception) and not isinstance(outcome, ConnectionError):
            raise outcome

    async def _carry(self, session: HttpSession, transport: asyncio.Transport) -> None:
        connection = session.connection
        await connection.wait_until_audible()
        await self._begin()
        if connection.new:
            await self._table.gate(gate.OPEN, self._request)
            connection.open()
        frame, size = Frame(b""), 0
        while size < self._kind.limit and not frame.last:
            frame = await connection.next_frame()
            if frame.cut:
                await self._write_half(frame, transport)
                connection.finish_cut()
                await connection.wait_until_audible()
                return
            size += await self._write(frame)
        if frame.last:
            connection.mark_closed()
        # Before the response ends. Otherwise the next receiver could find this one attached.
        session.detach()

    async def _begin(self) -> None:
        if self._request.version < HttpVersion11:
            # HTTP/1.0 has no chunks: only closing TCP can end a response of unknown length.
            self._response.force_close()
        await self._response.prepare(self._request)
        if self._kind.prelude:
            await self._response.write(self._kind.prelude)

    async def _write(self, frame: Frame) -> int:
        line = frame.payload + b"\n"
        await self._response.write(line)
        return len(line)

    async def _write_half(self, frame: Frame, transport: asyncio.Transport) -> None:
        """Write a quarter of the line as a chunk, then part of another chunk."""
        line = frame.payload + b"\n"
        first, rest = line[:len(line) // 4], line[len(line) // 4:]
        await self._response.write(first)
        if not transport.is_closing():
            transport.write(b"%x\r\n" % len(rest) + rest[:len(rest) // 3])


def _require_post(serve: Serve) -> Serve:
    """Return a function that also handles CORS preflight and refuses other methods."""

    @wraps(serve)
    async def answer(request: web.Request, table: ConnectionTable) -> web.StreamResponse:
        if request.method == "OPTIONS":
            return make_preflight_response(request, POST_METHODS, table.make_headers(request))
        if request.method != "POST":
            raise web.HTTPMethodNotAllowed(request.method, POST_METHODS)
        return await serve(request, table)

    return answer


async def _receive(
    request: web.Request, table: ConnectionTable, phase: str, kind: ReceiverKind
) -> web.StreamResponse:
    instead = await table.gate(phase, request)
    if instead is not None:
        return instead
    if request.transport is None:
        # The client has disconnected and does not receive this response.
        return web.Response(status=503)
    return await _Receiver(request, table, kind).serve(request.transport)


@_require_post
async def serve_streaming(request: web.Request, table: ConnectionTable) -> web.StreamResponse:
    """Send a response with many frames, one a line."""
    kind = ReceiverKind(XHR_STREAMING, PRELUDE, table.stream_limit)
    return await _receive(request, table, gate.XHR_STREAMING, kind)


@_require_post
async def serve_polling(request: web.Request, table: ConnectionTable) -> web.StreamResponse:
    """Send a response with one frame as soon as there is one."""
    return await _receive(request, table, gate.XHR, ReceiverKind(XHR_POLLING, b"", 1))


async def _read_messages(request: web.Request) -> List[str]:
    """Return the posted messages.

    :raises BrokenFrame: there are none, or they are malformed.
    """
    if request.headers.get("Content-Type", "").partition(";")[0] not in BODY_TYPES:
        raise BrokenFrame(EXPECTED)
    return decode_posted(await request.read())


@_require_post
async def serve_send(request: web.Request, table: ConnectionTable) -> web.StreamResponse:
    """Receive an array of messages, for either receiving transport.

    A connection that has stopped reading leaves the messages unread, and a silent one loses them.
    In both cases the response waits until the connection resumes.
    """
    instead = await table.gate(gate.XHR_SEND, request)
    if instead is not None:
        return instead
    session = table.find_session(request)
    if session is not None:
        await session.connection.wait_until_reading()
    headers = {**table.make_headers(request), **UNCACHED, **TEXT, **make_cors_headers(request)}
    try:
        messages = await _read_messages(request)
    except BrokenFrame as error:
        return web.Response(status=500, text=str(error), headers=headers)
    except (ConnectionError, web.RequestPayloadError):
        # The client has disconnected during the request and does not receive this response.

        return web.Response(status=400, headers=headers)
    session = table.find_session(request)
    if session is None:
        return web.Response(status=404, text="404 Error: Page not found\n", headers=headers)
    session.connection.receive(messages)
    await session.connection.wait_until_audible()
    return web.Response(status=204, headers=headers)
