"""Applications and their tokens, on real sockets."""

from __future__ import annotations

import logging
from typing import Any, Dict, Iterator, Optional, Tuple

import pytest
import requests

from keyyo_cti.simulator import (
    DEFAULT_APPLICATION,
    Application,
    Line,
    ManualClock,
    Simulator,
)

from ..helpers.form_browser import (
    STATE,
    ask_refresh,
    ask_token,
    get_code,
    read,
    request_of,
    sent_back,
    visit,
)

CALLBACK = DEFAULT_APPLICATION.redirect_uris[0]


@pytest.fixture
def lasting() -> Iterator[Simulator]:
    """A simulator whose refresh tokens stay."""
    with Simulator(rotate_refresh_tokens=False, access_token_lifetime=60) as simulator:
        yield simulator


def redeem(sim: Simulator, code: str, /, **changes: Any) -> requests.Response:
    fields = {
        "grant_type": "authorization_code", "redirect_uri": CALLBACK, "code": code, "state": STATE}
    return ask_token(sim, **{**fields, **changes})


def renew(sim: Simulator, token: str, **changes: Any) -> requests.Response:
    return ask_refresh(sim, token, **changes)


def error(response: requests.Response) -> Any:
    """Return the status and the error of a refused token request."""
    answer = response.json()
    assert answer.keys() == {"error", "error_description"}
    return response.status_code, answer["error"]


def reads(sim: Simulator, access_token: str) -> int:
    """Return the status of a request to the Manager with an access token."""
    headers = {"Authorization": f"Bearer {access_token}"}
    return requests.get(sim.manager_url + "/services", headers=headers, timeout=5).status_code


def mint(sim: Simulator, answer: Dict[str, Any]) -> Tuple[int, Optional[str]]:
    """Return the status of a request for a CSI token, and the reason of a refusal."""
    response = requests.post(
        f"{sim.manager_url}/services/33199000001/csi_token",
        headers={"Authorization": f"Bearer {answer['access_token']}"},
        timeout=5,
    )
    return response.status_code, response.headers.get("X-Status-Reason")


# A code


def test_code_for_tokens(sim: Simulator) -> None:
    """A code returns a valid access token, its lifetime and scopes, and a refresh token."""
    response = redeem(sim, get_code(sim))
    answer = response.json()
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert answer.keys() == {
        "access_token", "expires_in", "token_type", "scope", "refresh_token"}
    assert (answer["expires_in"], answer["token_type"]) == (3600, "bearer")
    assert answer["scope"] == "cti_admin full_access_read_only"
    assert reads(sim, answer["access_token"]) == 200


def test_a_code_works_once(sim: Simulator) -> None:
    """A code is refused the second time, and the tokens that it gave go on."""
    code = get_code(sim)
    tokens = redeem(sim, code).json()
    assert error(redeem(sim, code)) == (400, "invalid_grant")
    assert reads(sim, tokens["access_token"]) == 200


@pytest.mark.parametrize("seconds, status", [(59, 200), (60, 400)])
def test_a_code_lasts_a_minute(sim: Simulator, seconds: float, status: int) -> None:
    """A code is valid for a minute and no longer."""
    code = get_code(sim)
    sim.elapse(seconds)
    assert redeem(sim, code).status_code == status


def test_a_code_of_another(sim: Simulator) -> None:
    """A code is of no use with another redirect URI or to another application."""
    code = get_code(sim)
    other = sim.oauth2_application("other", "secret", [CALLBACK])
    changed = redeem(sim, code, redirect_uri=DEFAULT_APPLICATION.redirect_uris[1])
    assert error(changed) == (400, "invalid_grant")
    assert error(redeem(sim, code, application=other)) == (400, "invalid_grant")
    assert redeem(sim, code).status_code == 200


def test_scopes_go_with_the_code(sim: Simulator) -> None:
    """The tokens have the scopes of the consent page, before and after a refresh."""
    tokens = redeem(sim, get_code(sim, scopes="cti_admin")).json()
    assert reads(sim, tokens["access_token"]) == 403
    renewed = renew(sim, tokens["refresh_token"]).json()
    assert reads(sim, renewed["access_token"]) == 403


# What Keyyo wants, and other services do not


@pytest.mark.fault(44)
@pytest.mark.parametrize("changes", [
    {"scope": "cti_admin full_access_read_only"}, {"scope": "everything"}, {}])
def test_scope_is_passed_over(sim: Simulator, alice: Line, changes: Dict[str, str]) -> None:
    """``scope`` is ignored, and ``scopes``, separated by commas, is used.

    A client that sends only ``scope`` gets its registered scopes, and a 403 with a reason later.
    """
    parameters = {**request_of(), **changes}
    scopes = parameters.pop("scopes")
    page = read(visit(sim, parameters))
    assert "cti_admin" not in page.text
    answer = redeem(sim, sent_back(page.click("Allow"))[1]["code"]).json()
    assert answer["scope"] == "full_access_read_only"
    assert mint(sim, answer) == (403, "The scope cti_admin is needed")
    assert mint(sim, redeem(sim, get_code(sim, scopes=scopes)).json()) == (200, None)


