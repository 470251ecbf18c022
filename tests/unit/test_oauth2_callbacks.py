"""OAuth2 by callbacks and Futures: what the client does, elsewhere."""

from __future__ import annotations

import queue
import threading
from typing import Any, Dict, Tuple

import pytest
import responses

from keyyo_cti.oauth2 import TOKEN_URL, CredentialsRefused, OAuth2, OAuth2Client, Tokens

from ..helpers import canaries
from ..helpers.canaries import ACCESS, CLIENT_SECRET, NEW_ACCESS, NEW_REFRESH, REFRESH, Watch

keyyo, watch = canaries.keyyo, canaries.watch

REDIRECT = "http://127.0.0.1:8080/callback"
SOON = 20.0

GRANT = {"access_token": NEW_ACCESS, "refresh_token": NEW_REFRESH, "expires_in": 3600}


def make(**arguments: Any) -> OAuth2:
    given: Dict[str, Any] = {
        "client_id": "me", "client_secret": CLIENT_SECRET, "redirect_uri": REDIRECT, **arguments}
    return OAuth2(**given)


def test_every_way_to_ask(keyyo: responses.RequestsMock, watch: Watch) -> None:
    """The code, with and without a state, and the refresh come by a Future and by a callback."""
    keyyo.post(TOKEN_URL, json=GRANT)
    answers: "queue.Queue[Tuple[Any, Any]]" = queue.Queue()

    def callback(error: Any, result: Any) -> None:
        answers.put((error, result))

    with make() as oauth2:
        url, state = oauth2.authorization_url("cti_admin")
        assert url.startswith("https://ssl.keyyo.com/oauth2/authorize.php?")
        tokens = oauth2.exchange("code").result(SOON)
        assert (tokens.access_token, tokens.refresh_token) == (NEW_ACCESS, NEW_REFRESH)
        oauth2.exchange("code", callback)
        oauth2.exchange(f"{REDIRECT}?code=1&state={state}", state, callback)
        oauth2.refresh(Tokens(ACCESS, REFRESH), callback)
        for _ in range(3):
            error, result = answers.get(timeout=SOON)
            assert error is None and result.access_token == NEW_ACCESS
        watch.see(oauth2, oauth2.client, url)


def test_refused(keyyo: responses.RequestsMock, watch: Watch) -> None:
    """What the client raises is the error of the Future and of the callback."""
    keyyo.post(TOKEN_URL, json={"error": "invalid_grant"}, status=400)
    errors: "queue.Queue[Any]" = queue.Queue()
    with make() as oauth2:
        with pytest.raises(CredentialsRefused) as caught:
            oauth2.refresh(
                Tokens(ACCESS, REFRESH), lambda error, result: errors.put(error)
            ).result(SOON)
        assert errors.get(timeout=SOON) is caught.value
        watch.see(caught.value)


def test_callbacks_where_one_wants_them(keyyo: responses.RequestsMock) -> None:
    """With ``dispatch="manual"`` callbacks run in poll(), in that thread."""
    keyyo.post(TOKEN_URL, json=GRANT)
    threads = []
    with make(dispatch="manual") as oauth2:
        oauth2.exchange("code", lambda error, result: threads.append(threading.current_thread()))
        assert oauth2.poll(SOON) == 1
        assert oauth2.wait(SOON)
    assert threads == [threading.current_thread()]


def test_closed() -> None:
    """Closed, it asks nobody any more, and says so."""
    oauth2 = make()
    oauth2.close()
    error = oauth2.exchange("code").exception(SOON)
    assert getattr(error, "error_code") == "closed"
    oauth2.close()


def test_it_is_a_program(keyyo: responses.RequestsMock) -> None:
    """A wrong argument is refused at once; ``client`` is the same, blocking."""
    keyyo.post(TOKEN_URL, json=GRANT)
    with pytest.raises(ValueError, match="token_url"):
        make(token_url="http://example.com/token")
    oauth2 = make()
    assert isinstance(oauth2.client, OAuth2Client)
    assert oauth2.client.exchange("code").access_token == NEW_ACCESS
    assert repr(oauth2) == f"<OAuth2 me at {TOKEN_URL}>"


@pytest.mark.fault(51)
@pytest.mark.parametrize("name", ["authorize_url", "token_url"])
def test_http_elsewhere_has_to_be_allowed(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: .*allow_http=True"):
        make(**{name: "http://lab.test/x"})
    with make(**{name: "http://lab.test/x", "allow_http": True}) as oauth2:
        assert getattr(oauth2.client, name) == "http://lab.test/x"
        assert oauth2.authorization_url()[0].startswith(oauth2.client.authorize_url)
