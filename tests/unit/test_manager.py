"""The Manager API: each shape of its answers, each status, and what never shows."""

from __future__ import annotations

import json
import ssl
import threading
import tracemalloc
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import pytest
import requests
import responses
from responses import matchers

from keyyo_cti import KeyyoError, Result
from keyyo_cti._oauth2.tokens import Tokens
from keyyo_cti.backoff import Backoff
from keyyo_cti.manager import CSIToken, Manager, ManagerClient, ManagerError
from keyyo_cti.oauth2 import CredentialsRefused

from ..helpers import canaries
from ..helpers.canaries import ACCESS, CSI_TOKEN, NEW_ACCESS, REFRESH, Watch

keyyo, watch = canaries.keyyo, canaries.watch

BASE = "https://api.keyyo.com/manager/1.0"
SERVICES = f"{BASE}/services"
CSI = "33199000001"
ALICE = f"{SERVICES}/{CSI}"
TOKEN = f"{ALICE}/csi_token"
PLUGINS = f"{ALICE}/cti_plugins"
RECORDS = f"{ALICE}/sip_records"
NOW = 1_700_000_000.0
SOON = 5.0


class Account:
    """Has one access token, and another when that is refused."""

    def __init__(self) -> None:
        self.refused: List[Tokens] = []
        self.error: Optional[KeyyoError] = None

    def tokens(self) -> Tokens:
        if self.error is not None:
            raise self.error
        return Tokens(ACCESS, REFRESH)

    def renewed(self, refused: Tokens) -> Tokens:
        self.refused.append(refused)
        if self.error is not None:
            raise self.error
        return Tokens(NEW_ACCESS)


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def pauses() -> List[float]:
    """How long it would have waited."""
    return []


@pytest.fixture
def client(account: Account, pauses: List[float]) -> ManagerClient:
    """Waits for nothing."""
    backoff = Backoff(attempts=4, first=1.0, longest=30.0, jitter=lambda: 1.0)
    return ManagerClient(account, backoff=backoff, wait=pauses.append, wall=lambda: NOW)


def line(csi: str, **fields: Any) -> Dict[str, Any]:
    return {"_resource_type": "UCaaSVoIPAccount", "csi": csi, **fields}


def page(*items: Any, next_href: Optional[str] = None) -> Dict[str, Any]:
    links = {"next": {"href": next_href}} if next_href else {"self": {"href": SERVICES}}
    return {"_embedded": {"Service": list(items)}, "_links": links}


def sent_tokens(keyyo: responses.RequestsMock) -> List[Optional[str]]:
    return [call.request.headers["Authorization"] for call in keyyo.calls]


def refused(act: Callable[[], object]) -> ManagerError:
    with pytest.raises(ManagerError) as caught:
        act()
    return caught.value


# Collections.


def test_lines(client: ManagerClient, keyyo: responses.RequestsMock, watch: Watch) -> None:
    """Of all services the telephone lines, of whatever embedded name; a field that Keyyo left
    out is None. The access token is in the header, and nowhere else."""
    mailbox = {"_resource_type": "EmailAccount", "csi": "a@b", "name": "Office"}
    services = {"Service": [line("1", name="Alice", more=5), mailbox], "Other": line("2")}
    keyyo.get(SERVICES, json={"_embedded": services})
    alice, bob = client.lines()
    assert (alice.csi, alice.name, alice.short_number, alice["more"]) == ("1", "Alice", None, 5)
    assert (bob.csi, bob.name) == ("2", None)
    assert isinstance(alice, Result)
    assert sent_tokens(keyyo) == [f"Bearer {ACCESS}"]
    watch.see(client, alice)


@pytest.mark.parametrize(
    "href", [f"{SERVICES}?offset=1", "/manager/1.0/services?offset=1", "?offset=1"]
)
def test_all_pages(client: ManagerClient, keyyo: responses.RequestsMock, href: str) -> None:
    """The link to the next page is followed, be it absolute or not."""
    keyyo.get(SERVICES, json=page(line("1"), next_href=href),
              match=[matchers.query_param_matcher({})])
    keyyo.get(SERVICES, json=page(line("2")), match=[matchers.query_param_matcher({"offset": 1})])
    assert [each.csi for each in client.lines()] == ["1", "2"]


