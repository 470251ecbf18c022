"""A connection that cannot be had: the callback gets an error that says what to do, in time."""

import datetime
import json
import logging
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Optional

import pytest
import trustme

from keyyo_cti import CTI, ConnectionFailed, KeyyoError
from keyyo_cti.simulator import Line, Simulator

from ..helpers import tcp_peer as peers
from ..helpers.probe import PATIENCE, Record, Seen
from ..helpers.tcp_peer import Peer

#: A deadline for the tests whose server stalls: long enough for a loaded machine to get there.
SHORT = 1.0


def failure(endpoint: str, **options: Any) -> ConnectionFailed:
    """The error with which create_session fails; also asserts that the end is told once."""
    cti = CTI(endpoint=endpoint, **options)
    seen = Seen(cti)
    cti.create_session("canary-token", seen.callback())
    _, _, error, _ = seen.wait_for("callback")
    seen.wait_for("disconnected")
    cti.close()
    assert [item[0] for item in seen.items] == ["callback", "disconnected"]
    assert isinstance(error, ConnectionFailed)
    assert (error.status_code, error.error_code, error.sent) == (400, None, False)
    assert "canary" not in str(error) + repr(error)
    return error


def test_wrong_token(sim: Simulator, alice: Line) -> None:
    """A wrong token is refused with the server's words, the code of the page, and what to do."""
    cti = CTI(endpoint=sim.endpoint)
    error = cti.create_session("wrong").exception(PATIENCE)
    assert isinstance(error, KeyyoError)
    assert (error.status_code, error.message) == (400, "Invalid token")
    assert error.error_code == "invalid_csi_token"
    assert "fresh CSI token" in str(error)
    assert cti.wait(PATIENCE), "a connection without a session is closed"
    cti.close()


def test_expired_token(sim: Simulator, alice: Line) -> None:
    """A token that has run out is refused, and one that is asked for in the callback is taken."""
    cti = CTI(endpoint=sim.endpoint)
    seen = Seen(cti)
    expired, fresh = sim.token(alice), sim.token(alice)
    sim.expire_token(expired)

    def again(err: Optional[KeyyoError], res: Any) -> None:
        assert err is not None and err.error_code == "invalid_csi_token"
        cti.create_session(fresh, seen.callback())

    cti.create_session(expired, again)
    assert seen.wait_for("callback")[3].number == "33199000001"
    assert cti.connected
    cti.close()


