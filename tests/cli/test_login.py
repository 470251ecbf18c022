"""``keyyo-cti login``: how a person signs in, by a browser here or elsewhere."""

from __future__ import annotations

import json
import shlex
import socket
import sys
from pathlib import Path
from typing import List
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from keyyo_cti.simulator import Line, Simulator

from ..helpers.form_browser import TIMEOUT
from ..helpers.running import allow
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

#: Notes what every user of the machine sees of it and what it inherited, opens the page that it
#: was given, clicks, follows the redirect, and stays open until the test hangs up.
BROWSER = """
import html, json, os, re, socket, stat, sys
from pathlib import Path
from urllib.parse import unquote, urlsplit
import requests
from tests.helpers.form_browser import read
page, button, port, notes = sys.argv[1:]
path = Path(unquote(urlsplit(page).path))
text = path.read_text("utf-8")
[url] = set(map(html.unescape, re.findall(r'(?:url=|href=")(http[^"]+)"', text)))
Path(notes).write_text(json.dumps({
    "arguments": sys.argv, "path": str(path), "mode": stat.S_IMODE(path.stat().st_mode),
    "environment": dict(os.environ), "url": url}))
requests.get(read(requests.get(url, timeout=50)).click(button).headers["Location"], timeout=50)
with socket.create_connection(("127.0.0.1", int(port))) as test:
    test.recv(1)
"""


# A browser on this machine.


def test_allow_signs_in(desk: Desk, alice: Line) -> None:
    """A visit after Allow ends it with exit code 0, and then the account's lines are there."""
    with desk.running() as login:
        page = requests.get(clicked(url_of(login)), timeout=TIMEOUT)
        assert login.end() == 0
        assert login.rest("err")[-2].startswith("signed in; the tokens are in ")
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
    :ivar notes: a file in which it tells of itself.
    """

    def __init__(self, folder: Path) -> None:
        script, self.notes = folder / "browser.py", folder / "notes.json"
        script.write_text(BROWSER)
        self._closing = socket.create_server(("127.0.0.1", 0))
        port = str(self._closing.getsockname()[1])
        words = [sys.executable, str(script), "%s", "Allow", port, str(self.notes)]
        self.command = shlex.join(words)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        self._closing.close()


@posix
def test_it_opens_the_browser_and_does_not_wait_for_its_end(desk: Desk, tmp_path: Path) -> None:
    """The browser that BROWSER names is opened with the URL, and that it stays open afterwards,
    as a browser does, keeps nobody waiting."""
    browser = Browser(tmp_path)
    with desk.running(BROWSER=browser.command) as login, browser:
        assert login.end() == 0


@posix
@pytest.mark.fault(46)
def test_what_the_browser_gets(desk: Desk, tmp_path: Path) -> None:
    """No other user finds the state in the list of processes: the browser is opened on a file
    that only its owner can read, and that is gone afterwards. The browser inherits no secret."""
    browser = Browser(tmp_path)
    secrets = {"KEYYO_CSI_TOKEN": "canary-token"}
    with desk.running(BROWSER=browser.command, **secrets) as login, browser:
        assert login.end() == 0
    notes = json.loads(browser.notes.read_text())
    [state] = parse_qs(urlsplit(notes["url"]).query)["state"]
    assert len(state) > 30
    assert not any(state in each or "authorize" in each for each in notes["arguments"])
    assert notes["mode"] == 0o600
    assert not Path(notes["path"]).exists()
    environment = notes["environment"]
    assert not {"KEYYO_CLIENT_SECRET", "KEYYO_CSI_TOKEN"} & environment.keys()
    assert SECRET not in str(environment) and "canary-token" not in str(environment)


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


@pytest.mark.slow
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


@pytest.mark.slow
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
        assert login.end(timeout=allow(3)) == 130
        assert login.rest("err") == ["stopped"]


@pytest.mark.fault(45)
def test_a_port_in_use(desk: Desk) -> None:
    """A second login at the same port is exit code 1 and one line; the first goes on."""
    with desk.running() as first:
        url = url_of(first)
        with desk.running() as second:
            assert second.end() == 1
            [line] = second.rest("err")
            assert line.startswith(f"cannot listen at {desk.redirect_uri}: ")
            # The program that has the port would get the code.
            assert "--paste" not in line and "--redirect-uri" in line
        requests.get(clicked(url), timeout=TIMEOUT)
        assert first.end() == 0


# A browser elsewhere.


def without_scheme(url: str) -> str:
    """The address as browsers show it."""
    return clicked(url).partition("://")[2]


@pytest.mark.parametrize("brings", [clicked, without_scheme])
def test_pasting_signs_in(desk: Desk, alice: Line, brings: Brings) -> None:
    """The whole address signs in, also as browsers show it."""
    assert desk.paste(brings) == 0
    assert desk.enter(nothing, "lines") == 0
    assert alice.number in desk.said


@pytest.mark.parametrize(
    "pasted, status, said",
    [
        ("", 2, "nothing was pasted"),
        ("https://my.example/cb?code=c&state=wrong", 1, "[invalid_state]"),
        ("https://my.example/cb?code=c", 1, "[invalid_state]"),
        ("i", 2, "paste the whole address"),
        ("no-such-code", 2, "paste the whole address"),
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


@pytest.mark.fault(45)
def test_a_bare_code_is_not_enough(desk: Desk) -> None:
    """Only the state of an address shows that a code is not somebody else's: a good code alone is
    exit code 2, and is not sent to Keyyo."""
    assert desk.paste(lambda url: code_in(clicked(url))) == 2
    assert "paste the whole address" in desk.said.splitlines()[-1]
    assert desk.enter(nothing, "lines") == 4


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
    assert asked["scopes"] == ["full_access_read_only"]
    assert asked.keys() == {"response_type", "client_id", "redirect_uri", "scopes", "state",
                            "code_challenge", "code_challenge_method"}
    assert desk.enter(nothing, "token") == 1
    assert SECRET not in urls[0]


# Afterwards.


@pytest.mark.fault(46)
def test_it_names_the_lines_of_the_account(desk: Desk, sim: Simulator, alice: Line) -> None:
    """The last line says which lines the account has: an attacker's account would show."""
    sim.line("33199000002")
    assert desk.paste(clicked) == 0
    assert desk.said.splitlines()[-1] == "the account has 33199000001 (Alice), 33199000002"