@pytest.mark.parametrize(
    "href",
    [
        "https://evil.example/services",
        "//evil.example/services",
        "http://api.keyyo.com/manager/1.0/services",
        "https://api.keyyo.com:444/manager/1.0/services",
        "https://api.keyyo.com@evil.example/",
        "https://me:pass@api.keyyo.com/manager/1.0/services",
        "ftp://api.keyyo.com/",
        "https://[",
    ],
)
def test_other_origin(
    client: ManagerClient, keyyo: responses.RequestsMock, watch: Watch, href: str
) -> None:
    """A link to another server is not followed: the access token is not for it."""
    keyyo.get(SERVICES, json=page(line("1"), next_href=href))
    error = refused(client.lines)
    assert (error.status_code, error.error_code) == (502, "unreadable")
    assert "another server" in error.message
    assert len(keyyo.calls) == 1
    watch.see(error)


def test_circle(
    client: ManagerClient, keyyo: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages that lead to themselves, or go on for ever, come to an end."""
    keyyo.get(SERVICES, json=page(line("1"), next_href=SERVICES))
    assert "form a cycle" in refused(client.lines).message
    assert len(keyyo.calls) == 1
    monkeypatch.setattr("keyyo_cti._manager.api._MAX_PAGES", 3)
    keyyo.get(f"{SERVICES}/2", json=page(line("1"), next_href=f"{SERVICES}/3"))
    keyyo.get(f"{SERVICES}/3", json=page(line("1"), next_href=f"{SERVICES}/4"))
    keyyo.replace(responses.GET, SERVICES, json=page(line("1"), next_href=f"{SERVICES}/2"))
    assert "more than 3 pages" in refused(client.lines).message


@pytest.mark.fault(73)
@pytest.mark.parametrize("href", [f"{SERVICES}#a", f"{SERVICES}?#a", "#a", "", "?a=1#b"])
def test_next_page_that_repeats(
    client: ManagerClient, keyyo: responses.RequestsMock, href: str
) -> None:
    """A link that leads to a page of before, however it is written, ends it after two requests."""
    if href == "":
        keyyo.get(SERVICES, json={"_embedded": {}, "_links": {"next": {"href": ""}}})
    else:
        keyyo.get(SERVICES, json=page(line("1"), next_href=href))
    assert "form a cycle" in refused(client.lines).message
    assert len(keyyo.calls) <= 2


def endless(keyyo: responses.RequestsMock, body: Callable[[int], Dict[str, Any]]) -> None:
    """A collection that always has one more page."""

    def answer(request: Any) -> Tuple[int, Dict[str, str], str]:
        number = int(request.params.get("page", 0))
        document = {**body(number), "_links": {"next": {"href": f"?page={number + 1}"}}}
        return 200, {}, json.dumps(document)

    keyyo.add_callback(responses.GET, SERVICES, answer)


@pytest.mark.fault(73)
def test_collection_that_is_too_large(
    client: ManagerClient, keyyo: responses.RequestsMock
) -> None:
    """Pages of 7 MiB, each of which is allowed, end at 32 MiB, in bounded memory."""
    endless(keyyo, lambda number: {"_embedded": {"A": [{"x": "y" * (7 << 20)}]}})
    tracemalloc.start()
    try:
        error = refused(client.lines)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert error.message.endswith("it has more than 33554432 bytes in all its pages")
    assert len(keyyo.calls) == 5 and peak < 200 << 20


@pytest.mark.fault(73)
def test_collection_of_too_many_items(
    client: ManagerClient, keyyo: responses.RequestsMock
) -> None:
    """Small items end at their number."""
    endless(keyyo, lambda number: {"_embedded": {"A": [{}] * 40_000}})
    error = refused(client.lines)
    assert error.message.endswith("it has more than 100000 items") and len(keyyo.calls) == 3


@pytest.mark.slow
@pytest.mark.fault(73)
def test_collection_of_too_many_pages(
    client: ManagerClient, keyyo: responses.RequestsMock
) -> None:
    """Empty pages end at their number."""
    endless(keyyo, lambda number: {})
    error = refused(client.lines)
    assert error.message.endswith("it has more than 1000 pages") and len(keyyo.calls) == 1000


def test_a_page_that_shows_the_access_token(
    client: ManagerClient, keyyo: responses.RequestsMock, watch: Watch
) -> None:
    """A link with the access token in it is not followed: addresses are logged."""
    keyyo.get(SERVICES, json=page(line("1"), next_href=f"{SERVICES}?access_token={ACCESS}"))
    error = refused(client.lines)
    assert "shows the access token" in error.message
    # The server's own document, on the stack, has it.
    watch.see(str(error))


def test_a_fax_is_no_line(client: ManagerClient, keyyo: responses.RequestsMock) -> None:
    """Another service of the account is no line, and its number may come as a number."""
    keyyo.get(f"{SERVICES}/{CSI}", json={"csi": CSI, "_resource_type": "Fax"})
    error = refused(lambda: client.line(CSI))
    assert (error.status_code, error.error_code) == (404, "not_found")
    keyyo.replace(responses.GET, f"{SERVICES}/{CSI}", json={**line(CSI), "csi": int(CSI)})
    assert client.line(CSI).csi == CSI


@pytest.mark.parametrize("document", [{"_links": {}}, {"_embedded": {}}, {"_embedded": {"A": []}}])
def test_nothing(
    client: ManagerClient, keyyo: responses.RequestsMock, document: Dict[str, Any]
) -> None:
    """A collection of nothing is an empty list, not an error."""
    keyyo.get(RECORDS, json=document)
    assert client.sip_records(CSI) == []


@pytest.mark.parametrize(
    "body", ["", "<html>", "[]", "null", '{"_embedded": 5}', '{"_embedded": {"A": [5]}}',
             '{"_embedded": {"A": "text"}}', "[" * 100_000]
)
def test_unreadable(
    client: ManagerClient, keyyo: responses.RequestsMock, pauses: List[float], body: str
) -> None:
    """An answer that is no collection is an error, at once: the next one would be the same."""
    keyyo.get(SERVICES, body=body)
    error = refused(client.lines)
    assert (error.status_code, error.error_code) == (502, "unreadable")
    assert pauses == []


@pytest.mark.parametrize("links", [5, {"next": 5}, {"next": {"href": 5}}, {"next": None}])
def test_odd_links(client: ManagerClient, keyyo: responses.RequestsMock, links: Any) -> None:
    """What is no link leads nowhere."""
    keyyo.get(SERVICES, json={"_embedded": {"A": [line("1")]}, "_links": links})
    assert len(client.lines()) == 1


# Single resources.


def test_line(client: ManagerClient, keyyo: responses.RequestsMock) -> None:
    """One line has the same fields as among all."""
    keyyo.get(ALICE, json=line(CSI, name="Alice"))
    alice = client.line(CSI)
    assert (alice.csi, alice.name, alice.short_number) == (CSI, "Alice", None)


def test_path(client: ManagerClient, keyyo: responses.RequestsMock) -> None:
    """A CSI is one segment of the path, whatever is in it."""
    for csi, path in [
        ("a/../b?c@d", "a%2F..%2Fb%3Fc%40d"),
        ("office@example.org", "office%40example.org"),
        ("my line", "my%20line"),
        ("été%2F+", "%C3%A9t%C3%A9%252F%2B"),
    ]:
        keyyo.get(f"{SERVICES}/{path}", json=line("x"))
        assert client.line(csi).csi == "x"
        assert keyyo.calls[-1].request.url == f"{SERVICES}/{path}"


@pytest.mark.fault(44)
def test_csi_is_encoded_in_every_path(
    client: ManagerClient, keyyo: responses.RequestsMock
) -> None:
    """The address of a mailbox is a CSI: every method percent-encodes it."""
    mine = f"{SERVICES}/office%40example.org"
    keyyo.get(mine, json=line("office@example.org"))
    keyyo.post(f"{mine}/csi_token", json={"result": "success", "token": "t", "expires_in": 5})
    keyyo.get(f"{mine}/cti_plugins", json={"_embedded": []})
    keyyo.post(f"{mine}/cti_plugins/a%20b%2Fc", json={})
    keyyo.get(f"{mine}/sip_records", json={"_embedded": []})
    csi = "office@example.org"
    assert client.line(csi).csi == client.csi_token(csi).csi == csi
    assert client.cti_plugins(csi) == client.sip_records(csi) == []
    assert client.enable_plugin(csi, "a b/c").enabled is True
    assert {str(call.request.url).partition("/services/")[2].partition("/")[0]
            for call in keyyo.calls} == {"office%40example.org"}


@pytest.mark.parametrize("csi", ["", " ", ".", "..", None, 33199000001, b"1"])
def test_impossible_csi(client: ManagerClient, csi: Any) -> None:
    """A CSI that cannot be one is named, and nothing is sent."""
    for act in (client.line, client.csi_token, client.cti_plugins, client.sip_records,
                client.enable_plugin):
        with pytest.raises(KeyyoError, match="csi: expected") as caught:
            act(csi)
        assert (caught.value.status_code, caught.value.error_code) == (400, "invalid_params")
    with pytest.raises(KeyyoError, match="name: expected"):
        client.enable_plugin(CSI, csi)


BARE: Callable[[Dict[str, Any]], Dict[str, Any]] = dict


def embedded(token: Dict[str, Any]) -> Dict[str, Any]:
    return {"_embedded": {"CSIToken": [token]}}


@pytest.mark.parametrize("shape", [BARE, embedded])
@pytest.mark.parametrize(
    ("expiry", "expires_at"),
    [
        ({"expires_in": 60}, NOW + 60),
        ({"expires_in": "60"}, NOW + 60),
        ({"timestamp": int(NOW) + 60}, NOW + 60),
        ({}, NOW + 3600),
        ({"expires_in": None}, NOW + 3600),
    ],
)
def test_csi_token(
    client: ManagerClient,
    keyyo: responses.RequestsMock,
    watch: Watch,
    shape: Callable[[Dict[str, Any]], Dict[str, Any]],
    expiry: Dict[str, Any],
    expires_at: float,
) -> None:
    """A CSI token comes bare or embedded, and says how long it is good in one of two ways, or
    not at all: then it is an hour."""
    answer = {"result": "success", "token": CSI_TOKEN, "domain_masks": [], **expiry}
    keyyo.post(TOKEN, json=shape(answer))
    token = client.csi_token(CSI)
    assert token == CSIToken(CSI, CSI_TOKEN, expires_at)
    assert token.token == CSI_TOKEN
    assert keyyo.calls[0].request.body is None
    watch.see(token)


@pytest.mark.parametrize("granted", [{"domain_masks": ["a.example", "*.b.example"]}, {}])
def test_domain_masks(
    client: ManagerClient, keyyo: responses.RequestsMock, granted: Dict[str, Any]
) -> None:
    """Domain masks are numbered fields of the form."""
    form = {"domain_masks[0]": "a.example", "domain_masks[1]": "*.b.example"}
    keyyo.post(TOKEN, json={"token": CSI_TOKEN, **granted},
               match=[matchers.urlencoded_params_matcher(form)])
    token = client.csi_token(CSI, (mask for mask in ("a.example", "*.b.example")))
    assert token.domain_masks == ("a.example", "*.b.example")


@pytest.mark.parametrize("masks", ["a.example", [""], [5]])
def test_impossible_domain_masks(client: ManagerClient, masks: Any) -> None:
    """One string is not a list of masks."""
    with pytest.raises(KeyyoError, match="domain_masks: expected a list"):
        client.csi_token(CSI, masks)


@pytest.mark.parametrize(
    "answer",
    [
        {"result": "error", "token": CSI_TOKEN},
        {"result": "success"},
        {"token": ""},
        {"token": {CSI_TOKEN: 5}},
        {"_embedded": {"CSIToken": [{"token": CSI_TOKEN}, {"token": CSI_TOKEN}]}},
    ],
)
def test_no_csi_token(
    client: ManagerClient, keyyo: responses.RequestsMock, watch: Watch, answer: Dict[str, Any]
) -> None:
    """An answer without a token, or with a failure, is an error that shows nothing of it."""
    keyyo.post(TOKEN, json=answer)
    error = refused(lambda: client.csi_token(CSI))
    assert (error.status_code, error.error_code) == (502, "unreadable")
    watch.see(error)


@pytest.mark.parametrize(
    ("sent", "enabled"),
    [(True, True), (1, True), ("1", True), ("true", True), (False, False), (0, False),
     ("0", False), (None, False), ("", False)],
)
def test_plugins(
    client: ManagerClient, keyyo: responses.RequestsMock, sent: Any, enabled: bool
) -> None:
    """A plugin has a name, and is enabled or not, whatever Keyyo calls true."""
    keyyo.get(PLUGINS, json={"_embedded": {"P": [{"name": "websocket", "enabled": sent}, {}]}})
    websocket, nameless = client.cti_plugins(CSI)
    assert (websocket.name, websocket.enabled) == ("websocket", enabled)
    assert (nameless.name, nameless.enabled) == (None, False)


@pytest.mark.parametrize(
    "body", ["", '{"name": "websocket", "enabled": 1}',
             '{"_embedded": {"P": [{"name": "websocket", "enabled": true}]}}']
)
def test_enable_plugin(client: ManagerClient, keyyo: responses.RequestsMock, body: str) -> None:
    """Enabling a plugin answers how it is then; an empty answer is good news too."""
    keyyo.post(f"{PLUGINS}/websocket", body=body,
               match=[matchers.urlencoded_params_matcher({"enabled": "1"})])
    plugin = client.enable_plugin(CSI)
    assert (plugin.name, plugin.enabled) == ("websocket", True)


def test_sip_records(client: ManagerClient, keyyo: responses.RequestsMock) -> None:
    """The registered telephones are as Keyyo sends them."""
    keyyo.get(RECORDS, json={"_embedded": {"R": [{"user_agent": "Phone"}]}})
    assert [record["user_agent"] for record in client.sip_records(CSI)] == ["Phone"]


# Statuses.

REFUSALS = [
    (400, None, None),
    (302, None, "base_url"),
    (403, "forbidden", "scope cti_admin"),
    (404, "not_found", "CSI"),
    (429, "quota", "try again later"),
    (500, "server_error", "try again later"),
    (503, "server_error", "try again later"),
]


@pytest.mark.parametrize(("status", "code", "hint"), REFUSALS)
@pytest.mark.parametrize("reason", [None, f"Because\t{ACCESS}"])
def test_refusal(
    client: ManagerClient,
    keyyo: responses.RequestsMock,
    watch: Watch,
    pauses: List[float],
    status: int,
    code: Optional[str],
    hint: Optional[str],
    reason: Optional[str],
) -> None:
    """A refusal has its status, Keyyo's reason, and what to do; what is not sure to be safe to
    repeat is asked once. Our token does not come through if Keyyo repeats it."""
    headers = {"Location": "https://evil.example/"} if status == 302 else {}
    if reason is not None:
        headers["X-Status-Reason"] = reason
    keyyo.post(TOKEN, status=status, headers=headers)
    error = refused(lambda: client.csi_token(CSI))
    assert (error.status_code, error.error_code) == (status, code)
    assert error.reason == (None if reason is None else "Because <hidden>")
    assert error.reason in (None, error.message)
    assert (error.hint is None) if hint is None else (error.hint and hint in error.hint)
    assert (len(keyyo.calls), pauses) == (1, [])
    watch.see(error)


def test_forbidden_read(client: ManagerClient, keyyo: responses.RequestsMock) -> None:
    """Reading needs another scope than changing."""
    keyyo.get(SERVICES, status=403)
    error = refused(client.lines)
    assert error.message == "Forbidden"
    assert error.hint and "full_access_read_only" in error.hint


@pytest.mark.parametrize(
    "answer",
    [
        {"headers": {"X-Status-Reason": "Expired"}},
        {"json": {"message": "Expired"}},
        {"headers": {"WWW-Authenticate": 'Bearer error="invalid_token"'}},
    ],
)
def test_another_access_token(
    client: ManagerClient, account: Account, keyyo: responses.RequestsMock, answer: Dict[str, Any]
) -> None:
    """An access token that is refused is replaced, and everything asked once more, also what
    changes something: nothing was done."""
    keyyo.post(TOKEN, status=401, **answer)
    keyyo.post(TOKEN, json={"token": CSI_TOKEN})
    assert client.csi_token(CSI).token == CSI_TOKEN
    assert sent_tokens(keyyo) == [f"Bearer {ACCESS}", f"Bearer {NEW_ACCESS}"]
    assert account.refused == [Tokens(ACCESS, REFRESH)]


@pytest.mark.fault(84)
@pytest.mark.parametrize(
    "answer",
    [
        {"body": "<html><h1>Access denied</h1></html>"},
        {"body": ""},
        {"body": "Unauthorized", "headers": {"WWW-Authenticate": 'Basic realm="proxy"'}},
        {"json": {}},
    ],
)
def test_foreign_401_does_not_refresh_tokens(
    client: ManagerClient, account: Account, keyyo: responses.RequestsMock, answer: Dict[str, Any]
) -> None:
    """A gateway's 401 says nothing of the access token. Tokens that are refreshed at each attempt
    would rotate for nothing, however long the outage."""
    for _ in range(3):
        keyyo.get(SERVICES, status=401, **answer)
        error = refused(client.lines)
        assert (error.status_code, error.final) == (401, False)
    assert account.refused == [] and set(sent_tokens(keyyo)) == {f"Bearer {ACCESS}"}


def test_neither_access_token(
    client: ManagerClient, keyyo: responses.RequestsMock, watch: Watch
) -> None:
    """When the next one is refused too, that is the answer."""
    answer = keyyo.get(SERVICES, status=401, headers={"X-Status-Reason": f"Bad {NEW_ACCESS}"})
    error = refused(client.lines)
    assert (error.status_code, error.error_code) == (401, "unauthorized")
    assert error.message == "Bad <hidden>"
    assert error.hint and "authorize the application again" in error.hint
    assert answer.call_count == 2
    watch.see(error)


def test_no_access_token(client: ManagerClient, account: Account) -> None:
    """Without an access token, the error is OAuth2's."""
    account.error = CredentialsRefused(400, "Dead", "invalid_grant")
    with pytest.raises(CredentialsRefused):
        client.lines()


# What is final.

HTML = "<html><h1>Access denied</h1></html>"


@pytest.mark.fault(68)
@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize(
    ("answer", "final"),
    [
        ({"headers": {"X-Status-Reason": "No such scope"}}, True),
        ({"headers": {"x-status-reason": "No such scope"}, "body": HTML}, True),
        ({"json": {"message": "No such scope"}}, True),
        ({"body": HTML}, False),
        ({"body": ""}, False),
        ({"body": "Forbidden"}, False),
        ({"body": "{"}, False),
        ({"json": {}}, False),
        ({"json": []}, False),
        ({"json": "Forbidden"}, False),
        ({"headers": {"X-Status-Reason": ""}}, False),
    ],
)
def test_refusal_is_final_in_keyyos_own_form(
    client: ManagerClient,
    keyyo: responses.RequestsMock,
    status: int,
    answer: Dict[str, Any],
    final: bool,
) -> None:
    """A refusal is final if Keyyo's own words are in it; else the hint names the firewall."""
    keyyo.post(TOKEN, status=status, **answer)
    error = refused(lambda: client.csi_token(CSI))
    assert error.status_code == status and error.final is final
    assert error.hint and ("a firewall or a gateway" in error.hint) is not final


@pytest.mark.fault(68)
@pytest.mark.parametrize("status", [400, 408, 429, 500, 502, 503])
def test_other_statuses_are_not_final(
    client: ManagerClient, keyyo: responses.RequestsMock, status: int
) -> None:
    """What is down or busy may pass, whatever it says."""
    keyyo.post(TOKEN, status=status, headers={"X-Status-Reason": "No"}, json={"message": "No"})
    assert refused(lambda: client.csi_token(CSI)).final is False


# Repeating.


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_repeated(
    client: ManagerClient, keyyo: responses.RequestsMock, pauses: List[float], status: int
) -> None:
    """What only reads is asked again after a pause."""
    keyyo.get(SERVICES, status=status)
    keyyo.get(SERVICES, body=requests.ConnectionError())
    keyyo.get(SERVICES, json=page(line("1")))
    assert len(client.lines()) == 1
    assert pauses == [1.0, 2.0]


def test_a_refused_certificate_is_final(
    client: ManagerClient, keyyo: responses.RequestsMock, pauses: List[float]
) -> None:
    """A server that cannot prove who it is is not asked again: it would be the same one."""
    cause = ssl.SSLCertVerificationError("refused")
    cause.verify_message = "self-signed certificate"
    keyyo.get(SERVICES, body=requests.exceptions.SSLError(cause))
    error = refused(client.lines)
    assert (error.status_code, error.error_code, pauses) == (503, "untrusted", [])
    assert error.hint and "ca_certs" in error.hint


def test_an_account_that_takes_callbacks() -> None:
    """What cannot give access tokens by blocking is refused at once."""
    with pytest.raises(TypeError, match="account: expected an AccountClient"):
        ManagerClient(object())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "failure", [requests.ConnectionError(ACCESS), requests.ReadTimeout(ACCESS)]
)
def test_given_up(
    client: ManagerClient,
    keyyo: responses.RequestsMock,
    watch: Watch,
    pauses: List[float],
    failure: Exception,
) -> None:
    """In the end the last failure is the answer; what changes something is not repeated."""
    reading = keyyo.get(SERVICES, body=failure)
    error = refused(client.lines)
    assert error.error_code in ("unreachable", "timeout")
    assert (reading.call_count, pauses) == (4, [1.0, 2.0, 4.0])
    changing = keyyo.post(TOKEN, body=failure)
    watch.see(error, refused(lambda: client.csi_token(CSI)))
    assert (changing.call_count, len(pauses)) == (1, 3)