def test_server_that_is_not_there() -> None:
    """A port where nobody listens: the error names it, and says to check the server."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    error = failure(f"http://127.0.0.1:{port}/cti")
    assert f"connecting to 127.0.0.1:{port}: Connection refused" in error.message
    assert "that it runs" in str(error)


def test_name_that_does_not_exist() -> None:
    """A host that does not exist: the error names it, and says to check the network."""
    error = failure("https://keyyo.invalid/cti")
    assert "looking up keyyo.invalid" in error.message
    assert "on line" in str(error)


def test_impossible_name() -> None:
    """A host name that no name server could know is an error, and no crash."""
    assert "looking up" in failure(f"https://{'a' * 70}.invalid/cti").message


@pytest.mark.parametrize(
    "status, body, words",
    [
        ("404 Not Found", b"<html>Not found</html>", "answers with status 404"),
        ("302 Found", b"", "answers with status 302"),
        ("200 OK", b"<html>Welcome to nginx!</html>", "does not answer with JSON"),
        ("200 OK", b"[" * 100_000, "does not answer with JSON"),
    ],
)
def test_http_server_that_is_no_sockjs_server(status: str, body: bytes, words: str) -> None:
    """A web server without SockJS: the error says what it answered, and to check the URL."""

    def serve(sock: socket.socket) -> None:
        peers.request(sock)
        peers.respond(sock, body, status)

    with Peer(serve) as peer:
        error = failure(peer.endpoint)
    assert words in error.message
    assert ("firewall" if "302" in words else "SockJS") in str(error)


@pytest.mark.parametrize("words", [b"220 mail.example ESMTP\r\n", b"\x00\xff" * 100, b""])
def test_server_that_speaks_no_http(words: bytes) -> None:
    """A server of another kind: an error that says there was no proper answer."""

    def serve(sock: socket.socket) -> None:
        peers.request(sock)
        sock.sendall(words)
        sock.close()

    with Peer(serve) as peer:
        assert "no proper answer" in failure(peer.endpoint).message


@pytest.mark.fault(61)
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
    ],
)
def test_info_that_is_cut_names_the_cause(
    answer: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    def serve(sock: socket.socket) -> None:
        peers.request(sock)
        sock.sendall(answer)
        sock.close()

    caplog.set_level(logging.INFO, "keyyo_cti")
    with Peer(serve) as peer:
        error = failure(peer.endpoint)
    assert "no proper answer" in str(error) and "the server closed the connection" in str(error)
    assert error.__cause__ is not None
    assert any(
        "no proper answer" in line and "the server closed the connection" in line
        for line in caplog.messages
    )


@pytest.mark.slow
@pytest.mark.parametrize("body", [b"7", b"[]", b"null", b"{}", b'{"websocket": 1, "x": {}}'])
def test_info_in_a_strange_form(body: bytes) -> None:
    """JSON that is no object counts as an empty one, and a missing websocket field as yes."""

    def strange(sock: socket.socket) -> None:
        peers.request(sock)
        peers.respond(sock, body)

    def serve(sock: socket.socket) -> None:
        peers.open_session(sock)
        peer.stall(sock)

    peer = Peer(strange, serve)
    with peer, CTI(endpoint=peer.endpoint) as cti:
        assert cti.create_session("tok").result(PATIENCE).number == "33199000001"


def test_server_without_websockets() -> None:
    """A server that offers no transport of ours: the error says so."""

    def serve(sock: socket.socket) -> None:
        peers.request(sock)
        peers.respond(sock, {"websocket": False})

    with Peer(serve) as peer:
        assert "All transports failed" in failure(peer.endpoint).message


def test_websockets_refused(sim: Simulator) -> None:
    """A network that refuses websockets, where nothing else is to be tried: the error tells the
    status and what may be the cause."""
    sim.faults.refuse("websocket", 403)
    error = failure(sim.endpoint, transports=["websocket"])
    assert "answers with status 403" in error.message
    assert "proxy" in str(error)


def test_close_frame_instead_of_the_opening() -> None:
    """A server that closes before it opens: its reason is in the error."""

    def serve(sock: socket.socket) -> None:
        peers.upgrade(sock)
        sock.sendall(peers.frame('c[3500,"Not today"]'))
        peer.stall(sock)

    peer = Peer(peers.info, serve)
    with peer:
        assert "Not today" in failure(peer.endpoint).message


def trickle(sock: socket.socket) -> None:
    """Sends an endless header, so that no single read ever waits for long."""
    sock.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        sock.sendall(b"x" * 64)
        try:
            # Paced by the client, whose going ends it.
            sock.settimeout(0.05)
            if not sock.recv(1):
                return
        except socket.timeout:
            pass


def stall_info(sock: socket.socket, peer: Peer) -> None:
    peers.request(sock)
    peer.stall(sock)


def trickle_info(sock: socket.socket, peer: Peer) -> None:
    peers.request(sock)
    trickle(sock)


def stall_handshake(sock: socket.socket, peer: Peer) -> None:
    peers.request(sock)
    peer.stall(sock)


def stall_open(sock: socket.socket, peer: Peer) -> None:
    peers.upgrade(sock)
    peer.stall(sock)


def stall_half_a_frame(sock: socket.socket, peer: Peer) -> None:
    peers.upgrade(sock)
    sock.sendall(peers.frame("o")[:1])
    peer.stall(sock)


@pytest.mark.slow
@pytest.mark.fault(2)
@pytest.mark.parametrize(
    "first, second, words",
    [
        (stall_info, None, "no answer in time from http"),
        (trickle_info, None, "no answer in time from http"),
        (None, stall_handshake, "websocket handshake: no answer in time"),
        (None, trickle_info, "websocket handshake"),
        (None, stall_open, "Transport timeouted: no opening frame on websocket"),
        (None, stall_half_a_frame, "Transport timeouted: no opening frame on websocket"),
    ],
    ids=["info", "info trickles", "handshake", "handshake trickles", "open", "half a frame"],
)
def test_stall_in_each_phase(
    first: Optional[Callable[..., None]], second: Optional[Callable[..., None]], words: str
) -> None:
    """A server that falls silent in a phase: within the connect time-out, an error that names
    the phase."""

    def at(script: Optional[Callable[..., None]]) -> Callable[[socket.socket], None]:
        return (lambda sock: script(sock, peer)) if script is not None else peers.info

    peer = Peer(at(first), at(second))
    with peer:
        began = time.monotonic()
        error = failure(peer.endpoint, connect_timeout=SHORT, transports=["websocket"])
        assert time.monotonic() - began < SHORT + 6.0
    assert words in error.message
    assert "firewall" in str(error)


@pytest.mark.fault(2)
@pytest.mark.parametrize("transport", ["xhr-streaming", "xhr-polling"])
def test_stall_of_a_receiver(sim: Simulator, transport: str) -> None:
    """The same over HTTP, where the request that receives is not answered."""
    sim.faults.stall("xhr" if transport == "xhr-polling" else "xhr_streaming")
    began = time.monotonic()
    error = failure(sim.endpoint, connect_timeout=SHORT, transports=[transport])
    assert time.monotonic() - began < SHORT + 6.0
    assert f"Transport timeouted: no opening frame on {transport}" in error.message


@pytest.mark.fault(2)
def test_stall_in_the_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that does not answer: the error names the look-up, within the connect
    time-out."""
    over, look_up = threading.Event(), socket.getaddrinfo

    def deaf(host: Any, *arguments: Any, **named: Any) -> Any:
        if named.get("flags"):
            return look_up(host, *arguments, **named)
        over.wait(PATIENCE)
        raise socket.gaierror("too late")

    monkeypatch.setattr(socket, "getaddrinfo", deaf)
    try:
        began = time.monotonic()
        error = failure("https://name.invalid/cti", connect_timeout=SHORT)
        assert time.monotonic() - began < SHORT + 6.0
    finally:
        over.set()
    assert "looking up name.invalid: no answer in time" in error.message


