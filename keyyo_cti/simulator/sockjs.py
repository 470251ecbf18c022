"""The server side of SockJS, on aiohttp; it knows nothing of telephones.

An `Endpoint` serves the URLs below one base, a `Handler` is told what happens on each
`Connection`. A script that plays a server for a test is just another handler.

Each transport is a function in `TRANSPORTS` under the last part of its URL: it gets the request
and the endpoint, makes a `Connection` with `Endpoint.connect` and carries the frames of
`Connection.next_frame` out and the messages in.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import socket
import struct
from typing import Any, Awaitable, Callable, Dict, List, NamedTuple, Optional, Protocol, Set, Union

from aiohttp import WSMsgType, web

log = logging.getLogger("keyyo_cti.simulator")

GREETING = "Welcome to SockJS!\n"
CLOSE_HANDSHAKE_TIMEOUT = 1.0
INFO, HANDSHAKE, OPEN = PHASES = ("info", "handshake", "open")

Gate = Callable[[str, web.Request], Awaitable[Optional[web.StreamResponse]]]


class BrokenFrame(ValueError):
    """What a client sent is no JSON string and no JSON array of strings."""


class Frame(NamedTuple):
    """One frame to send; after the last one the transport closes."""

    payload: bytes
    last: bool = False


class Handler(Protocol):
    """Who is told what happens on the connections; always on the loop's thread."""

    def opened(self, connection: Connection) -> None:
        """The opening frame is under way; sending is allowed from here on."""

    def message(self, connection: Connection, text: str) -> None:
        """One message has come in."""

    def closed(self, connection: Connection) -> None:
        """The connection is over, whoever ended it; told once, and only if it was opened."""


def encode_messages(messages: List[str]) -> bytes:
    """The frame that carries `messages`; ASCII, so that a lone surrogate passes."""
    return b"a" + json.dumps(messages, separators=(",", ":")).encode("ascii")


def decode_messages(text: str) -> List[str]:
    """The messages in one frame of a client: an array of strings, one string, or nothing.

    :raises BrokenFrame: it is none of these.
    """
    if not text:
        return []
    try:
        decoded = json.loads(text)
    except (ValueError, RecursionError):
        raise BrokenFrame("not JSON") from None
    messages = [decoded] if isinstance(decoded, str) else decoded
    if not isinstance(messages, list) or not all(isinstance(each, str) for each in messages):
        raise BrokenFrame("not an array of strings")
    return messages


class Connection:
    """One SockJS connection as its handler sees it. Use it on the loop's thread only.

    :param handler: who is told what happens.
    :param heartbeat: seconds between two heartbeats.
    :param transport: the TCP connection, for the faults that a network has.
    """

    def __init__(
        self, handler: Handler, heartbeat: float, transport: asyncio.Transport
    ) -> None:
        self._handler = handler
        self._heartbeat = heartbeat
        self._transport = transport
        self._outbox: asyncio.Queue[Frame] = asyncio.Queue()
        self._beat: Optional[asyncio.TimerHandle] = None
        self._open = False
        self._closing = False
        self._audible = asyncio.Event()
        self._audible.set()

    # For the handler

    def send(self, text: str) -> None:
        """Send one message; after closing it goes nowhere."""
        self.send_many([text])

    def send_many(self, texts: List[str], *, packed: bool = True) -> None:
        """Send several messages, packed into one frame or in a frame each."""
        batches = [texts] if packed else [[text] for text in texts]
        for batch in batches:
            self.send_frame(encode_messages(batch))

    def send_frame(self, frame: Union[str, bytes]) -> None:
        """Send something as a frame, right or wrong."""
        self._put(Frame(frame.encode("utf-8") if isinstance(frame, str) else frame))

    def close(self, code: int, reason: str) -> None:
        """Say goodbye with a close frame, then close the transport."""
        goodbye = json.dumps([code, reason], separators=(",", ":"))
        self._put(Frame(b"c" + goodbye.encode("ascii"), last=True))
        self._closing = True

    def drop(self) -> None:
        """Close TCP without a word."""
        self._transport.close()
        self.lost()

    def reset(self) -> None:
        """Reset TCP: what was not read yet is lost to the peer."""
        tcp = self._transport.get_extra_info("socket")
        if tcp is not None:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()
        self.lost()

    def silence(self) -> None:
        """Send nothing and ignore what comes, heartbeats and PINGs included; TCP stays open."""
        self._audible.clear()

    def stop_reading(self) -> None:
        """Be silent and read nothing either, so that the peer's sends come to a halt."""
        self.silence()
        self._transport.pause_reading()

    def resume(self) -> None:
        """Be as before `silence` or `stop_reading`; what fell into the silence is lost."""
        self._audible.set()
        self._transport.resume_reading()

    # For the transport

    @property
    def silent(self) -> bool:
        return not self._audible.is_set()

    async def until_audible(self) -> None:
        await self._audible.wait()

    def opens(self) -> None:
        """Send the opening frame and start the heartbeats."""
        self._open = True
        self._put(Frame(b"o"))
        self._schedule_heartbeat()
        self._tell(self._handler.opened, self)

    def receive(self, text: str) -> None:
        """Hand a client's frame to the handler, message by message.

        :raises BrokenFrame: see `decode_messages`.
        """
        for message in decode_messages(text):
            if self._open and not self._closing and not self.silent:
                self._tell(self._handler.message, self, message)

    async def next_frame(self) -> Frame:
        return await self._outbox.get()

    def lost(self) -> None:
        """The connection is over; harmless to say twice."""
        self._closing = True
        self._audible.set()
        if self._beat is not None:
            self._beat.cancel()
        if self._open:
            self._open = False
            self._tell(self._handler.closed, self)

    # Inside

    def _put(self, frame: Frame) -> None:
        if not self._closing and not self.silent:
            self._outbox.put_nowait(frame)

    def _schedule_heartbeat(self) -> None:
        loop = asyncio.get_running_loop()
        self._beat = loop.call_later(self._heartbeat, self._send_heartbeat)

    def _send_heartbeat(self) -> None:
        self._put(Frame(b"h"))
        self._schedule_heartbeat()

    def _tell(self, told: Callable[..., None], *args: Any) -> None:
        try:
            told(*args)
        except Exception:
            # One mistake in a handler must not take the connection with it.
            log.exception("the handler failed")


