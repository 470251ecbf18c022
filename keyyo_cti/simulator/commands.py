"""Commands of clients: decoding, and the checks of their fields."""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional

from .constants import CALLPARK, PROTOCOL_VERSION, SIDES
from .errors import INVALID_PARAMS, MISSING_PARAMETER, Refused
from .numbers import is_number

MAX_INVITE_TIMER_SECONDS = 86_400
MAX_ID_BITS = 64

Fields = Dict[str, Any]
Check = Callable[[Any], bool]


class Command(NamedTuple):
    """A message of a client that has an id to reply to."""

    id: int
    fields: Fields

    @property
    def action(self) -> str:
        """The name of its action.

        :raises Refused: it is missing or not a string.
        """
        check_fields(self.fields, {"action": is_string})
        return str(self.fields["action"])


def decode(text: str) -> Optional[Command]:
    """Return the command in a message; None if it has no valid id."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or not is_id(fields.get("id")):
        return None
    return Command(fields["id"], fields)


def check_fields(
    fields: Fields, required: Mapping[str, Check], optional: Mapping[str, Check] = {}
) -> None:
    """Check the required and the optional fields; ignore unknown ones.

    :raises Refused: a field is missing or wrong.
    """
    if not required.keys() <= fields.keys():
        raise Refused(MISSING_PARAMETER)
    checks = {**required, **optional}
    if not all(valid(fields[name]) for name, valid in checks.items() if name in fields):
        raise Refused(INVALID_PARAMS)


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_id(value: Any) -> bool:
    return is_integer(value) and value > 0 and value.bit_length() <= MAX_ID_BITS


def is_string(value: Any) -> bool:
    return isinstance(value, str)


def is_text(value: Any) -> bool:
    return is_string(value) and value != ""


def is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def is_side(value: Any) -> bool:
    return value in SIDES


def is_subscription(value: Any) -> bool:
    return value == CALLPARK or is_number(value)


def is_invite_timer(value: Any) -> bool:
    return is_integer(value) and 0 <= value <= MAX_INVITE_TIMER_SECONDS


def is_version(value: Any) -> bool:
    return is_integer(value) and value == PROTOCOL_VERSION
