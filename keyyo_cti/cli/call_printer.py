"""A call on the screen: a line for people, or an object for programs."""

import json
import time
from typing import Any

from ..call import Call
from .terminal import Terminal, printable

_COLOURS = {"SETUP": "yellow", "CONNECT": "green", "RELEASE": "blue", "MISSED": "red"}


class Calls:
    """Shows each change of each call once.

    :param out: where.
    :param as_json: for programs.
    """

    def __init__(self, out: Terminal, as_json: bool) -> None:
        self._out = out
        self._describe = _object if as_json else _line

    def show(self, call: Call) -> None:
        """Shows a call as it is, unless it was shown so before: after a subscription the server
        tells again what is known already."""
        look = (call.state, call.caller, call.callee, call.callpark_slot)
        if getattr(call, "shown", None) != look:
            setattr(call, "shown", look)
            self._out.line(self._describe(call, self._out))


def _line(call: Call, out: Terminal) -> str:
    state = str(call.state)
    parts = [
        time.strftime("%H:%M:%S"),
        f"{printable(call.caller)} -> {printable(call.callee)}",
        out.paint(_COLOURS.get(state, "bold"), printable(state)),
        _durations(call),
    ]
    if call.callpark_slot is not None:
        parts.append(f"parked in slot {printable(call.callpark_slot)}")
    return "  ".join(part for part in parts if part)


def _durations(call: Call) -> str:
    rang = f"rang {call.get_ringing_duration()} s"
    durations = {
        "CONNECT": rang,
        "RELEASE": f"{rang}, talked {call.get_duration()} s",
        "MISSED": rang,
    }
    return durations.get(str(call.state), "")


def _object(call: Call, out: Terminal) -> str:
    seen: Any = {
        **call.fields,
        "ringing_duration": call.get_ringing_duration(),
        "duration": call.get_duration(),
    }
    return json.dumps(seen)
