"""SockJS frames, one by one."""

from __future__ import annotations

import gc
import json
import tracemalloc
from typing import Any, List

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keyyo_cti._sockjs.frames import (
    Broken,
    Close,
    Frame,
    Heartbeat,
    Messages,
    Open,
    Unknown,
    decode,
    encode,
    is_good,
)

PURE = settings(deadline=None, derandomize=True, database=None, max_examples=60)


@pytest.mark.parametrize(
    "text, frame",
    [
        ("o", Open()),
        ("o ", Open()),
        ("h", Heartbeat()),
        ("h" * 2048, Heartbeat()),
        ("a", Messages([])),
        ("a[]", Messages([])),
        ('a["x"]', Messages(["x"])),
        ('a["x", 1, null, {"a": []}, [2]]', Messages(["x", 1, None, {"a": []}, [2]])),
        (' a["x"]', Unknown()),
        ('a ["x"]\n', Messages(["x"])),
        ('a["\\ud800"]', Messages(["\ud800"])),
        ('a["\u2028\u0085"]', Messages(["\u2028\u0085"])),
        ('m"x"', Messages(["x"])),
        ("mnull", Messages([None])),
        ('m["x"]', Messages([["x"]])),
        ('c[3000,"Go away!"]', Close(3000, "Go away!")),
        ("c[1000]", Close(1000, "")),
        ('c[3000,"a","b"]', Close(3000, "a")),
        ("c[3000,5]", Close(3000, "5")),
        ("", Unknown()),
        ("x", Unknown()),
        ("ok", Unknown()),
        ("hello", Unknown()),
        ("h\n", Unknown()),
        ("A[]", Unknown()),
        ("\0", Unknown()),
        ('["x"]', Unknown()),
    ],
)
def test_decode(text: str, frame: Frame) -> None:
    """The first character decides what a frame is."""
    assert decode(text) == frame


@pytest.mark.parametrize("line", [b"o", b"hh", b"a", b'a["\xc3\xa9"]', b"m1", b"c[3000]"])
def test_good_line(line: bytes) -> None:
    assert is_good(line)


@pytest.mark.parametrize("line", [b"", b"x", b"ok", b"a[", b'a["\xff"]', b"c[]", b"<html>"])
def test_line_that_is_not_good(line: bytes) -> None:
    assert not is_good(line)


@pytest.mark.parametrize(
    "text",
    ["a[", "anull", "a{}", 'a"x"', "a1", "m", "m{", "m'x'", 'a["\\x"]', 'a["\n"]', "a[1]2"]
    + ["c", "c[", "c[]", "c{}", 'c["3000","x"]', "c[3000.0]", "c[true]", "c[null]", "c3000"]
    + ["a" + "[" * 100_000, "m" + '{"a":' * 100_000, "c[" * 100_000],
)
def test_broken(text: str) -> None:
    """A frame whose JSON is not good is a broken one of its kind."""
    frame = decode(text)
    assert isinstance(frame, Broken)
    assert frame.kind == text[0]
    assert frame.problem


@pytest.mark.parametrize(
    "text, problem",
    [
        ("a[", "JSONDecodeError"),
        ("a{}", "expected an array"),
        ("m{", "JSONDecodeError"),
        ("a" + "[" * 100_000, "TooDeep"),
        ("c[", "JSONDecodeError"),
        ("c[]", "expected [code, reason]"),
    ],
    ids=lambda text: text[:4],
)
def test_problem(text: str, problem: str) -> None:
    """What is wrong with a frame is told in a few words."""
    assert decode(text) == Broken(text[0], problem)


LARGE = 400_000


