"""The recordings of the JavaScript SDK 1.1, played through this SDK."""

import json
from functools import partial
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, Dict, List

import pytest

from keyyo_cti import CTI, Call, Keyyo, Transport
from keyyo_cti._client import client
from keyyo_cti._client.server_clock import ServerClock
from keyyo_cti._client.session_store import JarCookie
from keyyo_cti._sockjs import TRANSPORTS
from keyyo_cti.simulator.sockjs import Connection

from ..helpers.probe import Record
from ..helpers.scripted_server import ScriptedServer

_FILE = Path(__file__).parents[1] / "golden" / "js-sdk-1.1.json"
SCENARIOS: List[Dict[str, Any]] = json.loads(_FILE.read_text("utf-8"))["scenarios"]


class Player:
    """Plays one scenario against a server that answers as the recording's did."""

    def __init__(self, scenario: Dict[str, Any], transport: Transport) -> None:
        self.scenario = scenario
        self.transport = transport
        self.jar = CookieJar()
        self.callbacks = Record()
        self.events = Record()
        self.returns: List[Dict[str, Any]] = []
        self._answers = {
            action: list(answer) if isinstance(answer, list) else [answer]
            for action, answer in scenario["server"].items()
        }

    def play(self) -> Dict[str, Any]:
        """What happened, in the recording's form."""
        for name, value in self.scenario["cookies"].items():
            JarCookie(self.jar, name, 60).save(value)
        with ScriptedServer(self._answer) as server:
            self.server = server
            self._open()
            for number, step in enumerate(self.scenario["steps"]):
                self._step(number, step)
            calls = [dict(call.fields) for call in self.cti.get_calls()]
            # Whatever is still under way is handled, so that nothing is overlooked.
            self.cti.close()
            return {
                "sent": [
                    dict(command, id=number)
                    for number, command in enumerate(server.received.items, start=1)
                ],
                "callbacks": self.callbacks.items,
                "events": self.events.items,
                "returns": self.returns,
                "calls": calls,
                "cookies": {cookie.name: cookie.value for cookie in self.jar},
            }

    def _open(self) -> None:
        self.cti = self._make_cti(self.scenario["options"])
        self.cti.onNewCall = self._new_call
        self.cti.onDisconnected = lambda: self.events.add(["disconnected"])

    def _make_cti(self, options: Dict[str, Any]) -> CTI:
        return Keyyo.CTI(
            options,
            endpoint=self.server.endpoint,
            ping_auto=False,
            cookie_jar=self.jar,
            transports=[self.transport],
        )

    def _step(self, number: int, step: Dict[str, Any]) -> None:
        if "push" in step or "pushes" in step:
            self._push(step.get("pushes") or [step["push"]])
        elif "close" in step:
            self.server.do(lambda connection: connection.close(*step["close"]))
            self.events.wait(lambda events: ["disconnected"] in events, "disconnected")
        elif "get" in step:
            self.returns.append({"step": number, "value": _plain(self._perform(number, step))})
        else:
            self._call(number, step)

    def _perform(self, number: int, step: Dict[str, Any]) -> Any:
        """Call the method of a step."""
        if "get" in step:
            return getattr(self._target(step), step["get"])(*step.get("args", []))
        arguments = [self._argument(argument) for argument in step.get("args", [])]
        return getattr(self._target(step), step["call"])(*arguments, partial(self._called, number))

    def _call(self, number: int, step: Dict[str, Any]) -> None:
        sent, answered = len(self.server.received.items), len(self.callbacks.items)
        self._perform(number, step)
        self.server.received.wait_for_count(sent + 1)
        action = self.server.received.items[sent]["action"]
        if self._answers[action][0] is not None:
            self.callbacks.wait_for_count(answered + 1)

    def _push(self, messages: List[Dict[str, Any]]) -> None:
        seen = len(self.events.items)
        self.server.push(*messages)
        # Each notification here is a newCall and an event of its state.
        self.events.wait_for_count(seen + 2 * len(messages))

    def _target(self, step: Dict[str, Any]) -> Any:
        return self.cti.get_call(step["on_call"]) if "on_call" in step else self.cti

    def _argument(self, argument: Any) -> Any:
        return self.cti.get_call(argument["$call"]) if isinstance(argument, dict) else argument

    def _called(self, number: int, err: Any, res: Any) -> None:
        error = err and {"status_code": err.status_code, "message": err.message}
        if err and err.error_code is not None:
            error["error_code"] = err.error_code
        self.callbacks.add({"step": number, "err": error, "res": res})

    def _new_call(self, call: Call) -> None:
        self.events.add(["newCall", dict(call.fields)])
        call.onSetup = lambda: self.events.add(["setup", call.callref])
        call.onConnect = lambda: self.events.add(["connect", call.callref])
        call.onRelease = lambda: self.events.add(["release", call.callref])
        call.onMissed = lambda: self.events.add(["missed", call.callref])

    def _answer(self, connection: Connection, command: Dict[str, Any]) -> None:
        answers = self._answers[command["action"]]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer is not None:
            connection.send(json.dumps(dict(answer, id=command["id"])))


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return dict(value.fields) if isinstance(value, Call) else value


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario["name"] for scenario in SCENARIOS])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_recording(
    scenario: Dict[str, Any], transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sent, called back, emitted, returned and kept is what the JavaScript SDK did, on
    each transport."""
    # The recording's clock stands still.
    still = partial(ServerClock, monotonic=lambda: 0.0)
    monkeypatch.setattr(client, "ServerClock", still)
    assert Player(scenario, transport).play() == scenario["expect"]


def test_all_recordings_are_played() -> None:
    """There are 41 of them."""
    assert len(SCENARIOS) == 41