@pytest.mark.fault(2)
def test_stall_in_the_tls_handshake() -> None:
    """A server that speaks no TLS and says nothing: the error names the handshake."""
    peer = Peer(lambda sock: peer.stall(sock))
    with peer:
        endpoint = f"https://127.0.0.1:{peer.port}/cti"
        error = failure(endpoint, connect_timeout=SHORT)
    assert "TLS handshake" in error.message and "no answer in time" in error.message


@pytest.mark.fault(2)
def test_host_that_is_deaf() -> None:
    """A host that does not answer TCP: the error comes within the connect time-out."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        error = failure(
            f"http://127.0.0.1:{full.getsockname()[1]}/cti", connect_timeout=SHORT
        )
        for sock in waiting:
            sock.close()
    assert "connecting to" in error.message and "no answer in time" in error.message


# TLS.


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_certs(authority: trustme.CA, tmp_path: Path) -> Iterator[str]:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    yield str(path)


def tls_failure(certificate: trustme.LeafCert, **options: Any) -> ConnectionFailed:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    with Peer(peers.info, tls=context) as peer:
        return failure(peer.endpoint, **options)


def test_certificate_of_a_stranger(authority: trustme.CA) -> None:
    """A certificate that no trusted authority signed is refused, with what to do about it."""
    error = tls_failure(authority.issue_cert("127.0.0.1"))
    assert "the certificate is refused" in error.message
    assert "ca_certs" in str(error)


def test_certificate_that_has_expired(authority: trustme.CA, ca_certs: str) -> None:
    """A certificate that has expired is refused, though its authority is trusted."""
    old = authority.issue_cert(
        "127.0.0.1", not_after=datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    )
    assert "expired" in tls_failure(old, ca_certs=ca_certs).message


def test_certificate_of_another_host(authority: trustme.CA, ca_certs: str) -> None:
    """A certificate for another name is refused, though its authority is trusted."""
    error = tls_failure(authority.issue_cert("other.example"), ca_certs=ca_certs)
    assert "the certificate is refused" in error.message and "127.0.0.1" in error.message


def test_server_that_speaks_no_tls() -> None:
    """A plain server behind an https endpoint: the error says that it is not TLS."""

    def serve(sock: socket.socket) -> None:
        sock.recv(1)
        sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 3)
        peer.stall(sock)

    peer = Peer(serve)
    with peer:
        error = failure(f"https://127.0.0.1:{peer.port}/cti")
    assert "TLS handshake" in error.message
    assert "no TLS in common" in str(error)


@pytest.mark.slow
@pytest.mark.parametrize("by", ["option", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_own_authority(
    by: str, authority: trustme.CA, ca_certs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate of one's own authority is trusted when the option, or the environment, says
    so; and messages that share a TLS record all arrive at once."""
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    options: Dict[str, Any] = {}
    if by == "option":
        options["ca_certs"] = ca_certs
    else:
        monkeypatch.setenv(by, ca_certs)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def serve(sock: socket.socket) -> None:
        peers.open_session(sock)
        calls = [{"notify": "call", "call": {"callref": str(n)}} for n in range(3)]
        sock.sendall(b"".join(peers.messages(call) for call in calls))
        peer.stall(sock)

    peer = Peer(peers.info, serve, tls=context)
    with peer, CTI(endpoint=peer.endpoint, **options) as cti:
        seen = Seen(cti)
        cti.create_session("tok").result(PATIENCE)
        seen.wait_for("newCall", 3)


