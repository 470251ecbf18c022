"""Frames, without a connection."""

from __future__ import annotations

from typing import Any, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyyo_cti.simulator.sockjs import BrokenFrame, decode_messages, encode_messages
from keyyo_cti.simulator.sockjs.frames import Frame, decode_posted, join_frames, make_close_frame


@given(st.lists(st.text()))
def test_encoding_is_reversible(messages: List[str]) -> None:
    """Decoding a frame returns its strings, surrogates included."""
    frame = encode_messages(messages)
    assert frame.isascii()
    assert decode_messages(frame[1:].decode("ascii")) == messages


@given(st.text())
def test_junk_frames(text: str) -> None:
    """Any frame of a client is a list of strings, or broken."""
    try:
        assert all(isinstance(each, str) for each in decode_messages(text))
    except BrokenFrame:
        pass


@given(st.lists(st.text()))
def test_posted_messages(messages: List[str]) -> None:
    """A posted array of strings is decoded, surrogates included."""
    assert decode_posted(encode_messages(messages)[1:]) == messages


@pytest.mark.parametrize("body, complaint", [
    (b"", "Payload expected."),
    (b"[", "Broken JSON encoding."),
    (b"[" * 100_000, "Broken JSON encoding."),
    (b'"one string"', "Payload expected."),
    (b"{}", "Payload expected."),
    (b"[1]", "Payload expected."),
    (b"null", "Payload expected."),
])
def test_broken_posts(body: bytes, complaint: str) -> None:
    """A body that is not an array of strings gets sockjs-node's error."""
    with pytest.raises(BrokenFrame) as caught:
        decode_posted(body)
    assert str(caught.value) == complaint


def test_goodbye() -> None:
    """A close frame is the last frame, and ASCII for any reason."""
    assert make_close_frame(3000, "Go \N{WAVING HAND SIGN}") == Frame(
        b'c[3000,"Go \\ud83d\\udc4b"]', last=True)


def message(*texts: str) -> Frame:
    return Frame(encode_messages(texts), messages=texts)


def payloads(frames: Any) -> List[bytes]:
    return [frame.payload for frame in join_frames(frames)]


def test_joined() -> None:
    """Adjacent messages are joined; other frames keep their places."""
    frames = [
        Frame(b"o"), message("a"), message("b", "c"), Frame(b'a["alone"]'), message("d"),
        Frame(b"h"), message("e"), message(), make_close_frame(3000, "Go away!")]
    assert payloads(frames) == [
        b"o", b'a["a","b","c"]', b'a["alone"]', b'a["d"]', b"h", b'a["e"]', b'c[3000,"Go away!"]']
    assert payloads([]) == []


@given(st.lists(st.lists(st.text())))
def test_joining_loses_nothing(batches: List[List[str]]) -> None:
    """Joined or not, the messages are the same, and may be joined again."""
    frames = [message(*batch) for batch in batches]
    once = list(join_frames(frames))
    assert len(once) <= 1
    assert [text for frame in once for text in decode_messages(frame.payload[1:].decode())] == [
        text for batch in batches for text in batch]
    assert list(join_frames(once)) == once
