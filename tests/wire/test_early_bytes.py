"""A proxy, or a machine before it, that answers in the name of a server behind TLS."""

from __future__ import annotations

import contextlib
import json
import socket
from typing import Any, Callable, Iterator, List, Tuple

import pytest

from keyyo_cti import CTI, KeyyoError, Transport
from keyyo_cti._sockjs import TRANSPORTS
from keyyo_cti.account import Account, TokenMemory
from keyyo_cti.manager import Manager
from keyyo_cti.oauth2 import OAuth2, Tokens
from keyyo_cti.simulator import DEFAULT_APPLICATION, Simulator

from ..helpers import tcp_peer as peers
from ..helpers.carrying import carry_both_ways
from ..helpers.probe import PATIENCE, Seen
from ..helpers.real_proxy import forget_proxies
from ..helpers.tcp_peer import Peer, exactly

pytestmark = [pytest.mark.fault(49), pytest.mark.promise(10)]

FORGED = "forged-by-the-proxy"

OK = b"HTTP/1.1 200 Connection established\r\n\r\n"

Write = Callable[[socket.socket, bytes, bytes], None]


def in_one_segment(sock: socket.socket, answer: bytes, forged: bytes) -> None:
    sock.sendall(answer + forged)


def in_a_later_segment(sock: socket.socket, answer: bytes, forged: bytes) -> None:
    sock.sendall(answer)
    sock.sendall(forged)


def byte_by_byte(sock: socket.socket, answer: bytes, forged: bytes) -> None:
    for each in answer + forged:
        sock.sendall(bytes([each]))


def half_with_the_answer(sock: socket.socket, answer: bytes, forged: bytes) -> None:
    sock.sendall(answer[:-1])
    sock.sendall(answer[-1:] + forged[:10])
    sock.sendall(forged[10:])


def one_byte(sock: socket.socket, answer: bytes, _: bytes) -> None:
    sock.sendall(answer + b"\0")


WAYS = [in_one_segment, in_a_later_segment, byte_by_byte, half_with_the_answer, one_byte]


def forged_json(body: Any) -> bytes:
    return forged_answer(json.dumps(body).encode())


def forged_answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body


#: What it takes to be believed: a session, and a call on it.
FORGED_FRAMES = forged_answer(
    b"o\n"
    + f'a{json.dumps([json.dumps({"notify": "call", "call": {"callref": FORGED}})])}\n'.encode()
)


