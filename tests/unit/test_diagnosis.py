"""Each reason why a line does not answer is named, with what to do. On a real socket."""

from __future__ import annotations

import json
import queue
from typing import Any, Dict, List, Optional

import pytest

from keyyo_cti import KeyyoError
from keyyo_cti._oauth2.token_store import TokenMemory
from keyyo_cti._oauth2.tokens import Tokens
from keyyo_cti.account import AccountClient
from keyyo_cti.diagnosis import Diagnosis, Finding, diagnose
from keyyo_cti.manager import Manager, ManagerClient
from keyyo_cti.simulator import Line, Simulator

from ..helpers.accounts import client_of, oauth2_of

CHECKS = ["account", "line", "plugin", "telephone", "token", "session"]
READ = "full_access_read_only"


def look(sim: Simulator, line: Line, client: Optional[ManagerClient] = None) -> Diagnosis:
    return diagnose(client or client_of(sim), line.number, sim.endpoint)


def goods(diagnosis: Diagnosis) -> List[Optional[bool]]:
    assert [finding.check for finding in diagnosis.findings] == CHECKS
    return [finding.good for finding in diagnosis.findings]


def fault(diagnosis: Diagnosis) -> Finding:
    """The only one."""
    [found] = [finding for finding in diagnosis.findings if finding.good is False]
    assert diagnosis.faults == [found.fault] and not diagnosis.good
    assert found.advice
    return found


def test_nothing_is_wrong(sim: Simulator, alice: Line) -> None:
    """A line that works is good in every respect, and its session is gone again."""
    alice.set(short_number="201")
    diagnosis = look(sim, alice)
    assert diagnosis.good and diagnosis.faults == []
    assert str(diagnosis).splitlines() == [
        "line 33199000001",
        "  good   account    this program is authorized",
        "  good   line       Alice, short number 201",
        "  good   plugin     the CTI plugin websocket is enabled",
        "  good   telephone  1 registered",
        "  good   token      a CSI token was created",
        "  good   session    a session was opened as 33199000001",
    ]
    assert sim.sessions() == []


def test_unknown_line(sim: Simulator, alice: Line) -> None:
    """A line that the account does not have; the rest makes no sense then."""
    diagnosis = diagnose(client_of(sim), "33199000009", sim.endpoint)
    found = fault(diagnosis)
    assert (found.check, found.fault) == ("line", "unknown_line")
    assert "keyyo-cti lines" in str(found.advice)
    assert goods(diagnosis) == [True, False, None, None, None, None]
    assert "  -      session    not checked, because of the fault before" in str(diagnosis)


def test_plugin_disabled(sim: Simulator, alice: Line) -> None:
    """A disabled plugin is the fault though a session opens; enabled, the line is good."""
    alice.plugin_enabled = False
    client = client_of(sim)
    diagnosis = look(sim, alice, client)
    found = fault(diagnosis)
    assert (found.check, found.fault) == ("plugin", "plugin_disabled")
    assert "enable_plugin" in str(found.advice)
    assert goods(diagnosis) == [True, True, False, True, True, True]
    client.enable_plugin(alice.number)
    assert look(sim, alice, client).good


def test_no_plugin(sim: Simulator, alice: Line) -> None:
    """A line that has no such plugin at all."""
    sim.faults.http(
        f"/manager/1.0/services/{alice.number}/cti_plugins",
        200,
        headers={"Content-Type": "application/json"},
        body=json.dumps({"_embedded": {"CTIPlugin": [{"name": "custom", "enabled": True}]}}),
    )
    assert fault(look(sim, alice)).fault == "plugin_missing"


def test_no_telephone(sim: Simulator, alice: Line) -> None:
    """No registered telephone."""
    alice.phone_registered = False
    found = fault(look(sim, alice))
    assert (found.check, found.fault) == ("telephone", "no_telephone")


def test_the_only_line(sim: Simulator, alice: Line) -> None:
    """Without a CSI it is the only line of the account, if there is one only."""
    client = client_of(sim)
    assert diagnose(client, endpoint=sim.endpoint).csi == alice.number
    sim.line("33199000002")
    diagnosis = diagnose(client, endpoint=sim.endpoint)
    assert fault(diagnosis).fault == "unknown_line"
    assert "33199000001, 33199000002" in fault(diagnosis).fact
    assert str(diagnosis).startswith("line unknown\n")
    with Simulator() as empty:
        diagnosis = diagnose(client_of(empty), endpoint=empty.endpoint)
    assert (fault(diagnosis).fact, diagnosis.csi) == ("there is no line", None)


