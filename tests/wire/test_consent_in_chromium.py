"""The simulator's consent page in a real browser, up to the tokens."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import TYPE_CHECKING, Any, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest

from keyyo_cti.oauth2_client import CredentialsRefused, OAuth2Client
from keyyo_cti.simulator import Line, Simulator

from ..chromium import chromium, click, has_alert, missing, texts, wait
from .probe import PATIENCE

if TYPE_CHECKING:
    from selenium.webdriver.remote.webdriver import WebDriver

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

SECRET = "canary-client-secret"
SCRIPT = '"><script>alert("1")</script>'


class Landing(ThreadingHTTPServer):
    """The redirect target of an application: says where it was visited.

    It has threads, for a browser opens connections on which it may never ask anything. Its end
    waits for them, so the browser has to end first.
    """

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Visit)
        self.uri = f"http://127.0.0.1:{self.server_port}/callback"
        self.visits: Queue[str] = Queue()
        self._thread = threading.Thread(target=self.serve_forever, name="landing", daemon=True)

    def __enter__(self) -> Landing:
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.shutdown()
        self._thread.join(PATIENCE)
        self.server_close()

    def visited(self) -> str:
        """Waits until a browser is sent here, and gives the whole URL."""
        return self.visits.get(timeout=PATIENCE)


class _Visit(BaseHTTPRequestHandler):
    server: Landing
    timeout = PATIENCE

    def do_GET(self) -> None:
        body = b"<!DOCTYPE html><title>Welcome back</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        url = f"http://{self.headers['Host']}{self.path}"
        # Not for the icon, which a browser asks for by itself.
        if url.partition("?")[0] == self.server.uri:
            self.server.visits.put(url)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the URL has a code in it."""


@pytest.fixture
def landing() -> Iterator[Landing]:
    with Landing() as server:
        yield server


@pytest.fixture
def browser(landing: Landing, alice: Line) -> Iterator[WebDriver]:
    """A browser; it ends before the simulator and the redirect target that it is connected to."""
    with chromium() as driver:
        yield driver


def register(sim: Simulator, landing: Landing, client_id: str = "my-app") -> OAuth2Client:
    sim.oauth2_application(client_id, SECRET, [landing.uri])
    return OAuth2Client(
        client_id, SECRET, landing.uri, authorize_url=sim.authorize_url, token_url=sim.token_url)


def decide(client: OAuth2Client, landing: Landing, browser: WebDriver, label: str) -> str:
    """Open the page and click a button, until the browser is back at the application.

    :returns: the state that the application keeps.
    """
    url, state = client.authorization_url()
    browser.get(url)
    click(browser, label)
    back = landing.visited()
    wait(browser, lambda _: browser.current_url == back, f"the browser to show {landing.uri}")
    return state


def test_allow(sim: Simulator, landing: Landing, browser: WebDriver) -> None:
    """A click on Allow brings a code and the state of the request, which become tokens that the
    simulator takes."""
    client = register(sim, landing)
    state = decide(client, landing, browser, "Allow")
    answer = parse_qs(urlsplit(browser.current_url).query)
    assert answer.keys() == {"code", "state"}
    assert answer["state"] == [state]
    assert browser.title == "Welcome back"
    tokens = client.exchange(browser.current_url, state)
    assert client.refresh(tokens).access_token != tokens.access_token


def test_refuse(sim: Simulator, landing: Landing, browser: WebDriver) -> None:
    """A click on Refuse brings access_denied and no code, which the application is told as a
    refusal, and no token is asked for."""
    client = register(sim, landing)
    state = decide(client, landing, browser, "Refuse")
    answer = parse_qs(urlsplit(browser.current_url).query)
    assert answer == {"error": ["access_denied"], "state": [state]}
    with pytest.raises(CredentialsRefused) as caught:
        client.exchange(browser.current_url, state)
    assert caught.value.error_code == "access_denied"
    assert sim.requested("/oauth2/token.php") == []


def test_what_the_page_shows(sim: Simulator, landing: Landing, browser: WebDriver) -> None:
    """The page shows the application and what it asks for as text, whatever it is called: no
    script comes of it, and the client secret is nowhere in the page."""
    client = register(sim, landing, SCRIPT)
    browser.get(client.authorization_url()[0])
    assert not has_alert(browser)
    assert texts(browser, "strong") == [SCRIPT]
    assert texts(browser, "li code") == ["cti_admin", "full_access_read_only"]
    assert browser.find_elements("tag name", "script") == []
    assert SECRET not in browser.page_source
