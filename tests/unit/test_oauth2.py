"""OAuth2: the authorization URL, the code, the refresh, and what never shows."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import traceback
from typing import Any, Dict, List, Optional, Tuple
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
import requests
import responses

from keyyo_cti import KeyyoError
from keyyo_cti._oauth2.authorizations import Authorization, Authorizations
from keyyo_cti._oauth2.tokens import Tokens
from keyyo_cti.oauth2 import TOKEN_URL, CredentialsRefused, OAuth2Client, OAuth2Error

from ..helpers import canaries
from ..helpers.canaries import ACCESS, CLIENT_SECRET, NEW_ACCESS, NEW_REFRESH, REFRESH, Watch

keyyo, watch = canaries.keyyo, canaries.watch

NOW = 1_700_000_000.0
REDIRECT = "http://127.0.0.1:8080/callback"
OLD = Tokens(ACCESS, REFRESH, NOW)


def make(**arguments: Any) -> OAuth2Client:
    given = {"client_id": "me", "client_secret": CLIENT_SECRET, "redirect_uri": REDIRECT}
    return OAuth2Client(**{**given, "wall": lambda: NOW, **arguments})


@pytest.fixture
def oauth2() -> OAuth2Client:
    return make()


def grant(**fields: Any) -> Dict[str, Any]:
    return {"access_token": NEW_ACCESS, "refresh_token": NEW_REFRESH, "expires_in": 3600, **fields}


def form(keyyo: responses.RequestsMock) -> Dict[str, str]:
    """What the one request brought."""
    [call] = keyyo.calls
    assert isinstance(call.request.body, str)
    return dict(parse_qsl(call.request.body))


def redirected(**answer: str) -> str:
    return f"{REDIRECT}?{urlencode(answer)}"


def test_who_does_not_use_it_does_not_load_it() -> None:
    """A program that has its CSI token from elsewhere loads nothing of OAuth2."""
    look = "import sys, keyyo_cti; print(*{'oauthlib', 'requests_oauthlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", look], stdout=subprocess.PIPE, text=True, env={
        **os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))})
    assert (done.returncode, done.stdout.strip()) == (0, "")


# The authorization URL.


@pytest.mark.fault(44)
def test_authorization_url(oauth2: OAuth2Client, watch: Watch) -> None:
    """The browser is sent to Keyyo with everything but the secret, and a state that is new."""
    url, state = oauth2.authorization_url()
    assert url.startswith("https://ssl.keyyo.com/oauth2/authorize.php?")
    assert parse_qs(urlsplit(url).query) == {
        "client_id": ["me"],
        "response_type": ["code"],
        "redirect_uri": [REDIRECT],
        "scopes": ["cti_admin,full_access_read_only"],
        "state": [state],
        "code_challenge": [challenge_of(oauth2.code_verifier(state))],
        "code_challenge_method": ["S256"],
    }
    assert len(state) > 30
    assert oauth2.authorization_url()[1] != state
    watch.see(url, oauth2)


@pytest.mark.parametrize(
    ("scope", "sent"),
    [
        ("a b", ["a,b"]),
        ("a,b", ["a,b"]),
        (" a,  b\n,c ", ["a,b,c"]),
        (["a", "b"], ["a,b"]),
        (["a b", "c,a"], ["a,b,c"]),
        (iter(["a"]), ["a"]),
        ("", []),
        ([], []),
        ([" "], []),
    ],
)
def test_scope(oauth2: OAuth2Client, scope: Any, sent: List[str]) -> None:
    """The scope is one string, or several, or left to Keyyo. Keyyo reads ``scopes``, separated by
    commas, and passes ``scope`` over."""
    url, _ = oauth2.authorization_url(scope)
    asked = parse_qs(urlsplit(url).query)
    assert asked.get("scopes", []) == sent
    assert "scope" not in asked


@pytest.mark.parametrize("scope", [None, 5, [5], [b"a"], ["a", None]])
def test_scope_of_a_wrong_kind(oauth2: OAuth2Client, scope: Any) -> None:
    """What is no text is no scope."""
    with pytest.raises(TypeError):
        oauth2.authorization_url(scope)


# PKCE.


def challenge_of(verifier: str) -> str:
    """What RFC 7636 makes of a verifier; the example is that of its appendix B."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode()[:43]


