"""The stand-in for Keyyo's JavaScript SDK does what the recordings of that SDK show.

The guide's JavaScript runs on it, so it has to behave as the real one.
"""

from __future__ import annotations

import json
import threading
from typing import Any, Dict, Iterator, List

import pytest

from keyyo_cti.simulator.sockjs import Connection

from ..helpers.javascript_page import Page
from ..helpers.node_programs import missing
from ..helpers.scripted_server import ScriptedServer, session
from .test_golden import SCENARIOS

_MISSING = missing()

pytestmark = pytest.mark.skipif(_MISSING is not None, reason=_MISSING or "")

#: ``date`` is an addition of the SDK's own; the recordings hold what the server sent.
RECORDER = """
tell = (kind, value) => console.log(JSON.stringify([kind, value]));
plain = (value) => JSON.parse(JSON.stringify(value, (name, each) => (
    name === 'date' ? undefined : each
)));
cti = new Keyyo.CTI({ ...options, ping_auto: false });
cti.onNewCall = (call) => {
    tell('events', ['newCall', plain(call)]);
    call.onSetup = () => tell('events', ['setup', call.callref]);
    call.onConnect = () => tell('events', ['connect', call.callref]);
    call.onRelease = () => tell('events', ['release', call.callref]);
    call.onMissed = () => tell('events', ['missed', call.callref]);
};
cti.onDisconnected = () => tell('events', ['disconnected']);
target = ({ on_call }) => (on_call === undefined ? cti : cti.get_call(on_call));
get = (number, step) => {
    const value = target(step)[step.get](...(step.args || []));
    tell('returns', { step: number, value: plain(value) });
};
call = (number, step) => {
    const given = (step.args || []).map((each) => (
        each !== null && each.$call ? cti.get_call(each.$call) : each
    ));
    target(step)[step.call](...given, (err, res) => tell('callbacks', { step: number, err, res }));
};
"""


class Player:
    """Plays one scenario on the stand-in."""

    def __init__(self, page: Page, scenario: Dict[str, Any]) -> None:
        self.page = page
        self.scenario = scenario
        self._answers = {
            action: list(answer) if isinstance(answer, list) else [answer]
            for action, answer in scenario["server"].items()
        }

    def play(self) -> Dict[str, Any]:
        """Return what happened, in the recording's form."""
        with ScriptedServer(self._answer) as self.server:
            settings = {key: self.scenario[key] for key in ("now", "cookies")
                        if key in self.scenario}
            names = {"options": self.scenario["options"]}
            self.page.open(self.server.endpoint, names=names, **settings)
            self.page.run(RECORDER)
            for number, step in enumerate(self.scenario["steps"]):
                self._step(number, step)
            self.page.run("tell('calls', plain(cti.get_calls())); tell('cookies', "
                          "Object.fromEntries(document.cookie.split('; ').filter(Boolean)"
                          ".map((pair) => pair.split('='))))")
            self.page.leave()
        assert self.page.raised == []
        return {
            "sent": [
                dict(command, id=number)
                for number, command in enumerate(self.server.received.items, start=1)
            ],
            "callbacks": self._told("callbacks"),
            "events": self._told("events"),
            "returns": self._told("returns"),
            "calls": self._told("calls")[0],
            "cookies": self._told("cookies")[0],
        }

    def _step(self, number: int, step: Dict[str, Any]) -> None:
        said = len(self.page.said)
        if "push" in step or "pushes" in step:
            messages = step.get("pushes") or [step["push"]]
            self.server.push(*messages)
            # Each notification here is a newCall and an event of its state.
            self.page.wait_for(said + 2 * len(messages))
        elif "close" in step:
            callbacks = sum(each["step"] < number for each in self.scenario["expect"]["callbacks"])
            waiting = callbacks - len(self._told("callbacks"))
            self.server.do(lambda connection: connection.close(*step["close"]))
            self.page.wait_for(said + waiting + 1)
        elif "get" in step:
            self.page.run(f"get({number}, {json.dumps(step)})")
        else:
            self._call(number, step)

    def _call(self, number: int, step: Dict[str, Any]) -> None:
        sent, said = len(self.server.received.items), len(self.page.said)
        self.page.run(f"call({number}, {json.dumps(step)})")
        self.server.received.wait_for_count(sent + 1)
        if self._answers[self.server.received.items[sent]["action"]][0] is not None:
            self.page.wait_for(said + 1)

    def _told(self, kind: str) -> List[Any]:
        told = map(json.loads, self.page.said)
        return [value for each, value in told if each == kind]

    def _answer(self, connection: Connection, command: Dict[str, Any]) -> None:
        answers = self._answers[command["action"]]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer is not None:
            connection.send(json.dumps(dict(answer, id=command["id"])))


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A Node process for all scenarios."""
    with Page() as running:
        yield running


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario["name"] for scenario in SCENARIOS])
def test_stand_in_recording_same_traffic_and_events(page: Page, scenario: Dict[str, Any]) -> None:
    assert Player(page, scenario).play() == scenario["expect"]


class SlowServer(ScriptedServer):
    """Lets a connection wait for its opening frame."""

    def opened(self, connection: Connection) -> None:
        super().opened(connection)
        threading.Event().wait(1.5)


def test_stand_in_waits_for_a_slow_server(page: Page) -> None:
    with SlowServer(session) as server:
        page.open(server.endpoint)
        page.run("new Keyyo.CTI().create_session('tok', (err, res) => console.log(err))")
        assert page.wait_for(said=1) == ["null"]
