"""Duplicates: a restored session may get notifications again. Pure."""

from typing import Any, Mapping, Optional

from .._display.dates import as_date

#: The call has reached a later stage, or it is another call.
NEW = "new"

#: The call is at the same stage with other fields.
UPDATED = "updated"

#: The call was at this stage, or past it, before.
DUPLICATE = "duplicate"

#: The stage of a call by its state.
_STAGES = {"SETUP": 0, "CONNECT": 1, "RELEASE": 2, "MISSED": 2}


def get_stage(fields: Mapping[str, Any]) -> Optional[int]:
    """Return the stage of a call, or None if its state is unknown."""
    state = fields.get("state")
    return _STAGES.get(state) if isinstance(state, str) else None


def compare(
    known: Mapping[str, Any], told: Mapping[str, Any], reached: Optional[int]
) -> str:
    """Compare a notification with the known fields of the same callref.

    :param reached: the stage of the call before the gap.
    """
    if told == known:
        return DUPLICATE
    if is_another(known, told):
        return NEW
    now = get_stage(told)
    if now is None or now == reached:
        return UPDATED
    return NEW if reached is None or now > reached else DUPLICATE


def is_another(known: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    """Return True if another call got the callref: then their setup dates differ."""
    dates = as_date(known.get("setup_date")), as_date(told.get("setup_date"))
    return None not in dates and dates[0] != dates[1]