@posix
@pytest.mark.fault(51)
def test_login_at_a_laboratory_in_clear(desk: Desk, alice: Line) -> None:
    """With --allow-http all of it goes to another machine over http, and without it nothing. Who
    has signed in there can sign out, or sign in elsewhere, without the option."""
    here = desk.server
    desk.server = here.replace("127.0.0.1", "0.0.0.0")
    assert desk.paste(clicked, "--allow-http") == 0
    assert desk.said.splitlines()[-1] == "the account has 33199000001 (Alice)"
    assert desk.enter(nothing, "login", "--paste") == 2
    assert "in clear" in desk.said
    desk.server = here
    assert desk.paste(clicked) == 0
    desk.server = here.replace("127.0.0.1", "0.0.0.0")
    assert desk.paste(clicked, "--allow-http") == 0
    assert desk.enter(nothing, "logout") == 0
    assert desk.enter(nothing, "lines") == 4


def test_many_lines_are_not_all_named(desk: Desk, sim: Simulator) -> None:
    """Of many lines, some are named."""
    for number in range(30):
        sim.line(f"331990001{number:02}")
    assert desk.paste(clicked) == 0
    last = desk.said.splitlines()[-1]
    assert last.count("33199000") == 20
    assert last.endswith(", 11 more, see keyyo-cti lines")


def test_lines_that_cannot_be_read(desk: Desk, sim: Simulator) -> None:
    """When they cannot be read, that is said, once it was asked once; one is signed in."""
    sim.faults.http("/manager/1.0/services", 503, times=None)
    assert desk.paste(clicked) == 0
    assert desk.said.splitlines()[-1].startswith("the lines of the account cannot be read: 503 ")
    assert sim.requested("/manager") == ["GET /manager/1.0/services"]


@pytest.mark.fault(44)
def test_a_partial_grant_is_told(desk: Desk, sim: Simulator) -> None:
    """What Keyyo has not granted is told at once, with what to do, and again by diagnose; after
    another consent all is well."""
    sim.grant_only("full_access_read_only")
    assert desk.paste(clicked) == 0
    [told] = [line for line in desk.said.splitlines() if "not granted" in line]
    assert "the scope cti_admin" in told and "authorize the application again" in told
    assert desk.enter(nothing, "diagnose") == 1
    account, *_, wrong = [line for line in desk.said.splitlines() if "->" not in line][1:]
    assert account.split()[:2] == ["FAULT", "account"] and account.endswith("scope cti_admin")
    assert wrong == "wrong: missing_scope"
    sim.grant_only(None)
    assert desk.paste(clicked) == 0
    assert "not granted" not in desk.said
    assert desk.enter(nothing, "diagnose") == 0


@pytest.mark.parametrize("scope", ["cti_admin", "cti_admin,full_access_read_only"])
def test_scopes_of_ones_own(desk: Desk, scope: str) -> None:
    """What was not asked for is not missed; commas are as good as blanks."""
    assert desk.paste(clicked, "--scope", scope) == 0
    assert "not granted" not in desk.said