def test_retry_after(
    client: ManagerClient, keyyo: responses.RequestsMock, pauses: List[float]
) -> None:
    """Keyyo's wish for a pause is heeded; when it is too long, the error says how long."""
    keyyo.get(SERVICES, status=429, headers={"Retry-After": "7"})
    keyyo.get(SERVICES, status=429, headers={"Retry-After": "3600"})
    error = refused(client.lines)
    assert (error.status_code, error.retry_after, pauses) == (429, 3600.0, [7.0])
    advice = "the quota of requests is used up: try again in 3600 s"
    assert error.hint == f"{advice}; see docs/errors.md#quota"


def test_requests_end(account: Account) -> None:
    """Pauses without an end are refused: each request has one."""
    with pytest.raises(ValueError, match="backoff: expected a number of attempts"):
        ManagerClient(account, backoff=Backoff())


def test_closed_during_a_pause(account: Account, keyyo: responses.RequestsMock) -> None:
    """Closing ends a pause at once, and nothing is asked after that."""
    client = ManagerClient(account, backoff=Backoff(attempts=4, first=30.0))

    def close(request: object) -> Tuple[int, Dict[str, str], str]:
        client.close()
        return 503, {}, ""

    keyyo.add_callback(responses.GET, SERVICES, close)
    error = refused(client.lines)
    assert (error.status_code, error.error_code) == (400, "closed")
    assert len(keyyo.calls) == 1
    assert refused(client.lines).error_code == "closed"


