"""Faults that end a TCP connection."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Callable

TcpFault = Callable[[asyncio.Transport], None]


def drop(transport: asyncio.Transport) -> None:
    """Close TCP, without a close_notify under TLS.

    TLS would otherwise wait for the peer's close_notify. Under TLS, unsent data is lost.
    """
    if transport.get_extra_info("sslcontext") is None:
        transport.close()
    else:
        transport.abort()


def reset(transport: asyncio.Transport) -> None:
    """Reset TCP, so that the peer loses unread data."""
    tcp = transport.get_extra_info("socket")
    # If the peer has closed first, the descriptor is closed too.
    if tcp is not None and tcp.fileno() != -1:
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
