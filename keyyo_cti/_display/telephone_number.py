"""A telephone number as people write it, and back: 33199000001 is +33 1 99 00 00 01.

The library ``phonenumbers`` knows how; without it, numbers stay as they are.
"""

import re
from functools import lru_cache
from typing import Any, Optional

#: International format, as Keyyo has it. Short numbers, "callpark" and 0199000001 are not.
_INTERNATIONAL = re.compile(r"\+?([1-9][0-9]{7,14})")

#: What people write between digits.
_BETWEEN = re.compile(r"[\s.()/-]+")


def format_number(number: Any) -> str:
    """The number with its groups; as it is where it is no number of any country.

    :param number: whatever the server sent. What comes back is not escaped.
    """
    found = _INTERNATIONAL.fullmatch(number) if isinstance(number, str) else None
    return str(number) if found is None else _grouped(found[1])


def parse_number(written: str, own: Any) -> str:
    """What a person wrote as the number to dial, in international format. What is no number,
    and a short number, is left to the server to judge.

    :param own: the line's number, in whose country 01 99 00 00 01 is meant.
    """
    # +33 (0)1 is written so for those who dial inside of the country.
    number = _BETWEEN.sub("", re.sub(r"^(\s*(?:\+|00)[^(]*)\(0\)", r"\1", written))
    if number.startswith(("+", "00")):
        return number.lstrip("+0")
    if number.startswith("0") and isinstance(own, str):
        return _from_country_of(own, number) or number
    return number


@lru_cache(maxsize=1024)
def _grouped(digits: str) -> str:
    number = _parsed(f"+{digits}")
    if number is None:
        return digits
    import phonenumbers

    international = phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, international)


def _from_country_of(own: str, number: str) -> Optional[str]:
    home = _parsed(f"+{own}")
    if home is None:
        return None
    import phonenumbers

    region = phonenumbers.region_code_for_country_code(home.country_code)
    found = _parsed(number, region)
    if found is None:
        return None
    return phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164).lstrip("+")


def _parsed(number: str, region: Optional[str] = None) -> Any:
    """The number as the library has it; None without the library, or if it is none."""
    try:
        import phonenumbers
    except ImportError:
        return None
    try:
        found = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    return found if phonenumbers.is_possible_number(found) else None
