"""The transports "xhr-streaming" and "xhr-polling": frames in the answers to POST requests.

A frame is lost when its receiver's TCP connection breaks under it. The session is over then and
the handler is told, so that nobody takes it for delivered. sockjs-node does the same.
"""

from __future__ import annotations

import asyncio
from functools import wraps
from typing import Awaitable, Callable, List, NamedTuple

from aiohttp import HttpVersion11, web

from . import gate
from .disconnect_watcher import Departure
from .frames import EXPECTED, BrokenFrame, Frame, decode_posted, goodbye
from .headers import POST_METHODS, SCRIPT, TEXT, UNCACHED, cors, preflight
from .http_session import HttpSession
from .served import Served

XHR_STREAMING, XHR_POLLING = "xhr-streaming", "xhr-polling"

PRELUDE = b"h" * 2048 + b"\n"
BODY_TYPES = ("", "text/plain", "T", "application/json", "application/xml", "text/xml")
STILL_OPEN = goodbye(2010, "Another connection still open")

Serve = Callable[[web.Request, Served], Awaitable[web.StreamResponse]]


class Kind(NamedTuple):
    """What tells one receiver from another.

    :ivar transport: its name.
    :ivar prelude: what it begins with.
    :ivar limit: bytes after which it ends; a frame is never cut.
    """

    transport: str
    prelude: bytes
    limit: int


class _Receiver:
    """One answer that carries frames of a session."""

    def __init__(self, request: web.Request, endpoint: Served, kind: Kind) -> None:
        self._request = request
        self._endpoint = endpoint
        self._kind = kind
        self._response = web.StreamResponse(
            headers={**endpoint.headers(request), **UNCACHED, **SCRIPT, **cors(request)})

    async def serve(self, transport: asyncio.Transport) -> web.StreamResponse:
        """Carry the session until this answer is full or the client is gone."""
        session = self._endpoint.session(self._request, self._kind.transport)
        doom = session.connection.doom
        if doom is not None:
            # It was struck while it had no receiver.
            doom(transport)
            session.end()
        elif session.received:
            await session.connection.until_audible()
            await self._begin()
            await self._write(STILL_OPEN)
        else:
            await self._receive(session, transport)
        return self._response

    async def _receive(self, session: HttpSession, transport: asyncio.Transport) -> None:
        session.connection.transport = self._kind.transport
        session.attach(transport)
        with Departure(transport) as departure:
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
        await connection.until_audible()
        await self._begin()
        if connection.new:
            await self._endpoint.gate(gate.OPEN, self._request)
            connection.opens()
        frame, size = Frame(b""), 0
        while size < self._kind.limit and not frame.last:
            frame = await connection.next_frame()
            if frame.cut:
                await self._write_half(frame, transport)
                connection.half_written()
                await connection.until_audible()
                return
            size += await self._write(frame)
        if frame.last:
            connection.lost()
        # Before the answer ends: its end brings the next receiver.
        session.detach()

    async def _begin(self) -> None:
        if self._request.version < HttpVersion11:
            # There are no chunks, so only the end of TCP can end an answer of unknown length.
            self._response.force_close()
        await self._response.prepare(self._request)
        if self._kind.prelude:
            await self._response.write(self._kind.prelude)

    async def _write(self, frame: Frame) -> int:
        line = frame.payload + b"\n"
        await self._response.write(line)
        return len(line)

    async def _write_half(self, frame: Frame, transport: asyncio.Transport) -> None:
        """Write a chunk with a quarter of the line, and half of one with the rest of it."""
        line = frame.payload + b"\n"
        first, rest = line[:len(line) // 4], line[len(line) // 4:]
        await self._response.write(first)
        if not transport.is_closing():
            transport.write(b"%x\r\n" % len(rest) + rest[:len(rest) // 3])


def _posted(serve: Serve) -> Serve:
    """A function that also answers browsers that ask first, and refuses other methods."""

    @wraps(serve)
    async def answer(request: web.Request, endpoint: Served) -> web.StreamResponse:
        if request.method == "OPTIONS":
            return preflight(request, POST_METHODS, endpoint.headers(request))
        if request.method != "POST":
            raise web.HTTPMethodNotAllowed(request.method, POST_METHODS)
        return await serve(request, endpoint)

    return answer


async def _receive(
    request: web.Request, endpoint: Served, phase: str, kind: Kind
) -> web.StreamResponse:
    instead = await endpoint.gate(phase, request)
    if instead is not None:
        return instead
    if request.transport is None:
        # The client did not wait; nobody hears this.
        return web.Response(status=503)
    return await _Receiver(request, endpoint, kind).serve(request.transport)


@_posted
async def serve_streaming(request: web.Request, endpoint: Served) -> web.StreamResponse:
    """An answer with many frames, a line each."""
    kind = Kind(XHR_STREAMING, PRELUDE, endpoint.stream_limit)
    return await _receive(request, endpoint, gate.XHR_STREAMING, kind)


@_posted
async def serve_polling(request: web.Request, endpoint: Served) -> web.StreamResponse:
    """An answer with one frame, once there is one."""
    return await _receive(request, endpoint, gate.XHR, Kind(XHR_POLLING, b"", 1))


async def _posted_messages(request: web.Request) -> List[str]:
    """The messages that have come in.

    :raises BrokenFrame: there are none, or they cannot be understood.
    """
    if request.headers.get("Content-Type", "").partition(";")[0] not in BODY_TYPES:
        raise BrokenFrame(EXPECTED)
    return decode_posted(await request.read())


@_posted
async def serve_send(request: web.Request, endpoint: Served) -> web.StreamResponse:
    """An array of messages from the client, for either transport.

    As on a websocket, a session that has stopped reading leaves the messages unread, and one
    that is silent loses them. Neither answers until it is resumed.
    """
    instead = await endpoint.gate(gate.XHR_SEND, request)
    if instead is not None:
        return instead
    session = endpoint.known_session(request)
    if session is not None:
        await session.connection.until_reading()
    headers = {**endpoint.headers(request), **UNCACHED, **TEXT, **cors(request)}
    try:
        messages = await _posted_messages(request)
    except BrokenFrame as error:
        return web.Response(status=500, text=str(error), headers=headers)
    except (ConnectionError, web.RequestPayloadError):
        # The client is gone before all of it has come; nobody hears this.
        return web.Response(status=400, headers=headers)
    session = endpoint.known_session(request)
    if session is None:
        return web.Response(status=404, text="404 Error: Page not found\n", headers=headers)
    session.connection.receive(messages)
    await session.connection.until_audible()
    return web.Response(status=204, headers=headers)
