"""TLS on real sockets, with valid and invalid certificates."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

import pytest
import requests

from keyyo_cti.simulator import DEFAULT_APPLICATION, Line, Simulator

from ..helpers.raw_client import RawClient, Talker
from ..helpers.xhr_client import POLLING, RECEIVERS, Cut, Web, XhrClient

TIMEOUT = 30.0


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(tls=True, disconnect_delay=60) as simulator:
        yield simulator


@pytest.fixture
def trust(sim: Simulator) -> ssl.SSLContext:
    """Return the TLS settings of a client that trusts the simulator's CA."""
    return ssl.create_default_context(cafile=sim.ca_certs)


def websocket(sim: Simulator) -> RawClient:
    return RawClient(sim.endpoint, sslopt={"ca_certs": sim.ca_certs})


def info(sim: Simulator) -> requests.Response:
    return requests.get(sim.endpoint + "/info", verify=sim.ca_certs, timeout=TIMEOUT)


def test_every_url_is_https(sim: Simulator) -> None:
    """The CTI, OAuth2 and the Manager are served over TLS, with the links that they give."""
    for url in (sim.endpoint, sim.authorize_url, sim.token_url, sim.manager_url):
        assert url.startswith("https://127.0.0.1:")
    assert info(sim).status_code == 200
    token = sim.account_tokens(application=DEFAULT_APPLICATION)["access_token"]
    answer = requests.get(
        sim.manager_url + "/services", verify=sim.ca_certs, timeout=TIMEOUT,
        headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["_links"]["self"]["href"].startswith(sim.manager_url)


@pytest.mark.parametrize("name", ["websocket", *RECEIVERS])
def test_transports(sim: Simulator, alice: Line, trust: ssl.SSLContext, name: str) -> None:
    """Every transport goes over TLS."""
    client: Talker = (
        websocket(sim) if name == "websocket" else XhrClient(sim.endpoint, name, tls=trust))
    client.create_session(sim.token(alice))
    sim.phone("33199020000").call(alice)
    assert client.call()["state"] == "SETUP"
    client.close()


@pytest.mark.parametrize("name", RECEIVERS)
def test_client_vanishes(
    sim: Simulator, alice: Line, trust: ssl.SSLContext, name: str
) -> None:
    """The end of a receiver's TCP is noticed under TLS too."""
    client = XhrClient(sim.endpoint, name, tls=trust)
    client.create_session(sim.token(alice))
    client.receive()
    client.close()
    sim.wait_for_session(alice, counter=0)


@pytest.mark.parametrize("name", ["drop", "reset"])
def test_faults_of_tcp(
    sim: Simulator, alice: Line, trust: ssl.SSLContext, name: str
) -> None:
    """A dropped or reset connection ends without close_notify, and without waiting for one."""
    client = XhrClient(sim.endpoint, POLLING, tls=trust)
    client.create_session(sim.token(alice))
    client.receive()
    getattr(sim.faults, name)()
    sim.wait_for_session(alice, counter=0)
    # Which of them depends on Python and its OpenSSL; 3.9 takes any end for a goodbye.
    with pytest.raises((ssl.SSLEOFError, ConnectionResetError, Cut)) as caught:
        client.frame()
    assert caught.type is not Cut or sys.version_info < (3, 10)
    client.close()


@pytest.mark.parametrize("tls, complaint", [
    ("expired", "certificate has expired"),
    ("wrong-host", "IP address mismatch"),
    ("self-signed", "self.signed certificate"),
])
def test_bad_certificates(tls: str, complaint: str) -> None:
    """A certificate can be wrong in three ways, each of which a client refuses."""
    with Simulator(tls=tls) as sim:
        with pytest.raises(requests.exceptions.SSLError, match=complaint):
            info(sim)
        trust = ssl.create_default_context(cafile=sim.ca_certs)
        with pytest.raises(ssl.SSLCertVerificationError, match=complaint):
            Web(sim.endpoint, tls=trust)


def test_another_authority(sim: Simulator) -> None:
    """A client that trusts only the system's CAs refuses the simulator."""
    with pytest.raises(requests.exceptions.SSLError, match="unable to get local issuer"):
        requests.get(sim.endpoint + "/info", timeout=TIMEOUT)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_host(host: str) -> None:
    """The certificate is valid for the name that the simulator listens on."""
    with Simulator(tls=True, host=host) as sim:
        assert sim.endpoint.startswith(f"https://{host}:")
        assert info(sim).status_code == 200


def test_file_of_the_authority() -> None:
    """The authority's file is there while the simulator runs, in a directory of its own."""
    sim = Simulator(tls=True)
    with pytest.raises(RuntimeError, match="call start"):
        sim.ca_certs
    sim.start()
    path = Path(sim.ca_certs)
    assert "BEGIN CERTIFICATE" in path.read_text()
    assert "PRIVATE" not in path.read_text()
    sim.stop()
    sim.stop()
    assert not path.parent.exists()
    with pytest.raises(RuntimeError, match="call start"):
        sim.ca_certs


def test_without_tls() -> None:
    """Without TLS there is no authority, and the complaint says so."""
    with Simulator() as sim, pytest.raises(RuntimeError, match=r"Simulator\(tls=True\)"):
        sim.ca_certs


def test_stop_with_idle_connections(trust: ssl.SSLContext, sim: Simulator) -> None:
    """Clients that do not close their connections do not delay `stop`."""
    idle = Web(sim.endpoint, tls=trust)
    assert idle.request("GET", "/info").status == 200
    halfway = Web(sim.endpoint)
    sim.stop()
    for web in (idle, halfway):
        with pytest.raises((Cut, OSError)):
            web.request("GET", "/info")
        web.close()


@pytest.mark.parametrize("tls, complaint", [
    (1, "tls: expected a bool or a string, got int"),
    ("yes", "tls: expected one of trusted, expired, wrong-host, self-signed"),
])
def test_bad_settings(tls: Any, complaint: str) -> None:
    """A setting that is no certificate is refused by name."""
    with pytest.raises((TypeError, ValueError), match=complaint):
        Simulator(tls=tls)


def test_without_trustme() -> None:
    """Without trustme the simulator works, and the error of TLS names the package to install."""
    script = (
        "import sys; sys.modules['trustme'] = None\n"
        "from keyyo_cti.simulator import Simulator\n"
        "with Simulator() as sim: print(sim.endpoint)\n"
        "Simulator(tls=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))})
    assert done.stdout.startswith("http://127.0.0.1:")
    assert done.returncode != 0
    assert 'pip install ".[simulator]" in the checkout' in done.stderr.splitlines()[-1]
