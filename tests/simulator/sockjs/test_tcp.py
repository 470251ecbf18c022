"""Faults that end a TCP connection."""

from __future__ import annotations

import asyncio
import socket
from typing import Tuple

import pytest

from keyyo_cti.simulator.sockjs import tcp

TIMEOUT = 5.0


async def connection(listener: socket.socket) -> Tuple[asyncio.Transport, socket.socket]:
    """A transport, and its peer's socket."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(asyncio.Protocol, *listener.getsockname())
    peer, _ = listener.accept()
    peer.settimeout(TIMEOUT)
    return transport, peer


@pytest.mark.parametrize("fault", [tcp.reset, tcp.drop])
def test_fault_on_a_closed_transport_does_nothing(fault: tcp.TcpFault) -> None:
    """The client may have gone first: then the transport has closed its descriptor."""

    async def strike() -> None:
        transport, peer = await connection(listener)
        peer.close()
        transport.abort()
        while transport.get_extra_info("socket").fileno() != -1:
            await asyncio.sleep(0)
        fault(transport)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        asyncio.run(asyncio.wait_for(strike(), TIMEOUT))


def test_reset_reaches_the_peer() -> None:
    async def strike() -> None:
        transport, peer = await connection(listener)
        tcp.reset(transport)
        with peer, pytest.raises(ConnectionResetError):
            await asyncio.get_running_loop().run_in_executor(None, peer.recv, 1)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        asyncio.run(asyncio.wait_for(strike(), TIMEOUT))