def test_arguments(account: Account) -> None:
    """A wrong base URL or timeout is a mistake that is told at once."""
    with pytest.raises(ValueError, match="base_url"):
        ManagerClient(account, "http://api.keyyo.com")
    with Manager(account, "http://lab.test", allow_http=True) as manager:
        assert manager.client.base_url == "http://lab.test"
    with pytest.raises(TypeError, match="timeout"):
        ManagerClient(account, timeout=0)
    assert "127.0.0.1" in repr(ManagerClient(account, "http://127.0.0.1:1/manager/1.0/"))


# By callbacks and Futures.


@pytest.fixture
def manager(account: Account) -> Iterator[Manager]:
    with Manager(account) as manager:
        yield manager


class Answers:
    """A callback that keeps what it is called with, and where."""

    def __init__(self) -> None:
        self.got: List[Tuple[Any, Any]] = []
        self.threads: List[str] = []

    def __call__(self, error: Optional[KeyyoError], result: Any) -> None:
        self.got.append((error, result))
        self.threads.append(threading.current_thread().name)


def everything(keyyo: responses.RequestsMock) -> None:
    """A Keyyo with one line."""
    keyyo.get(SERVICES, json=page(line(CSI)))
    keyyo.get(ALICE, json=line(CSI))
    keyyo.post(TOKEN, json={"token": CSI_TOKEN})
    keyyo.get(PLUGINS, json=page({"name": "websocket", "enabled": 1}))
    keyyo.post(f"{PLUGINS}/websocket", json={})
    keyyo.get(RECORDS, json=page({"user_agent": "Phone"}))


