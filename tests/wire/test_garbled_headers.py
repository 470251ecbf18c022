"""Headers that the libraries under the SDK choke on: the answer counts as broken, and nobody
hangs or dies of it."""

from __future__ import annotations

import logging
import socket
import threading
from email import message_from_bytes

import pytest

from keyyo_cti import CTI, ConnectionFailed, Transport
from keyyo_cti._net.http_request import Credentials, HttpClient
from keyyo_cti.manager import ManagerError

from ..helpers import tcp_peer as peers
from ..helpers.probe import PATIENCE, Record, Seen
from ..helpers.tcp_peer import Peer, Script

_UNSORTED = b"Content-Type: multipart/x; boundary*=a; boundary*0=b"


def _is_read(header: bytes) -> bool:
    """True if this Python's ``email`` reads a header: that of 3.15 does not choke on all."""
    try:
        message_from_bytes(header + b"\n\n")
    except TypeError:
        return False
    return True


#: ``email``, which reads headers for ``http.client``, sorts a number and None, looks a codec up
#: by a name that cannot be one, and takes a number for one that can be read. ``http.cookiejar``
#: warns of a fault of its own, and here, as in the tests of many, warnings are errors.
GARBLED = pytest.mark.parametrize(
    "header",
    [
        pytest.param(
            _UNSORTED,
            marks=pytest.mark.skipif(_is_read(_UNSORTED), reason="this Python reads it"),
        ),
        b"Content-Type: multipart/x; boundary*=a\0b''%ff",
        b"Content-Type: multipart/x; boundary*" + b"9" * 5000 + b"=a",
        b"Set-Cookie: a=b; expires=Thu, 01 Foo 2099 00:00:00 GMT",
    ],
    ids=["unsorted", "codec", "number", "cookie"],
)


def answering(header: bytes, body: bytes = b"o\n") -> Script:
    """A script: answers a request with this header."""

    def serve(sock: socket.socket) -> None:
        peers.request(sock)
        length = b"Content-Length: %d\r\n" % len(body)
        sock.sendall(b"HTTP/1.1 200 OK\r\n" + header + b"\r\n" + length + b"\r\n" + body)
        sock.close()

    return serve


@pytest.fixture
def calm(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has a thread that dies seen by all, and the log kept."""
    monkeypatch.setattr(threading, "excepthook", lambda args: caplog.handler.emit(
        logging.makeLogRecord({"levelno": logging.ERROR, "msg": f"died: {args.exc_value!r}"})))
    caplog.set_level(logging.INFO, "keyyo_cti")


def errors(caplog: pytest.LogCaptureFixture) -> "list[str]":
    return [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR]


@GARBLED
def test_info(header: bytes, calm: None, caplog: pytest.LogCaptureFixture) -> None:
    """Of the info: it is no SockJS endpoint."""
    with Peer(answering(header, b"{}")) as peer, CTI(endpoint=peer.endpoint) as cti:
        error = cti.create_session("tok").exception(PATIENCE)
    assert isinstance(error, ConnectionFailed) and "no proper answer" in error.message
    assert not errors(caplog)


@GARBLED
@pytest.mark.parametrize("kind", ["xhr-streaming", "xhr-polling"])
def test_receiver(
    kind: Transport, header: bytes, calm: None, caplog: pytest.LogCaptureFixture
) -> None:
    """Of an answer with frames: the connection is lost, at once."""
    with Peer(peers.info, answering(b"X-Good: yes"), answering(header)) as peer:
        with CTI(endpoint=peer.endpoint, transports=[kind]) as cti:
            seen = Seen(cti)
            cti.create_session("tok", seen.callback())
            seen.wait_for("disconnected")
    assert not errors(caplog)


@GARBLED
def test_sender(header: bytes, calm: None, caplog: pytest.LogCaptureFixture) -> None:
    """Of an answer to what was sent: the connection is lost, at once."""

    def receive(sock: socket.socket) -> None:
        peers.request(sock)
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\no\n")
        peer.stall(sock)

    peer = Peer(peers.info, receive, answering(header))
    with peer, CTI(endpoint=peer.endpoint, transports=["xhr-streaming"]) as cti:
        seen = Seen(cti)
        cti.create_session("tok", seen.callback())
        seen.wait_for("disconnected")
    assert not errors(caplog)


@pytest.mark.parametrize("cookie", [b"a@b=c", b"a=b; a(=c"])
def test_handshake(cookie: bytes, calm: None, caplog: pytest.LogCaptureFixture) -> None:
    """Of a websocket's handshake, here a cookie: the next transport is tried."""

    def upgrade(sock: socket.socket) -> None:
        peers.upgrade(_Cookie(sock, cookie))  # type: ignore[arg-type]
        peer.stall(sock)

    def receive(sock: socket.socket) -> None:
        asked.add(peers.request(sock))
        peer.stall(sock)

    asked = Record()
    peer = Peer(peers.info, upgrade, receive)
    with peer, CTI(endpoint=peer.endpoint) as cti:
        cti.create_session("tok")
        assert b"/xhr_streaming " in asked.wait_for_count(1)[0]
    assert not errors(caplog)


@GARBLED
def test_manager_and_oauth2(header: bytes) -> None:
    """Of Keyyo's web services: the error is one of theirs."""
    with Peer(answering(header, b"{}")) as peer, pytest.raises(ManagerError):
        HttpClient(ManagerError, PATIENCE, None).send("GET", peer.endpoint, Credentials())


class _Cookie:
    """A server's socket that sets a cookie in its handshake."""

    def __init__(self, sock: socket.socket, cookie: bytes) -> None:
        self._sock = sock
        self._cookie = cookie

    def recv(self, size: int) -> bytes:
        return self._sock.recv(size)

    def sendall(self, data: bytes) -> None:
        self._sock.sendall(data.replace(b"\r\n", b"\r\nSet-Cookie: " + self._cookie + b"\r\n", 1))
