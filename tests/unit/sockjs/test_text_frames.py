"""Short text frames, as the websocket library makes and reads them too."""

from __future__ import annotations

import itertools
import struct
from typing import List

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websocket import ABNF

from keyyo_cti._sockjs import text_frames

LENGTHS = [0, 1, 125, 126, 127, 300, 65535, 65536, 70000]


def framed(text: str, kind: int = ABNF.OPCODE_TEXT, fin: int = 1) -> bytes:
    """A frame of a server."""
    return bytes(ABNF(fin, 0, 0, 0, kind, 0, text.encode()).format())


def read(frame: bytes) -> bytes:
    """The text of a client's frame, which must be all there is."""
    assert frame[0] == 0x81 and frame[1] & 0x80
    start, size = 2, frame[1] & 0x7F
    if size == 126:
        start, (size,) = 4, struct.unpack("!H", frame[2:4])
    elif size == 127:
        start, (size,) = 10, struct.unpack("!Q", frame[2:10])
    key, data = frame[start : start + 4], frame[start + 4 :]
    assert len(data) == size
    return bytes(ABNF.mask(key, data))


@given(st.text(st.characters(max_codepoint=127), max_size=300))
def test_encode(text: str) -> None:
    """A frame carries its text, masked."""
    assert read(text_frames.encode(text)) == text.encode()


@pytest.mark.parametrize("length", LENGTHS)
def test_encode_each_length(length: int) -> None:
    """A frame is as long as the library's, whose masks it cannot have."""
    text = "x" * length
    frame = text_frames.encode(text)
    assert read(frame) == text.encode()
    assert len(frame) == len(ABNF.create_frame(text, ABNF.OPCODE_TEXT).format())


def test_masks() -> None:
    """Each frame has a mask of its own."""
    assert len({text_frames.encode("abcd") for _ in range(50)}) == 50


@given(st.lists(st.text(max_size=300)), st.binary(max_size=3), st.binary(max_size=3))
@example(["x" * 65535], b"", b"")
def test_split(texts: List[str], before: bytes, rest: bytes) -> None:
    """Each short text is found, with the end of its frame, wherever the first one begins. One in
    the last three bytes is left to the reader of frames, as is one that is cut short."""
    frames = [framed(text) for text in texts]
    ends = [*itertools.accumulate(map(len, frames), initial=len(before))][1:]
    data = before + b"".join(frames) + rest
    found = list(text_frames.split(data, len(before), 65535))
    sure = [end for end, frame in zip(ends, frames) if end - len(frame) <= len(data) - 4]
    assert found[: len(sure)] == [*zip(texts, sure)]
    for end in sure:
        cut = list(text_frames.split(data[: end - 1], len(before), 65535))
        assert cut == found[: len(cut)] and (not cut or cut[-1][1] < end)


def test_split_stops_before_text_that_is_too_long_or_not_utf_8() -> None:
    """The reader of frames, which refuses or reports it, finds it there."""
    whole = framed("ab")
    assert list(text_frames.split(framed("abc") + whole, 0, 2)) == []
    assert list(text_frames.split(whole + framed("abc") + whole, 0, 2)) == [("ab", len(whole))]
    assert list(text_frames.split(b"\x81\x02\xff\xff" + whole, 0, 9)) == []


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        framed("ab")[:3],
        framed("x" * 65536),
        framed("abc", ABNF.OPCODE_BINARY),
        framed("abc", ABNF.OPCODE_PING),
        framed("abc", ABNF.OPCODE_CONT),
        framed("abc", fin=0),
        b"\xc1" + framed("abc")[1:],
        text_frames.encode("abc"),
        text_frames.encode("x" * 200),
    ],
    ids="none cut long binary ping rest part reserved masked masked-long".split(),
)
def test_others_are_left_alone(frame: bytes) -> None:
    """What is no short text frame of a server is not found, nor what follows it."""
    assert list(text_frames.split(frame + framed("next") * (len(frame) > 3), 0, 70_000)) == []


@given(st.binary(), st.integers(0, 5))
@example(b"\x81\x02ab\x81\x00\x81\x02cd", 0)
def test_split_anything(data: bytes, begin: int) -> None:
    """Frames that are found lie in the data, one behind the other, and hold their texts."""
    end = begin
    for text, end_of_frame in text_frames.split(data, begin, 70_000):
        assert end + 2 <= end_of_frame <= len(data)
        assert data[:end_of_frame].endswith(text.encode())
        assert framed(text) == data[end:end_of_frame] or data[end + 1] == 126
        end = end_of_frame