@pytest.mark.parametrize(
    "ask",
    [
        lambda manager, callback: manager.lines(callback),
        lambda manager, callback: manager.line(CSI, callback),
        lambda manager, callback: manager.csi_token(CSI, callback),
        lambda manager, callback: manager.csi_token(CSI, ["a.example"], callback),
        lambda manager, callback: manager.csi_token(CSI, callback=callback),
        lambda manager, callback: manager.cti_plugins(CSI, callback),
        lambda manager, callback: manager.enable_plugin(CSI, callback),
        lambda manager, callback: manager.enable_plugin(CSI, "websocket", callback),
        lambda manager, callback: manager.enable_plugin(CSI, name="websocket", callback=callback),
        lambda manager, callback: manager.sip_records(CSI, callback=callback),
    ],
)
def test_callback_last(
    manager: Manager, keyyo: responses.RequestsMock, ask: Callable[[Manager, Answers], Any]
) -> None:
    """Each method takes its callback last, also when what is optional before it is left out, and
    gives the same in a Future."""
    keyyo.assert_all_requests_are_fired = False
    everything(keyyo)
    answers = Answers()
    result = ask(manager, answers).result(SOON)
    assert manager.wait(SOON)
    assert answers.got == [(None, result)]
    assert "events" in answers.threads[0]