class Forger:
    """A proxy that carries bytes to where it is asked to, but writes first, in the server's
    name, on each connection from one on.

    :param first: the number of that connection.
    :param write: how.
    :param forged: what.
    """

    def __init__(self, kind: str, first: int, write: Write, forged: bytes) -> None:
        self._accept = self._http if kind == "http" else self._socks5
        self._first = first
        self._write = write
        self._forged = forged
        self._number = 0
        self.wrote = 0

    def __call__(self, sock: socket.socket) -> None:
        target, answer = self._accept(sock)
        self._number += 1
        with socket.create_connection(target) as server:
            if self._number > self._first:
                self.wrote += 1
                self._write(sock, answer, self._forged)
            else:
                sock.sendall(answer)
            carry_both_ways(sock, server)

    def _http(self, sock: socket.socket) -> Tuple[Tuple[str, int], bytes]:
        host, _, port = peers.request(sock).split()[1].decode().rpartition(":")
        return (host, int(port)), OK

    def _socks5(self, sock: socket.socket) -> Tuple[Tuple[str, int], bytes]:
        exactly(sock, exactly(sock, 2)[1])
        sock.sendall(b"\x05\x00")
        assert exactly(sock, 4)[3] == 1
        host, port = socket.inet_ntoa(exactly(sock, 4)), int.from_bytes(exactly(sock, 2), "big")
        return (host, port), bytes([5, 0, 0, 1, 0, 0, 0, 0, 0, 0])


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy but those of the test."""
    forget_proxies(monkeypatch)


@pytest.fixture
def keyyo() -> Iterator[Simulator]:
    """A Keyyo over TLS, whose certificate is good: all but the proxy is as it should be."""
    with Simulator(tls=True) as sim:
        yield sim


@contextlib.contextmanager
def forging(
    forger: Forger, kind: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    with Peer(forger) as peer:
        monkeypatch.setenv("HTTPS_PROXY", f"{kind}://127.0.0.1:{peer.port}")
        yield
    assert forger.wrote, "the proxy was not asked"


both_kinds = pytest.mark.parametrize("kind", ["http", "socks5"])
each_way = pytest.mark.parametrize("write", WAYS)


def as_told(error: BaseException) -> None:
    """The error says whom to look at, and repeats nothing of what was forged."""
    assert isinstance(error, KeyyoError)
    assert FORGED not in str(error) + repr(vars(error))
    assert error.hint


@both_kinds
@each_way
def test_oauth2_behind_a_proxy_that_forges_gives_no_tokens(
    keyyo: Simulator, kind: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = DEFAULT_APPLICATION
    forged = forged_json({"access_token": FORGED, "refresh_token": FORGED, "expires_in": 3600})
    with forging(Forger(kind, 0, write, forged), kind, monkeypatch), OAuth2(
        application.client_id, application.client_secret, application.redirect_uris[0],
        authorize_url=keyyo.authorize_url, token_url=keyyo.token_url, ca_certs=keyyo.ca_certs,
    ) as oauth2:
        granted = keyyo.account_tokens()
        tokens = Tokens(granted["access_token"], granted["refresh_token"], 0.0)
        error = oauth2.refresh(tokens).exception(PATIENCE)
        assert error is not None
        as_told(error)


@both_kinds
@each_way
def test_manager_behind_a_proxy_that_forges_gives_no_lines(
    keyyo: Simulator, kind: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = DEFAULT_APPLICATION
    granted = keyyo.account_tokens()
    oauth2 = OAuth2(
        application.client_id, application.client_secret, application.redirect_uris[0],
        authorize_url=keyyo.authorize_url, token_url=keyyo.token_url, ca_certs=keyyo.ca_certs,
    )
    store = TokenMemory(Tokens(granted["access_token"], granted["refresh_token"], 1e12))
    forged = forged_json({"csi_token": FORGED, "_embedded": {}})
    with forging(Forger(kind, 0, write, forged), kind, monkeypatch), oauth2, Account(
        oauth2, store
    ) as account, Manager(account, keyyo.manager_url, ca_certs=keyyo.ca_certs) as manager:
        for asked in (manager.lines(), manager.csi_token("33199000001")):
            error = asked.exception(PATIENCE)
            assert error is not None
            as_told(error)


@both_kinds
@each_way
@pytest.mark.parametrize("first", [0, 1], ids=["the-info-too", "from-the-transport-on"])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_session_behind_a_proxy_that_forges_is_not_opened(
    keyyo: Simulator,
    transport: Transport,
    first: int,
    write: Write,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing that the proxy writes is an answer or an event, on whichever connection."""
    forged = FORGED_FRAMES if first else forged_json({"websocket": False})
    errors: List[Any] = []
    with forging(Forger(kind, first, write, forged), kind, monkeypatch), CTI(
        endpoint=keyyo.endpoint, ca_certs=keyyo.ca_certs, transports=[transport],
        cookie_auto=False, connect_timeout=5,
    ) as cti:
        seen = Seen(cti)
        errors.append(cti.create_session(keyyo.token(keyyo.line("33199000001"))).exception(
            PATIENCE))
    as_told(errors[0])
    assert not [item for item in seen.items if item[0] == "newCall"]
    assert not keyyo.connections()


def test_sender_behind_a_proxy_that_forges_ends_the_connection(
    keyyo: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that forges the answers to what is sent is found out as well."""
    forger = Forger("http", 2, in_one_segment, forged_answer(b""))
    with forging(forger, "http", monkeypatch), CTI(
        endpoint=keyyo.endpoint, ca_certs=keyyo.ca_certs, transports=["xhr-streaming"],
        cookie_auto=False,
    ) as cti:
        error = cti.create_session(keyyo.token(keyyo.line("33199000001"))).exception(PATIENCE)
        assert isinstance(error, KeyyoError)
