"""The server side of SockJS, on aiohttp; it is independent of the CTI service.

An `Endpoint` serves the URLs below one base, and a `Handler` receives the events of each
`Connection`. A test that plays a server writes its own handler.

`TRANSPORTS` has one function for each last part of a transport's URL. The function receives the
request and the `ConnectionTable`. It sends the frames of `Connection.next_frame` and passes
incoming messages on. One websocket carries one connection. Over HTTP, many requests carry one
connection, and share an `HttpSession`.

Clients see the behaviour of sockjs-node 0.3.24. The interface of handlers is our own.
"""

from __future__ import annotations

from .connection import Connection, Handler
from .endpoint import STREAM_LIMIT, Endpoint
from .frames import BrokenFrame, decode_messages, encode_messages
from .gate import (
    HANDSHAKE,
    INFO,
    OPEN,
    PHASES,
    XHR,
    XHR_SEND,
    XHR_STREAMING,
    Gate,
)
from .http_session import HttpSession
from .transports import TRANSPORT_NAMES, TRANSPORTS

__all__ = [
    "BrokenFrame",
    "Connection",
    "Endpoint",
    "Gate",
    "HANDSHAKE",
    "Handler",
    "HttpSession",
    "INFO",
    "OPEN",
    "PHASES",
    "STREAM_LIMIT",
    "TRANSPORTS",
    "TRANSPORT_NAMES",
    "XHR",
    "XHR_SEND",
    "XHR_STREAMING",
    "decode_messages",
    "encode_messages",
]