# What is sent while opening.


def test_cookies_of_the_info_go_into_the_handshake() -> None:
    """A cookie that the server sets for its balancer comes back with the websocket."""
    heads = []
    shaken = threading.Event()

    def sticky(sock: socket.socket) -> None:
        peers.request(sock)
        body = json.dumps({"websocket": True}).encode()
        sock.sendall(
            b"HTTP/1.1 200 OK\r\nSet-Cookie: JSESSIONID=node-7; path=/\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body) + body
        )

    def serve(sock: socket.socket) -> None:
        heads.append(peers.request(sock))
        shaken.set()
        peer.stall(sock)

    peer = Peer(sticky, serve)
    with peer, CTI(endpoint=peer.endpoint) as cti:
        cti.create_session("tok")
        assert shaken.wait(PATIENCE)
    assert b"Cookie: JSESSIONID=node-7\r\n" in heads[0]


@pytest.mark.fault(30)
@pytest.mark.promise(10)
def test_secrets_stay_out_of_urls_logs_and_errors(caplog: pytest.LogCaptureFixture) -> None:
    """With every logger at DEBUG, neither a token nor a session id is logged or in a URL."""
    caplog.set_level(logging.DEBUG)
    heads = []

    def listen_in(sock: socket.socket) -> None:
        heads.append(peers.request(sock))
        peers.respond(sock, {"websocket": True})

    def fail(sock: socket.socket) -> None:
        peers.open_session(sock)
        sock.sendall(peers.frame('a["{canary-frame"]'))
        sock.sendall(peers.messages({"id": 77, "result": {"session_id": "canary-late"}}))
        peers.reset(sock)

    with Peer(listen_in, fail) as peer:
        cti = CTI(endpoint=peer.endpoint)
        seen = Seen(cti)
        cti.restore_session("canary-token", "canary-session", seen.callback())
        seen.wait_for("disconnected")
        assert "canary" not in repr(cti) + repr(seen.items)
    assert b"canary" not in b"".join(heads)
    assert "canary" not in caplog.text


def test_commands_while_opening_are_refused() -> None:
    """A command that is no session's, asked while the connection opens, gets the closed error;
    another session's is sent as soon as it is open, in order."""
    asked = threading.Event()
    actions = Record()

    def wait(sock: socket.socket) -> None:
        assert asked.wait(PATIENCE)
        peers.info(sock)

    def serve(sock: socket.socket) -> None:
        peers.upgrade(sock)
        sock.sendall(peers.frame("o"))
        for _ in range(2):
            command = peers.command(sock)
            actions.add(command["action"])
            sock.sendall(peers.messages({"id": command["id"], "result": 1}))
        peer.stall(sock)

    peer = Peer(wait, serve)
    with peer, CTI(endpoint=peer.endpoint) as cti:
        first = cti.create_session("one")
        early = cti.dial("33199020000")
        second = cti.restore_session("two", "s-0")
        asked.set()
        assert "create_session" in str(early.exception(PATIENCE))
        assert first.result(PATIENCE) and second.result(PATIENCE)
        assert actions.items == ["create_session", "restore_session"]
