"""The profiles of a line."""

from __future__ import annotations

from typing import Any

import pytest
import responses

from keyyo_cti import KeyyoError
from keyyo_cti.manager import Manager, ManagerClient, ManagerError

from .test_history import BASE, CSI, SOON, Account

URL = f"{BASE}/services/{CSI}/profiles"
DND = {"identifier": "dnd", "name": "Do not disturb", "forced": "0", "forward_to_voicemail": "1"}


@pytest.fixture
def client() -> ManagerClient:
    return ManagerClient(Account())


@responses.activate
def test_profiles_have_flags_and_none_for_missing_fields(client: ManagerClient) -> None:
    responses.get(URL, json={"_embedded": {"Profile": [{"identifier": "default", "forced": 1},
                                                       DND]}})
    default, dnd = client.profiles(CSI)
    assert (default.identifier, default.name, default.forced) == ("default", None, True)
    assert (default.forward_to_voicemail, default.forward_unconditionally_number) == (False, None)
    assert (dnd.name, dnd.forced, dnd.forward_to_voicemail) == ("Do not disturb", False, True)


@responses.activate
@pytest.mark.parametrize(("forced", "sent"), [(True, "forced=1"), (False, "forced=0")])
@pytest.mark.parametrize("body", [{**DND, "forced": None}, {}, {"_embedded": {"Profile": [DND]}}])
def test_force_profile_sends_the_flag_and_returns_the_profile(
    client: ManagerClient, forced: bool, sent: str, body: Any
) -> None:
    if body:
        item = body.get("_embedded", {}).get("Profile", [body])[0]
        item["forced"] = int(forced)
    responses.post(f"{URL}/a%2Fb", json=body)
    profile = client.force_profile(CSI, "a/b", forced)
    assert profile.forced is forced and profile.identifier in ("dnd", "a/b")
    assert responses.calls[0].request.body == sent


@responses.activate
def test_force_profile_without_the_scope_names_it(client: ManagerClient) -> None:
    responses.post(f"{URL}/dnd", status=403, headers={"X-Status-Reason": "Scope"})
    with pytest.raises(ManagerError) as caught:
        client.force_profile(CSI, "dnd")
    assert "needs the scope voip_profiles_admin" in str(caught.value.hint)


@responses.activate
def test_profiles_with_callbacks(client: ManagerClient) -> None:
    responses.get(URL, json={"_embedded": {"Profile": DND}})
    responses.post(f"{URL}/dnd", json={})
    got = []
    with Manager(Account()) as manager:
        assert manager.profiles(CSI).result(SOON)[0].identifier == "dnd"
        manager.force_profile(CSI, "dnd", lambda error, result: got.append((error, result)))
        manager.force_profile(CSI, "dnd", False, lambda error, result: got.append((error, result)))
        assert manager.wait(SOON)
    assert [(error, result.forced) for error, result in got] == [(None, True), (None, False)]


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [((None, "x"), "csi"), ((CSI, ""), "identifier"), ((CSI, "x", 1), "forced")],
)
def test_force_profile_with_a_wrong_argument_names_it(
    client: ManagerClient, arguments: Any, argument: str
) -> None:
    with pytest.raises(KeyyoError, match=f"^400 {argument}: "):
        client.force_profile(*arguments)
