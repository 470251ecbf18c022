"""A browser's client agrees with the simulator: npm's SockJS client plays what the demo plays."""

import json
from typing import Any, Dict, Iterator
from unittest.mock import ANY

import pytest

from keyyo_cti.simulator import Line, Phone, Simulator

from ..helpers.node_programs import NodeProgram, missing
from ..helpers.probe import PATIENCE

pytestmark = pytest.mark.skipif(missing() is not None, reason=missing() or "")

ALICE = "33199000001"
BOB = "33199020000"


class Browser(NodeProgram):
    """Alice's application as a browser runs it, which dials Bob as soon as it can."""

    def __init__(self, sim: Simulator, alice: Line, transport: str) -> None:
        super().__init__("play.js", sim.endpoint, sim.token(alice), transport, BOB)

    def told(self) -> Dict[str, Any]:
        """What happened to it next."""
        event: Dict[str, Any] = json.loads(self.until(""))
        return event

    def answered(self, action: str) -> Any:
        """The result of a command, which is what happened next."""
        event = self.told()
        assert event.keys() == {"answer", "result"} and event["answer"] == action, event
        return event["result"]

    def call(self) -> Dict[str, Any]:
        """The call that it was notified of next."""
        event = self.told()
        assert event.keys() == {"call"}, event
        call: Dict[str, Any] = event["call"]
        return call


@pytest.fixture(params=["websocket", "xhr-streaming", "xhr-polling"])
def transport(request: pytest.FixtureRequest) -> str:
    """Each transport of SockJS that we know."""
    return str(request.param)


@pytest.fixture
def browser(sim: Simulator, alice: Line, transport: str) -> Iterator[Browser]:
    """With a session, and on its transport as both sides say."""
    with Browser(sim, alice, transport) as browser:
        assert browser.told() == {"opened": transport}
        result = browser.answered("create_session")
        assert result.keys() == {"number", "now", "session_id"} and result["number"] == ALICE
        [connection] = sim.connections()
        assert (connection.transport, connection.number) == (transport, ALICE)
        yield browser


@pytest.mark.slow
def test_both_scenarios_of_the_demo(
    sim: Simulator, alice: Line, bob: Phone, browser: Browser
) -> None:
    """The outgoing and the incoming call of the demo go from SETUP to RELEASE, the application,
    the telephones and the simulator's records agree on each step, and nothing else is told."""
    # 1. Alice calls Bob with her application.
    first = browser.call()
    browser.answered("call")
    alice.phone.wait_until("calling", PATIENCE)
    bob.wait_until("ringing", PATIENCE)
    assert (first["caller"], first["callee"], first["state"]) == (ALICE, BOB, "SETUP")
    bob.pick_up()
    assert browser.call() == {**first, "state": "CONNECT", "connect_date": ANY}
    bob.hang_up()
    assert browser.call()["state"] == "RELEASE"
    alice.phone.wait_until("idle", PATIENCE)
    # 2. Bob calls Alice.
    callref = bob.call(alice)
    alice.phone.wait_until("ringing", PATIENCE)
    second = browser.call()
    assert second["callref"] == callref != first["callref"]
    assert (second["caller"], second["callee"], second["state"]) == (BOB, ALICE, "SETUP")
    alice.phone.pick_up()
    assert browser.call() == {**second, "state": "CONNECT", "connect_date": ANY}
    browser.type("hang up")
    released = browser.call()
    assert (released["callref"], released["state"]) == (callref, "RELEASE")
    browser.answered("terminate_call")
    bob.wait_until("idle", PATIENCE)
    assert [(call.caller, call.callee, call.state) for call in sim.calls()] == [
        (ALICE, BOB, "RELEASE"),
        (BOB, ALICE, "RELEASE"),
    ]
    actions = [command["action"] for command in sim.received()]
    assert actions == ["create_session", "call", "terminate_call"]


def test_answering_in_the_application(
    sim: Simulator, alice: Line, bob: Phone, browser: Browser
) -> None:
    """A call that the application gives up is missed; one that it answers takes the telephone
    off the hook, and ends when the caller hangs up."""
    assert browser.call()["state"] == "SETUP"
    browser.answered("call")
    browser.type("hang up")
    assert browser.call()["state"] == "MISSED"
    browser.answered("terminate_call")
    bob.call(alice)
    assert browser.call()["state"] == "SETUP"
    browser.type("answer")
    assert browser.call()["state"] == "CONNECT"
    browser.answered("answer_call")
    alice.phone.wait_until("talking", PATIENCE)
    bob.hang_up()
    assert browser.call()["state"] == "RELEASE"


def test_leaving(sim: Simulator, alice: Line, browser: Browser) -> None:
    """When the application closes, it hears of a clean end, and the simulator knows at once that
    nobody is there, but keeps the session."""
    assert browser.call()["state"] == "SETUP"
    browser.answered("call")
    browser.type("close")
    assert browser.told() == {"closed": [1000, "Normal closure", True]}
    sim.wait_for_session(alice, PATIENCE, counter=0)
    assert sim.connections() == []
    assert browser.end() == 0
    assert (browser.rest(), browser.rest("err")) == ([], [])
