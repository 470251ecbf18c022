"""How a network ends a TCP connection."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Callable

Blow = Callable[[asyncio.Transport], None]


def drop(transport: asyncio.Transport) -> None:
    """Close without a word. Under TLS also without TLS's goodbye, for which the other side would
    be waited for; what is still unsent is lost then."""
    if transport.get_extra_info("sslcontext") is None:
        transport.close()
    else:
        transport.abort()


def reset(transport: asyncio.Transport) -> None:
    """Reset: what was not read yet is lost to the peer."""
    tcp = transport.get_extra_info("socket")
    # The peer may have gone first, and then the descriptor is closed.
    if tcp is not None and tcp.fileno() != -1:
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
