"""Operators that differ, as JavaScript applies them."""

import math
from datetime import datetime

from .values import js_number, js_text


def js_add(left, right, none="undefined"):
    """Return ``left + right``: a sum, or a text."""
    plain = (int, float, type(None))
    if isinstance(left, plain) and isinstance(right, plain):
        if none == "null":
            return (left or 0) + (right or 0)
        return js_number(left) + js_number(right)
    return js_text(left, none) + js_text(right, none)


def js_equal(left, right):
    """Return ``left == right`` of JavaScript, which converts."""
    if left is None or right is None:
        return left is right or left == right
    simple = (int, float, str)
    if isinstance(left, simple) and isinstance(right, simple):
        if isinstance(left, str) and isinstance(right, str):
            return left == right
        return js_number(left) == js_number(right)
    if isinstance(left, simple) or isinstance(right, simple):
        left = left if isinstance(left, simple) else js_text(left)
        right = right if isinstance(right, simple) else js_text(right)
        return js_equal(left, right)
    return left is right


def js_same(left, right):
    """Return ``left === right`` of JavaScript, which does not convert."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    by_identity = (list, dict, datetime)
    if type(left) in by_identity or type(right) in by_identity:
        return left is right
    return left == right


def js_same_call(one, other):
    """True if two Calls, or copies of their fields, are of one call."""
    one, other = getattr(one, "fields", one), getattr(other, "fields", other)
    if one is None or other is None:
        return one is other
    return one["callref"] == other["callref"]


def js_compare(left, operator, right):
    """Return ``<``, ``<=``, ``>`` or ``>=`` of any two values."""
    if isinstance(left, (list, dict)):
        left = js_text(left)
    if isinstance(right, (list, dict)):
        right = js_text(right)
    if not (isinstance(left, str) and isinstance(right, str)):
        left, right = js_number(left), js_number(right)
    if operator == "<":
        return left < right
    if operator == ">":
        return left > right
    return left <= right if operator == "<=" else left >= right


def js_sign(value):
    """Return -1, 0 or 1, or NaN."""
    return value if value != value else (value > 0) - (value < 0)


def js_is_whole(value):
    """True for a number without a fraction."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return math.isfinite(value) and value == int(value)


def js_divide(left, right):
    """Return ``left / right``, which is infinite or NaN for 0."""
    if right == 0:
        if left == 0 or left != left:
            return math.nan
        is_positive = (left > 0) == (math.copysign(1, right) > 0)
        return math.inf if is_positive else -math.inf
    return left / right


def js_remainder(left, right):
    """Return ``left % right``, which has the sign of the left side."""
    if right == 0 or right != right or not math.isfinite(left):
        return math.nan
    if isinstance(left, int) and isinstance(right, int):
        rest = abs(left) % abs(right)
        return -rest if left < 0 else rest
    return math.fmod(left, right)


def js_power(base, exponent):
    """Return ``base ** exponent``, NaN or infinite where Python raises."""
    try:
        value = base ** exponent
    except ZeroDivisionError:
        return math.inf
    except OverflowError:
        return math.inf
    return math.nan if isinstance(value, complex) else value


def js_int32(value):
    """Return a number as the 32 bits that bitwise operators work on."""
    if value != value or value in (math.inf, -math.inf):
        return 0
    value = int(value) & 0xFFFFFFFF
    return value - 0x100000000 if value & 0x80000000 else value


def js_round(value):
    """Return the nearest whole number; a half goes up."""
    if value != value or value in (math.inf, -math.inf):
        return value
    below = math.floor(value)
    return below + (value - below >= 0.5)


def js_whole(function, value):
    """Return ``floor``, ``ceil`` or ``trunc`` of any number."""
    if value != value or value in (math.inf, -math.inf):
        return value
    return function(value)


def js_sqrt(value):
    """Return the square root, or NaN."""
    return math.sqrt(value) if value >= 0 else math.nan


def js_extreme(function, *values):
    """Return ``max`` or ``min`` of any values."""
    numbers = [js_number(value) for value in values]
    if any(number != number for number in numbers):
        return math.nan
    nothing = -math.inf if function is max else math.inf
    return function(numbers, default=nothing)
