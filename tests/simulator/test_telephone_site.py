"""The telephones of a simulator, operated over HTTP."""

from __future__ import annotations

from typing import Dict, Optional

import pytest
import requests

from keyyo_cti.simulator import Line, Phone, Simulator


def post(
    sim: Simulator, path: str, form: Dict[str, str], scope: Optional[str] = "cti_admin"
) -> requests.Response:
    headers = {}
    if scope is not None:
        headers["Authorization"] = f"Bearer {sim.account_tokens(scope)['access_token']}"
    url = sim.manager_url.replace("/manager/1.0", f"/simulator/{path}")
    return requests.post(url, form, headers=headers, timeout=5)


def test_telephone_calls_and_hangs_up(sim: Simulator, alice: Line, bob: Phone) -> None:
    response = post(sim, "call", {"caller": bob.number, "callee": alice.number})
    assert response.json() == {"callref": sim.calls()[0].callref}
    assert alice.phone.state == "ringing"
    assert post(sim, "hang_up", {"caller": bob.number}).status_code == 200
    assert (bob.state, sim.calls()[0].state) == ("idle", "MISSED")


@pytest.mark.parametrize(
    "path, form, scope, status, reason",
    [
        ("call", {"caller": "33199020000", "callee": "33199000001"}, None, 401, "access token"),
        ("call", {"caller": "33199020000", "callee": "33199000001"}, "full_access_read_only",
         403, "cti_admin"),
        ("call", {"caller": "Bob", "callee": "33199000001"}, "cti_admin", 400, "caller"),
        ("call", {"caller": "33199020000"}, "cti_admin", 400, "callee"),
        ("hang_up", {}, "cti_admin", 400, "caller"),
        ("hang_up", {"caller": "33199020000"}, "cti_admin", 409, "no call to hang up"),
        ("answer", {}, "cti_admin", 404, "Not Found"),
    ],
)
def test_wrong_request_is_refused_and_nothing_rings(
    sim: Simulator, alice: Line, path: str, form: Dict[str, str], scope: Optional[str],
    status: int, reason: str,
) -> None:
    response = post(sim, path, form, scope)
    assert response.status_code == status and reason in response.json()["message"]
    assert sim.calls() == []


def test_web_page_of_another_host_cannot_let_a_telephone_ring(
    sim: Simulator, alice: Line
) -> None:
    url = sim.manager_url.replace("/manager/1.0", "/simulator/call")
    response = requests.post(url, headers={"Host": "evil.example.com"}, timeout=5)
    assert response.status_code == 421 and sim.calls() == []
