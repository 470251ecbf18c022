"""The URLs of a SockJS server, on real sockets."""

from __future__ import annotations

from typing import Sequence

import pytest
import requests

from keyyo_cti.simulator.serving import ServerThread
from keyyo_cti.simulator.sockjs import TRANSPORT_NAMES, TRANSPORTS, Endpoint

from ...helpers.raw_client import RawClient
from ...helpers.xhr_client import RECEIVERS, Web
from .conftest import Connect, Serve
from .script import TIMEOUT, Script


def get(server: ServerThread, path: str) -> requests.Response:
    return requests.get(server.base_url + path, timeout=TIMEOUT)


def test_greeting(server: ServerThread) -> None:
    """The base URL greets, with and without a slash."""
    for path in ("", "/"):
        answer = get(server, path)
        assert (answer.status_code, answer.text) == (200, "Welcome to SockJS!\n")
        assert answer.headers["Content-Type"].startswith("text/plain")


def test_info(server: ServerThread) -> None:
    """The info response describes the server, is not cached, and has a new entropy each time."""
    first, second = (get(server, "/info") for _ in range(2))
    facts = first.json()
    assert 0 <= facts.pop("entropy") < 2**32
    assert facts == {"websocket": True, "origins": ["*:*"], "cookie_needed": True}
    assert first.json()["entropy"] != second.json()["entropy"]
    assert "no-store" in first.headers["Cache-Control"]


@pytest.mark.parametrize("path", [
    "/000/abcdefgh/carrier_pigeon", "/000/abcdefgh", "/000//websocket", "//abcdefgh/websocket",
    "/0.0/abcdefgh/websocket", "/000/abc.efgh/websocket", "/nothing",
])
def test_unknown_url(server: ServerThread, path: str) -> None:
    """A URL that no transport has is not found."""
    assert get(server, path).status_code == 404


@pytest.mark.parametrize("offered, urls", [
    (("websocket",), {"websocket"}),
    (("xhr-streaming",), {"xhr_streaming", "xhr_send"}),
    (("xhr-polling", "websocket"), {"xhr", "xhr_send", "websocket"}),
    ((), set()),
    (TRANSPORT_NAMES, set(TRANSPORTS)),
])
def test_offered_transports(serve: Serve, offered: Sequence[str], urls: "set[str]") -> None:
    """A transport that is not served gets 404, and the info says if websockets are served."""
    server = serve(transports=offered)
    assert get(server, "/info").json()["websocket"] is ("websocket" in offered)
    for name in TRANSPORTS:
        found = get(server, f"/000/abcdefgh/{name}").status_code != 404
        assert found is (name in urls)


def test_no_cookie(serve: Serve) -> None:
    """A server that wants no cookie sets none."""
    server = serve(jsessionid=False)
    assert get(server, "/info").json()["cookie_needed"] is False
    web = Web(server.base_url)
    assert "Set-Cookie" not in web.request("POST", "/000/abcdefgh/xhr").headers
    web.close()


def test_info_for_a_browser(server: ServerThread, web: Web) -> None:
    """A page of any origin may read the info."""
    asked = web.request("OPTIONS", "/info", Origin="http://page.test")
    assert (asked.status, asked.text()) == (204, "")
    assert asked.headers["Access-Control-Allow-Methods"] == "OPTIONS, GET"
    info = web.request("GET", "/info", Origin="http://page.test")
    assert info.headers["Access-Control-Allow-Origin"] == "http://page.test"
    assert info.headers["Access-Control-Allow-Credentials"] == "true"


@pytest.mark.parametrize("receiver", RECEIVERS)
def test_sessions_are_forgotten(
    server: ServerThread, endpoint: Endpoint, script: Script, connect: Connect, receiver: str
) -> None:
    """Fifty sessions over HTTP later the server holds none of them."""
    for number in range(50):
        client = connect(receiver, session=f"session{number}")
        client.receive()
        client.close()
        assert [script.next(), script.next()] == ["opened", "closed"]
    raw = RawClient(server.base_url)
    raw.send_text('["settle"]')
    assert [script.next(), script.next()] == ["opened", "settle"]
    assert server.call(len, endpoint.connections) == 1
    raw.close()


def test_server_part_of_the_url(connect: Connect, web: Web) -> None:
    """The server part of the URL does not distinguish sessions."""
    client = connect("xhr")
    assert web.request("POST", "/999/abcdefgh/xhr_send", b'["x"]').status == 204
    client.close()