def test_two_faults(sim: Simulator, alice: Line) -> None:
    """Every fault that can be seen is told, not only the first."""
    alice.phone_registered = alice.plugin_enabled = False
    assert look(sim, alice).faults == ["plugin_disabled", "no_telephone"]


def test_no_refresh_token(sim: Simulator, alice: Line) -> None:
    """Without a refresh token, nobody says that one has expired or was revoked."""
    account = AccountClient(oauth2_of(sim), TokenMemory(Tokens("stale", None, 1.0)))
    diagnosis = look(sim, alice, ManagerClient(account, sim.manager_url))
    found = fault(diagnosis)
    assert (found.check, found.fault) == ("account", "no_refresh_token")
    assert "expired" not in found.fact and "revoked" not in found.fact


@pytest.mark.fault(44)
@pytest.mark.parametrize("scope, missing", [
    ("full_access_read_only", "the scope cti_admin"),
    ("cti_admin", "the scope full_access_read_only"),
    ("voip_profiles_admin", "the scopes cti_admin and full_access_read_only"),
    ("a.user", None),
    (None, None),
])
def test_missing_scope_is_told_first(
    sim: Simulator, alice: Line, scope: Optional[str], missing: Optional[str]
) -> None:
    """What Keyyo has not granted is told before anything is refused for it, where names can be
    compared."""
    granted = sim.account_tokens()
    tokens = Tokens(granted["access_token"], granted["refresh_token"], None, scope)
    account = AccountClient(oauth2_of(sim), TokenMemory(tokens))
    diagnosis = look(sim, alice, ManagerClient(account, sim.manager_url))
    assert diagnosis.faults == ([] if missing is None else ["missing_scope"])
    if missing is not None:
        found = fault(diagnosis)
        assert found.check == "account"
        assert found.fact == f"this program is authorized without {missing}"
        assert "authorize the application again" in str(found.advice)
        assert "keyyo-cti login" in str(found.advice)


def test_missing_scope_for_tokens(sim: Simulator, alice: Line) -> None:
    """Without ``cti_admin`` no CSI token is minted, and the advice names that scope."""
    diagnosis = look(sim, alice, client_of(sim, READ))
    found = fault(diagnosis)
    assert (found.check, found.fault) == ("token", "missing_scope")
    assert "cti_admin" in str(found.advice) and "keyyo-cti login" in str(found.advice)
    assert goods(diagnosis)[-1] is None


def test_missing_scope_for_reading(sim: Simulator, alice: Line) -> None:
    """Without ``full_access_read_only`` nothing can be read, but a session can be opened."""
    diagnosis = look(sim, alice, client_of(sim, "cti_admin"))
    assert diagnosis.faults == ["missing_scope"]
    assert goods(diagnosis) == [True, False, False, False, True, True]
    assert READ in str(diagnosis.findings[1].advice)


def test_expired_refresh_token(sim: Simulator, alice: Line) -> None:
    """When the refresh token is refused, there is nothing but to sign in again."""
    client = client_of(sim, stale=True)
    sim.expire_refresh_tokens()
    diagnosis = look(sim, alice, client)
    found = fault(diagnosis)
    assert (found.check, found.fault) == ("account", "refresh_token_expired")
    assert "sign in again" in str(found.advice)
    assert goods(diagnosis)[1:] == [None] * 5


def test_revoked_access(sim: Simulator, alice: Line) -> None:
    """The same, when that shows only with the first request."""
    client = client_of(sim)
    sim.expire_refresh_tokens()
    sim.revoke_access(client._api._account.tokens().access_token)
    found = fault(look(sim, alice, client))
    assert (found.check, found.fault) == ("line", "refresh_token_expired")


def test_wrong_client_secret(sim: Simulator, alice: Line) -> None:
    """Keyyo does not know the program."""
    found = fault(look(sim, alice, client_of(sim, stale=True, client_secret="wrong")))
    assert (found.check, found.fault) == ("account", "application_refused")
    assert "client secret" in str(found.advice)