async def _pass(phase: str, request: web.Request) -> Optional[web.StreamResponse]:
    return None


class Endpoint:
    """The SockJS URLs below one base.

    :param handler: who is told what happens on the connections.
    :param path: the base, for example "/cti".
    :param heartbeat: seconds between two heartbeats on a connection.
    :param disconnect_delay: seconds that a polling client may stay away; websocket needs none.
    :param gate: asked before each of `PHASES`; may wait, or give a response to use instead.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        path: str = "/cti",
        heartbeat: float = 25.0,
        disconnect_delay: float = 5.0,
        gate: Gate = _pass,
    ) -> None:
        self.path = path
        self.heartbeat = heartbeat
        self.disconnect_delay = disconnect_delay
        self.gate = gate
        self.connections: Set[Connection] = set()
        self._handler = handler

    def application(self) -> web.Application:
        """The aiohttp application that serves the base."""
        application = web.Application()
        segment = "[^/.]+"
        application.add_routes([
            web.get(self.path, self._greet),
            web.get(self.path + "/", self._greet),
            web.get(self.path + "/info", self._info),
            web.route("*", f"{self.path}/{{server:{segment}}}/{{session:{segment}}}/{{transport}}",
                      self._transport),
        ])
        return application

    def connect(self, request: web.Request) -> Connection:
        """A connection for a transport to carry."""
        assert request.transport is not None  # a request in hand has one
        connection = Connection(self._handler, self.heartbeat, request.transport)
        self.connections.add(connection)
        return connection

    async def _greet(self, request: web.Request) -> web.StreamResponse:
        return web.Response(text=GREETING)

    async def _info(self, request: web.Request) -> web.StreamResponse:
        instead = await self.gate(INFO, request)
        if instead is not None:
            return instead
        facts = {
            "websocket": "websocket" in TRANSPORTS,
            "origins": ["*:*"],
            "cookie_needed": False,
            "entropy": random.getrandbits(32),
        }
        return web.json_response(facts, headers={"Cache-Control": "no-store"})

    async def _transport(self, request: web.Request) -> web.StreamResponse:
        transport = TRANSPORTS.get(request.match_info["transport"])
        if transport is None:
            raise web.HTTPNotFound()
        return await transport(request, self)


class _Websocket:
    """Carries one connection over a websocket."""

    def __init__(self, websocket: web.WebSocketResponse, connection: Connection) -> None:
        self._websocket = websocket
        self._connection = connection

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
                    self._connection.receive(message.data)
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
            await self._websocket.send_frame(frame.payload, WSMsgType.TEXT)


async def serve_websocket(request: web.Request, endpoint: Endpoint) -> web.StreamResponse:
    """The websocket transport: a text frame each for what is sent, either way."""
    instead = await endpoint.gate(HANDSHAKE, request)
    if instead is not None:
        return instead
    websocket = web.WebSocketResponse(
        autoping=False, autoclose=False, compress=False, timeout=CLOSE_HANDSHAKE_TIMEOUT)
    await websocket.prepare(request)
    connection = endpoint.connect(request)
    try:
        await endpoint.gate(OPEN, request)
        connection.opens()
        await _Websocket(websocket, connection).carry()
    finally:
        endpoint.connections.discard(connection)
    return websocket


Transport = Callable[[web.Request, Endpoint], Awaitable[web.StreamResponse]]

TRANSPORTS: Dict[str, Transport] = {"websocket": serve_websocket}
"""The transports by the last part of their URL."""
