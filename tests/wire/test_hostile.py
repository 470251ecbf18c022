"""A server that means ill, or is badly broken: it gets neither the time nor the memory."""

import socket
import time
from pathlib import Path

import pytest
from websocket import ABNF

from keyyo_cti import CTI, CommandTimeout, ConnectionFailed
from keyyo_cti._client.session_store import _try_lock
from keyyo_cti.simulator import Line, Simulator

from ..helpers import tcp_peer as peers
from ..helpers.probe import PATIENCE, Record, Seen
from ..helpers.tcp_peer import Peer


@pytest.mark.promise(9)
def test_endless_headers() -> None:
    """Headers that never end, faster than they are read: the error comes, and little is read."""
    poured = Record()

    def serve(sock: socket.socket) -> None:
        peers.request(sock)
        sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\n")
        poured.add(peers.pour(sock, b"X: " + b"y" * 60_000 + b"\r\n"))

    with Peer(peers.info, serve) as peer:
        began = time.monotonic()
        cti = CTI(endpoint=peer.endpoint, transports=["websocket"])
        error = cti.create_session("tok").exception(PATIENCE)
        assert time.monotonic() - began < 9
        assert isinstance(error, ConnectionFailed) and "endless" in error.message
        poured.wait_for_count(1)
    assert poured.items[0] < 20_000_000


def test_redirect_with_an_endless_body() -> None:
    """The body of a redirect, which is not followed, is not read either."""
    poured = Record()

    def serve(sock: socket.socket) -> None:
        peers.request(sock)
        sock.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\n\r\n")
        poured.add(peers.pour(sock, b"x" * 60_000))

    with Peer(serve) as peer:
        error = CTI(endpoint=peer.endpoint).create_session("tok").exception(PATIENCE)
        assert isinstance(error, ConnectionFailed) and "status 302" in error.message
        poured.wait_for_count(1)
    assert poured.items[0] < 20_000_000


@pytest.mark.promise(9)
def test_endless_tiny_fragments() -> None:
    """One-byte fragments without a pause do not hold up deadlines, nor close()."""

    def serve(sock: socket.socket) -> None:
        peers.open_session(sock)
        sock.sendall(peers.frame('a["', fin=0))
        peers.pour(sock, peers.frame("x", opcode=ABNF.OPCODE_CONT, fin=0) * 20_000)

    with Peer(peers.info, serve) as peer:
        with CTI(endpoint=peer.endpoint, timeout=1.0, max_message_size=1 << 30) as cti:
            cti.create_session("tok").result(PATIENCE)
            assert isinstance(cti.ping().exception(PATIENCE), CommandTimeout)
            began = time.monotonic()
            cti.close()
            assert time.monotonic() - began < 10


@pytest.mark.fault(26)
@pytest.mark.promise(9)
def test_pings_between_fragments_buy_no_bytes() -> None:
    """A message in endless fragments with a PING between each is stopped at the limit."""

    def serve(sock: socket.socket) -> None:
        peers.open_session(sock)
        sock.sendall(peers.frame("a", fin=0))
        piece = peers.frame(b"x" * 10, opcode=ABNF.OPCODE_CONT, fin=0)
        peers.pour(sock, (peers.frame(b"", opcode=ABNF.OPCODE_PING) + piece) * 100)

    with Peer(peers.info, serve) as peer:
        with CTI(endpoint=peer.endpoint, max_message_size=5000) as cti:
            seen = Seen(cti)
            cti.create_session("tok").result(PATIENCE)
            future = cti.ping()
            seen.wait_for("disconnected")
            assert "more than 5000 bytes" in str(future.exception(PATIENCE))


def test_fragment_in_the_wrong_place() -> None:
    """A fragment without a beginning, and a beginning inside a message, end the connection."""
    for bad in (
        peers.frame("x", opcode=ABNF.OPCODE_CONT),
        peers.frame("a", fin=0) + peers.frame("a[]"),
    ):

        def serve(sock: socket.socket, bad: bytes = bad) -> None:
            peers.open_session(sock)
            sock.sendall(bad)
            peer.stall(sock)

        peer = Peer(peers.info, serve)
        with peer, CTI(endpoint=peer.endpoint) as cti:
            seen = Seen(cti)
            cti.create_session("tok").result(PATIENCE)
            seen.wait_for("disconnected")