@pytest.mark.slow
@pytest.mark.fault(64)
@pytest.mark.parametrize(
    "text",
    ["a[" + "{}," * LARGE + "{}]", "a[" + "[]," * LARGE + "1]", "a[" + "0," * LARGE + "0]",
     "a[" + '"",' * LARGE + '""]', "m[" + "{}," * LARGE + "{}]", "a[[" + "{}," * LARGE + "{}]]"],
    ids=lambda text: text[:6],
)
def test_large_frame_of_tiny_values_takes_little_memory(text: str) -> None:
    """A large frame whose values would take many times its memory is refused as a whole."""
    gc.collect()
    tracemalloc.start()
    try:
        frame = decode(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert frame == Broken(text[0], "TooManyValues")
    assert peak < len(text)


def test_large_frame_of_usual_messages_is_read() -> None:
    notification = {"notify": "call", "call": {"callref": "c-1", "state": "SETUP", "caller": "1"}}
    messages = [json.dumps(notification)] * 20_000
    assert decode(encode(["x"]).replace("[", "a[", 1)) == Messages(["x"])
    assert decode("a" + json.dumps(messages)) == Messages(messages)


@pytest.mark.fault(64)
@pytest.mark.parametrize("size, kept", [(200, 200), (201, 203), (3_000_000, 203)])
def test_reason_of_a_close_is_bounded(size: int, kept: int) -> None:
    frame = decode(json.dumps([3000, "x" * size]).replace("[", "c[", 1))
    assert isinstance(frame, Close) and len(frame.reason) == kept


@pytest.mark.fault(64)
@pytest.mark.parametrize("code", [100_000, -100_000, 10**4000])
def test_close_code_that_is_none(code: int) -> None:
    assert decode(f'c[{code},"x"]') == Broken("c", "expected a code of five digits at most")


@pytest.mark.fault(64)
def test_deep_reason_of_a_close(monkeypatch: pytest.MonkeyPatch) -> None:
    """A parser that reads any depth gives a reason whose text Python cannot make."""
    deep: Any = []
    for _ in range(60_000):
        deep = [deep]
    monkeypatch.setattr("keyyo_cti._sockjs.frames.parse_json", lambda *_: [3000, deep])
    assert decode("c[3000,...]") == Close(3000, "a reason of type list")
    # From the inside out: freeing it at once would go as deep.
    while deep:
        deep = deep.pop()


@pytest.mark.parametrize("text", ['a["CANARY"', 'm"CANARY', 'c[{"CANARY": 1}]', 'a{"CANARY": 1}'])
def test_the_problem_shows_nothing(text: str) -> None:
    """What is wrong with a frame is told without what is in it, which may be a secret."""
    assert "CANARY" not in str(decode(text))


@PURE
@given(st.text(), st.sampled_from(["", "a", "a[", "m", "c", "c[", "c[3000,", "o", "h"]))
@example("9" * 5000 + "]", "c[")
@example("9" * 5000 + "]", "a[")
@example("NaN,Infinity]", "a[")
@example("NaN]", "c[")
def test_any_text(text: str, start: str) -> None:
    """No text raises."""
    assert isinstance(
        decode(start + text), (Open, Heartbeat, Messages, Close, Broken, Unknown)
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)


@pytest.mark.slow
@PURE
@given(st.lists(JSON))
def test_any_array(messages: List[Any]) -> None:
    """Whatever JSON a server packs into frames comes out in order, escaped or not."""
    assert decode("a" + json.dumps(messages)) == Messages(messages)
    assert decode("a" + json.dumps(messages, ensure_ascii=False)) == Messages(messages)
    for message in messages:
        assert decode("m" + json.dumps(message)) == Messages([message])


@PURE
@given(JSON)
def test_any_close(value: Any) -> None:
    """Whatever stands in a close frame, it is a close with a code and words, or broken."""
    for body in (value, [value], [3000, value], [value, value]):
        frame = decode("c" + json.dumps(body))
        assert isinstance(frame, (Close, Broken))
        if isinstance(frame, Close):
            assert type(frame.code) is int
            assert type(frame.reason) is str


@pytest.mark.parametrize("opening, closing", [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("kind", ["a[{}]", "m{}", "c[3000,{}]"])
def test_any_depth(kind: str, opening: str, closing: str) -> None:
    """However deep the JSON is, a frame is read or broken."""
    for depth in (10, 100, *range(900, 1000), 5_000, 50_000):
        frame = decode(kind.format(opening * depth + "1" + closing * depth))
        assert isinstance(frame, (Messages, Close, Broken))


@PURE
@given(st.lists(st.text(), min_size=1))
@example(["\ud800", "\udfff\ud800", "\ud83d\ude00", "\U0001f600"])
@example(["\u2028\u2029\x85\x00\x1f\x7f\xad\u0600\ufeff\uffff", '"\\/', "\r\n"])
def test_round_trip(messages: List[str]) -> None:
    """What is encoded is ASCII on one line, and what a server reads in it is what was given, lone
    surrogates and strange line ends included."""
    text = encode(messages)
    assert text.isascii() and text.isprintable()
    assert json.loads(text) == json.loads(json.dumps(messages)) == messages or any(
        "\ud800" <= one <= "\udfff" for message in messages for one in message
    )
    assert decode("a" + text) == Messages(json.loads(text))


@pytest.mark.parametrize("message", ["\ud800", "x\udfff", "\udc00\ud800", "\u2028", "é", "\0"])
def test_odd_characters(message: str) -> None:
    """A lone surrogate and other odd characters come back as they were."""
    assert decode("a" + encode([message])) == Messages([message])
