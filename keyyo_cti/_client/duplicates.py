"""What a notification says of a call that was known before a gap. Pure.

A server may tell a restored session again what it told the lost one.
"""

from typing import Any, Mapping, Optional

from .._display.dates import as_date

#: The call has come further, or is another one.
NEW = "new"

#: It is where it was, but not as it was.
UPDATED = "updated"

#: It was further already, or just so.
DUPLICATE = "duplicate"

#: How far a call has come, by its state.
_STAGES = {"SETUP": 0, "CONNECT": 1, "RELEASE": 2, "MISSED": 2}


def stage(fields: Mapping[str, Any]) -> Optional[int]:
    """How far a call has come, or None if its state does not tell."""
    state = fields.get("state")
    return _STAGES.get(state) if isinstance(state, str) else None


def compare(
    known: Mapping[str, Any], told: Mapping[str, Any], reached: Optional[int]
) -> str:
    """What is told beside what is known of the same callref.

    :param reached: the stage that the call had reached before the gap.
    """
    if told == known:
        return DUPLICATE
    if is_another(known, told):
        return NEW
    now = stage(told)
    if now is None or now == reached:
        return UPDATED
    return NEW if reached is None or now > reached else DUPLICATE


def is_another(known: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    """True if the callref was given to another call: that has a date of its own."""
    dates = as_date(known.get("setup_date")), as_date(told.get("setup_date"))
    return None not in dates and dates[0] != dates[1]
