"""The phases of a new connection, where a test can delay or refuse it."""

from __future__ import annotations

from typing import Awaitable, Callable, Optional

from aiohttp import web

INFO, HANDSHAKE, XHR_STREAMING, XHR, XHR_SEND, OPEN = PHASES = (
    "info", "handshake", "xhr_streaming", "xhr", "xhr_send", "open")

Gate = Callable[[str, web.Request], Awaitable[Optional[web.StreamResponse]]]
"""Called before each of `PHASES`; it may wait, or return a response to send instead.

In the phase "open" the transport has sent its headers, so a response is ignored. A gate that
closes or resets the TCP connection of the request works there too.
"""


async def no_gate(phase: str, request: web.Request) -> Optional[web.StreamResponse]:
    """Let every request through."""
    return None
