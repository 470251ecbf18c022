"""The simulator's consent page in a real browser, up to the tokens and a ringing telephone."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Iterator, Tuple
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from keyyo_cti import CTI
from keyyo_cti._oauth2.browser import private_page
from keyyo_cti.account import Account, TokenMemory
from keyyo_cti.loopback import Loopback
from keyyo_cti.manager import Manager
from keyyo_cti.oauth2 import CredentialsRefused, OAuth2
from keyyo_cti.simulator import Line, Simulator
from keyyo_cti.token_provider import TokenProvider

from ..helpers.chromium import chromium, click, has_alert, missing, texts, wait
from ..helpers.probe import PATIENCE
from ..helpers.running import Running

if TYPE_CHECKING:
    from selenium.webdriver.remote.webdriver import WebDriver

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

BOB = "33199020000"
SECRET = "canary-client-secret"
SCRIPT = '"><script>alert("1")</script>'


@pytest.fixture
def redirect_uri() -> str:
    """At a port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}/callback"


@pytest.fixture
def browser(sim: Simulator, alice: Line) -> Iterator[WebDriver]:
    """A browser; it ends before the simulator that it is connected to."""
    with chromium() as driver:
        yield driver


@contextmanager
def program(
    sim: Simulator, redirect_uri: str, client_id: str = "my-app"
) -> Iterator[OAuth2]:
    """A program that the simulator knows."""
    sim.oauth2_application(client_id, SECRET, [redirect_uri])
    with OAuth2(
        client_id,
        SECRET,
        redirect_uri,
        authorize_url=sim.authorize_url,
        token_url=sim.token_url,
    ) as oauth2:
        yield oauth2


def decide(oauth2: OAuth2, browser: WebDriver, label: str) -> Tuple[str, str]:
    """Opens the page and clicks a button, until the browser is back on this machine.

    :returns: where it was sent, and the state that the program keeps.
    """
    url, state = oauth2.authorization_url()
    with Loopback(oauth2.client.redirect_uri, state) as loopback:
        browser.get(url)
        click(browser, label)
        brought = loopback.wait(PATIENCE)
        assert brought is not None
        wait(browser, lambda _: browser.title == "Signing in", "the page of the loopback")
    assert browser.current_url == brought
    return brought, state


@pytest.mark.slow
def test_from_the_page_to_a_ringing_telephone(
    sim: Simulator, alice: Line, redirect_uri: str, browser: WebDriver
) -> None:
    """A click on Allow becomes tokens, those a CSI token, that a session, and Bob's telephone
    rings."""
    with program(sim, redirect_uri) as oauth2, Account(oauth2, TokenMemory()) as account:
        brought, state = decide(oauth2, browser, "Allow")
        assert parse_qs(urlsplit(brought).query).keys() == {"code", "state"}
        account.sign_in(brought, state).result(PATIENCE)
        with Manager(account, sim.manager_url) as manager:
            [line] = manager.lines().result(PATIENCE)
            new_token = TokenProvider(manager, line.csi)
            with CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
                assert cti.create_session(new_token()).result(PATIENCE).number == alice.number
                cti.dial(BOB).result(PATIENCE)
                sim.phone(BOB).wait_until("ringing")


@pytest.mark.slow
@pytest.mark.fault(44)
@pytest.mark.parametrize("rotates", [True, False])
def test_refresh_after_the_click(redirect_uri: str, rotates: bool) -> None:
    """What a click has allowed lasts over refreshes, which may replace refresh tokens or not."""
    with Simulator(rotate_refresh_tokens=rotates) as sim, chromium() as browser:
        alice = sim.line("33199000001")
        with program(sim, redirect_uri) as oauth2, Account(oauth2, TokenMemory()) as account:
            brought, state = decide(oauth2, browser, "Allow")
            first = account.sign_in(brought, state).result(PATIENCE)
            sim.revoke_access(first.access_token)
            with Manager(account, sim.manager_url) as manager:
                assert manager.csi_token(alice.number).result(PATIENCE).csi == alice.number
            second = account.client.tokens()
    assert (second.refresh_token != first.refresh_token) is rotates
    assert second.scope == first.scope == "cti_admin full_access_read_only"


