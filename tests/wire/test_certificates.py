"""TLS is verified on every transport, on each of its connections, and nothing turns that off."""

from __future__ import annotations

import dataclasses
import json
import socket
import ssl
import threading
from typing import Any, Dict, Iterator, List, Tuple

import pytest
import trustme

from keyyo_cti import CTI, ConnectionClosed, ConnectionFailed, Transport
from keyyo_cti._sockjs import TRANSPORTS
from keyyo_cti.options import Options
from keyyo_cti.simulator import Simulator

from ..helpers import tcp_peer as peers
from ..helpers.probe import PATIENCE
from ..helpers.real_proxy import forget_proxies
from ..helpers.tcp_peer import Peer, Script

pytestmark = [pytest.mark.fault(31), pytest.mark.promise(10)]

BAD = ["expired", "wrong-host", "self-signed"]
HTTP = ["xhr-streaming", "xhr-polling"]

#: What OpenSSL calls each.
WORDS = {"expired": "expired", "wrong-host": "127.0.0.1", "self-signed": "self"}


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy, and no authorities but those of the test."""
    forget_proxies(monkeypatch)


@pytest.fixture
def good() -> Iterator[Simulator]:
    """A Keyyo over TLS."""
    with Simulator(tls=True) as sim:
        sim.line("33199000001")
        yield sim


@pytest.fixture(params=BAD)
def bad(request: pytest.FixtureRequest) -> Iterator[Tuple[str, Simulator]]:
    """A Keyyo that nobody should trust."""
    with Simulator(tls=request.param) as sim:
        yield request.param, sim


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_certs(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """What a server shows."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(server)
    return server


def failure(endpoint: str, transport: Transport, **options: Any) -> ConnectionFailed:
    """The error with which create_session fails; the certificate is to blame."""
    with CTI(endpoint=endpoint, cookie_auto=False, transports=[transport], **options) as cti:
        error = cti.create_session("canary-token").exception(PATIENCE)
    assert isinstance(error, ConnectionFailed)
    assert "the certificate is refused" in error.message
    assert error.hint is not None and "ca_certs" in error.hint
    assert "canary" not in str(error)
    return error


