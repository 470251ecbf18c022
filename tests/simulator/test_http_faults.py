"""Faults of HTTP requests, on real sockets."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from keyyo_cti.simulator import Line, Simulator

from ..helpers.form_browser import ask_refresh, ask_token
from ..helpers.raw_client import RawClient, outcome
from .conftest import Connect
from .test_manager import Caller, items

SERVICES = "/manager/1.0/services"
TOKEN = "/oauth2/token.php"

SHORT = 0.05
"""A wait that is meant to end in vain, in seconds."""


@pytest.fixture
def caller(sim: Simulator, alice: Line) -> Caller:
    return Caller(sim)


def test_status(sim: Simulator, caller: Caller) -> None:
    """Requests get any status and headers, `times` times, and are not handled."""
    sim.faults.http(SERVICES, 429, headers={"Retry-After": "7"}, times=2)
    for _ in range(2):
        response = caller.ask("GET", "/services")
        assert (response.status_code, response.headers["Retry-After"]) == (429, "7")
        assert response.content == b""
    assert caller.ask("GET", "/services").ok


@pytest.mark.parametrize("body, sent", [
    ({"result": "failure"}, '{"result": "failure"}'),
    ("[", "["),
    ("", ""),
])
def test_body(sim: Simulator, caller: Caller, body: Any, sent: str) -> None:
    """A body is sent as it is, or as JSON."""
    sim.faults.http(SERVICES, 503, body=body)
    response = caller.ask("GET", "/services")
    assert (response.status_code, response.text) == (503, sent)
    assert response.headers["Content-Type"] == "application/json"


def test_content_type(sim: Simulator, caller: Caller) -> None:
    """An answer can be of another type, as that of a proxy on the way."""
    sim.faults.http("/", 502, headers={"content-type": "text/html"}, body="<h1>Bad gateway</h1>")
    response = caller.ask("GET", "/services")
    assert response.headers["Content-Type"] == "text/html"
    assert response.text == "<h1>Bad gateway</h1>"


def test_by_path(sim: Simulator, caller: Caller) -> None:
    """A fault applies to its path only; of two, the older applies until it is used up."""
    sim.faults.http(SERVICES + "/", 500, times=1)
    sim.faults.http("/manager", 502)
    assert caller.ask("GET", "/services/33199000001").status_code == 500
    assert caller.ask("GET", "/services/33199000001").status_code == 502
    assert ask_token(sim).status_code == 400


def test_garbage(sim: Simulator, caller: Caller) -> None:
    """Garbage is status 200 with invalid JSON."""
    sim.faults.http_garbage(SERVICES, times=1)
    response = caller.ask("GET", "/services")
    assert response.status_code == 200
    with pytest.raises(ValueError):
        response.json()
    assert caller.ask("GET", "/services").json()


def test_cut(sim: Simulator, caller: Caller) -> None:
    """A cut ends TCP in the middle of the answer, and the next request is answered."""
    sim.faults.http_cut(SERVICES, times=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        caller.ask("GET", "/services")
    assert caller.ask("GET", "/services").ok


def test_cut_after_the_deed(sim: Simulator) -> None:
    """A request whose answer is cut has been performed: the old refresh token is dead."""
    token = sim.account_tokens()["refresh_token"]
    sim.faults.http_cut(TOKEN, times=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        ask_refresh(sim, token)
    again = ask_refresh(sim, token)
    assert again.json()["error"] == "invalid_grant"


def test_cut_errors(sim: Simulator) -> None:
    """An error's answer can be cut too, and so can one without a body."""
    sim.faults.http_cut("/", times=2)
    for url in (sim.token_url, sim.token_url + "/nothing"):
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            requests.get(url, timeout=5)


def test_cut_leaves_websockets(sim: Simulator, connect: Connect) -> None:
    """A websocket has no answer's body, and is left alone."""
    sim.faults.http_cut("/cti")
    assert outcome(connect().ask("ping"))[0] == 401