@pytest.mark.fault(44)
@pytest.mark.parametrize("name", ["code", "redirect_uri", "state"])
def test_exchange_without(sim: Simulator, name: str) -> None:
    """An exchange needs code, redirect URI and state; the code is not used up by one without."""
    code = get_code(sim)
    assert error(redeem(sim, code, **{name: None})) == (400, "invalid_request")
    assert redeem(sim, code).status_code == 200


@pytest.mark.fault(44)
def test_exchange_with_another_state(sim: Simulator) -> None:
    """A code goes with its own state only."""
    assert error(redeem(sim, get_code(sim), state="other")) == (400, "invalid_grant")


@pytest.mark.fault(44)
def test_refresh_without_redirect_uri(sim: Simulator) -> None:
    """A refresh needs the redirect URI of the application; the token survives one without."""
    token = sim.account_tokens()["refresh_token"]
    assert error(renew(sim, token, redirect_uri=None)) == (400, "invalid_request")
    assert error(renew(sim, token, redirect_uri="http://127.0.0.1/")) == (400, "invalid_grant")
    assert renew(sim, token).status_code == 200


@pytest.mark.fault(44)
def test_partial_grant(sim: Simulator, alice: Line) -> None:
    """A grant can have fewer scopes; its response names them, and so does a refresh."""
    sim.grant_only("full_access_read_only")
    answer = redeem(sim, get_code(sim)).json()
    assert answer["scope"] == "full_access_read_only"
    assert mint(sim, answer) == (403, "The scope cti_admin is needed")
    sim.grant_only(None)
    assert renew(sim, answer["refresh_token"]).json()["scope"] == "full_access_read_only"
    assert mint(sim, redeem(sim, get_code(sim)).json()) == (200, None)
    with pytest.raises(ValueError, match="scopes: expected some of cti_admin"):
        sim.grant_only("everything")


def test_full_access_reads(sim: Simulator, alice: Line) -> None:
    """``full_access`` is enough to read, and not to mint CSI tokens."""
    answer = sim.account_tokens("full_access")
    assert reads(sim, answer["access_token"]) == 200
    assert mint(sim, answer) == (403, "The scope cti_admin is needed")


def test_what_an_application_was_registered_with(sim: Simulator) -> None:
    """Scopes that are named for an application are also those that it gets unasked."""
    application = sim.oauth2_application("app", "s", [CALLBACK], "cti_admin", "cti_admin")
    assert application == sim.oauth2_application("app", "s", [CALLBACK], "cti_admin")
    parameters = request_of(application)
    del parameters["scopes"]
    assert "cti_admin" in read(visit(sim, parameters)).text
    with pytest.raises(ValueError, match="default_scopes: "):
        sim.oauth2_application("app", "s", [CALLBACK], "cti_admin", "full_access")


# PKCE

VERIFIER = "v" * 43
#: ``printf vvv... | openssl dgst -sha256 -binary | basenc --base64url``, without the padding.
CHALLENGE = "7w_YNF9DSfIdPf_pRjSq646_kPr-2-o9NAl16JGghdM"
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


@pytest.mark.fault(45)
@pytest.mark.parametrize("challenge, verifier, good", [
    (PKCE, VERIFIER, True),
    (PKCE, "w" * 43, False),
    (PKCE, "", False),
    (PKCE, None, False),
    (PKCE, CHALLENGE, False),
    ({}, VERIFIER, False),
    ({}, None, True),
])
def test_pkce(
    sim: Simulator, challenge: Dict[str, Any], verifier: Optional[str], good: bool
) -> None:
    """A code with a challenge needs its verifier, and a code without one must have none.

    A wrong attempt does not use the code up.
    """
    code = get_code(sim, **challenge)
    response = redeem(sim, code, code_verifier=verifier)
    if not good:
        assert error(response) == (400, "invalid_grant")
        right = VERIFIER if challenge else None
        response = redeem(sim, code, code_verifier=right)
    assert response.status_code == 200


# A refresh


def test_rotation(sim: Simulator) -> None:
    """A refresh returns another refresh token and revokes the old one; access tokens stay valid.
    """
    first = sim.account_tokens()
    second = renew(sim, first["refresh_token"]).json()
    assert error(renew(sim, first["refresh_token"])) == (400, "invalid_grant")
    third = renew(sim, second["refresh_token"]).json()
    assert len({each["refresh_token"] for each in (first, second, third)}) == 3
    assert [reads(sim, each["access_token"]) for each in (first, second, third)] == [200] * 3


