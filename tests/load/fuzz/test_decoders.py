"""Any text at what makes sense of it."""

from __future__ import annotations

import json
from typing import Any, List

from hypothesis import example, given
from hypothesis import strategies as st

from keyyo_cti._sockjs import frames
from keyyo_cti._sockjs.frames import Messages

from .checks import Customer, check_frame, check_sequence
from .decoders import Messages as MessageTarget
from .decoders import Sequences
from .strategies import JSON, MESSAGES, TEXTS, WORDS, always, mutated


@always(150)
@given(TEXTS)
@example("c[3000," + "[" * 950 + "]" * 950 + "]")
@example("a[" + "9" * 5000 + "]")
@example("cNaN")
def test_any_frame(text: str) -> None:
    """Any text is a frame of some kind, and nothing raises."""
    check_frame(text)


@always(150)
@given(st.lists(TEXTS, max_size=10))
@example(["c[3000]", "o", 'a["x"]'])
@example(["o", 'a["x"]', "o", 'a["x"]', "o"])
def test_any_sequence(texts: List[str]) -> None:
    """Whatever frames come, a session opens once at most and closes once at most, and there is
    nothing after that."""
    check_sequence(texts)


@always(150)
@given(mutated(Sequences.seeds, Sequences.tokens))
def test_any_session(data: bytes) -> None:
    """So it is for sessions that are nearly right."""
    check_sequence(data.decode("utf-8", "replace").split("\n"))


@always(150)
@given(st.lists(st.text() | WORDS.map(str)))
def test_what_is_encoded_is_decoded(messages: List[str]) -> None:
    """What goes into a frame comes out of it; two surrogates that meet become what they mean."""
    meant = json.loads(json.dumps(messages))
    assert frames.decode("a" + frames.encode(messages)) == Messages(meant)
    assert meant == messages or any("\ud800" in message for message in messages)


@always(60)
@given(st.lists(JSON))
def test_what_a_server_encodes_is_decoded(messages: List[Any]) -> None:
    """So does any JSON of a server's, escaped or not."""
    for ascii_only in (True, False):
        frame = frames.decode("a" + json.dumps(messages, ensure_ascii=ascii_only))
        assert repr(frame) == repr(Messages(messages))


@always(80)
@given(st.lists(MESSAGES, min_size=1, max_size=6))
@example([{"id": 1, "result": [[]]}, {"notify": "call", "call": {"callref": "c", "state": []}}])
@example([{"notify": "call", "call": {"callref": f"c{n}", "state": "MISSED"}} for n in range(9)])
@example([{"notify": "call", "call": {
    "callref": "c", "setup_date": -1e308, "connect_date": -1e308, "release_date": 1e308}}])
def test_any_message(messages: List[Any]) -> None:
    """Nothing that the decoder lets through, be it JSON or text, breaks a call, the registry, a
    result, an error or the session."""
    customer = Customer()
    for message in messages:
        customer.receive(message)
        customer.receive(json.dumps(message))


@always(100)
@given(mutated(MessageTarget.seeds, MessageTarget.tokens))
@example(b'{"id":1,"result":' + b'{"a":' * 1500 + b"1" + b"}" * 1501)
@example(b'{"notify":' + b"[" * 700 + b"]" * 700 + b"}")
def test_any_text(data: bytes) -> None:
    """So it is for messages that are nearly right."""
    Customer().receive(data.decode("utf-8", "replace"))
