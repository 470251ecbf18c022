"""The consent page, as a visitor's browser sees it."""

from __future__ import annotations

from typing import Any, Dict, Optional
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests

from keyyo_cti.simulator import Simulator
from keyyo_cti.simulator.consent import make_redirect_url
from keyyo_cti.simulator.oauth2_site import MAX_FORMS

from ..helpers.form_browser import (
    ask_refresh,
    ask_token,
    get_code,
    read,
    request_of,
    sent_back,
    visit,
)

CALLBACK = "http://127.0.0.1:8080/callback"


def test_the_page(sim: Simulator) -> None:
    """The page names the application and its requested scopes, and has two buttons."""
    response = visit(sim, request_of())
    page = read(response)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert list(page.buttons) == ["Allow", "Refuse"]
    for shown in ("keyyo-cti", "cti_admin", "full_access_read_only", "not Keyyo"):
        assert shown in page.text


def test_only_what_is_asked(sim: Simulator) -> None:
    """The page shows the scopes that are asked for, and no others."""
    page = read(visit(sim, request_of(scopes="cti_admin")))
    assert "cti_admin" in page.text
    assert "full_access_read_only" not in page.text


def test_allow(sim: Simulator) -> None:
    """Allow sends the visitor back with a code and the state, character by character."""
    target, answer = sent_back(read(visit(sim, request_of())).click("Allow"))
    assert target == CALLBACK
    assert answer.keys() == {"code", "state"}
    assert answer["state"] == "st&te"


def test_refuse(sim: Simulator) -> None:
    """Refuse sends the visitor back with access_denied and the state, without a code."""
    target, answer = sent_back(read(visit(sim, request_of())).click("Refuse"))
    assert (target, answer) == (CALLBACK, {"error": "access_denied", "state": "st&te"})


@pytest.mark.fault(44)
@pytest.mark.parametrize("state", [None, ""])
def test_without_a_state(sim: Simulator, state: Optional[str]) -> None:
    """A request without a state is refused, as Keyyo does, and has no consent page."""
    parameters = request_of(state="")
    if state is None:
        del parameters["state"]
    target, answer = sent_back(visit(sim, parameters))
    assert (target, answer) == (CALLBACK, {"error": "invalid_request"})


def test_neither_button(sim: Simulator) -> None:
    """A form without one of its buttons causes no redirect."""
    for decision in ({}, {"decision": "perhaps"}):
        response = requests.post(
            sim.authorize_url, data={**request_of(), **decision}, allow_redirects=False,
            timeout=5)
        assert response.status_code == 400
        assert "Allow or Refuse" in read(response).text


def test_a_link_does_not_click(sim: Simulator) -> None:
    """A link cannot replace a click."""
    response = visit(sim, request_of(decision="allow"))
    assert response.status_code == 200
    assert "Allow" in read(response).buttons


# Other sites


@pytest.mark.fault(47)
def test_the_page_is_in_no_frame(sim: Simulator) -> None:
    """Another site can show neither page in a frame, where it could trick a visitor into clicking.
    """
    for parameters in (request_of(), request_of(client_id="stranger")):
        headers = visit(sim, parameters).headers
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.fault(47)
@pytest.mark.parametrize("form_token", [None, "", "guessed", "of another request"])
def test_a_form_of_another_site(sim: Simulator, form_token: Optional[str]) -> None:
    """A form that another site sends, without the token of the page or with that of another
    request, grants nothing."""
    parameters = {**request_of(), "decision": "allow"}
    if form_token is not None:
        parameters["form_token"] = form_token
    if form_token == "of another request":
        page = read(visit(sim, request_of(scopes="full_access_read_only")))
        parameters["form_token"] = page.fields["form_token"]
    response = requests.post(
        sim.authorize_url, data=parameters, allow_redirects=False, timeout=5)
    assert response.status_code == 400
    assert "not from this page" in read(response).text


def test_a_second_click(sim: Simulator) -> None:
    """A visitor who clicks twice is redirected twice, each time with a code."""
    page = read(visit(sim, request_of(decision="allow", form_token="theirs")))
    codes = {sent_back(page.click("Allow"))[1]["code"] for _ in range(2)}
    assert len(codes) == 2


def test_many_pages(sim: Simulator) -> None:
    """Pages without a click do not accumulate."""
    site = sim._website.oauth2
    for number in range(MAX_FORMS + 10):
        site._make_form_token({"state": str(number)})
    assert len(site._forms) == MAX_FORMS


@pytest.mark.parametrize("changes", [
    {"client_id": "stranger"},
    {"client_id": ""},
    {"redirect_uri": "http://127.0.0.1:8080/callback/"},
    {"redirect_uri": "http://127.0.0.1:8081/callback?x=1"},
    {"redirect_uri": "https://127.0.0.1:8080/callback"},
    {"redirect_uri": "http://127.0.0.1:65536/callback"},
    {"redirect_uri": "http://127.0.0.1:8080@attacker.invalid/callback"},
    {"redirect_uri": "http://127.0.0.1.attacker.invalid:8080/callback"},
    {"redirect_uri": "http://attacker.invalid/"},
    {"redirect_uri": ""},
])
def test_never_sent_to_a_stranger(sim: Simulator, changes: Dict[str, Any]) -> None:
    """An unknown application or address is an error page, and no redirect, on each way."""
    parameters = request_of(**changes)
    clicked = requests.post(
        sim.authorize_url, data={**parameters, "decision": "allow"}, allow_redirects=False,
        timeout=5)
    for response in (visit(sim, parameters), clicked):
        assert response.status_code == 400
        assert "Location" not in response.headers
        assert "cannot be authorized" in read(response).text


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
@pytest.mark.parametrize("port", ["", ":1", ":8080", ":65535"])
def test_loopback_redirect_uri_may_have_any_port(sim: Simulator, host: str, port: str) -> None:
    """As in RFC 8252, 7.3: a program listens where it can; the code is for that URI only."""
    uri = f"http://{host}{port}/callback"
    target, answer = sent_back(read(visit(sim, request_of(redirect_uri=uri))).click("Allow"))
    assert target == uri
    fields: Dict[str, Any] = {**answer, "redirect_uri": uri}
    tokens = ask_token(sim, grant_type="authorization_code", **fields)
    refreshed = ask_refresh(sim, tokens.json()["refresh_token"], redirect_uri=uri)
    assert (tokens.status_code, refreshed.status_code) == (200, 200)


