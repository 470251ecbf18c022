"""The table of the transports."""

from __future__ import annotations

from typing import Awaitable, Callable, Dict, Tuple

from aiohttp import web

from .connection_table import ConnectionTable
from .websocket import WEBSOCKET, serve_websocket
from .xhr import XHR_POLLING, XHR_STREAMING, serve_polling, serve_send, serve_streaming

Transport = Callable[[web.Request, ConnectionTable], Awaitable[web.StreamResponse]]

TRANSPORTS: Dict[str, Transport] = {
    "websocket": serve_websocket,
    "xhr_streaming": serve_streaming,
    "xhr": serve_polling,
    "xhr_send": serve_send,
}
"""The function of each transport request, by the last part of its URL."""

URLS: Dict[str, Tuple[str, ...]] = {
    WEBSOCKET: ("websocket",),
    XHR_STREAMING: ("xhr_streaming", "xhr_send"),
    XHR_POLLING: ("xhr", "xhr_send"),
}

TRANSPORT_NAMES = tuple(URLS)
"""The names of the transports in a client's order of preference."""