@pytest.mark.parametrize("by", ["option", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_good_certificate(
    good: Simulator, transport: Transport, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate of a named authority is accepted, and a command is answered."""
    options: Dict[str, Any] = {"endpoint": good.endpoint, "transports": [transport]}
    if by == "option":
        options["ca_certs"] = good.ca_certs
    else:
        monkeypatch.setenv(by, good.ca_certs)
    with CTI(cookie_auto=False, **options) as cti:
        cti.create_session(good.token("33199000001")).result(PATIENCE)
        assert cti.transport == transport
        assert cti.get_subscriptions().result(PATIENCE) is not None


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_unknown_authority(good: Simulator, transport: Transport) -> None:
    """A good certificate of an authority that was not named is refused."""
    failure(good.endpoint, transport)


@pytest.mark.parametrize("by", ["option", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_bad_certificate(
    bad: Tuple[str, Simulator], transport: Transport, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that is expired, another host's or self-signed is refused, with what is
    wrong and what to do, though an authority is named."""
    kind, sim = bad
    options: Dict[str, Any] = {}
    if by == "option":
        options["ca_certs"] = sim.ca_certs
    else:
        monkeypatch.setenv(by, sim.ca_certs)
    assert WORDS[kind] in failure(sim.endpoint, transport, **options).message
    assert not sim.connections()


class Secured:
    """Scripts in TLS, and what was received after each handshake.

    :param server: what the callers of a script are met with.
    """

    def __init__(self, server: ssl.SSLContext) -> None:
        self._server = server
        self.received: List[bytes] = []
        self.ended = threading.Event()

    def __call__(self, script: Script) -> Script:
        def serve(sock: socket.socket) -> None:
            try:
                with self._server.wrap_socket(sock.dup(), server_side=True) as tls:
                    script(tls)
            finally:
                self.ended.set()

        return serve

    def listen(self, sock: socket.socket) -> None:
        """A script: keeps what comes."""
        self.received.append(sock.recv(4096))


def chunk(text: str) -> bytes:
    return f"{len(text):x}\r\n{text}\r\n".encode()


def receive(sock: socket.socket) -> None:
    """A script: an open session on a transport of HTTP."""
    peers.request(sock)
    sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk("o\n"))
    # Until the client goes: that is what ends it.
    sock.recv(1)


STRANGERS = {
    "unknown": lambda known: context(trustme.CA(), "127.0.0.1"),
    "wrong-host": lambda known: context(known, "elsewhere.invalid"),
}


@pytest.mark.parametrize("stranger", STRANGERS)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_bad_certificate_after_the_info(
    authority: trustme.CA, ca_certs: str, transport: Transport, stranger: str
) -> None:
    """Where info is served properly and only the transport meets a bad certificate, the
    transport refuses it, and says nothing to that server."""
    known = Secured(context(authority, "127.0.0.1"))
    impostor = Secured(STRANGERS[stranger](authority))
    with Peer(known(peers.info), impostor(impostor.listen)) as peer:
        endpoint = f"https://127.0.0.1:{peer.port}/cti"
        error = failure(endpoint, transport, ca_certs=ca_certs)
        assert impostor.ended.wait(PATIENCE)
    assert "All transports failed" in error.message
    assert b"".join(impostor.received) == b""


@pytest.mark.parametrize("transport", HTTP)
def test_bad_certificate_when_sending(
    authority: trustme.CA, ca_certs: str, transport: Transport
) -> None:
    """Where only the connection that sends meets a bad certificate, the token is not sent to
    that server, and the error says why."""
    known = Secured(context(authority, "127.0.0.1"))
    impostor = Secured(context(trustme.CA(), "127.0.0.1"))
    scripts = [known(peers.info), known(receive), impostor(impostor.listen)]
    with Peer(*scripts) as peer:
        endpoint = f"https://127.0.0.1:{peer.port}/cti"
        with CTI(
            endpoint=endpoint, cookie_auto=False, transports=[transport], ca_certs=ca_certs
        ) as cti:
            error = cti.create_session("canary-token").exception(PATIENCE)
        assert impostor.ended.wait(PATIENCE)
    assert isinstance(error, ConnectionClosed)
    assert error.sent is False
    assert "the certificate is refused" in str(error)
    assert b"".join(impostor.received) == b""


def test_no_fallback_to_clear(authority: trustme.CA) -> None:
    """After a refused certificate nothing is asked for in clear."""
    impostor = Secured(context(authority, "127.0.0.1"))
    first: List[bytes] = []

    def look(sock: socket.socket) -> None:
        first.append(sock.recv(1, socket.MSG_PEEK))
        impostor(impostor.listen)(sock)

    with Peer(look) as peer, CTI(
        endpoint=f"https://127.0.0.1:{peer.port}/cti", cookie_auto=False
    ) as cti:
        assert isinstance(cti.create_session("tok").exception(PATIENCE), ConnectionFailed)
    #: The first byte of TLS.
    assert set(first) == {b"\x16"}


# Nothing turns it off.


def test_no_option_turns_it_off() -> None:
    """Of all options only ca_certs is about certificates, and it names authorities."""
    words = ("verif", "insecure", "ssl", "tls", "cert", "check", "host", "trust", "context")
    names = [each.name for each in dataclasses.fields(Options)]
    assert [name for name in names if any(word in name for word in words)] == ["ca_certs"]


@pytest.mark.parametrize("name", ["verify", "ssl_verify", "insecure", "sslopt", "ssl_context"])
def test_options_of_other_libraries(name: str) -> None:
    """What turns verification off elsewhere is no option here."""
    options: Dict[str, Any] = {name: False}
    with pytest.raises(TypeError, match="unknown option"):
        CTI(options)


@pytest.mark.parametrize("value", [False, True, 0, "", b""])
def test_ca_certs_names_authorities(value: Any) -> None:
    """The option ca_certs cannot be turned off either."""
    with pytest.raises((TypeError, ValueError), match="ca_certs"):
        CTI(ca_certs=value)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(
    "settings",
    [
        {"PYTHONHTTPSVERIFY": "0"},
        {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": "", "SSL_CERT_FILE": ""},
    ],
    ids=json.dumps,
)
def test_environment_does_not_turn_it_off(
    good: Simulator,
    transport: Transport,
    settings: Dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No variable of the environment turns verification off."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    failure(good.endpoint, transport)
