"""Telephone numbers: their form, and French local numbers."""

from __future__ import annotations

import re
from typing import Any

_NUMBER = re.compile(r"[0-9]{2,15}")
_INTERNATIONAL = re.compile(r"33([1-9][0-9]{8})")
_LOCAL = re.compile(r"0([1-9][0-9]{8})")


def is_number(value: Any) -> bool:
    """Return True if `value` is a string of 2 to 15 digits."""
    return isinstance(value, str) and _NUMBER.fullmatch(value) is not None


def to_local(number: str) -> str:
    """Return 33XXXXXXXXX as 0XXXXXXXXX, and any other number unchanged."""
    match = _INTERNATIONAL.fullmatch(number)
    return "0" + match[1] if match else number


def to_international(number: str) -> str:
    """Return 0XXXXXXXXX as 33XXXXXXXXX, and any other number without a leading 00."""
    match = _LOCAL.fullmatch(number)
    if match:
        return "33" + match[1]
    return number[2:] if number.startswith("00") else number
