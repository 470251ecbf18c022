"""Results: by attribute and by key, printable, whatever the server sends."""

from __future__ import annotations

import copy
import json
import operator
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyyo_cti.results import Fields, NoResult, Result, wrap


def test_attribute_and_key() -> None:
    """A field can be had by attribute and by key, and is the same."""
    result = wrap({"number": "33", "anything": 1})
    assert result.number == result["number"] == "33"
    assert result.anything == 1


@pytest.mark.parametrize("name", ["number", "now", "session_id", "numbers", "auto_answer"])
def test_documented_field_left_out(name: str) -> None:
    """A documented field that the server left out is None, as it is undefined in JavaScript."""
    assert getattr(Result(), name) is None


def test_slip_of_the_pen() -> None:
    """Any other name raises, and says which fields there are."""
    with pytest.raises(AttributeError, match=r"'numbre'.*\['number'\]"):
        getattr(Result(number="33"), "numbre")


def test_the_error_shows_no_secret() -> None:
    """The error about a name does not show values."""
    with pytest.raises(AttributeError) as caught:
        getattr(Result(session_id="CANARY"), "sesion_id")
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize("show", [repr, str, "{}".format, lambda result: "%s" % (result,)])
def test_no_secret_shows(show: Any) -> None:
    """A result can be printed: a session id or a token in it does not show, nested or not."""
    secret = {"session_id": "CANARY-1", "token": "CANARY-2"}
    shown = show(wrap({**secret, "list": [secret], "deep": {"deeper": secret}, "number": "33"}))
    assert "CANARY" not in shown
    assert "number='33'" in shown and "session_id=<hidden>" in shown


def test_copy_hides_too() -> None:
    """A copy of a result is one that hides its secrets too."""
    twin: Any
    for twin in (
        copy.copy(Result(session_id="CANARY")),
        copy.deepcopy(Result(session_id="CANARY")),
        pickle.loads(pickle.dumps(Result(session_id="CANARY"))),
    ):
        assert twin.session_id == "CANARY"
        assert "CANARY" not in repr(twin)


def test_nested() -> None:
    """Objects inside objects and lists are results too."""
    result = wrap({"a": [{"b": {"c": 1}}]})
    assert result.a[0].b.c == 1


@pytest.mark.parametrize("value", [0, 1, "", "x", False, 1.5, []])
def test_other_values(value: Any) -> None:
    """What is no object is passed on as it is."""
    assert wrap(value) == value
    assert type(wrap(value)) is type(value)


def test_null_is_like_none_but_not_none() -> None:
    """A result of null is false and equal to None, and is not None: a callback may not get None
    twice."""
    result = wrap(None)
    assert type(result) is NoResult and issubclass(NoResult, Result)
    assert result is not None and not result
    assert operator.eq(result, None) and operator.eq(None, result)
    assert not operator.ne(result, None) and not operator.ne(None, result)
    assert result == {} and result != {"a": 1} and result != 0
    assert (getattr(result, "number"), getattr(result, "session_id")) == (None, None)
    assert repr(result) == "NoResult()" and wrap([None]) == [None]


def test_copies_of_no_result_are_like_none_too() -> None:
    """A process pool may hand it on."""
    for twin in (copy.copy(wrap(None)), pickle.loads(pickle.dumps(wrap(None)))):
        assert isinstance(twin, NoResult) and operator.eq(twin, None)


def test_equals_a_dict() -> None:
    """A result compares as the dict that it is."""
    assert wrap({"a": 1}) == {"a": 1}
    assert json.loads(json.dumps(wrap({"a": [{"b": None}]}))) == {"a": [{"b": None}]}


@settings(deadline=None, derandomize=True, database=None, max_examples=60)
@given(
    st.recursive(
        st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_any_json(value: Any) -> None:
    """Wrapping changes no value."""
    wrapped = wrap(value)
    assert wrapped == value
    assert repr(wrapped)


@pytest.mark.parametrize("opening, closing", [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("depth", [100, 300, 500, 900, 3_000])
def test_any_depth(opening: str, closing: str, depth: int) -> None:
    """A result of any depth that can be read can be wrapped."""
    try:
        result = json.loads(opening * depth + "1" + closing * depth)
    except RecursionError:
        return
    wrapped = wrap(result)
    for _ in range(depth):
        wrapped = wrapped["a"] if isinstance(wrapped, dict) else wrapped[0]
    assert wrapped == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: operator.setitem(fields, "a", 2), lambda fields: fields.update(a=2),
        lambda fields: operator.delitem(fields, "a"), lambda fields: fields.__ior__({"a": 2}),
        lambda fields: fields.pop("a"), lambda fields: fields.popitem(),
        lambda fields: fields.setdefault("b", 2), lambda fields: fields.clear(),
    ],
)
def test_fields_cannot_be_changed(change: Any) -> None:
    fields = Fields({"a": 1})
    with pytest.raises(TypeError, match=r"read-only: change a copy of them, dict\(fields\)"):
        change(fields)
    assert fields == {"a": 1}


@pytest.mark.parametrize(
    "twin",
    [copy.copy, copy.deepcopy, lambda fields: pickle.loads(pickle.dumps(fields)), dict,
     lambda fields: {**fields}, lambda fields: json.loads(json.dumps(fields)),
     lambda fields: fields.copy(), lambda fields: fields | {}],
)
def test_copy_of_fields_is_equal_and_can_be_changed(twin: Any) -> None:
    fields = Fields({"token": "CANARY", "deep": wrap({"b": [1]})})
    copied = twin(fields)
    assert copied == fields and "CANARY" not in repr(fields)
    copied["token"] = None
    assert fields["token"] == "CANARY"


def test_deepcopy_of_a_hostile_result_calls_nothing_of_it() -> None:
    hostile = wrap({"__deepcopy__": "x", "__reduce_ex__": "y", "a": 1})
    assert copy.deepcopy(hostile) == hostile


@pytest.mark.parametrize("name, meant", [("sessionId", "session_id"), ("Numbers", "numbers")])
def test_other_spelling_of_a_field_is_suggested(name: str, meant: str) -> None:
    for result in (Result(), wrap({meant: 1})):
        with pytest.raises(AttributeError, match=f"did you mean {meant}"):
            getattr(result, name)
