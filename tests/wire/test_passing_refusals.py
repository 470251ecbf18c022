"""Refusals that are not Keyyo's: a session is not lost by what a firewall answers."""

from __future__ import annotations

from typing import Callable, Dict, Iterator

import pytest

from keyyo_cti import CTI, Backoff
from keyyo_cti.simulator import Line, Simulator
from keyyo_cti.token_provider import TokenProvider

from ..helpers.accounts import client_of
from ..helpers.probe import PATIENCE, Seen

QUICK = Backoff(first=0.01, longest=0.05)

#: What a firewall, a gateway and a proxy answer in Keyyo's place.
HTML = "<html><body><h1>Forbidden</h1></body></html>"

#: How often each refuses before it lets us through.
TIMES = 3

MANAGER = "/manager"
OAUTH2 = "/oauth2/token"

REFUSALS: Dict[str, Callable[[Simulator], None]] = {
    "Manager 403": lambda sim: sim.faults.http(MANAGER, 403, body=HTML, times=TIMES),
    "Manager 404": lambda sim: sim.faults.http(MANAGER, 404, body=HTML, times=TIMES),
    # Each is asked twice, with another access token.
    "Manager 401": lambda sim: sim.faults.http(MANAGER, 401, body=HTML, times=2 * TIMES),
    "Manager 429": lambda sim: sim.faults.http(MANAGER, 429, times=TIMES),
    "Manager 503": lambda sim: sim.faults.http(MANAGER, 503, body=HTML, times=TIMES),
    "OAuth2 403": lambda sim: sim.faults.http(OAUTH2, 403, body=HTML, times=TIMES),
    "OAuth2 401": lambda sim: sim.faults.http(OAUTH2, 401, body=HTML, times=TIMES),
    "OAuth2 200": lambda sim: sim.faults.http(OAUTH2, 200, body=HTML, times=TIMES),
    "info 403": lambda sim: sim.faults.refuse("info", 403, times=TIMES),
    "info 401": lambda sim: sim.faults.refuse("info", 401, times=TIMES),
    "websocket 403": lambda sim: sim.faults.refuse("websocket", 403, times=TIMES),
    "too many sessions": lambda sim: sim.faults.fail(
        "restore_session", 403, "Too many sessions", times=TIMES),
    "unauthorized": lambda sim: sim.faults.fail("restore_session", 401, "No", times=TIMES),
    "no new session": lambda sim: no_new_session(sim),
}


def no_new_session(sim: Simulator) -> None:
    """The session is gone, and there are too many for another one."""
    sim.faults.fail("restore_session", 401, "Unknown session_id", times=TIMES)
    sim.faults.fail("create_session", 403, "Too many sessions", times=TIMES - 1)


@pytest.fixture
def new_token(sim: Simulator, alice: Line) -> Iterator[TokenProvider]:
    client = client_of(sim, stale=True)
    yield TokenProvider(client, alice.number)
    client.close()


@pytest.mark.fault(68)
@pytest.mark.promise(7)
@pytest.mark.parametrize("refusal", REFUSALS)
def test_refusal_of_a_firewall(
    sim: Simulator, alice: Line, new_token: TokenProvider, refusal: str
) -> None:
    """A session that is lost while a firewall answers in Keyyo's place is restored afterwards."""
    with CTI(
        endpoint=sim.endpoint,
        token_provider=new_token,
        cookie_auto=False,
        backoff=QUICK,
        transports=["websocket"],
    ) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        seen = Seen(cti)
        REFUSALS[refusal](sim)
        sim.faults.drop()
        seen.wait_for("restored")
        assert [item[0] for item in seen.items] == ["disconnected", "restored"]


@pytest.mark.fault(68)
@pytest.mark.promise(8)
@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize("form", ["header", "json"])
def test_refusal_of_the_manager(
    sim: Simulator, alice: Line, new_token: TokenProvider, status: int, form: str
) -> None:
    """What the Manager itself refuses is the end, at once."""
    headers = {"X-Status-Reason": "Not yours"} if form == "header" else {}
    body = {"message": "Not yours"} if form == "json" else None
    with CTI(
        endpoint=sim.endpoint, token_provider=new_token, cookie_auto=False, backoff=QUICK
    ) as cti:
        cti.create_session(sim.token(alice)).result(PATIENCE)
        seen = Seen(cti)
        sim.faults.http(MANAGER, status, headers=headers, body=body)
        sim.faults.drop()
        assert cti.wait(PATIENCE)
        assert [item[0] for item in seen.items] == ["disconnected", "lost"]
        assert seen.of("lost")[0][1].status_code == status