def test_slow(sim: Simulator, caller: Caller) -> None:
    """A slow request is neither performed nor answered until the faults are cleared."""
    sim.faults.http_slow(SERVICES + "/")
    path = "/services/33199000001/cti_plugins/websocket"
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(caller.ask, "POST", path, data={"enabled": "0"})
        assert sim.wait_for_request(SERVICES).startswith("POST ")
        assert sim.line("33199000001").plugin_enabled
        assert not waiting.done()
        assert caller.ask("GET", "/services").ok
        sim.faults.clear()
        assert waiting.result(5).json()["enabled"] is False
    assert caller.ask("GET", path[:-len("/websocket")]).ok


def test_slow_once(sim: Simulator, caller: Caller) -> None:
    """`times` requests are slow, and the next is not; a client may disconnect meanwhile."""
    sim.faults.http_slow(SERVICES, times=1)
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(sim.manager_url + "/services", timeout=SHORT)
    assert caller.ask("GET", "/services").ok


def test_stop_does_not_wait() -> None:
    """The simulator stops in the middle of a slow request."""
    sim = Simulator()
    sim.start()
    sim.faults.http_slow("/")
    ended = threading.Event()

    def ask() -> None:
        with pytest.raises(requests.exceptions.ConnectionError):
            requests.get(sim.authorize_url, timeout=5)
        ended.set()

    asking = threading.Thread(target=ask)
    asking.start()
    sim.wait_for_request("/oauth2")
    sim.stop()
    assert ended.wait(5)
    asking.join(5)


def test_foreign_next(alice: Line) -> None:
    """A next link can lead elsewhere, until it is cleared; the other links do not."""
    with Simulator(page_size=1) as sim:
        caller = Caller(sim)
        own = sim.manager_url + "/services?offset=1&limit=1"
        for origin in ("http://elsewhere.invalid", "http://127.0.0.1:9"):
            sim.faults.foreign_next(origin)
            links = caller.get("/services")["_links"]
            assert links["next"]["href"] == f"{origin}{SERVICES}?offset=1&limit=1"
            assert links["self"]["href"].startswith(sim.manager_url)
        sim.faults.clear()
        assert caller.get("/services")["_links"]["next"]["href"] == own


def test_clear(sim: Simulator, caller: Caller) -> None:
    """Clearing takes every fault of HTTP away."""
    sim.faults.http(SERVICES, 500)
    sim.faults.http_cut("/manager")
    sim.faults.http_garbage("/")
    sim.faults.clear()
    assert items(caller.get("/services"))


def test_the_cti_too(sim: Simulator) -> None:
    """The paths of the CTI service can have these faults as well."""
    sim.faults.http("/cti/info", 503, times=1)
    assert requests.get(sim.endpoint + "/info", timeout=5).status_code == 503
    client = RawClient(sim.endpoint)
    client.close()


@pytest.mark.parametrize("path, status, times, complaint", [
    ("oauth2", 500, None, "path_prefix: expected a path"),
    ("", 500, None, "path_prefix: expected a string that is not empty"),
    ("/", 101, None, "status: expected 200 to 599"),
    ("/", "500", None, "status: expected an integer"),
    ("/", 500, 0, "times: expected 1 or more"),
])
def test_wrong_arguments(
    sim: Simulator, path: str, status: Any, times: Any, complaint: str
) -> None:
    """A fault that makes no sense is refused by the name of the argument."""
    with pytest.raises((TypeError, ValueError), match=complaint):
        sim.faults.http(path, status, times=times)


# Who came


def test_requested(sim: Simulator, caller: Caller) -> None:
    """Requests are remembered by method and path, in their order, without their query."""
    caller.ask("GET", "/services?limit=1")
    ask_token(sim)
    assert sim.requested() == [f"GET {SERVICES}", f"POST {TOKEN}"]
    assert sim.requested("/oauth2") == [f"POST {TOKEN}"]
    caller.ask("GET", "/services/a%20b")
    assert sim.wait_for_request(SERVICES, count=2) == f"GET {SERVICES}/a b"


def test_waiting_in_vain(sim: Simulator) -> None:
    """The timeout of a wait for a request lists the requests seen."""
    ask_token(sim)
    with pytest.raises(TimeoutError, match=r"no request '/manager' number 1 .*token\.php"):
        sim.wait_for_request("/manager", SHORT)
    with pytest.raises(ValueError, match="count: "):
        sim.wait_for_request("/", count=0)
