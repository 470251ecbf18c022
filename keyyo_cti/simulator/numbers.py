"""Telephone numbers: what one looks like, and how the French write theirs at home."""

from __future__ import annotations

import re
from typing import Any

_NUMBER = re.compile(r"[0-9]{2,15}")
_INTERNATIONAL = re.compile(r"33([1-9][0-9]{8})")
_LOCAL = re.compile(r"0([1-9][0-9]{8})")


def is_number(value: Any) -> bool:
    """Whether `value` is a telephone number: a string of 2 to 15 digits."""
    return isinstance(value, str) and _NUMBER.fullmatch(value) is not None


def to_local(number: str) -> str:
    """33XXXXXXXXX as 0XXXXXXXXX; anything else as it is."""
    match = _INTERNATIONAL.fullmatch(number)
    return "0" + match[1] if match else number


def to_international(number: str) -> str:
    """0XXXXXXXXX as 33XXXXXXXXX, 00 and a country's number without the 00; else as it is."""
    match = _LOCAL.fullmatch(number)
    if match:
        return "33" + match[1]
    return number[2:] if number.startswith("00") else number
