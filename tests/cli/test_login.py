"""``keyyo-cti login``: how a person signs in, by a browser here or elsewhere."""

from __future__ import annotations

import shlex
import socket
import sys
from pathlib import Path
from typing import List
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from keyyo_cti.simulator import Line, Simulator

from ..simulator.browser import TIMEOUT
from .desk import (
    CLIENT_ID,
    SECRET,
    Brings,
    Desk,
    clicked,
    code_in,
    desk,
    nothing,
    posix,
    url_of,
)

__all__ = ["desk"]

linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a browser")

#: Clicks, follows the redirect, and stays open until the test hangs up.
BROWSER = """
import socket, sys
import requests
from tests.simulator.browser import read
url, button, port = sys.argv[1:]
requests.get(read(requests.get(url, timeout=10)).click(button).headers["Location"], timeout=10)
with socket.create_connection(("127.0.0.1", int(port))) as test:
    test.recv(1)
"""


# A browser on this machine.


def test_allow_signs_in(desk: Desk, alice: Line) -> None:
    """A visit after Allow ends it with exit code 0, and then the account's lines are there."""
    with desk.running() as login:
        page = requests.get(clicked(url_of(login)), timeout=TIMEOUT)
        assert login.end() == 0
        assert login.rest("err")[-1].startswith("signed in; the tokens are in ")
        assert login.rest() == []
    assert page.status_code == 200
    assert desk.enter(nothing, "lines") == 0
    assert alice.number in desk.said


def test_refuse_is_told(desk: Desk, sim: Simulator) -> None:
    """A visit after Refuse ends it with exit code 4 and the reason, and no token is asked for."""
    with desk.running() as login:
        requests.get(clicked(url_of(login), "Refuse"), timeout=TIMEOUT)
        assert login.end() == 4
        assert "access_denied" in login.rest("err")[0]
    assert sim.requested("/oauth2/token.php") == []


def test_other_visits_do_not_end_it(desk: Desk) -> None:
    """Neither somebody else's state nor another page nor a silent connection ends the waiting."""
    address = ("127.0.0.1", urlsplit(desk.redirect_uri).port)
    with desk.running() as login:
        url = url_of(login)
        with socket.create_connection(address):
            for path in (f"{desk.redirect_uri}?code=c&state=wrong", f"{desk.redirect_uri}x"):
                assert requests.get(path, timeout=TIMEOUT).status_code in (400, 404)
            assert requests.get(clicked(url), timeout=TIMEOUT).status_code == 200
            assert login.end() == 0


class Browser:
    """A browser whose person closes it at the end of the block.

    :ivar command: for the variable BROWSER.
    """

    def __init__(self, script: Path) -> None:
        script.write_text(BROWSER)
        self._closing = socket.create_server(("127.0.0.1", 0))
        words = [sys.executable, str(script), "%s", "Allow", str(self._closing.getsockname()[1])]
        self.command = shlex.join(words)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        self._closing.close()


@posix
def test_it_opens_the_browser_and_does_not_wait_for_its_end(desk: Desk, tmp_path: Path) -> None:
    """The browser that BROWSER names is opened with the URL, and that it stays open afterwards,
    as a browser does, keeps nobody waiting."""
    browser = Browser(tmp_path / "browser.py")
    with desk.running(BROWSER=browser.command) as login, browser:
        assert login.end(timeout=10) == 0


@pytest.fixture
def bin(tmp_path: Path) -> Path:
    """A PATH on which every browser only says that it was opened."""
    place = tmp_path / "bin"
    place.mkdir()
    for name in ("xdg-open", "x-www-browser", "www-browser", "w3m", "lynx", "links", "elinks"):
        program = place / name
        program.write_text("#!/bin/sh\necho opened >&2\n")
        program.chmod(0o755)
    return place


@linux
@pytest.mark.parametrize(
    "more, variables",
    [((), {}), (("--no-browser",), {"DISPLAY": ":99", "BROWSER": "w3m %s"})],
    ids=["no screen", "--no-browser"],
)
def test_no_browser_is_opened(
    desk: Desk, bin: Path, more: "tuple[str, ...]", variables: "dict[str, str]"
) -> None:
    """On Linux without DISPLAY and BROWSER nothing takes over the terminal, nor ever with
    ``--no-browser``."""
    with desk.running("--patience", "0.2", *more, **variables, PATH=str(bin)) as login:
        assert login.end() == 1
        assert "opened" not in login.rest("err")


@linux
@pytest.mark.parametrize(
    "variables", [{"DISPLAY": ":99"}, {"WAYLAND_DISPLAY": "wayland-0"}, {"BROWSER": "w3m"}])
