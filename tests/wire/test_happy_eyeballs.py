"""A host one address of which swallows packets: it costs a quarter of a second, and once."""

from __future__ import annotations

import os
import socket
import time
from typing import Any, Callable, Dict, Iterator, List

import pytest

from keyyo_cti import CTI, Backoff
from keyyo_cti._net import happy_eyeballs
from keyyo_cti._net.cancellation import CancelToken
from keyyo_cti._net.connect import Connector
from keyyo_cti._net.http_request import Credentials, HttpClient
from keyyo_cti._net.urls import Origin
from keyyo_cti.manager import ManagerError

from ..helpers import scripted_proxy as scripted_proxy
from ..helpers import tcp_peer as peers
from ..helpers.probe import PATIENCE, Record, Seen, eventually
from ..helpers.real_proxy import forget_proxies
from ..helpers.scripted_server import ScriptedServer, session
from ..helpers.tcp_peer import Peer, Script

pytestmark = [
    pytest.mark.fault(53),
    pytest.mark.skipif(
        not os.path.exists("/proc/sys/net/ipv4"),
        reason="only Linux leaves connections to a full queue without an answer",
    ),
]

HOST = "two.addresses.test"

DEAF = "127.0.0.2"

GOOD = "127.0.0.1"

#: Seconds in which a loaded machine connects, behind a quarter of a second at a deaf address. To
#: wait for that one's share of the time would take longer.
SOON = 2.5


class Names:
    """Has HOST lead to a deaf address, and behind it to a good one.

    :ivar tried: each address that was tried.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tried: List[str] = []
        self._deaf: List[socket.socket] = []
        real = socket.getaddrinfo
        begin = happy_eyeballs.Attempts.begin

        def getaddrinfo(host: Any, port: Any, *arguments: Any, **named: Any) -> List[Any]:
            if host != HOST:
                return real(host, port, *arguments, **named)
            if named.get("flags", 0) & socket.AI_NUMERICHOST:
                raise socket.gaierror(socket.EAI_NONAME, "a name")
            found = [real(each, port, type=socket.SOCK_STREAM)[0] for each in (DEAF, GOOD)]
            return found

        def watched(attempts: Any, address: happy_eyeballs.Address) -> None:
            if address[4][0] in (DEAF, GOOD):
                self.tried.append(address[4][0])
            begin(attempts, address)

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        monkeypatch.setattr(happy_eyeballs.Attempts, "begin", watched)

    def lead_to(self, port: int) -> str:
        """HOST with that port, which is deaf at the first address."""
        listener = socket.socket()
        listener.bind((DEAF, port))
        listener.listen(0)
        self._deaf = [listener, *(socket.socket() for _ in range(4))]
        for filler in self._deaf[1:]:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        return f"{HOST}:{port}"

    def close(self) -> None:
        for each in self._deaf:
            each.close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    forget_proxies(monkeypatch)
    happy_eyeballs.memory.clear()
    names = Names(monkeypatch)
    yield names
    names.close()
    happy_eyeballs.memory.clear()


def port_of(endpoint: str) -> int:
    return int(endpoint.split(":")[2].split("/")[0])


def test_deaf_address_is_passed_over_once_and_not_in_restores(
    names: Names, transport: str
) -> None:
    with ScriptedServer(session) as server:
        where = names.lead_to(port_of(server.endpoint))
        options: Dict[str, Any] = {"allow_http": True, "token_provider": lambda: "tok"}
        options["backoff"] = Backoff(first=0.01)
        path = server.endpoint.split("/", 3)[3:]
        with CTI(endpoint="/".join([f"http://{where}", *path]), **options) as cti:
            seen = Seen(cti)
            began = time.monotonic()
            cti.create_session("tok").result(PATIENCE)
            assert time.monotonic() - began < SOON
            assert names.tried[:2] == [DEAF, GOOD]
            for count in (1, 2):
                server.do(lambda connection: connection.reset())
                seen.wait_for("restored", count)
    # All but the very first: each transport's connections, and each restore.
    assert set(names.tried[2:]) == {GOOD} and len(names.tried) >= 6


def test_deaf_address_is_passed_over_in_requests(names: Names) -> None:
    """Of OAuth2 and of the Manager, which have a connection for each request."""

    def serve(sock: socket.socket) -> None:
        peers.request(sock)
        peers.respond(sock, {})

    with Peer(serve) as peer:
        url = f"http://{names.lead_to(peer.port)}/"
        for _ in range(3):
            began = time.monotonic()
            reply = HttpClient(ManagerError, PATIENCE, None).send("GET", url, Credentials())
            assert reply.ok and time.monotonic() - began < SOON
    assert names.tried == [DEAF, GOOD, GOOD, GOOD]


@pytest.mark.parametrize("scheme", ["http", "socks5h", "socks4a"])
def test_deaf_address_of_a_proxy_is_passed_over(
    names: Names, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts: Dict[str, Callable[[Record], Script]] = {
        "http": scripted_proxy.http,
        "socks5h": scripted_proxy.socks5,
        "socks4a": scripted_proxy.socks4,
    }

    with Peer(scripts[scheme](Record())) as peer:
        proxies = {"all": f"{scheme}://{names.lead_to(peer.port)}"}
        origin = Origin("server.test", 80, False)
        for _ in range(2):
            route = Connector(origin, None, CancelToken(), PATIENCE, time.monotonic, proxies)
            began = time.monotonic()
            stream = route.open(began + PATIENCE)
            assert time.monotonic() - began < SOON
            stream.sendall(b"?")
            assert stream.recv(5) == b"hello"
            stream.close()
    assert names.tried == [DEAF, GOOD, GOOD]


def test_address_that_connects_and_does_no_more_is_not_preferred(names: Names) -> None:
    """Where the service behind it does not answer, the system's order counts again."""

    def hang_up(sock: socket.socket) -> None:
        peers.request(sock)
        sock.close()

    with Peer(hang_up) as peer:
        url = f"http://{names.lead_to(peer.port)}/"
        with pytest.raises(ManagerError):
            HttpClient(ManagerError, PATIENCE, None).send("GET", url, Credentials())
        with CTI(endpoint=f"{url}cti", allow_http=True) as cti:
            assert cti.create_session("tok").exception(PATIENCE)
        with pytest.raises(ManagerError):
            HttpClient(ManagerError, PATIENCE, None).send("GET", url, Credentials())
    assert names.tried == 3 * [DEAF, GOOD]


def test_close_ends_the_connecting(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while no address answers."""
    monkeypatch.setattr(f"{__name__}.GOOD", "127.0.0.2")
    url = f"http://{names.lead_to(_free_port())}/"
    with CTI(endpoint=f"{url}cti", allow_http=True, connect_timeout=60) as cti:
        creating = cti.create_session("tok")
        eventually(lambda: names.tried)
        began = time.monotonic()
        cti.close()
        assert creating.exception(PATIENCE) and time.monotonic() - began < SOON


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind((DEAF, 0))
        port: int = sock.getsockname()[1]
        return port
