"""The words for the states of a call, the same on every screen. Pure."""

from typing import Any

RINGING = "ringing"
TALKING = "talking"
ENDED = "ended"
MISSED = "missed"
PARKED = "parked"

#: By the state that the server sends.
WORDS = {"SETUP": RINGING, "CONNECT": TALKING, "RELEASE": ENDED, "MISSED": MISSED}


def describe_state(state: Any, slot: Any = None) -> str:
    """Return the word for a state; an unknown state as unchanged text.

    :param state: as the server sent it. The result is not escaped.
    :param slot: the call's slot in the callpark; None if it is not parked.
    """
    if state is None:
        return "unknown"
    word = WORDS.get(state) if isinstance(state, str) else None
    if word is None:
        return str(state)
    # An ended call may still carry the slot that it had.
    return PARKED if word == TALKING and slot is not None else word
