"""Prints calls: as a line for a person, or as a JSON object for a program."""

import json
import time
from typing import Any

from ..call import Call
from .terminal import Terminal, escape

_COLOURS = {"SETUP": "yellow", "CONNECT": "green", "RELEASE": "blue", "MISSED": "red"}


class CallPrinter:
    """Prints each change of a call once.

    :param out: where to print.
    :param as_json: True for one JSON object per change.
    """

    def __init__(self, out: Terminal, as_json: bool) -> None:
        self._out = out
        self._format = _format_json if as_json else _format_line

    def print_call(self, call: Call) -> None:
        """Print a call, unless nothing has changed since it was printed."""
        # After a subscription the server sends calls again that are known already.
        visible = (call.state, call.caller, call.callee, call.callpark_slot)
        if getattr(call, "printed", None) != visible:
            setattr(call, "printed", visible)
            self._out.print_line(self._format(call, self._out))


def _format_line(call: Call, out: Terminal) -> str:
    state = str(call.state)
    parts = [
        time.strftime("%H:%M:%S"),
        f"{escape(call.caller)} -> {escape(call.callee)}",
        out.colour(_COLOURS.get(state, "bold"), escape(state)),
        _format_durations(call),
    ]
    if call.callpark_slot is not None:
        parts.append(f"parked in slot {escape(call.callpark_slot)}")
    return "  ".join(part for part in parts if part)


def _format_durations(call: Call) -> str:
    rang = f"rang {call.get_ringing_duration()} s"
    durations = {
        "CONNECT": rang,
        "RELEASE": f"{rang}, talked {call.get_duration()} s",
        "MISSED": rang,
    }
    return durations.get(str(call.state), "")


def _format_json(call: Call, out: Terminal) -> str:
    fields: Any = {
        **call.fields,
        "ringing_duration": call.get_ringing_duration(),
        "duration": call.get_duration(),
    }
    return json.dumps(fields)
