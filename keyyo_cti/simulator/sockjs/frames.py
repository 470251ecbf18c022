"""SockJS frames: encoding and decoding of messages."""

from __future__ import annotations

import json
from itertools import chain, groupby
from typing import Any, Iterable, Iterator, List, NamedTuple, Optional, Sequence


class BrokenFrame(ValueError):
    """A client's frame that is neither a JSON string nor an array of strings."""


class Frame(NamedTuple):
    """One frame to send.

    :ivar payload: the bytes to send.
    :ivar last: True if the transport closes after it.
    :ivar messages: its messages if it can be joined with other frames; otherwise None.
    :ivar cut: True if the transport writes only half of it.
    """

    payload: bytes
    last: bool = False
    messages: Optional[Sequence[str]] = None
    cut: bool = False


EXPECTED = "Payload expected."
BROKEN = "Broken JSON encoding."

OPENING = Frame(b"o")
HEARTBEAT = Frame(b"h")


def make_close_frame(code: int, reason: str) -> Frame:
    """Return the close frame."""
    text = json.dumps([code, reason], separators=(",", ":"))
    return Frame(b"c" + text.encode("ascii"), last=True)


def encode_messages(messages: Sequence[str]) -> bytes:
    """Return the frame of `messages`, in ASCII so that a lone surrogate can be sent."""
    return b"a" + json.dumps(messages, separators=(",", ":")).encode("ascii")


def join_frames(frames: Iterable[Frame]) -> Iterator[Frame]:
    """Join adjacent frames of messages into one each."""
    for joinable, run in groupby(frames, lambda frame: frame.messages is not None):
        if joinable:
            messages = list(chain.from_iterable(frame.messages or () for frame in run))
            yield Frame(encode_messages(messages), messages=messages)
        else:
            yield from run


def decode_messages(text: str) -> List[str]:
    """Return the messages in a client's frame: an array of strings, one string, or nothing.

    :raises BrokenFrame: it is none of these.
    """
    if not text:
        return []
    decoded = _decode_json(text)
    return _require_strings([decoded] if isinstance(decoded, str) else decoded)


def decode_posted(body: bytes) -> List[str]:
    """Return the messages in a posted array of strings.

    :raises BrokenFrame: it is not such an array; the text is sockjs-node's.
    """
    if not body:
        raise BrokenFrame(EXPECTED)
    return _require_strings(_decode_json(body.decode("utf-8", "replace")))


def _decode_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise BrokenFrame(BROKEN) from None


def _require_strings(decoded: Any) -> List[str]:
    if not isinstance(decoded, list) or not all(isinstance(each, str) for each in decoded):
        raise BrokenFrame(EXPECTED)
    return decoded
