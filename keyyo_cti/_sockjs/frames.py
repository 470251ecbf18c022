"""SockJS frames as text. Pure.

The first character of a frame is its kind: ``o`` open, ``h`` heartbeat, ``a`` an array of
messages, ``m`` one message, ``c`` close.
"""

import json
from dataclasses import dataclass
from typing import Any, List, NamedTuple, Optional, Tuple, Union

from .._net.json_text import parse_json

#: A close code of a websocket has two bytes; one of SockJS has four digits.
_MAX_CODE = 99_999

#: Characters of a close frame's reason.
_MAX_REASON = 200


@dataclass(frozen=True)
class Open:
    """The session is open."""


@dataclass(frozen=True)
class Heartbeat:
    """The server is alive."""


class Messages(NamedTuple):
    """Messages in order, of any JSON type."""

    messages: List[Any]


@dataclass(frozen=True)
class Close:
    """The server closes the session."""

    code: int
    reason: str


@dataclass(frozen=True)
class Broken:
    """A frame of a known kind whose JSON is invalid."""

    kind: str
    problem: str


@dataclass(frozen=True)
class Unknown:
    """An empty frame, or one of an unknown kind, to be ignored."""


Frame = Union[Open, Heartbeat, Messages, Close, Broken, Unknown]


def decode(text: str) -> Frame:
    """Return the frame of a text. Never raises."""
    kind = text[:1]
    if kind == "a":
        return _array(text)
    # Not the first letter only: a page of a proxy may begin with "h" or "o" too.
    if kind == "h" and not text.strip("h"):
        return Heartbeat()
    if kind == "o" and text.rstrip() == "o":
        return Open()
    if kind == "m":
        message, problem = _load(text)
        return Broken(kind, problem) if problem else Messages([message])
    if kind == "c":
        return _close(text)
    return Unknown()


def read_array(text: str) -> Optional[List[Any]]:
    """Return the messages of a frame of kind ``a``, or None if it is another one or broken."""
    if not text.startswith("a["):
        return None
    try:
        messages: List[Any] = parse_json(text, 1)
    except ValueError:
        return None
    return messages


def is_good(line: bytes) -> bool:
    """Return True if a line is a frame that can be read."""
    try:
        return not isinstance(decode(line.decode("utf-8")), (Broken, Unknown))
    except UnicodeDecodeError:
        return False


def encode(messages: List[str]) -> str:
    """Return the text that carries messages to the server: a JSON array of strings.

    Non-ASCII characters are escaped. Otherwise some servers garble them, and UTF-8 cannot carry
    a lone surrogate.
    """
    # One string at a time: json.dumps encodes a string much faster than a list.
    return f"[{','.join(map(json.dumps, messages))}]"


def _array(text: str) -> Frame:
    if len(text) == 1:
        return Messages([])
    try:
        messages = parse_json(text, 1)
    except ValueError as error:
        return Broken("a", type(error).__name__)
    if not isinstance(messages, list):
        return Broken("a", "expected an array")
    return Messages(messages)


def _close(text: str) -> Frame:
    pair, problem = _load(text)
    if problem:
        return Broken("c", problem)
    if not isinstance(pair, list) or not pair or type(pair[0]) is not int:
        return Broken("c", "expected [code, reason]")
    if abs(pair[0]) > _MAX_CODE:
        return Broken("c", "expected a code of five digits at most")
    return Close(pair[0], _reason(pair[1]) if len(pair) > 1 else "")


def _reason(value: Any) -> str:
    """Return the reason of a close frame, shortened for logs and errors."""
    if isinstance(value, (list, dict)):
        # Its str() may exceed Python's recursion limit.
        return f"a reason of type {type(value).__name__}"
    words = value if isinstance(value, str) else str(value)
    return words if len(words) <= _MAX_REASON else f"{words[:_MAX_REASON]}..."


def _load(text: str) -> Tuple[Any, str]:
    """Return the JSON value after the first character, and "", or None and the problem."""
    try:
        return parse_json(text, 1), ""
    except ValueError as error:
        return None, type(error).__name__