def test_message_in_fragments() -> None:
    """A message in fragments, with control frames and empty ones between, arrives whole."""
    message = peers.messages({"notify": "call", "call": {"callref": "c1", "x": "é" * 100}})
    payload = message[4:]  # Behind the header of a frame of 126 to 65,535 bytes.
    pongs = Record()

    def serve(sock: socket.socket) -> None:
        peers.open_session(sock)
        for at in range(0, len(payload), 7):
            opcode = ABNF.OPCODE_CONT if at else ABNF.OPCODE_TEXT
            sock.sendall(peers.frame(payload[at : at + 7], opcode, fin=0))
            sock.sendall(peers.frame(b"", ABNF.OPCODE_CONT, fin=0))
            sock.sendall(peers.frame(b"ping", ABNF.OPCODE_PING))
        sock.sendall(peers.frame(b"", ABNF.OPCODE_CONT))
        pongs.add(peers.read_frame(sock))
        peer.stall(sock)

    peer = Peer(peers.info, serve)
    with peer, CTI(endpoint=peer.endpoint) as cti:
        seen = Seen(cti)
        cti.create_session("tok").result(PATIENCE)
        seen.wait_for("newCall")
        assert cti.get_calls()[0]["x"] == "é" * 100
        assert pongs.wait_for_count(1) == [(ABNF.OPCODE_PONG, b"ping")]


def test_bad_utf8_before_the_opening_frame() -> None:
    """A frame that is not UTF-8 before the opening frame is passed over like any other there."""

    def serve(sock: socket.socket) -> None:
        peers.upgrade(sock)
        sock.sendall(peers.frame(b"\xff\xfe") + peers.frame("h") + peers.frame("o"))
        asked = peers.command(sock)
        sock.sendall(peers.messages({"id": asked["id"], "result": {"number": "33"}}))
        peer.stall(sock)

    peer = Peer(peers.info, serve)
    with peer, CTI(endpoint=peer.endpoint) as cti:
        assert cti.create_session("tok").result(PATIENCE).number == "33"


class Tapped:
    """A server's socket that keeps the request and sets a cookie for the whole host."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.request = b""

    def recv(self, size: int) -> bytes:
        data = self._sock.recv(size)
        self.request += data
        return data

    def sendall(self, data: bytes) -> None:
        cookie = b"\r\nSet-Cookie: JSESSIONID=of-alice; Domain=127.0.0.1\r\nUpgrade:"
        self._sock.sendall(data.replace(b"\r\nUpgrade:", cookie, 1))


def test_cookies_do_not_pass_from_one_cti_to_another() -> None:
    """A cookie that one connection's handshake is given is not sent by another's."""
    requests = Record()

    def serve(sock: socket.socket) -> None:
        tapped = Tapped(sock)
        peers.upgrade(tapped)  # type: ignore[arg-type]
        requests.add(tapped.request)
        peer.stall(sock)

    peer = Peer(peers.info, serve, peers.info, serve)
    with peer:
        for number in (1, 2):
            with CTI(endpoint=peer.endpoint) as cti:
                cti.create_session("tok")
                requests.wait_for_count(number)
        host = f"Host: 127.0.0.1:{peer.port}\r\n".encode()
    for request in requests.items:
        assert host in request and b"Cookie" not in request


def test_cookie_file_that_somebody_holds(sim: Simulator, alice: Line, tmp_path: Path) -> None:
    """While another process holds the cookie file, sessions open and close() is still quick."""
    CTI(endpoint=sim.endpoint, cookie_file=tmp_path / "s").session_exists()
    with CTI(endpoint=sim.endpoint, cookie_file=tmp_path / "s") as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
    with open(tmp_path / "s.lock", "rb+") as holder:
        assert _try_lock(holder.fileno())
        cti = CTI(endpoint=sim.endpoint, cookie_file=tmp_path / "s")
        cti.create_session(sim.token(alice))
        sim.wait_for_action("create_session", count=2)
        began = time.monotonic()
        cti.close()
        assert time.monotonic() - began < 2.5
