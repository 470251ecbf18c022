"""The file of the authorities goes away, as a program in one file loses what it has unpacked."""

from __future__ import annotations

import socket
import ssl
from itertools import product
from pathlib import Path
from typing import Any, Dict, Iterator

import pytest
import requests
import trustme

from keyyo_cti import CTI, Backoff
from keyyo_cti._net.http_request import Credentials, HttpClient
from keyyo_cti.errors import RequestFailed
from keyyo_cti.manager import ManagerError
from keyyo_cti.simulator import Simulator

from ..helpers import tcp_peer as peers
from ..helpers.probe import PATIENCE, Seen, eventually
from ..helpers.real_proxy import forget_proxies
from ..helpers.tcp_peer import Peer

pytestmark = pytest.mark.fault(54)

LINE = "33199000001"

WAYS = pytest.mark.parametrize(
    "by", ["option", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "certifi"]
)


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(tls=True) as sim:
        sim.line(LINE)
        yield sim


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that no other test has read."""
    forget_proxies(monkeypatch)
    return tmp_path / "ca.pem"


def name_it(by: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> Dict[str, Any]:
    """Name the file of authorities in one of the ways.

    :returns: options for it.
    """
    if by == "option":
        return {"ca_certs": file}
    if by == "certifi":
        monkeypatch.setattr(requests.utils, "DEFAULT_CA_BUNDLE_PATH", str(file))
    else:
        monkeypatch.setenv(by, str(file))
    return {}


def restoring(sim: Simulator, **options: Any) -> CTI:
    return CTI(
        endpoint=sim.endpoint,
        cookie_auto=False,
        token_provider=lambda: sim.token(LINE),
        backoff=Backoff(first=0.01, longest=0.05),
        **options,
    )


@WAYS
def test_drop_is_restored_without_the_file(
    sim: Simulator,
    file: Path,
    transport: str,
    by: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert sim.ca_certs is not None
    file.write_bytes(Path(sim.ca_certs).read_bytes())
    with restoring(sim, **name_it(by, file, monkeypatch)) as cti:
        seen = Seen(cti)
        cti.create_session(sim.token(LINE)).result(PATIENCE)
        file.unlink()
        for count in (1, 2):
            sim.faults.reset()
            seen.wait_for("restored", count)
        assert cti.get_subscriptions().result(PATIENCE) is not None
    told = [line for line in caplog.messages if "authorities cannot be read any more" in line]
    assert len(told) == 1 and str(file) in told[0]


def test_file_with_other_authorities_counts_at_the_next_restore(
    sim: Simulator, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What is not trusted any more is refused, until it is trusted again."""
    assert sim.ca_certs is not None
    good = Path(sim.ca_certs).read_bytes()
    file.write_bytes(good)
    caplog.set_level("INFO", "keyyo_cti")
    with restoring(sim, ca_certs=file) as cti:
        seen = Seen(cti)
        cti.create_session(sim.token(LINE)).result(PATIENCE)
        trustme.CA().cert_pem.write_to_path(str(file))
        sim.faults.reset()
        eventually(lambda: "the certificate is refused" in caplog.text)
        assert seen.of("restored") == []
        file.write_bytes(good)
        seen.wait_for("restored")


@pytest.mark.parametrize(
    "by, afresh",
    [
        ("option", False),
        *product(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "certifi"), (False, True)),
    ],
)
def test_requests_go_on_without_the_file(
    file: Path, by: str, afresh: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of OAuth2 and of the Manager, also of a client that a token provider makes each time."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def serve(sock: socket.socket) -> None:
        peers.request(sock)
        peers.respond(sock, {})

    ca_certs = name_it(by, file, monkeypatch).get("ca_certs")
    with Peer(serve, tls=context) as peer:
        web = HttpClient(ManagerError, PATIENCE, ca_certs)
        assert web.send("GET", peer.endpoint, Credentials()).ok
        file.unlink()
        again = HttpClient(ManagerError, PATIENCE, ca_certs) if afresh else web
        assert again.send("GET", peer.endpoint, Credentials()).ok
        trustme.CA().cert_pem.write_to_path(str(file))
        with pytest.raises(RequestFailed, match="the certificate is refused"):
            again.send("GET", peer.endpoint, Credentials())
