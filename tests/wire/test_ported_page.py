"""The page that samples/porting/phone.py is ported from, in a real browser: it does the same.

Keyyo's SDK is not among the tests: ``tests/node/stand_in.js`` stands in for it.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Dict, Iterator

import pytest

from keyyo_cti.simulator import Line, Phone, Simulator

from ..helpers import chromium, node_programs
from ..helpers.chromium import click, texts, wait
from ..helpers.probe import PATIENCE
from ..helpers.running import DEADLINE, ROOT

if TYPE_CHECKING:
    from selenium.webdriver.remote.webdriver import WebDriver

_MISSING = chromium.missing() or node_programs.missing()

pytestmark = pytest.mark.skipif(_MISSING is not None, reason=_MISSING or "")

BOB = "33199020000"

PAGE = ROOT / "samples" / "porting" / "phone.html"
SOCKJS = node_programs.FOLDER / "node_modules" / "sockjs-client" / "dist" / "sockjs.min.js"
STAND_IN = node_programs.FOLDER / "stand_in.js"


class Site:
    """Serves texts by their paths; use it in a ``with`` statement."""

    def __init__(self, files: Dict[str, str]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                text = files.get(self.path)
                self.send_response(404 if text is None else 200)
                kind = "javascript" if self.path.endswith(".js") else "html"
                self.send_header("Content-Type", f"text/{kind}; charset=utf-8")
                self.end_headers()
                self.wfile.write((text or "").encode())

            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Site:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(DEADLINE)
        self._server.server_close()


@pytest.fixture
def page(sim: Simulator, alice: Line) -> Iterator[WebDriver]:
    """The page of Alice's line, connected."""
    page = PAGE.read_text("utf-8").replace("<Your CSI token>", sim.token(alice))
    endpoint = f"const KEYYO_ENDPOINT = '{sim.endpoint}';"
    sdk = "\n".join([SOCKJS.read_text("utf-8"), endpoint, STAND_IN.read_text("utf-8")])
    with Site({"/": page, "/keyyo-cti.min.js": sdk}) as site, chromium.chromium() as driver:
        driver.get(site.url)
        says(driver, "#status", "Connected")
        yield driver


def says(driver: WebDriver, selector: str, part: str) -> None:
    """Waits until a text is on the page."""
    wait(driver, lambda page: any(part in text for text in texts(page, selector)), part)


@pytest.mark.slow
def test_an_incoming_call(page: WebDriver, alice: Line, bob: Phone) -> None:
    """A call that comes in is shown with its buttons, and they answer it and end it."""
    bob.call(alice)
    says(page, "#calls li", "Bob -> 33199000001: ringing")
    assert page.title == "Bob is calling"
    click(page, "answer")
    says(page, "#status", "Picked up after")
    bob.wait_until("talking", PATIENCE)
    click(page, "hang_up")
    says(page, "#calls li", "Bob -> 33199000001: ended")
    bob.wait_until("idle", PATIENCE)


def test_a_missed_call(page: WebDriver, alice: Line, bob: Phone) -> None:
    """Calls that nobody picked up are counted."""
    bob.call(alice)
    bob.hang_up()
    says(page, "#calls li", "missed")
    says(page, "#missed", "1")


@pytest.mark.slow
def test_dialling(page: WebDriver, alice: Line, bob: Phone) -> None:
    """A click on a favourite dials, and so does a number that is typed."""
    click(page, "Bob")
    says(page, "#status", "Calling Bob")
    bob.wait_until("ringing", PATIENCE)
    alice.phone.hang_up()
    page.find_element("css selector", "#number").send_keys("33199020001")
    click(page, "Call")
    says(page, "#status", "Calling 33199020001")


@pytest.mark.slow
def test_a_reload(page: WebDriver, sim: Simulator, alice: Line, bob: Phone) -> None:
    """The page is reloaded: the session goes on, and so does the call."""
    bob.call(alice)
    says(page, "#calls li", "ringing")
    page.refresh()
    says(page, "#calls li", "Bob")
    assert len(sim.sessions()) == 1
