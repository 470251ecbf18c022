"""Telephone numbers as people write them, and back."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from keyyo_cti._display import telephone_number
from keyyo_cti._display.telephone_number import (
    format_number,
    parse_number,
    to_international,
)

ALICE = "33199000001"


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """What one test learned is not known to the next."""
    telephone_number._grouped.cache_clear()


@pytest.mark.parametrize(
    "number, written",
    [
        ("33199000001", "+33 1 99 00 00 01"),
        ("+33199000001", "+33 1 99 00 00 01"),
        ("442079460000", "+44 20 7946 0000"),
    ],
)
def test_international(number: str, written: str) -> None:
    """A number of any country has its groups."""
    assert format_number(number) == written


@pytest.mark.parametrize(
    "number", ["1001", "callpark", "0199000001", "", "99999999999", "33", "３３１９９００００１"]
)
def test_what_is_no_international_number(number: str) -> None:
    """Short numbers, words, and numbers of no country are as they are."""
    assert format_number(number) == number


@pytest.mark.parametrize("number", [None, 33199000001, ["33199000001"], {"a": 1}, True])
def test_what_is_no_text(number: Any) -> None:
    """Whatever else the server sends is there as text."""
    assert format_number(number) == str(number)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without phonenumbers a number is as it is, and what is typed is dialled without blanks; a
    French line knows French numbers all the same."""
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    assert format_number(ALICE) == ALICE
    assert parse_number("01 99 02 00 00", ALICE) == "33199020000"
    assert parse_number("0033 1 99 02 00 00", ALICE) == "33199020000"
    assert parse_number("020 7946 0000", "442079460000") == "02079460000"


@pytest.mark.parametrize(
    "written, number",
    [
        ("+33 1 99 02 00 00", "33199020000"),
        ("0033 1 99 02 00 00", "33199020000"),
        ("33199020000", "33199020000"),
        ("+33 01 99 02 00 00", "33199020000"),
        ("00330199020000", "33199020000"),
        ("01 99 02 00 00", "33199020000"),
        ("01.99.02.00.00", "33199020000"),
        ("(01) 99-02/00 00", "33199020000"),
        ("+33 (0)1 99 02 00 00", "33199020000"),
        ("0033 (0) 1 99 02 00 00", "33199020000"),
        ("tel:+33-1-99-02-00-00", "33199020000"),
        ("+33\u00a01\u202f99\u200902\u201100\u201300", "33199020000"),
        ("\u202a+33 1 99 02 00 00\u202c", "33199020000"),
        ("\uff0b\uff13\uff13199020000", "33199020000"),
        (" 1001 ", "1001"),
        (" bob.smith ", "bob.smith"),
        ("*21*01 99#", "*21*01 99#"),
        ("+", "+"),
        ("00", "00"),
        ("callpark", "callpark"),
        ("01", "01"),
        ("", ""),
    ],
)
def test_as_dialled(written: str, number: str) -> None:
    """What people write is dialled in international format; the rest is for the server."""
    assert parse_number(written, ALICE) == number


@pytest.mark.parametrize(
    ("own", "written", "number"),
    [
        ("34911000000", "911 234 567", "34911234567"),
        ("34911000000", "+34 911 234 567", "34911234567"),
        ("34911000000", "34911234567", "34911234567"),
        ("34911000000", "33199020000", "33199020000"),
        ("34911000000", "101", "101"),
        ("12125550199", "(212) 555-0100", "12125550100"),
        ("12125550199", "12125550100", "12125550100"),
        ("35227123400", "27 12 34 56", "35227123456"),
        ("442079460001", "020 7946 0000", "442079460000"),
        ("442079460001", "442079460000", "442079460000"),
        ("33199000001", "199020000", "199020000"),
    ],
)
def test_numbers_of_a_country_with_or_without_a_zero(own: str, written: str, number: str) -> None:
    assert parse_number(written, own) == to_international(written, own) == number


@pytest.mark.parametrize("own", [None, "", "1001", ["33"], "callpark"])
def test_in_no_country(own: Any) -> None:
    """Without a country to take it from, a national number is dialled as it is."""
    assert parse_number("01 99 02 00 00", own) == "0199020000"
