"""From the consent to the lines and a CSI token, on a service that speaks as Keyyo does."""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Callable, List
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from keyyo_cti.account import Account, TokenMemory
from keyyo_cti.manager import Manager, ManagerError
from keyyo_cti.oauth2 import CredentialsRefused, OAuth2, OAuth2Error, Tokens
from keyyo_cti.simulator import DEFAULT_APPLICATION, Line, Simulator
from keyyo_cti.token_file import TokenFile

from ..helpers.probe import PATIENCE


def oauth2_of(sim: Simulator) -> OAuth2:
    return OAuth2(
        DEFAULT_APPLICATION.client_id,
        DEFAULT_APPLICATION.client_secret,
        DEFAULT_APPLICATION.redirect_uris[0],
        authorize_url=sim.authorize_url,
        token_url=sim.token_url,
    )


def warnings(caplog: pytest.LogCaptureFixture) -> List[str]:
    return [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]


@pytest.mark.fault(44)
@pytest.mark.parametrize("rotates", [True, False])
def test_sign_in_and_refresh(
    rotates: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Signed in, a program reads lines and mints CSI tokens, through refreshes on a service that
    replaces refresh tokens and on one that does not; another run knows all of it."""
    with Simulator(rotate_refresh_tokens=rotates, access_token_lifetime=3600) as sim:
        line = sim.line("33199000001")
        oauth2 = oauth2_of(sim)
        file = TokenFile(oauth2, tmp_path / "tokens")
        with Account(oauth2, file) as account, Manager(account, sim.manager_url) as manager:
            url, state = oauth2.authorization_url()
            signed_in = account.sign_in(sim.consent(url), state).result(PATIENCE)
            for _ in range(3):
                before = account.client.tokens()
                # As when its hour is over.
                sim.revoke_access(before.access_token)
                [found] = manager.lines().result(PATIENCE)
                assert manager.csi_token(found.csi).result(PATIENCE).csi == line.number
                after = account.client.tokens()
                assert after.access_token != before.access_token
                assert (after.refresh_token != before.refresh_token) is rotates
        again = TokenFile(oauth2, tmp_path / "tokens").load()
        assert again == after
        assert again is not None and again.scope == signed_in.scope
        assert again.missing_scopes("cti_admin full_access_read_only") == ()
    assert warnings(caplog) == []


@pytest.mark.fault(44)
@pytest.mark.parametrize("rotates", [True, False])
def test_no_word_of_a_dead_token_before_the_service_says_so(rotates: bool) -> None:
    """An old refresh token is sent if somebody wants that; only the service's refusal says that
    it is of no use any more."""
    with Simulator(rotate_refresh_tokens=rotates) as sim, oauth2_of(sim) as oauth2:
        url, state = oauth2.authorization_url()
        first = oauth2.exchange(sim.consent(url), state).result(PATIENCE)
        oauth2.refresh(first).result(PATIENCE)
        if rotates:
            with pytest.raises(CredentialsRefused) as caught:
                oauth2.refresh(first).result(PATIENCE)
            assert caught.value.error_code == "invalid_grant"
        else:
            assert oauth2.refresh(first).result(PATIENCE).refresh_token == first.refresh_token
        assert len(sim.requested("/oauth2/token.php")) == 3


@pytest.mark.fault(44)
def test_partial_grant(sim: Simulator, alice: Line, caplog: pytest.LogCaptureFixture) -> None:
    """What was not granted is told when signing in, by diagnose, and by the error of the request
    that needs it; tokens cannot be mended by a refresh, but by another consent."""
    sim.grant_only("full_access_read_only")
    with oauth2_of(sim) as oauth2, Account(oauth2, TokenMemory()) as account:
        with Manager(account, sim.manager_url) as manager:
            url, state = oauth2.authorization_url()
            tokens = account.sign_in(sim.consent(url), state).result(PATIENCE)
            assert tokens.missing_scopes(["cti_admin", "full_access_read_only"]) == ("cti_admin",)
            [told] = warnings(caplog)
            assert "cti_admin" in told and "authorize the application again" in told
            sim.grant_only(None)
            account.client.renewed(tokens)
            diagnosis = manager.diagnose(alice.number, sim.endpoint).result(PATIENCE)
            assert diagnosis.faults == ["missing_scope"]
            account_finding = diagnosis.findings[0]
            assert account_finding.fact == "this program is authorized without the scope cti_admin"
            assert "again" in str(account_finding.advice)
            with pytest.raises(ManagerError) as caught:
                manager.csi_token(alice.number).result(PATIENCE)
            assert caught.value.reason == "The scope cti_admin is needed"
            url, state = oauth2.authorization_url()
            account.sign_in(sim.consent(url), state).result(PATIENCE)
            assert manager.diagnose(alice.number, sim.endpoint).result(PATIENCE).good
    assert len(warnings(caplog)) == 1


@pytest.mark.fault(44)
def test_a_client_that_sends_scope(sim: Simulator, alice: Line) -> None:
    """A client of before, which asks for ``scope``, fails here as it does on the service: with a
    403 once it mints a CSI token."""
    with oauth2_of(sim) as oauth2, Account(oauth2, TokenMemory()) as account:
        url, state = oauth2.authorization_url()
        parts = urlsplit(url)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        asked["scope"] = asked.pop("scopes").replace(",", " ")
        url = parts._replace(query=urlencode(asked)).geturl()
        account.sign_in(sim.consent(url), state).result(PATIENCE)
        with Manager(account, sim.manager_url) as manager:
            with pytest.raises(ManagerError) as caught:
                manager.csi_token(alice.number).result(PATIENCE)
    assert caught.value.status_code == 403


@pytest.mark.fault(45)
@pytest.mark.parametrize("how", [
    lambda oauth2, url, state: oauth2_again(oauth2).exchange(url, state),
    lambda oauth2, url, state: oauth2.exchange(url, state, code_verifier="x" * 43),
    lambda oauth2, url, state: oauth2.exchange(code_of(url), oauth2.authorization_url()[1]),
], ids=["another program", "another verifier", "a code of another authorization"])
def test_a_code_that_was_taken(
    sim: Simulator, how: Callable[[OAuth2, str, str], "Future[Tokens]"]
) -> None:
    """Who has taken a code, or plants one, cannot have it exchanged: its verifier never left the
    program. Taken to another process of the program, it does."""
    with oauth2_of(sim) as oauth2:
        url, state = oauth2.authorization_url()
        brought = sim.consent(url)
        future = how(oauth2, brought, state)
        with pytest.raises(OAuth2Error) as caught:
            future.result(PATIENCE)
        assert caught.value.error_code == "invalid_grant"
        verifier = oauth2.code_verifier(state)
        other = oauth2_again(oauth2)
        account = Account(other, TokenMemory())
        signed_in = account.sign_in(brought, state, code_verifier=verifier).result(PATIENCE)
        assert isinstance(signed_in, Tokens)


def oauth2_again(oauth2: OAuth2) -> OAuth2:
    """The same program, in what is as good as another process."""
    client = oauth2.client
    return OAuth2(
        client.client_id,
        DEFAULT_APPLICATION.client_secret,
        client.redirect_uri,
        authorize_url=client.authorize_url,
        token_url=client.token_url,
    )


def code_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["code"][0]


@pytest.mark.fault(44)
def test_a_mailbox_is_no_line(sim: Simulator) -> None:
    """The address of a mailbox, which is a CSI too, reaches the service whole."""
    tokens = sim.account_tokens()
    store = TokenMemory(Tokens(tokens["access_token"], None, time.time() + 3600))
    with Account(oauth2_of(sim), store) as account:
        with Manager(account, sim.manager_url) as manager:
            with pytest.raises(ManagerError) as caught:
                manager.line("office@example.org").result(PATIENCE)
            assert caught.value.message == "It is no telephone line"
            for csi in ("a/b", "a b", "../services", "%2F", "été"):
                with pytest.raises(ManagerError) as caught:
                    manager.sip_records(csi).result(PATIENCE)
                assert caught.value.reason == "No such line"
