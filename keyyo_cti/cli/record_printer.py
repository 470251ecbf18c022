"""Prints recorded calls: for a person, as JSON, or as CSV."""

import json
from typing import Any, Callable, Dict, Iterable, Optional

from .._display.names import Names
from .._display.readable_time import format_duration
from ..call_history import CallRecord
from .call_printer import add_name, format_party
from .csv_output import format_row
from .terminal import Terminal, escape

#: Prints one record.
PrintRecord = Callable[[CallRecord], None]

_COLUMNS = (
    "start", "line", "direction", "caller", "callee", "seconds", "answered", "missed", "unit",
    "call_id",
)

#: Behind the others, so that each keeps its place without names.
_NAME_COLUMNS = ("caller_name", "callee_name")

#: The colours of a missed call and of one with a conversation.
_MISSED_COLOUR, _ANSWERED_COLOUR = "red", "green"

#: By direction.
_ARROWS = {"in": "in ", "out": "out"}


def make_printer(
    out: Terminal, form: Optional[str], names: Optional[Names] = None
) -> PrintRecord:
    """Return what prints each record.

    :param form: "json" for one object per line, "csv", or None for a person.
    :param names: names beside numbers; None to print none.
    """
    if form == "json":
        return lambda record: out.print_line(json.dumps(describe(record, names)))
    if form == "csv":
        columns = _COLUMNS if names is None else (*_COLUMNS, *_NAME_COLUMNS)
        out.print_line(format_row(columns))
        return lambda record: out.print_line(_format_csv(record, columns, names))
    return lambda record: out.print_line(format_record(record, out, names))


def describe(record: CallRecord, names: Optional[Names] = None) -> Dict[str, Any]:
    """Return a record for JSON, with everything that Keyyo sent.

    :param names: adds ``caller_name`` and ``callee_name``; None to add none.
    """
    found = {} if names is None else {
        "caller_name": names.name_of(record.caller), "callee_name": names.name_of(record.callee),
    }
    return {
        "start": record.start.isoformat(),
        "start_time": record.start_time,
        "line": record.line,
        "direction": record.direction,
        "caller": record.caller,
        "callee": record.callee,
        "seconds": record.seconds,
        "answered": record.answered,
        "missed": record.missed,
        "unit": record.unit,
        "call_id": record.call_id,
        **found,
        "fields": dict(record.fields),
    }


def _format_csv(record: CallRecord, columns: Iterable[str], names: Optional[Names]) -> str:
    fields = {**describe(record, names), "start": f"{record.start:%Y-%m-%d %H:%M:%S}"}
    return format_row(fields[name] for name in columns)


def format_record(record: CallRecord, out: Terminal, names: Optional[Names] = None) -> str:
    """Return a record as a line for a person."""

    # Into a pipe, numbers are digits, because grep would not find groups.
    def write(number: Optional[str], without: str) -> str:
        if number is None:
            return without
        if out.is_terminal:
            return format_party(number, names)
        return add_name(escape(number), number, names)

    parts = [
        f"{record.start:%Y-%m-%d %H:%M:%S}",
        _ARROWS[record.direction],
        f"{write(record.caller, 'hidden')} -> {write(record.callee, 'unknown')}",
        _describe_end(record, out),
    ]
    return "  ".join(parts).rstrip()


def _describe_end(record: CallRecord, out: Terminal) -> str:
    if not record.is_call:
        return escape(record.unit)
    if record.missed:
        return out.colour(_MISSED_COLOUR, "missed")
    if record.answered:
        return out.colour(_ANSWERED_COLOUR, f"talked {format_duration(record.seconds or 0)}")
    return "no conversation" if record.seconds == 0 else ""
