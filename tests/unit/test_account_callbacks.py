"""An account by callbacks and Futures: what the client does, elsewhere."""

from __future__ import annotations

import queue
from pathlib import Path
from typing import Any

import pytest
import responses

from keyyo_cti.account import Account, TokenMemory
from keyyo_cti.manager import BASE_URL, Manager
from keyyo_cti.oauth2 import TOKEN_URL, CredentialsRefused, OAuth2
from keyyo_cti.token_file import TokenFile

from ..helpers import canaries
from ..helpers.canaries import CLIENT_SECRET, NEW_ACCESS, NEW_REFRESH, Watch

keyyo, watch = canaries.keyyo, canaries.watch

REDIRECT = "http://127.0.0.1:8080/callback"
SOON = 20.0

GRANT = {"access_token": NEW_ACCESS, "refresh_token": NEW_REFRESH, "expires_in": 3600}


@pytest.fixture
def oauth2() -> OAuth2:
    return OAuth2("me", CLIENT_SECRET, REDIRECT)


def test_from_the_code_to_the_lines(
    oauth2: OAuth2, keyyo: responses.RequestsMock, watch: Watch, tmp_path: Path
) -> None:
    """Signed in with what the browser brought, an account gives a Manager what it needs, also
    in another run."""
    keyyo.post(TOKEN_URL, json=GRANT)
    keyyo.get(f"{BASE_URL}/services", json={"_embedded": {}})
    file = TokenFile(oauth2, tmp_path / "tokens")
    with Account(oauth2, file) as account:
        _, state = oauth2.authorization_url()
        account.sign_in(f"{REDIRECT}?code=1&state={state}", state).result(SOON)
    with Account(oauth2, file) as account, Manager(account) as manager:
        assert manager.lines().result(SOON) == []
        assert account.access_token().result(SOON) == NEW_ACCESS
        watch.see(account, account.client, file, manager)


def test_callbacks(oauth2: OAuth2, keyyo: responses.RequestsMock) -> None:
    """Each method calls back, and the state may be left out before the callback."""
    keyyo.post(TOKEN_URL, json=GRANT)
    answers: "queue.Queue[Any]" = queue.Queue()
    with Account(oauth2.client, TokenMemory()) as account:
        account.sign_in("code", lambda error, result: answers.put((error, result)))
        error, tokens = answers.get(timeout=SOON)
        assert error is None and tokens.refresh_token == NEW_REFRESH
        account.access_token(lambda error, result: answers.put((error, result)))
        assert answers.get(timeout=SOON) == (None, NEW_ACCESS)


def test_nobody_has_signed_in(oauth2: OAuth2, watch: Watch) -> None:
    """Without tokens, whoever wants some is told to sign in."""
    with Account(oauth2, TokenMemory()) as account:
        error = account.access_token().exception(SOON)
    assert isinstance(error, CredentialsRefused) and error.error_code == "not_signed_in"
