"""Short text frames, as the websocket library makes and reads them too."""

from __future__ import annotations

import struct

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


@given(st.text(max_size=300), st.binary(max_size=10))
@example("x" * 65535, b"")
def test_find(text: str, rest: bytes) -> None:
    """A short text is found in its frame, whatever comes after that."""
    frame = framed(text)
    found = text_frames.find((frame + rest)[:4])
    if len(frame + rest) < 4:
        assert found is None
    else:
        assert found is not None
        start, end = found
        assert end == len(frame) and frame[start:end] == text.encode()


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
    """What is no short text frame of a server is not found."""
    assert text_frames.find(frame[:4]) is None


@given(st.binary(min_size=4, max_size=4))
def test_find_in_anything(head: bytes) -> None:
    """A frame that is found is as long as it says, and no longer than 64 KiB."""
    found = text_frames.find(head)
    if found is not None:
        start, end = found
        assert 2 <= start <= 4 and start <= end <= 4 + 65535
