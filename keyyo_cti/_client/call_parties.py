"""The parties of a call from the point of view of a line, and how far it has come. Pure."""

from typing import Any, Mapping, NamedTuple, Optional

from .._display.dates import dates_of
from .line_numbers import LineNumbers
from .literals import Direction, Side


class Parties(NamedTuple):
    """The parties of a call.

    :ivar line: the line that the call concerns, or None.
    :ivar side: the side of the call that is the line; None without a line.
    :ivar other: the number of the other side; None if hidden, or without a line.
    :ivar hidden: True if the caller's number is hidden.
    """

    line: Optional[str]
    side: Optional[Side]
    direction: Optional[Direction]
    other: Optional[str]
    hidden: bool


def find_parties(fields: Mapping[str, Any], lines: LineNumbers) -> Parties:
    """Return the parties of a call with these fields."""
    caller, callee = lines.normalize(fields.get("caller")), lines.normalize(fields.get("callee"))
    for group in lines.groups():
        if caller in group and callee in group:
            is_callee = lines.is_own(callee) and caller != callee
            return _make_parties(group, caller, callee, is_callee, "internal")
        if caller in group or callee in group:
            is_callee = callee in group
            return _make_parties(group, caller, callee, is_callee, "in" if is_callee else "out")
    return Parties(None, None, None, None, caller is None)


def _make_parties(
    group: Mapping[str, str],
    caller: Optional[str],
    callee: Optional[str],
    is_callee: bool,
    direction: Direction,
) -> Parties:
    line, other = (callee, caller) if is_callee else (caller, callee)
    assert line is not None
    shown = None if other is None else group.get(other, other)
    side: Side = "callee" if is_callee else "caller"
    return Parties(group[line], side, direction, shown, caller is None)


def is_answered(fields: Mapping[str, Any]) -> bool:
    """Return True if the callee has picked up."""
    state = fields.get("state")
    return state == "CONNECT" or (state != "MISSED" and dates_of(fields).connect is not None)


def judge(event: str, fields: Mapping[str, Any]) -> Optional[bool]:
    """Return True if a call has come to the event, False if it never will, None if it may."""
    state = fields.get("state")
    ends = {"RELEASE": "release", "MISSED": "missed"}
    end = ends.get(state) if isinstance(state, str) else None
    if event == "setup":
        return True if end or state in ("SETUP", "CONNECT") else None
    if event == "connect":
        return True if is_answered(fields) else (None if end is None else False)
    return None if end is None else event == end
