"""What JavaScript takes for a number and for the name of a property."""

from __future__ import annotations

import json
import sys
from typing import Any, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyyo_cti._net.javascript import as_key, as_number, as_whole

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=60)

ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.just([])
)


@pytest.mark.parametrize(
    "value, whole",
    [
        (4, 4),
        (-4, -4),
        (0, 0),
        (10**40, 10**40),
        (4.0, 4),
        ("4", 4),
        ("4.0", 4),
        (" 4 ", 4),
        ("4e2", 400),
        (4.5, None),
        ("4.5", None),
        ("", None),
        (" ", None),
        ("four", None),
        ("4_0", None),
        ("\u0664", None),
        ("nan", None),
        ("inf", None),
        (float("nan"), None),
        (float("inf"), None),
        (True, None),
        (False, None),
        (None, None),
        (b"4", None),
        ([4], None),
        ({}, None),
        ("9" * 5000, None),
    ],
)
def test_as_whole(value: Any, whole: Optional[int]) -> None:
    """A whole number is one as an integer, as a float or as text; a bool is none."""
    assert as_whole(value) == whole
    assert whole is None or type(as_whole(value)) is int


@PURE
@given(ANYTHING)
def test_whole_numbers_are_numbers(value: Any) -> None:
    """Whatever is a whole number is a number, unless it is too large for one."""
    whole, number = as_whole(value), as_number(value)
    if whole is not None and number is not None:
        assert float(whole) == number


@PURE
@given(ANYTHING)
def test_keys_are_text(value: Any) -> None:
    """Whatever is a key is text, and text is its own key."""
    key = as_key(value)
    assert key is None or type(key) is str
    assert not isinstance(value, str) or key == value


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), True, None, b"4"])
def test_as_key_of_what_names_no_property_is_none(value: Any) -> None:
    assert as_key(value) is None


@pytest.mark.skipif(not hasattr(sys, "get_int_max_str_digits"), reason="writes any integer")
def test_as_key_of_an_integer_that_python_does_not_write_is_none() -> None:
    assert as_key(10 ** 5000) is None


@PURE
@given(st.integers(-(2**53), 2**53))
def test_a_number_has_one_key(number: int) -> None:
    """An integer and the same float are the same property."""
    assert as_key(number) == as_key(float(number)) == json.dumps(number)
