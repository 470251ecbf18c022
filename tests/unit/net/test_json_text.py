"""JSON of a server that may be hostile."""

from __future__ import annotations

import functools
import json
from concurrent.futures import Future
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keyyo_cti import Call
from keyyo_cti._client.wire import Reply, decode
from keyyo_cti._net.json_text import MAX_DEPTH, TooDeep, parse_json
from keyyo_cti.errors import UnreadableMessage, from_server
from keyyo_cti.results import wrap

SHAPES = pytest.mark.parametrize(
    "opening, closing", [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")]
)


def nested(opening: str, closing: str, levels: int) -> str:
    times = levels // (opening.count("[") + opening.count("{"))
    return opening * times + "1" + closing * times


#: JSON that may be much deeper than hypothesis makes it by itself.
VALUES = st.builds(
    lambda value, levels: functools.reduce(lambda inner, _: [inner], range(levels), value),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    ),
    st.just(0) | st.integers(0, 2 * MAX_DEPTH),
)


def depth(value: Any) -> int:
    if not isinstance(value, (dict, list)):
        return 0
    return 1 + max(map(depth, value.values() if isinstance(value, dict) else value), default=0)


class Line:
    """What a call needs of its line to be shown."""

    def ask(self, make: Any, arguments: Any, callback: Any) -> "Future[Any]":
        raise AssertionError("nobody asks")

    def check_process(self) -> None:
        """This is its process."""

    def server_time(self) -> float:
        return 0.0


@given(VALUES)
@example(json.loads("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)))
def test_value(value: Any) -> None:
    """A value comes back, unless it is nested more deeply than the limit."""
    text = json.dumps(value)
    if depth(value) > MAX_DEPTH:
        with pytest.raises(TooDeep):
            parse_json(text)
    else:
        assert parse_json(text) == value


@given(st.text() | st.text('[]{}":,0123e-. \n', max_size=20))
def test_anything(text: str) -> None:
    """It takes what Python's own reader takes, and refuses what that refuses."""
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(ValueError):
            parse_json(text)
    else:
        assert repr(parse_json(text)) == repr(expected)


@SHAPES
def test_limit(opening: str, closing: str) -> None:
    """Up to the limit is not too deep, one more is, and brackets in a string do no harm."""
    text = nested(opening, closing, MAX_DEPTH)
    parse_json(text)
    for deep in (f"[{text}]", nested(opening, closing, 50_000)):
        with pytest.raises(TooDeep):
            parse_json(deep)
    assert parse_json(json.dumps(text)) == text


@SHAPES
@pytest.mark.parametrize("message", ['{{"id": 1, "result": {}}}', '{{"notify": "call", "x": {}}}'])
@pytest.mark.parametrize("levels", [400, 50_000])
def test_too_deep_to_be_read(message: str, opening: str, closing: str, levels: int) -> None:
    """A message that Python's parser cannot read, or reads but could not show, is unreadable."""
    with pytest.raises(UnreadableMessage, match="nested more than 100 levels"):
        decode(message.format(nested(opening, closing, levels)))


@SHAPES
def test_what_is_read_can_be_shown(opening: str, closing: str) -> None:
    """Results, errors and calls that are as deep as they may be can be shown, also by a program
    that is deep in functions of its own."""
    deep = nested(opening, closing, MAX_DEPTH - 2)

    def show(levels: int) -> None:
        if levels:
            return show(levels - 1)
        reply = decode(f'{{"id": 1, "result": {deep}, "error": {deep}}}')
        assert isinstance(reply, Reply)
        assert repr(wrap(reply.result)) and repr(from_server(reply.error))
        said = decode(f'{{"notify": "call", "call": {{"callref": "c1", "caller": {deep}}}}}')
        assert isinstance(said, dict)
        call = Call(Line(), "c1")
        call.update(said)
        assert "c1" in repr(call)

    show(400)
