"""Hints about numbers that the service refuses because of the way they are written. Pure."""

import re
from typing import Optional

from .._display.error_page import add_advice
from .._display.telephone_number import is_dialable, parse_number
from ..errors import CANNOT_TREAT, KeyyoError
from .wire import Command

#: The fields with a number, named as the arguments of the methods.
_FIELDS = ("number", "to")

#: The actions that accept ``"callpark"``.
_SUBSCRIPTIONS = ("subscribe", "unsubscribe")
_CALLPARK = "callpark"


def add_number_hint(error: KeyyoError, command: Command, line: Optional[str]) -> None:
    """Say in an error's hint how its command's number should be written, if that is the cause.

    :param line: the number of the line, whose country a national number is of.
    """
    if error.error_code != "invalid_params" and error.message != CANNOT_TREAT:
        return
    for argument in _FIELDS:
        number = command.fields.get(argument)
        hint = _explain(number, command.action, line) if isinstance(number, str) else None
        if hint is not None:
            # A line that has no telephone registered refuses every number.
            add_advice(error, f"{argument}: {hint}", "; or ")


def _explain(number: str, action: str, line: Optional[str]) -> Optional[str]:
    """Return how a number should be written, or None if nothing is wrong with it."""
    may_be_callpark = action in _SUBSCRIPTIONS
    if may_be_callpark and re.sub(r"[\W_]", "", number).lower() == _CALLPARK:
        right = _CALLPARK
    else:
        # The service itself converts national numbers in this command.
        is_national = action == "get_local_to_int_number"
        right = parse_number(number, None if is_national else line)
    if right == number and (is_dialable(right) or right == _CALLPARK):
        return None
    if right == _CALLPARK or is_dialable(right):
        wanted = "the international format" if is_dialable(number) else "digits only"
        return f"write {right!r}, because the service wants {wanted}"
    word = f" or {_CALLPARK!r}" if may_be_callpark else ""
    return f"the service accepts only digits, such as '33172587948'{word}"