@pytest.mark.slow
@pytest.mark.fault(44)
def test_partial_grant(
    sim: Simulator,
    redirect_uri: str,
    browser: WebDriver,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The click allows less than the page showed: that is told at once."""
    sim.grant_only("cti_admin")
    with program(sim, redirect_uri) as oauth2, Account(oauth2, TokenMemory()) as account:
        brought, state = decide(oauth2, browser, "Allow")
        tokens = account.sign_in(brought, state).result(PATIENCE)
    assert tokens.scope == "cti_admin"
    assert "not granted the scope full_access_read_only" in caplog.text


@pytest.mark.slow
@pytest.mark.fault(46)
def test_the_private_file_leads_to_the_page(
    sim: Simulator, redirect_uri: str, browser: WebDriver
) -> None:
    """A browser that is opened on the file ends up at the consent page, and back at the program,
    without the address having been told to anybody."""
    with program(sim, redirect_uri) as oauth2:
        url, state = oauth2.authorization_url()
        with Loopback(redirect_uri, state) as loopback, private_page(url) as page:
            assert state not in page
            browser.get(page)
            wait(browser, lambda _: browser.current_url == url, "the consent page")
            click(browser, "Allow")
            brought = loopback.wait(PATIENCE)
        assert brought is not None
        assert oauth2.exchange(brought, state).result(PATIENCE).access_token


@pytest.mark.slow
@pytest.mark.fault(47)
def test_a_page_of_another_site(
    sim: Simulator, redirect_uri: str, browser: WebDriver, tmp_path: Path
) -> None:
    """Another site can neither frame the consent page nor send its form."""
    with program(sim, redirect_uri) as oauth2:
        url, _ = oauth2.authorization_url()
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in [*parse_qsl(urlsplit(url).query), ("decision", "allow")])
    site = tmp_path / "site.html"
    site.write_text(
        f'<iframe src="{escape(url)}"></iframe>'
        f'<form method="post" action="{sim.authorize_url}">{fields}<button>Win</button></form>')
    browser.get(site.as_uri())
    browser.switch_to.frame(0)
    assert browser.find_elements("tag name", "button") == []
    browser.switch_to.default_content()
    click(browser, "Win")
    wait(browser, lambda _: "cannot be authorized" in browser.title, "the refusal")
    assert sim.requested("/oauth2/token.php") == []


@pytest.mark.slow
def test_refuse(sim: Simulator, redirect_uri: str, browser: WebDriver) -> None:
    """A click on Refuse brings access_denied and no code, which the program is told as a
    refusal, and no token is asked for."""
    with program(sim, redirect_uri) as oauth2:
        brought, state = decide(oauth2, browser, "Refuse")
        answer = parse_qs(urlsplit(brought).query)
        assert answer == {"error": ["access_denied"], "state": [state]}
        with pytest.raises(CredentialsRefused) as caught:
            oauth2.exchange(brought, state).result(PATIENCE)
    assert caught.value.error_code == "access_denied"
    assert sim.requested("/oauth2/token.php") == []


@pytest.mark.slow
def test_what_the_page_shows(sim: Simulator, redirect_uri: str, browser: WebDriver) -> None:
    """The page shows the application and what it asks for as text, whatever it is called: no
    script comes of it, and the client secret is nowhere in the page."""
    with program(sim, redirect_uri, SCRIPT) as oauth2:
        browser.get(oauth2.authorization_url()[0])
    assert not has_alert(browser)
    assert texts(browser, "strong") == [SCRIPT]
    assert texts(browser, "li code") == ["cti_admin", "full_access_read_only"]
    assert browser.find_elements("tag name", "script") == []
    assert SECRET not in browser.page_source


@pytest.mark.slow
def test_from_the_command_line_to_a_ringing_telephone(
    sim: Simulator, alice: Line, redirect_uri: str, browser: WebDriver
) -> None:
    """``keyyo-cti login`` shows where to go, the click lets it in, and from there on
    ``keyyo-cti dial`` needs nothing but the number."""
    sim.oauth2_application("my-app", SECRET, [redirect_uri])
    server = sim.endpoint.rpartition("/")[0]
    known = {"KEYYO_CLIENT_ID": "my-app", "KEYYO_CLIENT_SECRET": SECRET}
    arguments = ["--server", server, "--redirect-uri", redirect_uri, "--no-browser"]
    with Running("-m", "keyyo_cti", "login", *arguments, **known) as login:
        browser.get(login.until(sim.authorize_url, "err").strip())
        click(browser, "Allow")
        assert login.end() == 0, login.rest("err")
    with Running("-m", "keyyo_cti", "dial", BOB) as dial:
        assert dial.end() == 0, dial.rest("err")
    sim.phone(BOB).wait_until("ringing")