def test_the_challenge_of_the_rfc() -> None:
    """The challenge of a verifier is the one of RFC 7636, appendix B."""
    authorization = Authorization("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert authorization.challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert authorization.verifier not in repr(authorization)


@pytest.mark.fault(45)
def test_pkce(oauth2: OAuth2Client, keyyo: responses.RequestsMock) -> None:
    """Each authorization has a verifier of its own, which is sent with the code and nowhere else,
    and again after a failure; with the tokens it is forgotten."""
    keyyo.post(TOKEN_URL, status=503)
    keyyo.post(TOKEN_URL, json=grant())
    (url, state), (_, other) = oauth2.authorization_url(), oauth2.authorization_url()
    verifier = oauth2.code_verifier(state)
    assert re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", verifier)
    assert verifier != oauth2.code_verifier(other)
    assert verifier not in url
    with pytest.raises(OAuth2Error):
        oauth2.exchange(redirected(code="abc", state=state), state)
    oauth2.exchange(redirected(code="abc", state=state), state)
    for call in keyyo.calls:
        assert dict(parse_qsl(str(call.request.body)))["code_verifier"] == verifier
    with pytest.raises(KeyyoError, match="state: ") as caught:
        oauth2.code_verifier(state)
    assert caught.value.error_code == "invalid_params"


@pytest.mark.fault(45)
def test_pkce_in_another_process(oauth2: OAuth2Client, keyyo: responses.RequestsMock) -> None:
    """The verifier can be taken to where the code comes; without it, a refusal says what may be
    missing."""
    _, state = oauth2.authorization_url()
    verifier = oauth2.code_verifier(state)
    keyyo.post(TOKEN_URL, json={"error": "invalid_grant"}, status=400)
    with pytest.raises(CredentialsRefused, match="code_verifier"):
        make().exchange("abc", state)
    with pytest.raises(CredentialsRefused) as caught:
        make().exchange("abc", state, code_verifier=verifier)
    assert "code_verifier" not in str(caught.value)
    without, given = [dict(parse_qsl(str(call.request.body))) for call in keyyo.calls]
    assert "code_verifier" not in without
    assert given["code_verifier"] == verifier


@pytest.mark.parametrize("verifier", ["", "short", "x" * 42, "x" * 129, "é" * 50, 5, b"x" * 43])
def test_impossible_verifier(oauth2: OAuth2Client, verifier: Any) -> None:
    """A verifier that can be none is refused before anything is sent, and is not shown."""
    with pytest.raises(KeyyoError, match="code_verifier: expected") as caught:
        oauth2.exchange("abc", "xyz", code_verifier=verifier)
    assert caught.value.error_code == "invalid_params"
    assert "xx" not in str(caught.value)


def test_many_authorizations() -> None:
    """Those that nobody finishes do not pile up: the oldest are discarded."""
    authorizations = Authorizations()
    states = [authorizations.begin(())[0] for _ in range(10_001)]
    assert authorizations.get(states[0]) is None
    assert authorizations.get(states[1]) is not None
    authorizations.end(states[1])
    authorizations.end(None)
    assert authorizations.get(states[1]) is authorizations.get(None) is None


# What was granted.


BOTH = "cti_admin full_access_read_only"


@pytest.mark.fault(44)
@pytest.mark.parametrize(
    ("asked", "granted", "missing"),
    [
        (BOTH, "full_access_read_only", ("cti_admin",)),
        (BOTH, "cti_admin", ("full_access_read_only",)),
        (BOTH, "voip_profiles_admin", ("cti_admin", "full_access_read_only")),
        (BOTH, " full_access_read_only  a.user ", ("cti_admin",)),
        (BOTH, "cti_admin,full_access_read_only", ()),
        (BOTH, "full_access_read_only cti_admin", ()),
        (BOTH, "full_access cti_admin", ()),
        (BOTH, "full_access", ("cti_admin",)),
        ("cti_admin mine", "full_access_read_only", ("cti_admin",)),
        ("mine", "full_access_read_only", ()),
        ("", "full_access_read_only", ()),
        # These cannot be compared.
        (BOTH, "a.user", ()),
        (BOTH, "a.user a.cti", ()),
        (BOTH, "", ()),
        (BOTH, " ", ()),
        (BOTH, None, ()),
        (BOTH, ["full_access_read_only"], ()),
        (BOTH, 5, ()),
        (BOTH, 'full_access_read_only "', ()),
        (BOTH, "full_access_read_only\x00", ()),
        (BOTH, "full_access_read_only " + "x" * 1000, ()),
    ],
)
def test_what_was_not_granted(
    oauth2: OAuth2Client,
    keyyo: responses.RequestsMock,
    caplog: pytest.LogCaptureFixture,
    asked: str,
    granted: Any,
    missing: Tuple[str, ...],
) -> None:
    """Scopes that were asked for and are not granted are told at once, with what to do; where
    names cannot be compared, nothing is."""
    keyyo.post(TOKEN_URL, json=grant(scope=granted))
    _, state = oauth2.authorization_url(asked)
    tokens = oauth2.exchange(redirected(code="abc", state=state), state)
    assert tokens.missing_scopes(asked) == missing
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(told) == bool(missing)
    for line in told:
        assert f"not granted the scope{'s' * (len(missing) > 1)} {' and '.join(missing)}: " in line
        assert "authorize the application again" in line


def test_a_refresh_keeps_what_was_granted(
    oauth2: OAuth2Client, keyyo: responses.RequestsMock
) -> None:
    """A refresh that does not say what it grants has granted the same; one that says so counts."""
    old = Tokens(ACCESS, REFRESH, NOW, "cti_admin")
    keyyo.post(TOKEN_URL, json=grant())
    assert oauth2.refresh(old).scope == "cti_admin"
    keyyo.replace(responses.POST, TOKEN_URL, json=grant(scope="full_access_read_only"))
    assert oauth2.refresh(old).scope == "full_access_read_only"


def test_authorization_on_this_machine() -> None:
    """A simulator needs no TLS."""
    url, _ = make(authorize_url="http://127.0.0.1:1/authorize").authorization_url()
    assert url.startswith("http://127.0.0.1:1/authorize?response_type=code&")


@pytest.mark.parametrize("name", ["client_id", "client_secret", "redirect_uri"])
def test_arguments(name: str) -> None:
    """A missing or empty argument is named, and not shown."""
    with pytest.raises(TypeError, match=f"{name}: expected a string, got NoneType"):
        make(**{name: None})
    with pytest.raises(ValueError, match=f"{name}: expected a string that is not empty"):
        make(**{name: " "})


@pytest.mark.parametrize("name", ["authorize_url", "token_url"])
def test_insecure_url(name: str) -> None:
    """No secret goes to another machine without TLS."""
    with pytest.raises(ValueError, match=f"{name}: expected a URL that starts with https"):
        make(**{name: "http://api.keyyo.com/x"})


# The exchange.


@pytest.mark.parametrize("brought", [redirected(code="abc", state="xyz"), "abc", " abc\n"])
def test_exchange(
    oauth2: OAuth2Client, keyyo: responses.RequestsMock, watch: Watch, brought: str
) -> None:
    """The code, in its URL or alone, is exchanged for tokens, whose life counts from the
    question."""
    keyyo.post(TOKEN_URL, json=grant())
    tokens = oauth2.exchange(brought, "xyz")
    assert tokens == Tokens(NEW_ACCESS, NEW_REFRESH, NOW + 3600)
    assert form(keyyo) == {
        "grant_type": "authorization_code",
        "client_id": "me",
        "client_secret": CLIENT_SECRET,
        "redirect_uri": REDIRECT,
        "code": "abc",
        "state": "xyz",
    }
    watch.see(tokens, oauth2)


@pytest.mark.parametrize("state", ["other", "", None, "été"])
@pytest.mark.parametrize("answer", [{"state": "xyz"}, {}, {"state": ""}])
def test_wrong_state(oauth2: OAuth2Client, state: Optional[str], answer: Dict[str, str]) -> None:
    """A URL with another state than ours, or none, is refused, and Keyyo is not asked."""
    with pytest.raises(OAuth2Error) as caught:
        oauth2.exchange(redirected(code="abc", **answer), state)
    assert (caught.value.status_code, caught.value.error_code) == (400, "invalid_state")
    assert caught.value.hint and "attacker" in caught.value.hint


@pytest.mark.fault(44)
@pytest.mark.parametrize("state", [None, ""])
def test_exchange_without_a_state_says_what_is_missing(
    oauth2: OAuth2Client, keyyo: responses.RequestsMock, state: Optional[str]
) -> None:
    """A code alone is refused by Keyyo, which wants the state too: the hint names the argument."""
    keyyo.post(TOKEN_URL, json={"error": "invalid_request"}, status=400)
    with pytest.raises(OAuth2Error) as caught:
        oauth2.exchange("abc", state)
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("pass the state from authorization_url to exchange")


def test_user_refuses(oauth2: OAuth2Client) -> None:
    """A user who says no is a final error, with Keyyo's words for it."""
    with pytest.raises(CredentialsRefused) as caught:
        oauth2.exchange(redirected(error="access_denied", state="xyz"), "xyz")
    assert str(caught.value) == (
        "400 access_denied [access_denied] "
        "(the user has not allowed it; see docs/errors.md#access-denied)"
    )
    with pytest.raises(OAuth2Error, match="Which scope") as other:
        oauth2.exchange(
            redirected(error="invalid_scope", error_description="Which scope?", state="s"), "s"
        )
    assert not isinstance(other.value, CredentialsRefused)


def test_no_code(oauth2: OAuth2Client) -> None:
    """A URL without a code says so."""
    with pytest.raises(OAuth2Error, match="no code in the URL"):
        oauth2.exchange(redirected(state="xyz"), "xyz")
    with pytest.raises(OAuth2Error, match="no code in the URL"):
        oauth2.exchange("?state=xyz", "xyz")


@pytest.mark.parametrize("brought", ["", " ", None, 5])
def test_nothing_was_brought(oauth2: OAuth2Client, brought: Any) -> None:
    """What is no text, and no tokens where tokens are wanted, is an error that says so."""
    with pytest.raises(KeyyoError, match="code_or_redirected_url: ") as caught:
        oauth2.exchange(brought, "xyz")
    assert caught.value.error_code == "invalid_params"
    with pytest.raises(KeyyoError, match="tokens: expected Tokens") as caught:
        oauth2.refresh(brought)
    assert caught.value.error_code == "invalid_params"


def test_an_address_without_its_beginning(
    oauth2: OAuth2Client, keyyo: responses.RequestsMock
) -> None:
    """An address as browsers show it, without http://, is no bare code: its state counts."""
    keyyo.post(TOKEN_URL, json=grant())
    shown = redirected(code="1", state="xyz").partition("://")[2]
    assert oauth2.exchange(shown, "xyz").access_token == NEW_ACCESS
    assert form(keyyo)["code"] == "1"
    with pytest.raises(OAuth2Error, match="state"):
        oauth2.exchange(shown, "abc")


def test_a_secret_that_is_no_text() -> None:
    """A byte that is no text, as an environment may have it, is named and not shown."""
    secret = CLIENT_SECRET + "\udcff"
    with pytest.raises(ValueError, match="client_secret: expected text") as caught:
        make(client_secret=secret)
    error = caught.value
    told = traceback.format_exception(type(error), error, error.__traceback__)
    assert "canary" not in "".join(told)


def test_a_refusal_without_a_word(oauth2: OAuth2Client, keyyo: responses.RequestsMock) -> None:
    """An empty error is an error all the same, with words."""
    keyyo.post(TOKEN_URL, json={"error": ""}, status=400)
    with pytest.raises(OAuth2Error, match="Refused without a reason") as caught:
        oauth2.refresh(OLD)
    assert caught.value.error_code is None


# The refresh.


def test_refresh(oauth2: OAuth2Client, keyyo: responses.RequestsMock, watch: Watch) -> None:
    """The refresh token goes out, in the body alone, and new tokens come in."""
    keyyo.post(TOKEN_URL, json=grant())
    tokens = oauth2.refresh(OLD)
    assert tokens == Tokens(NEW_ACCESS, NEW_REFRESH, NOW + 3600)
    assert form(keyyo) == {
        "grant_type": "refresh_token",
        "client_id": "me",
        "client_secret": CLIENT_SECRET,
        "refresh_token": REFRESH,
        "redirect_uri": REDIRECT,
    }
    watch.see(tokens, oauth2, keyyo.calls[0].request.headers)


@pytest.mark.fault(44)
@pytest.mark.parametrize(
    ("fields", "tokens"),
    [
        ({"refresh_token": None}, Tokens(NEW_ACCESS, REFRESH, NOW + 3600)),
        ({"refresh_token": ""}, Tokens(NEW_ACCESS, REFRESH, NOW + 3600)),
        ({"expires_in": "60"}, Tokens(NEW_ACCESS, NEW_REFRESH, NOW + 60)),
        ({"expires_in": None}, Tokens(NEW_ACCESS, NEW_REFRESH)),
        ({"expires_in": "soon", "scope": "other"}, Tokens(NEW_ACCESS, NEW_REFRESH)),
    ],
)
def test_answers(
    oauth2: OAuth2Client, keyyo: responses.RequestsMock, fields: Dict[str, Any], tokens: Tokens
) -> None:
    """A refresh token that is not replaced stays; a life that nobody understands is unknown."""
    keyyo.post(TOKEN_URL, json=grant(**fields))
    assert oauth2.refresh(OLD) == tokens


def test_nothing_to_refresh(oauth2: OAuth2Client) -> None:
    """Without a refresh token, only a person can help."""
    with pytest.raises(CredentialsRefused) as caught:
        oauth2.refresh(Tokens("a"))
    assert caught.value.error_code == "no_refresh_token"


@pytest.mark.parametrize("status", [200, 400, 401])
@pytest.mark.parametrize("code", ["invalid_grant", "invalid_client", "unauthorized_client"])
def test_refused(
    oauth2: OAuth2Client, keyyo: responses.RequestsMock, watch: Watch, status: int, code: str
) -> None:
    """A refusal is final and says what to do, whatever its status, and if Keyyo repeats our
    secrets in it, they do not come through."""
    said = f"No: {REFRESH}\n{CLIENT_SECRET}, {ACCESS}"
    keyyo.post(TOKEN_URL, status=status, json={"error": code, "error_description": said})
    with pytest.raises(CredentialsRefused) as caught:
        oauth2.refresh(OLD)
    error = caught.value
    assert error.status_code == (400 if status == 200 else status)
    assert error.error_code == code
    assert error.message == error.reason == "No: <hidden> <hidden>, <hidden>"
    assert error.hint
    watch.see(error)


@pytest.mark.fault(68)
@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
@pytest.mark.parametrize("code", ["invalid_grant", "invalid_client", "access_denied"])
def test_a_busy_server_refuses_nobody(
    oauth2: OAuth2Client, keyyo: responses.RequestsMock, status: int, code: str
) -> None:
    """A server that is down or busy has not refused for good, whatever it says; its wish for a
    pause is in the error."""
    keyyo.post(TOKEN_URL, status=status, json={"error": code}, headers={"Retry-After": "7"})
    with pytest.raises(OAuth2Error) as caught:
        oauth2.refresh(OLD)
    assert caught.value.final is False and caught.value.retry_after == 7.0


@pytest.mark.fault(68)
@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 429, 503])
@pytest.mark.parametrize("body", ["<html>", "", "{", '{"error": 5}', '["invalid_grant"]'])
def test_foreign_refusal(
    oauth2: OAuth2Client, keyyo: responses.RequestsMock, status: int, body: str
) -> None:
    """What is no answer of OAuth2 is not final, and its hint says that it may pass."""
    keyyo.post(TOKEN_URL, status=status, body=body)
    with pytest.raises(OAuth2Error) as caught:
        oauth2.refresh(OLD)
    assert caught.value.final is False and not isinstance(caught.value, CredentialsRefused)
    assert caught.value.hint and "try again later" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "body", "seen", "code"),
    [
        (500, "<html>", 500, None),
        (503, json.dumps({"error": "temporarily_unavailable"}), 503, "temporarily_unavailable"),
        (400, json.dumps({"error": "invalid_request"}), 400, "invalid_request"),
        (403, "go away", 403, "unreadable"),
        (302, "", 302, "unreadable"),
        (200, "", 502, "unreadable"),
        (200, "[]", 502, "unreadable"),
        (200, json.dumps({"refresh_token": NEW_REFRESH}), 502, "unreadable"),
        (200, json.dumps(grant(access_token=f"{NEW_ACCESS}\r\nX: y")), 502, "unreadable"),
        (200, json.dumps(grant(access_token=5)), 502, "unreadable"),
        (200, json.dumps(grant(refresh_token="é")), 502, "unreadable"),
        (200, json.dumps(grant(error=5))[:-9], 502, "unreadable"),
    ],
)
def test_no_tokens(
    oauth2: OAuth2Client,
    keyyo: responses.RequestsMock,
    watch: Watch,
    status: int,
    body: str,
    seen: int,
    code: Optional[str],
) -> None:
    """An answer without tokens is an error, not a final one, and shows nothing of what is in
    it."""
    keyyo.post(TOKEN_URL, status=status, body=body, headers={"Location": "https://x.example/"})
    with pytest.raises(OAuth2Error) as caught:
        oauth2.refresh(OLD)
    assert not isinstance(caught.value, CredentialsRefused)
    assert (caught.value.status_code, caught.value.error_code) == (seen, code)
    watch.see(caught.value)