@pytest.mark.parametrize("stale", [True, False])
def test_no_network(sim: Simulator, alice: Line, stale: bool) -> None:
    """No way to Keyyo, whether it shows with the first token or with the first request."""
    client = client_of(sim, stale=stale)
    number, endpoint = alice.number, sim.endpoint
    sim.stop()
    found = fault(diagnose(client, number, endpoint))
    assert (found.check, found.fault) == ("account" if stale else "line", "no_network")
    assert "check the network" in str(found.advice)


def test_no_connection(sim: Simulator, alice: Line) -> None:
    """The web is there, but no connection to the CTI service is."""
    sim.faults.refuse("info")
    found = fault(look(sim, alice))
    assert (found.check, found.fault) == ("session", "no_connection")


def test_session_refused(sim: Simulator, alice: Line) -> None:
    """The CTI service does not take the token."""
    sim.faults.fail("create_session", 400, "Invalid token")
    found = fault(look(sim, alice))
    assert (found.check, found.fault) == ("session", "session_refused")
    assert "CSI token" in str(found.advice)


def test_a_session_that_is_not_destroyed(sim: Simulator, alice: Line) -> None:
    """What matters is that it could be opened."""
    sim.faults.fail("destroy_session", 500, "No")
    assert look(sim, alice).good


@pytest.mark.parametrize(
    ("status", "word", "goes_on"),
    [(401, "access_refused", False), (404, "not_found", True), (429, "quota", False),
     (500, "server_error", True)],
)
def test_what_else_keyyo_says(
    sim: Simulator, alice: Line, status: int, word: str, goes_on: bool
) -> None:
    """Any other refusal is told too; where the rest would fail alike, it is left alone."""
    sim.faults.http(f"/manager/1.0/services/{alice.number}/sip_records", status)
    diagnosis = look(sim, alice)
    assert fault(diagnosis).fault == word
    rest = True if goes_on else None
    assert goods(diagnosis) == [True, True, True, False, rest, rest]


@pytest.mark.parametrize("csi", ["", " ", 33199000001])
def test_a_wrong_csi_is_a_mistake(sim: Simulator, csi: Any) -> None:
    """A CSI that cannot be one is no finding, but an error of the caller's."""
    with pytest.raises(KeyyoError) as caught:
        diagnose(client_of(sim), csi, sim.endpoint)
    assert caught.value.error_code == "invalid_params"


def test_a_wrong_endpoint_is_a_mistake(sim: Simulator, alice: Line) -> None:
    """The same with the endpoint, before anything is asked."""
    with pytest.raises(KeyyoError, match="endpoint: ") as caught:
        diagnose(client_of(sim), alice.number, "ws.example.com")
    assert caught.value.error_code == "invalid_params"
    assert sim.requested("/") == []


def test_closed(sim: Simulator, alice: Line) -> None:
    """A client that was closed finds nothing out."""
    client = client_of(sim)
    client.close()
    with pytest.raises(KeyyoError) as caught:
        look(sim, alice, client)
    assert caught.value.error_code == "closed"


def test_as_data(sim: Simulator, alice: Line) -> None:
    """``to_dict`` gives all of it, as JSON knows it."""
    alice.phone_registered = False
    kept: Dict[str, Any] = json.loads(json.dumps(look(sim, alice).to_dict()))
    assert (kept["csi"], kept["good"], kept["faults"]) == (alice.number, False, ["no_telephone"])
    telephone = kept["findings"][3]
    assert telephone["check"] == "telephone" and telephone["good"] is False
    assert telephone["advice"].startswith("switch the telephone on")


def test_escaped(sim: Simulator, alice: Line) -> None:
    """A name cannot give orders to a terminal."""
    alice.set(name="\x1b[2JAlice")
    assert "  good   line       \\x1b[2JAlice" in str(look(sim, alice))


def test_of_a_manager(sim: Simulator, alice: Line) -> None:
    """A Manager gives it by a Future and by a callback, which may take the endpoint's place."""
    client = client_of(sim)
    answers: "queue.Queue[Any]" = queue.Queue()
    with Manager(client._api._account, sim.manager_url) as manager:
        assert manager.diagnose(alice.number, sim.endpoint).result(10).good
        manager.diagnose(
            alice.number, sim.endpoint, lambda error, result: answers.put((error, result)))
        error, diagnosis = answers.get(timeout=10)
        assert error is None and diagnosis.good
        manager.diagnose("", lambda error, result: answers.put((error, result)))
        error, diagnosis = answers.get(timeout=10)
        assert error.error_code == "invalid_params" and diagnosis is None
