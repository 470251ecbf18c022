"""One SockJS connection, whatever carries it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Callable, Iterable, List, Optional, Protocol, Union

from . import tcp
from .frames import HEARTBEAT, OPENING, Frame, encode_messages, goodbye
from .outbox import Outbox

log = logging.getLogger("keyyo_cti.simulator")


class Handler(Protocol):
    """Who is told what happens on the connections; always on the loop's thread."""

    def opened(self, connection: Connection) -> None:
        """The opening frame is under way; sending is allowed from here on."""

    def message(self, connection: Connection, text: str) -> None:
        """One message has come in."""

    def closed(self, connection: Connection) -> None:
        """The connection is over, whoever ended it; told once, and only if it was opened."""


class Connection:
    """One SockJS connection as its handler sees it. Use it on the loop's thread only.

    Over HTTP it is carried by one receiver after the other, each on a TCP connection that may be
    another one; what is done to TCP is done to the receiver's. Between two receivers it waits
    for the next one.

    :param handler: who is told what happens.
    :param heartbeat: seconds between two heartbeats.
    :param transport: the name of what carries it, for example "xhr-polling".
    """

    def __init__(self, handler: Handler, heartbeat: float, transport: str) -> None:
        self.transport = transport
        self._handler = handler
        self._heartbeat = heartbeat
        self._tcp: Optional[asyncio.Transport] = None
        self._doom: Optional[tcp.Blow] = None
        self._cut: Optional[Callable[[Connection], None]] = None
        self._broken = False
        self._outbox = Outbox()
        self._beat: Optional[asyncio.TimerHandle] = None
        self._new = True
        self._open = False
        self._closing = False
        self._audible = asyncio.Event()
        self._audible.set()
        self._reading = asyncio.Event()
        self._reading.set()

    # For the handler

    def send(self, text: str) -> bool:
        """Send one message; after closing, and in a silence, it goes nowhere.

        :returns: whether it is under way.
        """
        return self.send_many([text])

    def send_many(self, texts: List[str], *, packed: bool = True) -> bool:
        """Send several messages, packed into one frame or in a frame each.

        Packed messages that no receiver is there for go out in one frame with all the others
        that wait.

        :returns: whether they are under way.
        """
        if packed:
            self._put(Frame(encode_messages(texts), messages=texts))
        else:
            for text in texts:
                self._put(Frame(encode_messages([text])))
        return self._carries

    def send_frame(self, frame: Union[str, bytes]) -> bool:
        """Send something as a frame, right or wrong.

        :returns: whether it is under way.
        """
        self._put(Frame(frame.encode("utf-8") if isinstance(frame, str) else frame))
        return self._carries

    def close(self, code: int, reason: str) -> None:
        """Say goodbye with a close frame, then close the transport."""
        self._put(goodbye(code, reason))
        self._closing = True

    def cut_next(self, then: Callable[[Connection], None]) -> None:
        """Write half of the next frame that has messages, and nothing more.

        :param then: what happens to the connection then.
        """
        self._cut = then

    def drop(self) -> None:
        """Close TCP without a word."""
        self._end(tcp.drop)

    def reset(self) -> None:
        """Reset TCP: what was not read yet is lost to the peer."""
        self._end(tcp.reset)

    def silence(self) -> None:
        """Send nothing and ignore what comes, heartbeats and PINGs included; TCP stays open."""
        self._audible.clear()

    def stop_reading(self) -> None:
        """Be silent and read nothing either, so that the peer's sends come to a halt."""
        self.silence()
        self._reading.clear()
        if self._tcp is not None:
            self._tcp.pause_reading()

    def resume(self) -> None:
        """Be as before `silence` or `stop_reading`; what fell into the silence is lost."""
        if self._broken:
            # Whatever is written behind half a frame would be read as its other half.
            return
        self._audible.set()
        self._reading.set()
        if self._tcp is not None:
            self._tcp.resume_reading()

    # For the transport

    @property
    def silent(self) -> bool:
        return not self._audible.is_set()

    @property
    def new(self) -> bool:
        """Whether it was never opened."""
        return self._new

    @property
    def cut_off(self) -> bool:
        """True if the TCP connection that carries it has ended."""
        return self._tcp is not None and self._tcp.is_closing()

    async def until_audible(self) -> None:
        await self._audible.wait()

    async def until_reading(self) -> None:
        await self._reading.wait()

    def attach(self, transport: asyncio.Transport) -> None:
        """Be carried by a TCP connection from here on."""
        self._tcp = transport
        if not self._reading.is_set():
            transport.pause_reading()
        self._outbox.join()
        if self._open:
            self._schedule_heartbeat()

    def detach(self) -> None:
        """Be carried by nothing, until the next receiver comes."""
        if self._tcp is not None and not self._reading.is_set():
            self._tcp.resume_reading()
        self._tcp = None
        self._cancel_heartbeat()

    @property
    def doom(self) -> Optional[tcp.Blow]:
        """What was done to it: it was dropped or reset."""
        return self._doom

    def opens(self) -> None:
        """Send the opening frame and start the heartbeats."""
        self._new = False
        self._open = True
        self._put(OPENING)
        self._schedule_heartbeat()
        self._tell(self._handler.opened, self)

    def receive(self, messages: Iterable[str]) -> None:
        """Hand a client's messages to the handler."""
        for message in messages:
            if self._open and not self._closing and not self.silent:
                self._tell(self._handler.message, self, message)

    async def next_frame(self) -> Frame:
        """The next frame to carry. The last one can be had again."""
        return await self._outbox.next()

    def half_written(self) -> None:
        """Half of a frame is out: do to the connection what was asked for then."""
        self._broken = True
        assert self._cut is not None
        self._cut(self)

    def lost(self) -> None:
        """The connection is over; harmless to say twice."""
        self._closing = True
        self._audible.set()
        self._reading.set()
        self._cancel_heartbeat()
        if self._open:
            self._open = False
            self._tell(self._handler.closed, self)

    # Inside

    @property
    def _carries(self) -> bool:
        return not self._closing and not self.silent

    def _put(self, frame: Frame) -> None:
        if not self._carries:
            return
        if self._cut is not None and frame.payload[:1] == b"a":
            # The messages of this frame never arrive, nor does anything after it.
            frame = frame._replace(messages=None, cut=True)
            self._closing = True
        self._outbox.put(frame)

    def _end(self, blow: tcp.Blow) -> None:
        self._doom = blow
        if self._tcp is not None:
            blow(self._tcp)
        self.lost()

    def _schedule_heartbeat(self) -> None:
        loop = asyncio.get_running_loop()
        self._beat = loop.call_later(self._heartbeat, self._send_heartbeat)

    def _cancel_heartbeat(self) -> None:
        if self._beat is not None:
            self._beat.cancel()

    def _send_heartbeat(self) -> None:
        self._put(HEARTBEAT)
        self._schedule_heartbeat()

    def _tell(self, told: Callable[..., None], *args: Any) -> None:
        try:
            told(*args)
        except Exception:
            # One mistake in a handler must not take the connection with it.
            log.exception("the handler failed")
