"""Detection of a client that disconnects during a response."""

from __future__ import annotations

import asyncio
from typing import Optional, cast


class DisconnectWatcher(asyncio.Protocol):
    """A detector for the end of a TCP connection.

    aiohttp does not report the end to a request handler. Inside its ``with`` block, the detector
    stands between the transport and aiohttp's protocol.

    :param transport: the TCP connection.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._protocol = cast(asyncio.Protocol, transport.get_protocol())
        self._ended = asyncio.Event()

    def __enter__(self) -> DisconnectWatcher:
        if self._transport.is_closing():
            self._ended.set()
        else:
            self._transport.set_protocol(self)
        return self

    def __exit__(self, *exception: object) -> None:
        if not self._transport.is_closing():
            self._transport.set_protocol(self._protocol)

    async def wait(self) -> None:
        """Wait until the connection has ended."""
        await self._ended.wait()

    # Called by the transport

    def connection_lost(self, exc: Optional[Exception]) -> None:
        self._ended.set()
        self._protocol.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._protocol.data_received(data)

    def eof_received(self) -> Optional[bool]:
        return self._protocol.eof_received()

    def pause_writing(self) -> None:
        self._protocol.pause_writing()

    def resume_writing(self) -> None:
        self._protocol.resume_writing()
