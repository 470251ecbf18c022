"""The recordings of Keyyo's SDK, played by translations of scripts that do what was recorded."""

from __future__ import annotations

import json
from functools import partial
from typing import Any, Dict

import pytest

from keyyo_cti import Call
from keyyo_cti._client import client
from keyyo_cti._client.server_clock import ServerClock
from keyyo_cti.translate import translate

from ..wire.test_golden import SCENARIOS, Player

#: What the recorder ran, beside its steps.
OPENING = """
var cti = new Keyyo.CTI(%s);
cti.onNewCall = function(call) {
    tell(["newCall", fields(call)]);
    call.onSetup = function() { tell(["setup", call.callref]); };
    call.onConnect = function() { tell(["connect", call.callref]); };
    call.onRelease = function() { tell(["release", call.callref]); };
    call.onMissed = function() { tell(["missed", call.callref]); };
};
cti.onDisconnected = function() { tell(["disconnected"]); };
"""


def script(scenario: Dict[str, Any]) -> str:
    """Return a script with a function for each step."""
    lines = [OPENING % json.dumps(scenario["options"])]
    for number, step in enumerate(scenario["steps"]):
        if "get" in step or "call" in step:
            lines.append(f"function step{number}() {{ {_body(number, step)} }}")
    return "\n".join(lines)


def _body(number: int, step: Dict[str, Any]) -> str:
    target = f"cti.get_call({json.dumps(step['on_call'])})" if "on_call" in step else "cti"
    given = [_argument(each) for each in step.get("args", [])]
    if "get" in step:
        return f"return {target}.{step['get']}({', '.join(given)});"
    given.append(f"function(err, res) {{ called({number}, err, res); }}")
    return f"{target}.{step['call']}({', '.join(given)});"


def _argument(value: Any) -> str:
    if isinstance(value, dict):
        return f"cti.get_call({json.dumps(value['$call'])})"
    return json.dumps(value)


class TranslatedPlayer(Player):
    """Plays a scenario by the translation of its script."""

    def _open(self) -> None:
        translation = translate(script(self.scenario))
        assert translation.complete, translation.notes
        python = translation.python.replace("Keyyo.CTI(", "make_cti(").replace("cti.wait()", "")
        self.names: Dict[str, Any] = {
            "tell": self.events.add, "fields": _fields, "called": self._called,
            "make_cti": lambda options=None: self._make_cti(options or {}),
        }
        exec(compile(python, self.scenario["name"], "exec"), self.names)
        self.cti = self.names["cti"]

    def _perform(self, number: int, step: Dict[str, Any]) -> Any:
        return self.names[f"step{number}"]()


def _fields(call: Call) -> Dict[str, Any]:
    return dict(call.fields)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario["name"] for scenario in SCENARIOS])
def test_recording_is_played_by_a_translation(
    scenario: Dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sends, calls back, emits, returns and keeps what the JavaScript SDK did."""
    monkeypatch.setattr(client, "ServerClock", partial(ServerClock, monotonic=lambda: 0.0))
    assert TranslatedPlayer(scenario, "websocket").play() == scenario["expect"]