def test_without_rotation(lasting: Simulator) -> None:
    """Without rotation a refresh returns no refresh token, and the old one stays valid."""
    token = lasting.account_tokens()["refresh_token"]
    for _ in range(2):
        answer = renew(lasting, token).json()
        assert answer.keys() == {"access_token", "expires_in", "token_type", "scope"}
        assert answer["expires_in"] == 60


def test_a_refresh_token_of_another(sim: Simulator) -> None:
    """A refresh token is of no use to another application, and survives the attempt."""
    token = sim.account_tokens()["refresh_token"]
    other = sim.oauth2_application("other", "secret", [CALLBACK])
    assert error(renew(sim, token, application=other)) == (400, "invalid_grant")
    assert renew(sim, token).status_code == 200


def test_expired_refresh_tokens(sim: Simulator) -> None:
    """Once they have expired, refresh tokens are refused; access tokens go on."""
    tokens = sim.account_tokens()
    sim.expire_refresh_tokens()
    assert error(renew(sim, tokens["refresh_token"])) == (400, "invalid_grant")
    assert reads(sim, tokens["access_token"]) == 200


# What is wrong with a token request


@pytest.mark.parametrize("fields, expected", [
    ({}, (400, "invalid_request")),
    ({"grant_type": ""}, (400, "invalid_request")),
    ({"grant_type": "password"}, (400, "unsupported_grant_type")),
    ({"grant_type": "refresh_token"}, (400, "invalid_request")),
    ({"grant_type": "refresh_token", "redirect_uri": CALLBACK}, (400, "invalid_request")),
    ({"grant_type": "refresh_token", "refresh_token": "x"}, (400, "invalid_request")),
    ({"grant_type": "refresh_token", "refresh_token": "x", "redirect_uri": CALLBACK},
     (400, "invalid_grant")),
    ({"grant_type": "authorization_code", "code": "x", "state": "x"}, (400, "invalid_request")),
    ({"grant_type": "authorization_code", "redirect_uri": "x", "state": "x"},
     (400, "invalid_request")),
    ({"grant_type": "authorization_code", "redirect_uri": "x", "code": "x"},
     (400, "invalid_request")),
    ({"client_id": "stranger"}, (401, "invalid_client")),
    ({"client_secret": "wrong"}, (401, "invalid_client")),
    ({"client_secret": ""}, (401, "invalid_client")),
])
def test_refused(sim: Simulator, fields: Dict[str, Any], expected: Any) -> None:
    """A token request that is wrong is answered in the words of OAuth2."""
    assert error(ask_token(sim, **fields)) == expected


def test_not_a_form(sim: Simulator) -> None:
    """A body that is not a form is ignored, and GET is not allowed."""
    response = requests.post(sim.token_url, json={"client_id": "keyyo-cti"}, timeout=5)
    assert error(response) == (401, "invalid_client")
    assert requests.get(sim.token_url, timeout=5).status_code == 405


def test_http_basic(sim: Simulator) -> None:
    """HTTP Basic can carry the client's credentials; wrong ones get a challenge."""
    token = sim.account_tokens()["refresh_token"]
    fields = {
        "grant_type": "refresh_token", "refresh_token": token, "redirect_uri": CALLBACK}

    def ask(authorization: str) -> requests.Response:
        headers = {"Authorization": authorization}
        return requests.post(sim.token_url, data=fields, headers=headers, timeout=5)

    for wrong in ("Basic !!!", "Basic a2V5eW8tY3Rp", "Basic /w=="):
        response = ask(wrong)
        assert error(response) == (401, "invalid_client")
        assert response.headers["WWW-Authenticate"] == "Basic"
    assert ask("basic a2V5eW8tY3RpOm5vdC1hLXNlY3JldA==").status_code == 200


# Applications


def test_an_application_of_ones_own(sim: Simulator) -> None:
    """A registered application gets its own codes and tokens, within its own scopes."""
    application = sim.oauth2_application(
        "app", "s3cret", ["https://app.example/cb"], "full_access_read_only")
    answer = redeem(
        sim, get_code(sim, application), application=application,
        redirect_uri="https://app.example/cb")
    assert reads(sim, answer.json()["access_token"]) == 200
    refused = visit(sim, request_of(application, scopes="cti_admin"))
    assert sent_back(refused)[1]["error"] == "invalid_scope"


def test_registered_again(sim: Simulator) -> None:
    """An application that is registered again has its new secret, and its tokens."""
    sim.oauth2_application("app", "old", [CALLBACK])
    token = sim.account_tokens()["refresh_token"]
    application = sim.oauth2_application("app", "new", [CALLBACK])
    assert error(renew(sim, token, client_id="app", client_secret="old"))[0] == 401
    assert renew(sim, token, application=application).status_code == 200


