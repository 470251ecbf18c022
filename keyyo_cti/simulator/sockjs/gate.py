"""The phases of a new connection, where a test can delay or refuse it."""

from __future__ import annotations

from typing import Awaitable, Callable, Optional

from aiohttp import web

INFO, HANDSHAKE, XHR_STREAMING, XHR, XHR_SEND, OPEN = PHASES = (
    "info", "handshake", "xhr_streaming", "xhr", "xhr_send", "open")

Gate = Callable[[str, web.Request], Awaitable[Optional[web.StreamResponse]]]
"""Called before each of `PHASES`; it may wait, or return a response to send instead.

The response of phase "open" is ignored, because the transport has sent its headers by then.
"""


async def no_gate(phase: str, request: web.Request) -> Optional[web.StreamResponse]:
    """Let every request through."""
    return None
