"""The Manager API, on real sockets."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, Optional

import pytest
import requests

from keyyo_cti.simulator import Line, ManualClock, Simulator

from ..helpers.raw_client import outcome
from .conftest import Connect

ALICE = "33199000001"
CANNOT_TREAT = (400, "Cannot treat action")


class Caller:
    """A client of the Manager API with an access token.

    :param sim: the simulator.
    :param scope: the token's scopes.
    """

    def __init__(self, sim: Simulator, scope: str = "cti_admin full_access_read_only") -> None:
        self.url = sim.manager_url
        token = sim.account_tokens(scope)["access_token"]
        self.headers = {"Authorization": f"Bearer {token}"}

    def ask(self, method: str, path: str, **settings: Any) -> requests.Response:
        url = path if path.startswith("http") else self.url + path
        return requests.request(method, url, headers=self.headers, timeout=5, **settings)

    def get(self, path: str, **query: Any) -> Any:
        response = self.ask("GET", path, params=query)
        assert response.status_code == 200
        return response.json()

    def post(self, path: str, form: Optional[Dict[str, Any]] = None) -> Any:
        response = self.ask("POST", path, data=form or {})
        assert response.status_code == 200
        return response.json()


@pytest.fixture
def caller(sim: Simulator, alice: Line) -> Caller:
    return Caller(sim)


@pytest.fixture
def small_pages() -> Iterator[Simulator]:
    """A simulator that shows two items on a page, and says otherwise how long tokens last."""
    with Simulator(
        clock=ManualClock(1_000), token_lifetime=60, page_size=2,
        csi_token_shape="embedded", csi_token_expiry="timestamp",
    ) as simulator:
        yield simulator


def items(document: Any) -> List[Any]:
    """Return the items on a page, of any type."""
    return [each for some in document["_embedded"].values() for each in some]


def refusal(response: requests.Response) -> Any:
    """Return the status and the reason, which the header and the body repeat."""
    reason = response.headers["X-Status-Reason"]
    assert response.json() == {"message": reason}
    return response.status_code, reason


# Services


def test_services(sim: Simulator, caller: Caller, alice: Line) -> None:
    """The services are the lines by their type, and others, which are no lines."""
    alice.set(short_number="101")
    sim.line("4420")
    sim.phone("33199020000")
    document = caller.get("/services")
    assert document["_embedded"].keys() == {
        "EmailAccount", "UCaaSVoIPAccount", "VirtualFaxAccount"}
    assert document["_links"] == {"self": {"href": caller.url + "/services?offset=0&limit=50"}}
    lines = document["_embedded"]["UCaaSVoIPAccount"]
    assert lines[0] == {
        "_resource_type": "UCaaSVoIPAccount",
        "csi": ALICE,
        "formatted_csi": "0199000001",
        "name": "Alice",
        "short_number": "101",
        "_links": {"self": {"href": f"{caller.url}/services/{ALICE}"}},
    }
    assert [(line["csi"], line["short_number"]) for line in lines[1:]] == [("4420", None)]


def test_type_is_ignored(caller: Caller) -> None:
    """A request for one type returns every type."""
    assert len(items(caller.get("/services", type="UCaaSVoIPAccount"))) == 3


def test_every_service_by_its_link(caller: Caller) -> None:
    """Each service is found again under its own link."""
    for service in items(caller.get("/services")):
        assert caller.get(service["_links"]["self"]["href"]) == service


def test_pages(small_pages: Simulator) -> None:
    """The next links reach every service once, and the last page has none."""
    for number in range(3):
        small_pages.line(f"3319900000{number}")
    caller = Caller(small_pages)
    seen, sizes, link = [], [], "/services"
    while link:
        document = caller.get(link)
        seen += [each["csi"] for each in items(document)]
        sizes.append(len(items(document)))
        link = document["_links"].get("next", {}).get("href", "")
    assert sizes == [2, 2, 1]
    assert len(set(seen)) == 5


def test_limit_and_offset(small_pages: Simulator) -> None:
    """A client can ask for fewer, not for more, and from anywhere."""
    caller = Caller(small_pages)
    small_pages.line(ALICE)
    assert len(items(caller.get("/services", limit=1))) == 1
    assert len(items(caller.get("/services", limit=100))) == 2
    document = caller.get("/services", limit=1, offset=2)
    assert [each["csi"] for each in items(document)] == ["33199099999"]
    assert "next" not in document["_links"]
    assert items(caller.get("/services", offset=99)) == []


@pytest.mark.parametrize("query", [
    "limit=0", "limit=-1", "limit=all", "limit=", "offset=-1", "offset=1.5"])
def test_wrong_pages(caller: Caller, query: str) -> None:
    """A limit or an offset that is none is refused."""
    response = caller.ask("GET", "/services?" + query)
    assert refusal(response) == (400, "limit and offset: expected whole numbers")


# CSI tokens


def test_csi_token(caller: Caller, sim: Simulator, connect: Connect) -> None:
    """A CSI token opens a session of its line, for the domains that were asked."""
    masks = {f"domain_masks[{index}]": f"d{index}.example" for index in (10, 9, 0)}
    token = caller.post(f"/services/{ALICE}/csi_token", {**masks, "domain_masks[x]": "no"})
    assert connect().create_session(token.pop("token"))
    assert token == {
        "_resource_type": "CSIToken",
        "result": "success",
        "expires_in": 3600,
        "domain_masks": ["d0.example", "d9.example", "d10.example"],
        "_links": {"self": {"href": f"{caller.url}/services/{ALICE}/csi_token"}},
    }
    assert sim.wait_for_session(ALICE)


def test_csi_token_in_the_other_shape(small_pages: Simulator) -> None:
    """A CSI token may be in a collection, and say when it runs out instead of how soon."""
    small_pages.line(ALICE)
    document = Caller(small_pages).post(f"/services/{ALICE}/csi_token")
    (token,) = document["_embedded"]["CSIToken"]
    assert "expires_in" not in token
    assert (token["timestamp"], token["domain_masks"]) == (1_060, [])


def test_csi_token_lifetime(sim: Simulator, caller: Caller, connect: Connect) -> None:
    """A CSI token runs out when it says so."""
    token = caller.post(f"/services/{ALICE}/csi_token")["token"]
    sim.elapse(3599)
    assert connect().create_session(token)
    sim.elapse(1)
    reply = connect().ask("create_session", token=token)
    assert outcome(reply) == (400, "Invalid token (expired)")


# Plugins and telephones


def test_plugins(caller: Caller, alice: Line) -> None:
    """The plugins of a line are listed by name, each as it is."""
    path = f"/services/{ALICE}/cti_plugins"

    def listed() -> Dict[str, bool]:
        return {each["name"]: each["enabled"] for each in items(caller.get(path))}

    assert listed() == {"custom": False, "websocket": True}
    alice.plugin_enabled = False
    assert listed() == {"custom": False, "websocket": False}
    assert caller.post(path + "/custom", {"enabled": "1"})["enabled"] is True
    assert listed() == {"custom": True, "websocket": False}
    assert caller.post(path + "/custom", {"enabled": "0"})["enabled"] is False
    assert caller.get(path + "/custom")["_resource_type"] == "CTIPlugin"


def test_plugin_makes_commands_work(
    caller: Caller, sim: Simulator, alice: Line, connect: Connect
) -> None:
    """Without the plugin sessions open and command nothing; enabled, it works for new ones."""
    plugin = f"/services/{ALICE}/cti_plugins/websocket"
    assert caller.post(plugin, {"enabled": "0"})["enabled"] is False
    old, new = connect(), connect()
    old.create_session(sim.token(alice))
    assert outcome(old.ask("call", number="33199020000")) == CANNOT_TREAT
    assert caller.post(plugin, {"enabled": "1"})["enabled"] is True
    assert alice.plugin_enabled
    assert outcome(old.ask("call", number="33199020000")) == CANNOT_TREAT
    new.create_session(sim.token(alice))
    assert outcome(new.ask("call", number="33199020000")) == 1


@pytest.mark.parametrize("form", [{}, {"enabled": "true"}, {"enabled": ""}])
def test_wrong_plugin_values(caller: Caller, form: Dict[str, str]) -> None:
    """A plugin is enabled by 1 and disabled by 0; anything else is refused."""
    response = caller.ask("POST", f"/services/{ALICE}/cti_plugins/websocket", data=form)
    assert refusal(response) == (400, "enabled: expected 1 or 0")


def test_sip_records(caller: Caller, alice: Line) -> None:
    """A registered telephone is a record; without one there is none."""
    path = f"/services/{ALICE}/sip_records"
    (record,) = caller.get(path)["_embedded"]["SIPRecord"]
    assert record.keys() == {"_resource_type", "user_agent", "private_ip", "public_ip"}
    alice.phone_registered = False
    assert caller.get(path)["_embedded"] == {}


# Refusals


@pytest.mark.parametrize("authorization, reason", [
    (None, "An access token is needed"),
    ("Basic Og==", "An access token is needed"),
    ("Bearer s3cret", "The access token is not valid"),
    ("Bearer", "The access token is not valid"),
])
def test_401(sim: Simulator, authorization: Optional[str], reason: str) -> None:
    """Without an access token, or with a wrong one, every address is refused alike."""
    headers = {"Authorization": authorization} if authorization else {}
    for path in ("/services", "/nothing"):
        response = requests.get(sim.manager_url + path, headers=headers, timeout=5)
        assert refusal(response) == (401, reason)
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_401_when_expired(sim: Simulator, caller: Caller) -> None:
    """An access token that has run out is refused, and the reason says so."""
    sim.elapse(3600)
    response = caller.ask("GET", "/services")
    assert refusal(response) == (401, "The access token has expired")


def test_403(sim: Simulator, alice: Line) -> None:
    """Reading and writing need a scope each, which the reason names."""
    admin, reader = Caller(sim, "cti_admin"), Caller(sim, "full_access_read_only")
    assert refusal(admin.ask("GET", "/services")) == (
        403, "The scope full_access_read_only is needed")
    for path in ("csi_token", "cti_plugins/websocket"):
        response = reader.ask("POST", f"/services/{ALICE}/{path}", data={"enabled": "0"})
        assert refusal(response) == (403, "The scope cti_admin is needed")
    assert alice.plugin_enabled
    assert items(reader.get("/services"))
    assert admin.post(f"/services/{ALICE}/csi_token")["result"] == "success"


@pytest.mark.parametrize("method, path, reason", [
    ("GET", "/nothing", "Not Found"),
    ("GET", "/services/", "Not Found"),
    ("GET", "/services/33199000009", "No such service"),
    ("GET", "/services/101", "No such service"),
    ("GET", "/services/101/sip_records", "No such line"),
    ("GET", "/services/33199000009/cti_plugins", "No such line"),
    ("GET", f"/services/{ALICE}/cti_plugins/nothing", "No such CTI plugin"),
    ("POST", f"/services/{ALICE}/cti_plugins/nothing", "No such CTI plugin"),
    ("POST", "/services/33199000009/csi_token", "No such line"),
    ("POST", "/services/33199099999/csi_token", "No such line"),
])
def test_404(caller: Caller, alice: Line, method: str, path: str, reason: str) -> None:
    """An unknown resource is 404, and so are a short number and a fax as a line."""
    alice.set(short_number="101")
    assert refusal(caller.ask(method, path)) == (404, reason)


@pytest.mark.parametrize("method, path, allowed", [
    ("GET", f"/services/{ALICE}/csi_token", "POST"),
    ("POST", "/services", "GET,HEAD"),
    ("DELETE", f"/services/{ALICE}", "GET,HEAD"),
])
def test_405(caller: Caller, method: str, path: str, allowed: str) -> None:
    """Another method than those that are there is refused, and they are named."""
    response = caller.ask(method, path)
    assert refusal(response) == (405, "Method Not Allowed")
    assert response.headers["Allow"] == allowed


# The simulator


@pytest.mark.parametrize("arguments, complaint", [
    ({"page_size": 0}, "page_size: expected 1 to 1000"),
    ({"page_size": "2"}, "page_size: expected an integer"),
    ({"csi_token_shape": "round"}, "csi_token_shape: expected one of bare, embedded"),
    ({"csi_token_expiry": "never"}, "csi_token_expiry: expected one of expires_in, timestamp"),
])
def test_wrong_settings(arguments: Dict[str, Any], complaint: str) -> None:
    """A setting that makes no sense is refused by its name."""
    with pytest.raises((TypeError, ValueError), match=complaint):
        Simulator(**arguments)


@pytest.mark.parametrize("url", [
    lambda sim: sim.authorize_url, lambda sim: sim.token_url, lambda sim: sim.manager_url])
def test_addresses(url: Callable[[Simulator], str]) -> None:
    """The addresses are on the port of the endpoint, and there once the simulator runs."""
    sim = Simulator()
    with pytest.raises(RuntimeError, match="call start"):
        url(sim)
    with sim:
        assert url(sim).startswith(sim.endpoint[:-len("/cti")] + "/")
