"""What a notification says of a call that was known before a gap. Pure.

A server may tell a restored session again what it told the lost one.
"""

from typing import Any, Mapping

#: The call has come further, or is another one.
NEWS = "news"

#: It is where it was, but not as it was.
CHANGE = "change"

#: It was further already, or just so.
REPEAT = "repeat"

#: How far a call has come, by its state.
_STAGES = {"SETUP": 0, "CONNECT": 1, "RELEASE": 2, "MISSED": 2}


def compare(known: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """What is told beside what is known of the same callref."""
    if told == known:
        return REPEAT
    was, is_ = _stage(known), _stage(told)
    if is_ is None:
        return CHANGE
    if was is None or is_ > was or _another(known, told, was):
        return NEWS
    return CHANGE if is_ == was else REPEAT


def _stage(fields: Mapping[str, Any]) -> "int | None":
    state = fields.get("state")
    return _STAGES.get(state) if isinstance(state, str) else None


def _another(known: Mapping[str, Any], told: Mapping[str, Any], was: int) -> bool:
    """Whether the callref of a call that has ended was given to another one."""
    return was == _STAGES["RELEASE"] and known.get("setup_date") != told.get("setup_date")
