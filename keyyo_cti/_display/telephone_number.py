"""Formats and parses telephone numbers: 33199000001 is +33 1 99 00 00 01.

Without the library ``phonenumbers``, numbers are not formatted, and national numbers are parsed
for lines in France only.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Any, Optional

#: Keyyo's international format, unlike short numbers, "callpark" and 0199000001.
_INTERNATIONAL = re.compile(r"\+?([1-9][0-9]{7,14})")

#: Separators between digits, and invisible characters of copied text.
_BETWEEN = re.compile(
    r"[\s.()/\-\u00ad\u00b7\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060-\u2069\ufeff]+"
)

#: The usual ones.
_PLAIN_SEPARATORS = {ord(each): None for each in " .()/-"}

#: What can be dialled.
_DIGITS = re.compile(r"[0-9]{1,15}")

#: Digits, and the keys of a telephone. Anything else in their place is a hidden number.
_DIALLED = re.compile(r"[0-9*#]+")

#: A number after the removal of separators.
_NUMBER = re.compile(r"\+?[0-9]+")

#: A number whose country national numbers are of while no line says so.
FRANCE = "33199000000"

#: A zero that a person dials in France, behind the country code by mistake.
_ZERO = re.compile(r"330(?=[1-9][0-9]{8}$)")

#: A French line, and a French number as it is dialled in France.
_FRENCH = re.compile(r"33[1-9][0-9]{8}")
_IN_FRANCE = re.compile(r"0[1-9][0-9]{8}")


def format_number(number: Any) -> str:
    """Return a number in groups of digits; other values as unchanged text.

    :param number: any value of the server. The result is not escaped.
    """
    found = _INTERNATIONAL.fullmatch(number) if isinstance(number, str) else None
    return str(number) if found is None else _grouped(found[1])


def parse_number(written: str, own: Any) -> str:
    """Return a written number in international format, to be dialled.

    Short numbers and other texts are returned for the server to judge.

    :param own: the line's number, which has the country of numbers such as 01 99 00 00 01.
    """
    # Full-width digits, as in copied text, become plain ones.
    text = re.sub(r"^\s*tel:", "", unicodedata.normalize("NFKC", written), flags=re.IGNORECASE)
    # In +33 (0)1, the zero is for callers in the same country.
    number = remove_separators(re.sub(r"^(\s*(?:\+|00)[^(]*)\(0\)", r"\1", text))
    if not _NUMBER.fullmatch(number):
        return written.strip()
    if number.startswith(("+", "00")):
        return _ZERO.sub("33", number.lstrip("+0")) or number
    if isinstance(own, str) and (number.startswith("0") or not _FRENCH.fullmatch(own)):
        return _from_country_of(own, number) or number
    return number


@lru_cache(maxsize=4096)
def to_international(number: str, home: str) -> Optional[str]:
    """Return a number in international format, or None if it is hidden.

    :param home: a number of the country that national numbers are of.
    """
    found = _parse_quickly(number, home) or parse_number(number, home)
    if not _DIALLED.fullmatch(found) or not found.strip("0"):
        return None
    return found


def normalize(home: str, number: Any) -> Optional[str]:
    """As ``to_international``, for a value that may be no number."""
    return to_international(str(number), home) if isinstance(number, (str, int)) else None


def find_home(csi: Optional[str]) -> str:
    """Return a number of the country of a line, which is France if the line is unknown."""
    return csi if csi is not None and is_dialable(csi) else FRANCE


def is_dialable(number: str) -> bool:
    """Return True for 1 to 15 digits, which is what the service accepts."""
    return _DIGITS.fullmatch(number) is not None


def remove_separators(text: str) -> str:
    """Return a text without separators of digits and invisible characters."""
    return _BETWEEN.sub("", text)


def skip_separators(text: str) -> str:
    """Return a text without those at its beginning."""
    first = _BETWEEN.match(text)
    return text if first is None else text[first.end():]


def _parse_quickly(number: str, home: str) -> Optional[str]:
    """Return what ``parse_number`` returns for plain forms of a number; None for other forms.

    A directory reads many thousands of numbers, and ``parse_number`` takes several times as long.
    """
    if not number.isascii() or "(0)" in number:
        return None
    digits = number.translate(_PLAIN_SEPARATORS)
    if digits.startswith(("+", "00")):
        digits = digits[digits.startswith("+"):]
        return _ZERO.sub("33", digits.lstrip("0")) if digits.isdigit() else None
    if not digits.isdigit():
        return None
    if _FRENCH.fullmatch(home) is None:
        return None
    if not digits.startswith("0"):
        return digits
    return f"33{digits[1:]}" if len(digits) == 10 else None


@lru_cache(maxsize=1024)
def _grouped(digits: str) -> str:
    number = _parsed(f"+{digits}")
    if number is None:
        return digits
    import phonenumbers

    international = phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, international)


def _from_country_of(own: str, number: str) -> Optional[str]:
    if _FRENCH.fullmatch(own) and _IN_FRANCE.fullmatch(number):
        return f"33{number[1:]}"
    home = _parsed(f"+{own}")
    if home is None:
        return None
    import phonenumbers

    region = phonenumbers.region_code_for_country_code(home.country_code)
    found = _parsed(number, region)
    if found is None or not (number.startswith("0") or _is_national(found, number)):
        return None
    return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164).lstrip("+")


def _is_national(found: Any, number: str) -> bool:
    """Return True if digits without a zero before them are a national number, as in Spain.

    In a country with a zero, they are a short number, or already in international format.
    """
    import phonenumbers

    region = phonenumbers.region_code_for_country_code(found.country_code)
    zero = phonenumbers.ndd_prefix_for_region(region, True)
    already = _parsed(f"+{number}")
    return (
        zero != "0"
        and phonenumbers.is_valid_number(found)
        and not (already is not None and phonenumbers.is_valid_number(already))
    )


def _parsed(number: str, region: Optional[str] = None) -> Any:
    """Return the number as an object of the library, or None without the library."""
    try:
        import phonenumbers
    except ImportError:
        return None
    try:
        found = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    return found if phonenumbers.is_possible_number(found) else None
