"""The frames of SockJS, and how messages become frames and the other way round. Pure."""

from __future__ import annotations

import json
from itertools import chain, groupby
from typing import Any, Iterable, Iterator, List, NamedTuple, Optional, Sequence


class BrokenFrame(ValueError):
    """What a client sent is no JSON string and no JSON array of strings."""


class Frame(NamedTuple):
    """One frame to send.

    :ivar payload: what is sent.
    :ivar last: whether the transport closes after it.
    :ivar messages: what is in it, if it may be joined with others; otherwise None.
    :ivar cut: True if the transport writes one half of it, and never the other.
    """

    payload: bytes
    last: bool = False
    messages: Optional[Sequence[str]] = None
    cut: bool = False


EXPECTED = "Payload expected."
BROKEN = "Broken JSON encoding."

OPENING = Frame(b"o")
HEARTBEAT = Frame(b"h")


def goodbye(code: int, reason: str) -> Frame:
    """The close frame."""
    text = json.dumps([code, reason], separators=(",", ":"))
    return Frame(b"c" + text.encode("ascii"), last=True)


def encode_messages(messages: Sequence[str]) -> bytes:
    """The frame that carries `messages`; ASCII, so that a lone surrogate passes."""
    return b"a" + json.dumps(messages, separators=(",", ":")).encode("ascii")


def joined(frames: Iterable[Frame]) -> Iterator[Frame]:
    """The same messages in as few frames as may be."""
    for joinable, run in groupby(frames, lambda frame: frame.messages is not None):
        if joinable:
            messages = list(chain.from_iterable(frame.messages or () for frame in run))
            yield Frame(encode_messages(messages), messages=messages)
        else:
            yield from run


def decode_messages(text: str) -> List[str]:
    """The messages in one frame of a client: an array of strings, one string, or nothing.

    :raises BrokenFrame: it is none of these.
    """
    if not text:
        return []
    decoded = _decoded(text)
    return _strings([decoded] if isinstance(decoded, str) else decoded)


def decode_posted(body: bytes) -> List[str]:
    """The messages in what a client has posted: an array of strings.

    :raises BrokenFrame: it is none; in sockjs-node's words.
    """
    if not body:
        raise BrokenFrame(EXPECTED)
    return _strings(_decoded(body.decode("utf-8", "replace")))


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise BrokenFrame(BROKEN) from None


def _strings(decoded: Any) -> List[str]:
    if not isinstance(decoded, list) or not all(isinstance(each, str) for each in decoded):
        raise BrokenFrame(EXPECTED)
    return decoded