def test_error_to_the_callback(
    manager: Manager, keyyo: responses.RequestsMock, watch: Watch
) -> None:
    """An error goes to the callback and to the Future, a wrong value too."""
    keyyo.get(ALICE, status=404)
    answers = Answers()
    error = manager.line(CSI, answers).exception(SOON)
    wrong = manager.line("", answers).exception(SOON)
    assert manager.wait(SOON)
    assert answers.got == [(error, None), (wrong, None)]
    assert isinstance(error, ManagerError) and isinstance(wrong, KeyyoError)
    assert (error.status_code, wrong.error_code) == (404, "invalid_params")
    watch.see(manager, error)


def test_not_a_callback(manager: Manager) -> None:
    """What cannot be called is a TypeError, at once."""
    with pytest.raises(TypeError, match="callback"):
        manager.lines(5)  # type: ignore[arg-type]


def test_manual(account: Account, keyyo: responses.RequestsMock) -> None:
    """With dispatch="manual" callbacks run where it is polled."""
    keyyo.get(SERVICES, json=page())
    with Manager(account, dispatch="manual") as manager:
        answers = Answers()
        assert manager.lines(answers).result(SOON) == []
        assert manager.poll(SOON) == 1
    assert answers.threads == [threading.current_thread().name]


def test_close(account: Account, keyyo: responses.RequestsMock) -> None:
    """Closing answers what waits, and what is asked afterwards."""
    under_way, go_on = threading.Event(), threading.Event()

    def answer(request: object) -> Tuple[int, Dict[str, str], str]:
        under_way.set()
        assert go_on.wait(SOON)
        return 503, {}, ""

    keyyo.add_callback(responses.GET, SERVICES, answer)
    manager = Manager(account)
    first, second = manager.lines(), manager.lines()
    assert under_way.wait(SOON)
    manager.client.close()
    go_on.set()
    manager.close()
    for future in (first, second, manager.lines()):
        error = future.exception(SOON)
        assert isinstance(error, KeyyoError) and error.error_code == "closed"
    manager.close()