def test_application_without_loopback_gets_no_redirect_there(sim: Simulator) -> None:
    sim.oauth2_application("web", "secret", ["https://app.example/callback"])
    request = request_of(client_id="web", redirect_uri="http://127.0.0.1:8080/callback")
    page = visit(sim, request)
    assert page.status_code == 400
    text = read(page).text
    assert "http://127.0.0.1:8080/callback" in text and "application web" in text
    assert "https://app.example/callback" in text


@pytest.mark.parametrize("changes, error", [
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"scopes": "cti_admin,everything"}, "invalid_scope"),
    ({"scopes": "cti_admin full_access_read_only"}, "invalid_scope"),
    ({"code_challenge": "x" * 43}, "invalid_request"),
    ({"code_challenge": "x" * 43, "code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge_method": "S256"}, "invalid_request"),
])
def test_wrong_request(sim: Simulator, changes: Dict[str, Any], error: str) -> None:
    """Any other error is sent to the application, with its state."""
    target, answer = sent_back(visit(sim, request_of(**changes)))
    assert (target, answer) == (CALLBACK, {"error": error, "state": "st&te"})


def test_html_is_escaped(sim: Simulator) -> None:
    """The page escapes the parameters of the request."""
    name = '"><script>alert("1")</script>&amp;'
    sim.oauth2_application(name, "secret", ["http://127.0.0.1/?a=<b>"])
    parameters = {
        "client_id": name, "redirect_uri": "http://127.0.0.1/?a=<b>", "response_type": "code",
        "state": name, name: name,
    }
    page = read(visit(sim, parameters))
    assert "script" not in page.tags
    assert name in page.text
    assert page.fields.pop("form_token")
    assert page.fields == parameters
    page = read(visit(sim, parameters))
    assert sent_back(page.click("Allow"))[1]["state"] == name


def test_a_query_of_its_own(sim: Simulator) -> None:
    """A redirect URI with a query keeps it as it is."""
    application = sim.oauth2_application("app", "secret", ["https://app.example/cb?x=%20a+b"])
    response = read(visit(sim, request_of(application))).click("Refuse")
    assert response.headers["Location"] == (
        "https://app.example/cb?x=%20a+b&error=access_denied&state=st%26te")


@pytest.mark.parametrize("uri, expected", [
    ("http://127.0.0.1/", "http://127.0.0.1/?code=1"),
    ("com.example.app:/back", "com.example.app:/back?code=1"),
])
def test_redirect_url(uri: str, expected: str) -> None:
    """An answer is added to any kind of address."""
    assert make_redirect_url(uri, {"code": "1"}) == expected


def test_codes_differ(sim: Simulator) -> None:
    """Each click makes another code, too long to guess."""
    codes = {get_code(sim) for _ in range(3)}
    assert len(codes) == 3
    assert min(map(len, codes)) >= 32


# Without a browser


@pytest.mark.parametrize("changes", [{}, {"scopes": "cti_admin"}])
def test_consent_without_a_browser(sim: Simulator, changes: Dict[str, Any]) -> None:
    """`consent` returns the same redirect URI as a browser's click, with a valid code."""
    asked = request_of(**changes)
    back = urlsplit(sim.consent(f"{sim.authorize_url}?{urlencode(asked)}"))
    answer = dict(parse_qsl(back.query))
    assert back._replace(query="").geturl() == CALLBACK
    assert answer["state"] == "st&te"
    fields: Dict[str, Any] = {**answer, "redirect_uri": CALLBACK}
    fields["grant_type"] = "authorization_code"
    assert ask_token(sim, **fields).status_code == 200


@pytest.mark.parametrize("changes, allow, error", [
    ({}, False, "access_denied"),
    ({"scopes": "everything"}, True, "invalid_scope"),
    ({"response_type": "token"}, True, "unsupported_response_type"),
])
def test_refusal_without_a_browser(
    sim: Simulator, changes: Dict[str, Any], allow: bool, error: str
) -> None:
    """`consent` returns refusals of the visitor and of the authority."""
    url = f"{sim.authorize_url}?{urlencode(request_of(**changes))}"
    back = urlsplit(sim.consent(url, allow=allow))
    assert dict(parse_qsl(back.query)) == {"error": error, "state": "st&te"}


def test_an_error_page_without_a_browser(sim: Simulator) -> None:
    """Where a browser would see an error page, there is a ValueError with its words."""
    url = f"{sim.authorize_url}?{urlencode(request_of(client_id='stranger'))}"
    with pytest.raises(ValueError, match="No application is registered"):
        sim.consent(url)
