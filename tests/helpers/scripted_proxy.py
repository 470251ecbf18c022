"""Scripted proxies: who asks them for what, and what they let through."""

from __future__ import annotations

import socket
import struct
from typing import Tuple

from .probe import Record
from .tcp_peer import Script, exactly, request


def http(asked: Record, answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> Script:
    """A script: keeps what is asked, and answers, and then speaks as the server."""

    def serve(sock: socket.socket) -> None:
        asked.add(request(sock).decode("latin-1"))
        sock.sendall(answer)
        greet(sock)

    return serve


def socks5(asked: Record, status: int = 0) -> Script:
    """A script: keeps who asks for what, and lets through, or not."""

    def serve(sock: socket.socket) -> None:
        _, count = exactly(sock, 2)
        methods = exactly(sock, count)
        user: Tuple[bytes, ...] = ()
        if 2 in methods:
            sock.sendall(b"\x05\x02")
            (_, length) = exactly(sock, 2)
            name = exactly(sock, length)
            user = (name, exactly(sock, exactly(sock, 1)[0]))
            sock.sendall(b"\x01\x00")
        else:
            sock.sendall(b"\x05\x00")
        _, _, _, kind = exactly(sock, 4)
        host = exactly(sock, 4 if kind == 1 else exactly(sock, 1)[0])
        (port,) = struct.unpack("!H", exactly(sock, 2))
        asked.add((kind, host, port, user))
        sock.sendall(bytes([5, status, 0, 1, 0, 0, 0, 0, 0, 0]))
        greet(sock)

    return serve


def socks4(asked: Record) -> Script:
    """The same of SOCKS 4."""

    def serve(sock: socket.socket) -> None:
        _, _, port = struct.unpack("!BBH", exactly(sock, 4))
        address = exactly(sock, 4)
        user, host = line(sock), b""
        if address[:3] == b"\0\0\0":
            host = line(sock)
        asked.add((address, host, port, user))
        sock.sendall(b"\x00\x5a" + b"\0" * 6)
        greet(sock)

    return serve


def greet(sock: socket.socket) -> None:
    """The server behind the proxy: as all that we speak to, it waits to be asked."""
    sock.recv(1)
    sock.sendall(b"hello")
    sock.recv(1)


def line(sock: socket.socket) -> bytes:
    data = b""
    while not data.endswith(b"\0"):
        data += exactly(sock, 1)
    return data[:-1]
