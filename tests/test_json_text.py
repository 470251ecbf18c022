"""JSON that is read quickly where it is plain."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyyo_cti.json_text import JsonReader

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)

SPACE = st.text(" \t\r\n", max_size=3)


@given(VALUES, SPACE, SPACE, st.text(max_size=3))
def test_value(value: Any, before: str, after: str, skipped: str) -> None:
    """The value of a text comes back, wherever it begins, with white space around it or none."""
    text = skipped + before + json.dumps(value) + after
    assert JsonReader().read(text, len(skipped)) == value


@given(st.text() | st.text('[]{}":,0123e-. \n', max_size=20))
def test_anything(text: str) -> None:
    """It takes what Python's own reader takes, and refuses what that refuses."""
    try:
        expected = json.loads(text)
    except (ValueError, RecursionError) as error:
        with pytest.raises(type(error)):
            JsonReader().read(text)
    else:
        assert repr(JsonReader().read(text)) == repr(expected)


@pytest.mark.parametrize("text", ["1 2", "[1]x", "\ufeff1", "", " ", "\xa01", "1\x0c"])
def test_refused(text: str) -> None:
    """What is no JSON is refused, also when it begins as if it were."""
    with pytest.raises(ValueError):
        JsonReader().read(text)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}', " NaN "])
def test_constants(text: str) -> None:
    """What is no JSON, but Python's own reader takes it, goes to who asked for that."""

    def refuse(constant: str) -> None:
        raise ValueError(f"no {constant}")

    with pytest.raises(ValueError, match="no -?(NaN|Infinity)"):
        JsonReader(refuse).read(text)
    assert "n" in repr(JsonReader().read(text))
