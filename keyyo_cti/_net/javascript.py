"""JSON values converted as JavaScript does. Pure.

A server for JavaScript clients may send a number as text, or text as a number. JavaScript
programs accept both.
"""

import math
from typing import Any, Optional

#: JavaScript writes whole numbers from here on with an exponent.
_EXPONENT_FROM = 1e21


def as_number(value: Any) -> Optional[float]:
    """Return a finite number, which may be given as text; None for all else, bool included."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    # Python's float also accepts 1_000 and the digits of other scripts.
    if isinstance(value, str) and not (value.isascii() and "_" not in value):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def as_whole(value: Any) -> Optional[int]:
    """Return a whole number, which may be given as text; None for all else, bool included."""
    if type(value) is int:
        return value
    number = as_number(value)
    return int(number) if number is not None and number.is_integer() else None


def as_key(value: Any) -> Optional[str]:
    """Return the property name of a text or a number; None for all else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return _number_as_text(value)
    except ValueError:  # Python refuses to write integers of thousands of digits.
        return None


def _number_as_text(number: float) -> Optional[str]:
    if isinstance(number, int):
        return str(number)  # With all its digits, so that the server recognises it.
    if not math.isfinite(number):
        return None
    if number.is_integer() and abs(number) < _EXPONENT_FROM:
        return str(int(number))
    return repr(number).replace("e-0", "e-")
