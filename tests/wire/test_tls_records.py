"""What comes together is not left lying in TLS until more comes."""

from __future__ import annotations

import json
import socket
from typing import Any, Callable, Dict, Iterator, List

import pytest

from keyyo_cti import CTI, Transport
from keyyo_cti.simulator.tls import TRUSTED, Certificates

from ..helpers import tcp_peer as peers
from ..helpers.probe import PATIENCE, Seen
from ..helpers.scripted_server import ScriptedServer, session
from ..helpers.tcp_peer import Peer

#: More than a TLS record holds.
LARGE = "x" * 12_000

CALLS: List[Dict[str, Any]] = [
    {"notify": "call", "call": {"callref": str(number)}} for number in range(3)
]


@pytest.fixture
def certificates() -> Iterator[Certificates]:
    """Those of a server that is trusted."""
    made = Certificates("127.0.0.1", TRUSTED)
    made.publish()
    yield made
    made.remove()


def one_record(sock: socket.socket) -> None:
    """Three messages in one TLS record."""
    sock.sendall(b"".join(peers.messages(call) for call in CALLS))


def one_segment(sock: socket.socket) -> None:
    """Three TLS records that arrive together."""
    cork = getattr(socket, "TCP_CORK", None)
    if cork is not None:
        sock.setsockopt(socket.IPPROTO_TCP, cork, 1)
    for call in CALLS:
        sock.sendall(peers.messages(call))
    if cork is not None:
        sock.setsockopt(socket.IPPROTO_TCP, cork, 0)


def large(sock: socket.socket) -> None:
    """Three messages that begin and end in the middle of a TLS record."""
    more = [{**call, "call": {**call["call"], "more": LARGE}} for call in CALLS]
    sock.sendall(b"".join(peers.messages(call) for call in more))


@pytest.mark.slow
@pytest.mark.fault(9)
@pytest.mark.parametrize("send", [one_record, one_segment, large])
def test_three_messages(
    certificates: Certificates, send: Callable[[socket.socket], None]
) -> None:
    """Three messages that arrive together in TLS, and then silence: three events."""

    def serve(sock: socket.socket) -> None:
        peers.open_session(sock)
        send(sock)
        peer.stall(sock)

    peer = Peer(peers.info, serve, tls=certificates.context)
    with peer, CTI(endpoint=peer.endpoint, ca_certs=certificates.ca_certs) as cti:
        seen = Seen(cti)
        cti.create_session("tok").result(PATIENCE)
        seen.wait_for("newCall", 3)
        assert [call.callref for call in cti.get_calls()] == ["0", "1", "2"]


@pytest.mark.fault(9)
@pytest.mark.parametrize("transport", ["xhr-streaming", "xhr-polling"])
def test_three_lines(certificates: Certificates, transport: Transport) -> None:
    """The same over HTTP, where a frame is a line."""
    frames = "\n".join("a" + json.dumps([json.dumps(call)]) for call in CALLS)
    with ScriptedServer(session, tls=certificates.context) as server, CTI(
        endpoint=server.endpoint, ca_certs=certificates.ca_certs, transports=[transport]
    ) as cti:
        seen = Seen(cti)
        cti.create_session("tok").result(PATIENCE)
        server.frame(frames)
        seen.wait_for("newCall", 3)
        assert [call.callref for call in cti.get_calls()] == ["0", "1", "2"]
