"""Methods of strings, and numbers as text."""

import math
import re
from decimal import ROUND_HALF_UP, Decimal

from .values import js_digits, js_json, js_number, js_shown, js_text


def js_substring(text, start, end=None):
    """Return the part between two places, in either order."""
    size = len(text)
    places = [0 if each != each else min(max(int(each), 0), size) for each in (
        start, size if end is None else end
    )]
    return text[min(places):max(places)]


def js_substr(text, start, count=None):
    """Return so many characters from a place on."""
    start = max(0, len(text) + start) if start < 0 else start
    return text[start:] if count is None else text[start:start + max(0, count)]


def js_char_code(text, index=0):
    """Return the code of a character, or NaN."""
    return ord(text[index]) if 0 <= index < len(text) else math.nan


def js_pad(text, size, fill=" ", at_start=True):
    """Return a text that is filled up to a length."""
    missing = int(size) - len(text)
    if missing <= 0 or not fill:
        return text
    added = (fill * missing)[:missing]
    return added + text if at_start else text + added


def js_parse_int(value, base=10):
    """Return the whole number at the beginning of a text, or NaN."""
    text, base = str(value).strip(), 0 if base is None else int(base)
    if base in (0, 16) and re.match(r"[+-]?0[xX]", text):
        text, base = re.sub(r"0[xX]", "", text, count=1), 16
    base = base or 10
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"[:base]
    pattern = rf"[+-]?[{digits}]+"
    found = 1 < base < 37 and re.match(pattern, text, re.A | re.I)
    return int(found[0], base) if found else math.nan


def js_parse_float(value):
    """Return the number at the beginning of a text, or NaN."""
    text = str(value).strip()
    pattern = r"[+-]?(Infinity|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)"
    found = re.match(pattern, text, re.A)
    if not found:
        return math.nan
    number = float(found[0])
    is_whole = number.is_integer() and abs(number) < 2 ** 53
    return int(number) if is_whole else number


def js_fixed(value, digits=0):
    """Return a number with so many decimals; a half goes away from 0."""
    if not abs(value) < 1e21:
        return js_digits(value)
    unit = Decimal(1).scaleb(-digits)
    rounded = Decimal(value or 0).quantize(unit, ROUND_HALF_UP)
    return f"{rounded:f}"


def js_radix(value, base):
    """Return a whole number in another base."""
    digits, number = "", abs(int(value))
    while number or not digits:
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[number % base] + digits
        number //= base
    return f"-{digits}" if value < 0 else digits


def js_split(text, separator=None, limit=None):
    """Return the parts of a text."""
    parts = [text] if separator is None else (
        text.split(separator) if separator else list(text)
    )
    return parts[:limit]


def js_matches(pattern, text):
    """Return all that a regular expression finds, or None."""
    return [found[0] for found in re.finditer(pattern, text)] or None


def js_locale_compare(left, right):
    """Return -1, 0 or 1 for the order of two texts."""
    one = (left.casefold(), left.swapcase())
    other = (right.casefold(), right.swapcase())
    return (one > other) - (one < other)


def js_format(text, *values):
    """Return a text with values in the places of %s, %d and their like."""
    left = list(values)

    def part(found):
        kind = found[0][1]
        if kind == "%" or not left:
            return "%" if kind == "%" else found[0]
        value = left.pop(0)
        if kind in "cjO":
            return {"c": "", "j": js_json(value), "O": js_shown(value)}[kind]
        if kind == "s":
            is_object = isinstance(value, (list, dict))
            return js_shown(value) if is_object else js_text(value)
        kinds = {"i": js_parse_int, "f": js_parse_float, "d": js_number}
        convert = kinds[kind]
        is_text = isinstance(value, str) or kind == "d"
        return js_digits(convert(value if is_text else js_text(value)))

    text = re.sub("%[sdifjOc%]", part, text)
    return " ".join([text, *map(js_shown, left)])