def test_a_browser_is_opened(desk: Desk, bin: Path, variables: "dict[str, str]") -> None:
    """With a screen, or with BROWSER, a browser is opened."""
    with desk.running(**variables, PATH=str(bin)) as login:
        login.until("opened", "err")


@posix
@pytest.mark.parametrize("broken", [" ", '"unfinished %s', "/no/such/browser"])
def test_a_browser_that_cannot_be_opened_is_no_matter(desk: Desk, broken: str) -> None:
    """Whatever BROWSER is, the URL is shown and waited for."""
    with desk.running(BROWSER=broken) as login:
        requests.get(clicked(url_of(login)), timeout=TIMEOUT)
        assert login.end() == 0, login.rest("err")


def test_patience_ends(desk: Desk) -> None:
    """A browser that does not come back in time is exit code 1, and it says what to do."""
    with desk.running("--patience", "0.2") as login:
        url_of(login)
        assert login.end() == 1
        [line] = login.rest("err")
    assert line.startswith("the browser did not come back within 0.2 s") and "--paste" in line


@posix
@pytest.mark.parametrize("how", ["--no-browser", "--paste"])
def test_ctrl_c_while_it_waits(desk: Desk, how: str) -> None:
    """Ctrl-C ends the waiting within three seconds: exit code 130, "stopped", no traceback."""
    with desk.running(how) as login:
        url_of(login)
        if how == "--paste":
            login.until("press Enter", "err")
        login.interrupt()
        assert login.end(timeout=3) == 130
        assert login.rest("err") == ["stopped"]


def test_a_port_in_use(desk: Desk) -> None:
    """A second login at the same port is exit code 1 and one line; the first goes on."""
    with desk.running() as first:
        url = url_of(first)
        with desk.running() as second:
            assert second.end() == 1
            [line] = second.rest("err")
            assert line.startswith(f"cannot listen at {desk.redirect_uri}: ")
        requests.get(clicked(url), timeout=TIMEOUT)
        assert first.end() == 0


# A browser elsewhere.


@pytest.mark.parametrize(
    "brings", [clicked, lambda url: code_in(clicked(url))], ids=["whole URL", "code"])
def test_pasting_signs_in(desk: Desk, alice: Line, brings: Brings) -> None:
    """The whole URL and the bare code are as good."""
    assert desk.paste(brings) == 0
    assert desk.enter(nothing, "lines") == 0
    assert alice.number in desk.said


@pytest.mark.parametrize(
    "pasted, status, said",
    [
        ("", 2, "nothing was pasted"),
        ("https://my.example/cb?code=c&state=wrong", 1, "[invalid_state]"),
        ("https://my.example/cb?code=c", 1, "[invalid_state]"),
        ("i", 4, "[invalid_grant]"),
        ("no-such-code", 4, "[invalid_grant]"),
    ],
)
def test_what_was_pasted_is_no_answer(desk: Desk, pasted: str, status: int, said: str) -> None:
    """What is not an answer is told in words, and nobody is signed in."""
    assert desk.paste(lambda url: pasted) == status
    assert said in desk.said.splitlines()[3]
    assert desk.enter(nothing, "lines") == 4


@pytest.mark.parametrize(
    "pasted", ["https://[my.example/cb?code=c", "\udcff", "x://y/?state=\udcff"])
def test_what_was_pasted_is_no_text(desk: Desk, pasted: str) -> None:
    """A URL that is none, and bytes that are no text, are refused in words too."""
    assert desk.paste(lambda url: pasted) in (1, 2, 4)
    assert len(desk.said.splitlines()) > 3


def test_a_redirect_uri_elsewhere_means_pasting(desk: Desk, sim: Simulator) -> None:
    """With a redirect URI that is not on this machine, pasting is asked for unasked."""
    elsewhere = "https://my.example/callback"
    sim.oauth2_application(CLIENT_ID, SECRET, [elsewhere])
    assert desk.enter(clicked, *desk.arguments("--redirect-uri", elsewhere)) == 0
    assert elsewhere in desk.said


def test_the_url_asks_for_the_scope_and_has_no_secret(desk: Desk) -> None:
    """The URL on the screen has the scope that was asked for, and not the client secret."""
    urls: List[str] = []

    def brings(url: str) -> str:
        urls.append(url)
        return clicked(url)

    assert desk.paste(brings, "--scope", "full_access_read_only") == 0
    asked = parse_qs(urlsplit(urls[0]).query)
    assert asked["scope"] == ["full_access_read_only"]
    assert asked.keys() == {"response_type", "client_id", "redirect_uri", "scope", "state"}
    assert desk.enter(nothing, "token") == 1
    assert SECRET not in urls[0]
