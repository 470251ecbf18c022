"""What no server should send, as SockJS frames. None of it looks like an answer to a command that
was asked, or like a call."""

from __future__ import annotations

import json
from typing import Any, Dict, Union


def _messages(*messages: Any) -> str:
    return "a" + json.dumps([each if isinstance(each, str) else json.dumps(each)
                             for each in messages])


_NOBODY_ASKED = 2**40

JUNK: Dict[str, Union[str, bytes]] = {
    "nothing": "",
    "an unknown kind": "x",
    "a truncated array": 'a["{\\"notify\\": \\"ca',
    "an object instead of an array": "a{}",
    "a message that is none": "m[",
    "a deep array": "a" + "[" * 5_000 + "]" * 5_000,
    "no UTF-8": b"\xff\xfe\xfd",
    "half a character": b'a["\xc3"]',
    "messages of other types": "a[1, null, true, 2.5, [], {}]",
    "no JSON": _messages("not json"),
    "truncated JSON": _messages('{"notify": "call", "call": {"callref": "call-'),
    "a message that is an array": _messages("[]"),
    "a lone surrogate": '["' + "\\ud800" + '"]',
    "no number that JSON has": _messages('{"id": NaN}'),
    "another notification": _messages({"notify": "weather"}),
    "a call without a callref": _messages({"notify": "call", "call": {"state": "SETUP"}}),
    "a callref that is none": _messages({"notify": "call", "call": {"callref": [7]}}),
    "an answer that nobody asked": _messages({"id": _NOBODY_ASKED, "result": 1}),
    "an answer to true": _messages({"id": True, "result": 1}),
    "an answer to a string": _messages({"id": "one", "result": 1}),
    "neither nor": _messages({}),
    "a kilobyte of noise": bytes(byte for byte in range(256) if byte != 10) * 4,
}
"""Frames on which a connection goes on, by what they are."""

DEADLY: Dict[str, Union[str, bytes]] = {
    "a second opening frame": "o",
    "a close frame that is none": "c[",
    "a close frame without a code": 'c["Go away!"]',
}
"""Frames that end a connection."""
