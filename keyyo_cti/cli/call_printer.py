"""Prints calls: as a line for a person, or as a JSON object for a program."""

import json
import time
from typing import Any, Dict, Optional

from .._display.call_state import ENDED, MISSED, PARKED, RINGING, TALKING, describe_state
from .._display.dates import as_date
from .._display.html import format_number_safely
from .._display.names import Names, find_name
from ..call import Call
from ..call_history import CallRecord
from .terminal import Terminal, escape

#: By the word for the state.
STATE_COLOURS = {
    RINGING: "yellow", TALKING: "green", ENDED: "blue", MISSED: "red", PARKED: "magenta"
}


class CallPrinter:
    """Prints each change of a call once.

    :param out: where to print.
    :param as_json: True for one JSON object per change.
    :param names: names beside numbers; None to print none.
    """

    def __init__(self, out: Terminal, as_json: bool, names: Optional[Names] = None) -> None:
        self._out = out
        self._names = names
        self._as_json = as_json
        self._format = _format_json if as_json else _format_line
        #: True if a person reads the calls as they are printed.
        self.is_for_person = out.is_terminal and not as_json

    def print_call(self, call: Call) -> None:
        """Print a call, unless nothing has changed since it was printed."""
        # After a subscription the server sends calls again that are known already.
        visible = (call.state, call.caller, call.callee, call.callpark_slot)
        if getattr(call, "printed", None) != visible:
            setattr(call, "printed", visible)
            self._out.print_line(self._format(call, self._out, self._names))

    def print_settled(self, call: Call, record: CallRecord) -> None:
        """Print the end of a call that only the history knows, without what nobody knows."""
        knows_ringing = as_date(call.fields.get("connect_date")) is not None
        if self._as_json:
            fields = {**_describe(call, self._names), "duration": record.seconds}
            if not knows_ringing:
                fields["ringing_duration"] = None
            self._out.print_line(json.dumps(fields))
            return
        durations = [f"rang {call.get_ringing_duration()} s"] * knows_ringing
        if call.state == "RELEASE" and record.seconds is not None:
            durations.append(f"talked {record.seconds} s")
        self._out.print_line(_format_line(call, self._out, self._names, ", ".join(durations)))


def format_party(number: Any, names: Optional[Names] = None) -> str:
    """Return the caller or the callee as text for a person, escaped and shortened.

    :param names: has the name behind the number; None for none.
    """
    return add_name("unknown" if number is None else format_number_safely(number), number, names)


def add_name(text: str, number: Any, names: Optional[Names]) -> str:
    """Return a text with the name for a number behind it, if there is one."""
    name = find_name(names, number)
    return f"{text} {name}" if name else text


def _format_line(
    call: Call, out: Terminal, names: Optional[Names], durations: Optional[str] = None
) -> str:
    def write(number: Any) -> str:
        # Into a pipe, numbers stay as the server sent them, because grep would not find groups.
        if not out.is_terminal:
            return add_name(escape(number), number, names)
        return format_party(number, names)

    word = escape(describe_state(call.state, call.callpark_slot))
    parts = [
        time.strftime("%H:%M:%S"),
        f"{write(call.caller)} -> {write(call.callee)}",
        out.colour(STATE_COLOURS.get(word, "bold"), word),
        _format_durations(call) if durations is None else durations,
    ]
    if call.callpark_slot is not None:
        parts.append(f"slot {escape(call.callpark_slot)}")
    return "  ".join(part for part in parts if part)


def _format_durations(call: Call) -> str:
    rang = f"rang {call.get_ringing_duration()} s"
    durations = {
        "CONNECT": rang,
        "RELEASE": f"{rang}, talked {call.get_duration()} s",
        "MISSED": rang,
    }
    return durations.get(str(call.state), "")


def _format_json(call: Call, out: Terminal, names: Optional[Names]) -> str:
    return json.dumps(_describe(call, names))


def _describe(call: Call, names: Optional[Names]) -> Dict[str, Any]:
    fields: Dict[str, Any] = {
        **call.fields,
        "ringing_duration": call.get_ringing_duration(),
        "duration": call.get_duration(),
    }
    if names is not None:
        # Whole, as other texts in JSON: their reader escapes them.
        for side in ("caller", "callee"):
            fields[f"{side}_name"] = names.name_of(fields.get(side))
    return fields
