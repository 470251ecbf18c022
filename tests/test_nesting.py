"""How deep JSON may be nested."""

from __future__ import annotations

import functools
import json
from concurrent.futures import Future
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyyo_cti import Call
from keyyo_cti.commands import CallNotification, Reply, decode
from keyyo_cti.errors import UnreadableMessage, from_server
from keyyo_cti.nesting import DEEPEST, may_be_deep, too_deep
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
    st.recursive(st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)),
    st.integers(0, 2 * DEEPEST),
)


class Line:
    """What a call needs of its line to be shown."""

    def ask(self, make: Any, arguments: Any, callback: Any) -> "Future[Any]":
        raise AssertionError("nobody asks")

    def server_time(self) -> float:
        return 0.0


@SHAPES
def test_limit(opening: str, closing: str) -> None:
    """Up to the limit is not too deep, and one more is."""
    assert not too_deep(json.loads(nested(opening, closing, DEEPEST)))
    assert too_deep([json.loads(nested(opening, closing, DEEPEST))])


@pytest.mark.parametrize("value", [1, None, "x", [], {}, [[]], {"a": {}}, [1] * 100_000])
def test_shallow(value: Any) -> None:
    """What is wide, empty or no container is not deep."""
    assert not too_deep(value)


@SHAPES
@pytest.mark.parametrize("message", ['{{"id": 1, "result": {}}}', '{{"notify": "call", "x": {}}}'])
def test_too_deep_to_be_read(message: str, opening: str, closing: str) -> None:
    """A message that Python's parser reads, but could not show, is unreadable."""
    with pytest.raises(UnreadableMessage, match="nested more than 100 levels"):
        decode(message.format(nested(opening, closing, 400)))


@SHAPES
def test_what_is_read_can_be_shown(opening: str, closing: str) -> None:
    """Results, errors and calls that are as deep as they may be can be shown, also by a program
    that is deep in functions of its own."""
    deep = nested(opening, closing, DEEPEST - 2)

    def show(levels: int) -> None:
        if levels:
            return show(levels - 1)
        reply = decode(f'{{"id": 1, "result": {deep}, "error": {deep}}}')
        assert isinstance(reply, Reply)
        assert repr(wrap(reply.result)) and repr(from_server(reply.error))
        said = decode(f'{{"notify": "call", "call": {{"callref": "c1", "caller": {deep}}}}}')
        assert isinstance(said, CallNotification)
        call = Call(Line(), said.callref)
        call.update(said.fields)
        assert "c1" in repr(call)

    show(400)


@given(VALUES)
def test_what_may_be_deep(value: Any) -> None:
    """What is too deep is never taken for something that cannot be."""
    text = json.dumps(value)
    assert may_be_deep(text) or not too_deep(json.loads(text))


@SHAPES
def test_what_cannot_be_deep(opening: str, closing: str) -> None:
    """Up to the limit nothing needs a look, but brackets in a string do no harm."""
    assert not may_be_deep(nested(opening, closing, DEEPEST))
    assert may_be_deep(nested(opening, closing, DEEPEST + 2))
    message = json.dumps({"notify": "call", "call": {"callref": "[" * (DEEPEST + 1)}})
    assert may_be_deep(message) and isinstance(decode(message), CallNotification)
