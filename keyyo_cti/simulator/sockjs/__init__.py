"""The server side of SockJS, on aiohttp; it knows nothing of telephones.

An `Endpoint` serves the URLs below one base, a `Handler` is told what happens on each
`Connection`. A script that plays a server for a test is just another handler.

Each transport is one or two functions in `TRANSPORTS` under the last part of their URL: they get
the request and the endpoint, carry the frames of `Connection.next_frame` out and the messages
in. A websocket is one connection from its beginning to its end. Over HTTP many requests carry
one connection; the `HttpSession` is what they have in common.

It behaves like sockjs-node 0.3.24 towards a client. What a handler sees is our own.
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