def test_account_tokens(sim: Simulator) -> None:
    """Tokens without a click are those of the newest application, or of the one that is given."""
    newest = sim.oauth2_application("app", "secret", [CALLBACK])
    assert renew(sim, sim.account_tokens()["refresh_token"], application=newest).ok
    tokens = sim.account_tokens("cti_admin", application=DEFAULT_APPLICATION)
    assert renew(sim, tokens["refresh_token"]).ok
    assert reads(sim, tokens["access_token"]) == 403


@pytest.mark.parametrize("scope", ["", "cti_admin", "everything full_access_read_only"])
def test_account_tokens_within_the_scopes(sim: Simulator, scope: str) -> None:
    """Tokens need a scope, and one that the application may have."""
    sim.oauth2_application("app", "secret", [CALLBACK], ["full_access_read_only"])
    with pytest.raises(ValueError, match="scope: expected some of full_access_read_only"):
        sim.account_tokens(scope)


@pytest.mark.parametrize("changes, kind, complaint", [
    ({"client_id": ""}, ValueError, "client_id: expected a string that is not empty"),
    ({"client_id": 7}, TypeError, "client_id: expected a string, got int"),
    ({"client_secret": ""}, ValueError, "client_secret: "),
    ({"client_secret": b"hush"}, TypeError, "client_secret: expected a string, got bytes"),
    ({"redirect_uris": CALLBACK}, TypeError, "redirect_uris: expected a list"),
    ({"redirect_uris": []}, ValueError, "redirect_uris: expected one or more"),
    ({"redirect_uris": [None]}, TypeError, "redirect_uris: expected a string"),
    ({"redirect_uris": ["/callback"]}, ValueError, "redirect_uris: expected absolute"),
    ({"redirect_uris": [CALLBACK + "#"]}, ValueError, "redirect_uris: expected absolute"),
    ({"scopes": "everything"}, ValueError, "scopes: expected one or more of cti_admin"),
    ({"scopes": []}, ValueError, "scopes: expected one or more of cti_admin"),
])
def test_wrong_applications(
    sim: Simulator, changes: Dict[str, Any], kind: type, complaint: str
) -> None:
    """An application that makes no sense is refused, by the name of the argument."""
    arguments: Dict[str, Any] = {
        "client_id": "app", "client_secret": "hush", "redirect_uris": [CALLBACK]}
    with pytest.raises(kind, match=complaint) as caught:
        sim.oauth2_application(**{**arguments, **changes})
    assert "hush" not in repr(caught.value)


# Access tokens


def test_access_tokens_expire(sim: Simulator) -> None:
    """An access token is valid for an hour and no longer."""
    token = sim.account_tokens()["access_token"]
    sim.elapse(3599)
    assert reads(sim, token) == 200
    sim.elapse(1)
    assert reads(sim, token) == 401


def test_revoked_access(sim: Simulator) -> None:
    """A revoked access token is refused; its refresh token stays valid."""
    tokens = sim.account_tokens()
    sim.revoke_access(tokens["access_token"])
    assert reads(sim, tokens["access_token"]) == 401
    assert renew(sim, tokens["refresh_token"]).ok
    with pytest.raises(ValueError, match="token: not an access token") as caught:
        sim.revoke_access("s3cret")
    assert "s3cret" not in repr(caught.value)


@pytest.mark.parametrize("lifetime", [0, "3600", True])
def test_wrong_lifetime(lifetime: Any) -> None:
    """The lifetime of access tokens is a number of seconds."""
    with pytest.raises((TypeError, ValueError), match="access_token_lifetime: "):
        Simulator(access_token_lifetime=lifetime)


# Secrets


def test_secrets_stay_out_of_sight(
    sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    """No secret is in a log, a repr, a record of requests, or an error."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "aiohttp.access")
    application = sim.oauth2_application("app", "s3cret", [CALLBACK])
    code = get_code(sim, application)
    tokens = redeem(sim, code, application=application).json()
    again = redeem(sim, code, application=application)
    reads(sim, tokens["access_token"])
    authority = sim._website.authority
    shown = [repr(each) for each in (application, sim, authority, DEFAULT_APPLICATION)]
    served = [record.getMessage() for record in caplog.records if "urllib3" not in record.name]
    seen = "\n".join([*shown, *served, *sim.requested(), again.text])
    for secret in ("s3cret", code, tokens["access_token"], tokens["refresh_token"]):
        assert secret not in seen
    assert isinstance(application, Application)


def test_example_of_a_manual_clock() -> None:
    """Access tokens live by the clock that the simulator is given."""
    with Simulator(clock=ManualClock(), access_token_lifetime=10) as sim:
        token = sim.account_tokens()["access_token"]
        sim.elapse(10)
        assert reads(sim, token) == 401
