"""A server that sends compressed what was to come as it is."""

from __future__ import annotations

import gzip
import re
import socket
from typing import Any, List

import pytest

from keyyo_cti import CTI, KeyyoError, Transport
from keyyo_cti.account import Account, TokenMemory
from keyyo_cti.manager import Manager
from keyyo_cti.oauth2 import OAuth2, Tokens

from ..helpers import tcp_peer as peers
from ..helpers.probe import PATIENCE, Seen
from ..helpers.tcp_peer import Peer, Script

pytestmark = pytest.mark.fault(50)

#: 30 kB, which are 10 GB when they are unpacked.
BOMB = gzip.compress(gzip.compress(b"\0" * 10_000_000) * 1_000)

GZIP = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB)


def explode(sock: socket.socket) -> None:
    """A script: answers whatever is asked."""
    asked = peers.request(sock)
    assert b"\r\nAccept-Encoding: identity\r\n" in asked or b"Upgrade: websocket" in asked
    sock.sendall(GZIP + BOMB)
    # The client has gone before it has read all of it, or there would be an end to wait for.
    sock.recv(1)


def open_session(sock: socket.socket) -> None:
    """A script: opens a SockJS session over HTTP, and says nothing more."""
    peers.request(sock)
    sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\no\n\r\n")
    sock.recv(1)


def refused(error: Any) -> None:
    assert isinstance(error, KeyyoError)
    assert re.search(r"compressed|no proper answer", str(error)), error


def test_oauth2_refuses_a_compressed_answer() -> None:
    with Peer(explode) as peer:
        url = f"http://127.0.0.1:{peer.port}"
        with OAuth2("me", "secret", url, authorize_url=url, token_url=url) as oauth2:
            refused(oauth2.refresh(Tokens("access", "refresh", 0.0)).exception(PATIENCE))


def test_manager_refuses_a_compressed_answer() -> None:
    with Peer(explode) as peer:
        url = f"http://127.0.0.1:{peer.port}"
        oauth2 = OAuth2("me", "secret", url, authorize_url=url, token_url=url)
        store = TokenMemory(Tokens("access", "refresh", 1e12))
        with oauth2, Account(oauth2, store) as account, Manager(account, url) as manager:
            refused(manager.lines().exception(PATIENCE))


@pytest.mark.parametrize("transport", ["websocket", "xhr-streaming", "xhr-polling"])
@pytest.mark.parametrize("before", [0, 1], ids=["info", "receiver"])
def test_compressed_answer_opens_no_session(transport: Transport, before: int) -> None:
    """Neither the info nor an answer with frames may be compressed; a websocket's handshake is
    no body at all."""
    scripts: List[Script] = [peers.info, explode]
    with Peer(*scripts[1 - before :]) as peer, CTI(
        endpoint=peer.endpoint, transports=[transport], cookie_auto=False
    ) as cti:
        error = cti.create_session("token").exception(PATIENCE)
    assert isinstance(error, KeyyoError)
    if before and transport == "websocket":
        assert "websocket handshake" in str(error)
    else:
        refused(error)


def test_compressed_answer_to_what_is_sent_ends_the_connection() -> None:
    with Peer(peers.info, open_session, explode) as peer, CTI(
        endpoint=peer.endpoint, transports=["xhr-streaming"], cookie_auto=False
    ) as cti:
        seen = Seen(cti)
        refused(cti.create_session("token").exception(PATIENCE))
        assert seen.of("newCall") == []
