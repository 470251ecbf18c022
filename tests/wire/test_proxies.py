"""Through proxies that others have written: every transport, over TLS; and past them in clear."""

from __future__ import annotations

import logging
import socket
import threading
import time
from typing import Any, Dict, Iterator, List, Tuple
from urllib.parse import urlsplit

import pytest

from keyyo_cti import CTI, ConnectionClosed, ConnectionFailed
from keyyo_cti._sockjs import TRANSPORTS
from keyyo_cti.options import Options
from keyyo_cti.simulator import Simulator

from ..helpers import tcp_peer as peers
from ..helpers.canaries import told
from ..helpers.carrying import carry_both_ways
from ..helpers.cti_threads import cti_threads
from ..helpers.probe import PATIENCE, Seen
from ..helpers.real_proxy import PASSWORD, RealProxy, forget_proxies
from ..helpers.tcp_peer import Peer, Script

pytestmark = pytest.mark.fault(31)

BOB = "33199020000"
SHORT = 1.0
KINDS = ["http", "socks5"]

#: How many connections each transport takes, that for info included.
CONNECTIONS = {"websocket": 2, "xhr-streaming": 3, "xhr-polling": 3}

Proxies = Dict[Tuple[str, bool], RealProxy]


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy but those of the test."""
    forget_proxies(monkeypatch)


@pytest.fixture(scope="module")
def proxies() -> Iterator[Proxies]:
    """A proxy of each kind, without a password and with one."""
    started: Proxies = {}
    try:
        for kind in KINDS:
            for secret in (False, True):
                started[kind, secret] = RealProxy(kind, secret).__enter__()
        yield started
    finally:
        for proxy in started.values():
            proxy.stop()


@pytest.fixture
def keyyo() -> Iterator[Simulator]:
    """A Keyyo over TLS. In clear it is only on this machine, which no proxy is for."""
    with Simulator(tls=True) as sim:
        yield sim


def options(sim: Simulator, **more: Any) -> Dict[str, Any]:
    more.setdefault("ca_certs", sim.ca_certs if sim.endpoint.startswith("https:") else None)
    return {"endpoint": sim.endpoint, "cookie_auto": False, **more}


def port_of(sim: Simulator) -> int:
    port = urlsplit(sim.endpoint).port
    assert port is not None
    return port


def converse(sim: Simulator, transport: str, **more: Any) -> List[str]:
    """Opens a session, dials, and is told of the call; gives the secrets of it."""
    alice = sim.line("33199000001")
    sim.phone(BOB)
    token = sim.token(alice)
    with CTI(**options(sim, transports=[transport], **more)) as cti:
        seen = Seen(cti)
        session = cti.create_session(token).result(PATIENCE)
        assert cti.transport == transport
        cti.dial(BOB).result(PATIENCE)
        seen.wait_for("newCall")
        assert PASSWORD not in repr(cti) + repr(session)
    assert not cti_threads()
    return [token, str(session.session_id)]


def failure(**options: Any) -> ConnectionFailed:
    """The error with which create_session fails."""
    with CTI(**options) as cti:
        error = cti.create_session("canary-token").exception(PATIENCE)
        assert isinstance(error, ConnectionFailed)
        for shown in [str(error), repr(error), repr(cti), *told(error)]:
            assert "canary" not in shown
    return error


@pytest.mark.parametrize("by", ["option", "environment"])
@pytest.mark.parametrize("secret", [False, True], ids=["open", "password"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_session(
    keyyo: Simulator,
    proxies: Proxies,
    transport: str,
    kind: str,
    secret: bool,
    by: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A session is opened and used through the proxy, each of its connections, and neither the
    proxy's log nor ours tells the CSI token, the session id or the proxy's password."""
    caplog.set_level(logging.DEBUG)
    proxy = proxies[kind, secret]
    if by == "option":
        secrets = converse(keyyo, transport, proxies={"https": proxy.address()})
    else:
        monkeypatch.setenv("HTTPS_PROXY", proxy.address())
        secrets = converse(keyyo, transport)
    proxy.wait_for_connections(port_of(keyyo), CONNECTIONS[transport])
    assert proxy.connections(port_of(keyyo)) == CONNECTIONS[transport]
    for each in [*secrets, PASSWORD]:
        assert each not in "\n".join(proxy.log)
        assert each not in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("exception", ["NO_PROXY", "no_proxy", "option"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_proxy(
    keyyo: Simulator, kind: str, exception: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing goes through the proxy of the environment for a host that needs none."""
    more: Dict[str, Any] = {}
    if exception == "option":
        more["proxies"] = {"no_proxy": "127.0.0.1"}
    else:
        monkeypatch.setenv(exception, "elsewhere.test,127.0.0.0/8")
    with RealProxy(kind) as proxy:
        monkeypatch.setenv("ALL_PROXY", proxy.address())
        converse(keyyo, "websocket", **more)
        proxy.stop()
        assert proxy.connections(port_of(keyyo)) == 0


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("kind", KINDS)
def test_wrong_password(
    keyyo: Simulator,
    proxies: Proxies,
    kind: str,
    transport: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A wrong password is an error that says to check it and shows it nowhere, and nobody is
    let through."""
    caplog.set_level(logging.DEBUG)
    proxy = proxies[kind, True]
    settings = options(
        keyyo, transports=[transport], proxies={"all": proxy.address("canary-wrong")})
    error = failure(**settings)
    assert error.hint is not None and "user name and password" in error.hint
    assert str(proxy.port) in error.message
    assert "canary" not in caplog.text + repr(Options(**settings))
    assert not keyyo.connections()


@pytest.mark.parametrize("kind", KINDS)
def test_proxy_that_is_not_there(keyyo: Simulator, kind: str) -> None:
    """Where no proxy listens, the error names the proxy, and says to check it."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    error = failure(**options(
        keyyo, proxies={"all": f"{kind}://me:canary@127.0.0.1:{port}"}))
    assert f"proxy 127.0.0.1:{port}" in error.message and "refused" in error.message
    assert error.hint is not None and "check the proxy" in error.hint


@pytest.mark.parametrize("kind", KINDS)
def test_proxy_without_a_name(keyyo: Simulator, kind: str) -> None:
    """Where the proxy's name is unknown, the error names the proxy, and says to check it."""
    error = failure(**options(keyyo, proxies={"all": f"{kind}://me:canary@proxy.invalid:7"}))
    assert "proxy proxy.invalid" in error.message
    assert error.hint is not None and "check the proxy" in error.hint


@pytest.mark.slow
@pytest.mark.fault(51)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_no_proxy_in_clear_on_this_machine(
    sim: Simulator, transport: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stays on this machine goes past every proxy, also one that is given for it."""
    with RealProxy(kind) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.address())
        for given in (None, {"http": proxy.address(), "all": proxy.address()}):
            converse(sim, transport, proxies=given)
        proxy.stop()
        assert proxy.connections(port_of(sim)) == 0


def stalling(peer: Peer, kind: str = "http") -> Dict[str, str]:
    return {"all": f"{kind}://me:canary@127.0.0.1:{peer.port}"}


def carry_info(sim: Simulator) -> Script:
    """A script: lets through to the server, for the info request."""

    def carry(sock: socket.socket) -> None:
        peers.request(sock)
        with socket.create_connection(("127.0.0.1", port_of(sim))) as server:
            sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            carry_both_ways(sock, server)

    return carry


@pytest.mark.parametrize("kind", KINDS)
def test_proxy_that_stalls(keyyo: Simulator, kind: str) -> None:
    """A proxy that takes the connection and says nothing is given up within the connect
    time-out, with an error that says to check the proxy."""
    peer = Peer(lambda sock: peer.stall(sock))
    with peer:
        began = time.monotonic()
        error = failure(**options(keyyo, connect_timeout=SHORT, proxies=stalling(peer, kind)))
        assert time.monotonic() - began < SHORT + 6.0
        assert f"proxy 127.0.0.1:{peer.port}" in error.message
    assert error.hint is not None and "check the proxy" in error.hint


@pytest.mark.slow
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_proxy_that_stalls_later(keyyo: Simulator, transport: str) -> None:
    """A proxy that carries the info request and then stalls is given up within the connect
    time-out too, with an error that speaks of the proxy."""
    peer = Peer(carry_info(keyyo), lambda sock: peer.stall(sock))
    with peer:
        began = time.monotonic()
        error = failure(**options(
            keyyo, transports=[transport], connect_timeout=SHORT, proxies=stalling(peer)))
        assert time.monotonic() - began < SHORT + 6.0
    assert error.hint is not None and "proxy" in error.hint


def close_while(reached: threading.Event, **settings: Any) -> None:
    """Closes a CTI whose opening has got to an event, and looks at the clock."""
    cti = CTI(connect_timeout=60, **settings)
    answer = cti.create_session("canary-token")
    assert reached.wait(PATIENCE)
    began = time.monotonic()
    cti.close()
    assert time.monotonic() - began < 8.0
    assert isinstance(answer.exception(PATIENCE), ConnectionClosed)
    # Nobody can interrupt PySocks: its thread ends with the proxy, or with its time-out.
    ours = {each.name for each in threading.enumerate() if each.name.startswith("keyyo-cti")}
    assert ours <= {"keyyo-cti-socks"}


@pytest.mark.parametrize("kind", KINDS)
def test_close_while_a_proxy_stalls(keyyo: Simulator, kind: str) -> None:
    """close() ends an opening that waits for a proxy, within two seconds."""
    peer = Peer(lambda sock: peer.stall(sock))
    with peer:
        close_while(peer.reached, **options(keyyo, proxies=stalling(peer, kind)))


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_close_while_a_proxy_stalls_later(keyyo: Simulator, transport: str) -> None:
    """close() also ends one whose proxy stalls after the info request."""
    later = threading.Event()

    def stall(sock: socket.socket) -> None:
        later.set()
        peer.stall(sock)

    peer = Peer(carry_info(keyyo), stall)
    with peer:
        close_while(later, **options(
            keyyo, transports=[transport], proxies=stalling(peer)))