@pytest.mark.parametrize("failure", [requests.ReadTimeout(REFRESH), requests.ConnectionError()])
def test_no_answer(
    oauth2: OAuth2Client, keyyo: responses.RequestsMock, watch: Watch, failure: Exception
) -> None:
    """Nobody knows whether a refresh without an answer was heard: it is asked once."""
    answer = keyyo.post(TOKEN_URL, body=failure)
    with pytest.raises(OAuth2Error) as caught:
        oauth2.refresh(OLD)
    assert caught.value.error_code in ("timeout", "unreachable")
    assert answer.call_count == 1
    watch.see(caught.value)


# Tokens.


def test_tokens_as_a_dict() -> None:
    """Tokens go into JSON and come back; what else is in it is passed over."""
    kept = json.loads(json.dumps({**OLD.to_dict(), "scope": "a"}))
    assert Tokens.from_dict(kept) == OLD
    assert Tokens.from_dict(kept).scope == "a"
    assert Tokens.from_dict({**kept, "scope": 5}).scope is None
    assert Tokens.from_dict({"access_token": "a"}) == Tokens("a")


@pytest.mark.parametrize(
    "wrong",
    [{}, {"access_token": "canary\n"}, {"access_token": "a", "refresh_token": "canary canary"},
     {"access_token": "a", "expires_at": "canary"}, {"access_token": "a", "expires_at": "1"},
     {"access_token": "a", "expires_at": float("nan")}, {"access_token": "canary é"}],
)
def test_impossible_tokens(wrong: Dict[str, Any]) -> None:
    """What can be no token is refused, for it would be shown as a bad header; the error does not
    show it."""
    with pytest.raises(ValueError, match="expected") as caught:
        Tokens.from_dict(wrong)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("scope", ["", " ", "a\n", 5, "x" * 2000])
def test_impossible_scope(scope: Any) -> None:
    """What cannot be the scope of an answer is none of tokens."""
    with pytest.raises(ValueError, match="scope: expected"):
        Tokens("a", scope=scope)


def test_good_at() -> None:
    """An access token is good until its time, or as long as nobody says otherwise."""
    assert OLD.good_at(NOW - 1) and not OLD.good_at(NOW)
    assert Tokens("a").good_at(NOW)


def test_repr() -> None:
    """Tokens are not in their repr, but whether there is a refresh token is."""
    assert repr(OLD) == (
        "Tokens(access_token=<hidden>, refresh_token=<hidden>, expires_at=1700000000.0)"
    )
    assert str(Tokens("a")) == "Tokens(access_token=<hidden>, refresh_token=None, expires_at=None)"
