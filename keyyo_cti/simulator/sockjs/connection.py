"""One SockJS connection, independent of its transport."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Callable, Iterable, List, Optional, Protocol, Union

from . import tcp
from .frames import HEARTBEAT, OPENING, Frame, encode_messages, make_close_frame
from .outbox import Outbox

log = logging.getLogger("keyyo_cti.simulator")


class Handler(Protocol):
    """A receiver of the events of connections, called on the loop's thread."""

    def opened(self, connection: Connection) -> None:
        """The connection is open and may send."""

    def message(self, connection: Connection, text: str) -> None:
        """A message has arrived."""

    def closed(self, connection: Connection) -> None:
        """An open connection has ended; called once."""


class Connection:
    """One SockJS connection as its handler sees it; use it on the loop's thread only.

    Over HTTP, one receiver after the other carries it, each possibly on a new TCP connection.
    Faults of TCP apply to the current receiver, or to the next one if there is none.

    :param handler: receives its events.
    :param heartbeat: seconds between two heartbeats.
    :param transport: the name of its transport, for example "xhr-polling".
    """

    def __init__(self, handler: Handler, heartbeat: float, transport: str) -> None:
        self.transport = transport
        self._handler = handler
        self._heartbeat = heartbeat
        self._tcp: Optional[asyncio.Transport] = None
        self._tcp_fault: Optional[tcp.TcpFault] = None
        self._cut: Optional[Callable[[Connection], None]] = None
        self._broken = False
        self._outbox = Outbox()
        self._heartbeat_timer: Optional[asyncio.TimerHandle] = None
        self._new = True
        self._open = False
        self._closing = False
        self._audible = asyncio.Event()
        self._audible.set()
        self._reading = asyncio.Event()
        self._reading.set()

    # For the handler

    def send(self, text: str) -> bool:
        """Send one message; discard it after closing and in a silence.

        :returns: True if it will be sent.
        """
        return self.send_many([text])

    def send_many(self, texts: List[str], *, packed: bool = True) -> bool:
        """Send messages in one frame or one frame each.

        Without a receiver, packed messages go into one frame with all other pending ones.

        :returns: True if they will be sent.
        """
        if packed:
            self._put(Frame(encode_messages(texts), messages=texts))
        else:
            for text in texts:
                self._put(Frame(encode_messages([text])))
        return self._can_send

    def send_frame(self, frame: Union[str, bytes]) -> bool:
        """Send a frame without checking it.

        :returns: True if it will be sent.
        """
        self._put(Frame(frame.encode("utf-8") if isinstance(frame, str) else frame))
        return self._can_send

    def close(self, code: int, reason: str) -> None:
        """Send a close frame, then close the transport."""
        self._put(make_close_frame(code, reason))
        self._closing = True

    def cut_next(self, then: Callable[[Connection], None]) -> None:
        """Write half of the next frame with messages and then nothing.

        :param then: called with the connection after the write.
        """
        self._cut = then

    def drop(self) -> None:
        """Close TCP without a close frame."""
        self._apply_tcp_fault(tcp.drop)

    def reset(self) -> None:
        """Reset TCP, so that the peer loses unread data."""
        self._apply_tcp_fault(tcp.reset)

    def silence(self) -> None:
        """Stop sending, heartbeats and PONGs included, and ignore what arrives; TCP stays open."""
        self._audible.clear()

    def stop_reading(self) -> None:
        """Stop sending and reading, so that the peer's writes block."""
        self.silence()
        self._reading.clear()
        if self._tcp is not None:
            self._tcp.pause_reading()

    def resume(self) -> None:
        """End `silence` and `stop_reading`; messages of the silence stay lost."""
        if self._broken:
            # Otherwise the peer would read the next frame as the other half of the cut one.
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
        """True if it was never opened."""
        return self._new

    @property
    def cut_off(self) -> bool:
        """True if the TCP connection that carries it has ended."""
        return self._tcp is not None and self._tcp.is_closing()

    async def wait_until_audible(self) -> None:
        await self._audible.wait()

    async def wait_until_reading(self) -> None:
        await self._reading.wait()

    def attach(self, transport: asyncio.Transport) -> None:
        """Let a TCP connection carry it."""
        self._tcp = transport
        if not self._reading.is_set():
            transport.pause_reading()
        self._outbox.join()
        if self._open:
            self._schedule_heartbeat()

    def detach(self) -> None:
        """Release the TCP connection, until the next receiver attaches one."""
        if self._tcp is not None and not self._reading.is_set():
            self._tcp.resume_reading()
        self._tcp = None
        self._cancel_heartbeat()

    @property
    def tcp_fault(self) -> Optional[tcp.TcpFault]:
        """The fault that ended it, or None."""
        return self._tcp_fault

    def open(self) -> None:
        """Send the opening frame and start the heartbeats."""
        self._new = False
        self._open = True
        self._put(OPENING)
        self._schedule_heartbeat()
        self._call_handler(self._handler.opened, self)

    def receive(self, messages: Iterable[str]) -> None:
        """Pass a client's messages to the handler."""
        for message in messages:
            if self._open and not self._closing and not self.silent:
                self._call_handler(self._handler.message, self, message)

    async def next_frame(self) -> Frame:
        """Return the next frame to send; the last frame is returned again each time."""
        return await self._outbox.next()

    def finish_cut(self) -> None:
        """Apply the fault of `cut_next` after half of the frame is written."""
        self._broken = True
        assert self._cut is not None
        self._cut(self)

    def mark_closed(self) -> None:
        """End the connection and call `Handler.closed`; harmless to repeat."""
        self._closing = True
        self._audible.set()
        self._reading.set()
        self._cancel_heartbeat()
        if self._open:
            self._open = False
            self._call_handler(self._handler.closed, self)

    # Private

    @property
    def _can_send(self) -> bool:
        return not self._closing and not self.silent

    def _put(self, frame: Frame) -> None:
        if not self._can_send:
            return
        if self._cut is not None and frame.payload[:1] == b"a":
            # Half a frame delivers no message, and nothing may follow it.
            frame = frame._replace(messages=None, cut=True)
            self._closing = True
        self._outbox.put(frame)

    def _apply_tcp_fault(self, fault: tcp.TcpFault) -> None:
        self._tcp_fault = fault
        if self._tcp is not None:
            fault(self._tcp)
        self.mark_closed()

    def _schedule_heartbeat(self) -> None:
        loop = asyncio.get_running_loop()
        self._heartbeat_timer = loop.call_later(self._heartbeat, self._send_heartbeat)

    def _cancel_heartbeat(self) -> None:
        if self._heartbeat_timer is not None:
            self._heartbeat_timer.cancel()

    def _send_heartbeat(self) -> None:
        self._put(HEARTBEAT)
        self._schedule_heartbeat()

    def _call_handler(self, method: Callable[..., None], *args: Any) -> None:
        try:
            method(*args)
        except Exception:
            # Otherwise an exception in a handler would end the connection.
            log.exception("the handler failed")
