"""Web pages that threaten a server on loopback, by their host name and their origin."""

from __future__ import annotations

import socket
from typing import Any, Optional

import pytest
import requests

from keyyo_cti.simulator import Simulator

from ..helpers.running import Running

TIMEOUT = 30.0


def port_of(sim: Simulator) -> int:
    return int(sim.endpoint.split("/")[2].rpartition(":")[2])


def status(sim: Simulator, *headers: str, version: str = "1.1") -> int:
    """Return the status of a request with these headers only."""
    lines = [f"GET /cti/info HTTP/{version}", *headers, "Connection: close", "", ""]
    with socket.create_connection(("127.0.0.1", port_of(sim)), TIMEOUT) as client:
        client.sendall("\r\n".join(lines).encode())
        return int(client.makefile("rb").readline().split()[1])


@pytest.mark.fault(47)
@pytest.mark.parametrize("host", [
    "127.0.0.1", "127.0.0.1:8080", "localhost", "LOCALHOST:1", "localhost.", "my.localhost:80",
    "[::1]:8080", "192.0.2.1", "simulator:8080", "my-box"])
def test_known_hosts(sim: Simulator, host: str) -> None:
    """IP addresses, localhost and names without a dot cannot be DNS names of web sites."""
    assert status(sim, f"Host: {host}") == 200


@pytest.mark.fault(47)
@pytest.mark.parametrize("host", [
    "attacker.example", "attacker.example:8080", "127.0.0.1.attacker.example", "localhost.example",
    "127.0.0.1@attacker.example", "[", "", "0x7f.1", "2130706433", "a b"])
@pytest.mark.parametrize("path", [
    "/cti/info", "/cti", "/oauth2/authorize.php", "/manager/1.0/services", "/nothing"])
def test_foreign_hosts(sim: Simulator, host: str, path: str) -> None:
    """A web page whose name was pointed at this machine gets nothing, wherever it asks."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close", "", ""]
    with socket.create_connection(("127.0.0.1", port_of(sim)), TIMEOUT) as client:
        client.sendall("\r\n".join(lines).encode())
        assert int(client.makefile("rb").readline().split()[1]) in (400, 421)
    assert sim.requested() == []


def test_without_a_host(sim: Simulator) -> None:
    """Browsers always name one, so that a program which names none is no danger."""
    assert status(sim, version="1.0") == 200


def test_allowed_hosts() -> None:
    """Names by which programs reach it elsewhere can be allowed."""
    with Simulator(allowed_hosts=["My.Simulator", "keyyo.test."]) as sim:
        assert status(sim, "Host: my.simulator:8080") == 200
        assert status(sim, "Host: KEYYO.test") == 200
        assert status(sim, "Host: other.test") == 421


def test_allow_host_of_the_command() -> None:
    """The command takes such names too."""
    with Running("-m", "keyyo_cti", "simulator", "--allow-host", "keyyo.test") as running:
        url = running.until("simulator at ").split()[-1]
        for host, expected in [("keyyo.test", 200), ("other.test", 421)]:
            answer = requests.get(f"{url}/info", headers={"Host": host}, timeout=TIMEOUT)
            assert answer.status_code == expected
            assert (expected == 421) is ("--allow-host" in answer.text)


@pytest.mark.parametrize("names, error", [("keyyo.test", TypeError), ([5], TypeError),
                                          ([""], ValueError)])
def test_wrong_hosts(names: Any, error: type) -> None:
    """An argument that is not a list of names is refused."""
    with pytest.raises(error, match="allowed_hosts: "):
        Simulator(allowed_hosts=names)


@pytest.mark.fault(47)
@pytest.mark.parametrize("origin, allowed, credentials", [
    (None, "*", None),
    ("http://localhost:3000", "http://localhost:3000", "true"),
    ("http://127.0.0.1:9", "http://127.0.0.1:9", "true"),
    ("http://[::1]:9", "http://[::1]:9", "true"),
    ("https://keyyo.test", "https://keyyo.test", "true"),
    ("https://attacker.example", "*", None),
    ("http://localhost.attacker.example", "*", None),
    ("http://127.0.0.1.attacker.example", "*", None),
    ("http://192.0.2.1", "*", None),
    ("http://[", "*", None),
    ("null", "*", None),
    # No browser sends this; suites of SockJS do.
    ("test", "test", "true"),
])
@pytest.mark.parametrize("method, path", [
    ("GET", "/info"),
    ("OPTIONS", "/info"),
    ("POST", "/000/abcdefgh/xhr"),
    ("POST", "/000/abcdefgh/xhr_streaming"),
    ("OPTIONS", "/000/abcdefgh/xhr_send"),
])
def test_origins(
    method: str, path: str, origin: Optional[str], allowed: str, credentials: Optional[str]
) -> None:
    """A local page reads responses with cookies; a foreign page reads them without and is not
    named.
    """
    with Simulator(allowed_hosts=["keyyo.test"]) as sim:
        headers = {} if origin is None else {"Origin": origin}
        with requests.request(
            method, sim.endpoint + path, headers=headers, timeout=TIMEOUT, stream=True
        ) as answer:
            assert answer.ok
            assert answer.headers["Access-Control-Allow-Origin"] == allowed
            assert answer.headers.get("Access-Control-Allow-Credentials") == credentials
