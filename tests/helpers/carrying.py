"""Bytes between two sockets, for scripted proxies."""

import contextlib
import socket
import threading

from .probe import PATIENCE


def carry_both_ways(client: socket.socket, server: socket.socket) -> None:
    """Carries bytes until one side has had enough, and tells the other."""
    back = threading.Thread(target=_pump, args=(server, client))
    back.start()
    _pump(client, server)
    back.join(PATIENCE)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            data = source.recv(65536)
            if not data:
                break
            sink.sendall(data)
    for sock in (source, sink):
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
