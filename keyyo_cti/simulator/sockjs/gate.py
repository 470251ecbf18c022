"""Where a new connection can be held up or turned away: the points that a fault can be at."""

from __future__ import annotations

from typing import Awaitable, Callable, Optional

from aiohttp import web

INFO, HANDSHAKE, XHR_STREAMING, XHR, XHR_SEND, OPEN = PHASES = (
    "info", "handshake", "xhr_streaming", "xhr", "xhr_send", "open")

Gate = Callable[[str, web.Request], Awaitable[Optional[web.StreamResponse]]]
"""Asked before each of `PHASES`; may wait, or give a response to use instead. Nobody looks at
the response before "open": by then the answer has begun."""


async def no_gate(phase: str, request: web.Request) -> Optional[web.StreamResponse]:
    """Nothing is in the way."""
    return None
