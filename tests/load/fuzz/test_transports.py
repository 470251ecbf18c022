"""Any bytes at the transports, on a network in memory."""

from __future__ import annotations

import json
import time
from typing import Any, List, Type

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keyyo_cti._sockjs.errors import SockJSError
from keyyo_cti._sockjs.transport import Transport
from keyyo_cti._sockjs.websocket import WebSocketTransport
from keyyo_cti._sockjs.xhr import XhrPollingTransport, XhrStreamingTransport

from . import websocket_frames
from .answers import GOOD_INFO, chunked, sized
from .checks import CheckedProtocol
from .conftest import on
from .memory import ACCEPTED, Server
from .strategies import UNSORTED, WEBSOCKET_STREAMS, always, http_answers, mutated
from .target import NEXT, Target
from .transports import HANGS, Open, WebSocket, Xhr, config, piece


@on(WebSocket)
@always(120)
@given(st.integers(0, 255), WEBSOCKET_STREAMS | mutated(WebSocket.seeds, WebSocket.tokens))
@example(0, websocket_frames.frame(b"x" * 2000, claimed=2**63))
def test_any_websocket(target: Target, first: int, stream: bytes) -> None:
    """Whatever comes on a websocket, in whatever pieces: text comes out, or the end with its
    reason, and nothing else."""
    target.attempt(bytes([first]) + stream)


@on(Xhr)
@always(80)
@given(st.integers(0, 255), http_answers([seed[1:] for seed in Xhr.seeds], Xhr.tokens))
@example(0, UNSORTED + b"Content-Length: 2\r\n\r\no\n")
@example(1, sized(b"o\n", UNSORTED))
@example(1, NEXT.join([sized(b"o\n"), sized(b"h\n", UNSORTED)]))
@example(0, sized(b"o\n", b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset\r\n"))
def test_any_answers_to_a_receiver(target: Target, first: int, answers: bytes) -> None:
    """So it is over HTTP, and the thread that receives is gone in the end."""
    target.attempt(bytes([first]) + answers)


@on(Open)
@always(80)
@given(st.integers(0, 255), http_answers([seed[1:] for seed in Open.seeds], Open.tokens))
@example(255, sized(b"{}", UNSORTED))
@example(255, sized(b"[" * 60_000))
@example(255, NEXT.join([GOOD_INFO, ACCEPTED.replace(b"\r\n", b"\r\nSet-Cookie: a@b=c\r\n", 1)]))
@example(255, NEXT.join([GOOD_INFO, b"", sized(b"o\n", UNSORTED), sized(b'c[3000,"\\ud800"]\n')]))
def test_any_opening(target: Target, first: int, answers: bytes) -> None:
    """Whatever is answered while a session opens, it opens or fails with a reason, at once."""
    target.attempt(bytes([first]) + answers)


#: Of which every character is one that can be sent.
_TEXTS = st.text().map(lambda text: text.encode("utf-8", "replace").decode())
_MESSAGES = st.lists(_TEXTS | st.integers() | st.dictionaries(_TEXTS, _TEXTS), max_size=5)

_CONTROL = st.sampled_from([
    b"",
    websocket_frames.frame(b"?", websocket_frames.PING),
    websocket_frames.frame(b"", websocket_frames.PONG),
    websocket_frames.frame(b"", websocket_frames.CONTINUATION, fin=False),
])


@always(80)
@given(st.integers(0, 255), st.lists(_MESSAGES, max_size=4), st.data())
def test_what_is_right_on_a_websocket(
    first: int, batches: List[Any], data: st.DataObject
) -> None:
    """However messages are cut into fragments, with control frames between, and into pieces,
    they come out as they were put in."""
    stream = websocket_frames.frame(b"o")
    for batch in batches:
        parts = _cut(b"a" + json.dumps(batch, ensure_ascii=False).encode(), data)
        for number, part in enumerate(parts):
            opcode = websocket_frames.CONTINUATION if number else websocket_frames.TEXT
            last = number == len(parts) - 1
            stream += websocket_frames.frame(part, opcode, fin=last)
            stream += b"" if last else data.draw(_CONTROL)
    transport = WebSocketTransport(config(Server([ACCEPTED + stream]), piece(bytes([first]))))
    assert _come_out(transport) == [repr(each) for batch in batches for each in batch]


@pytest.mark.parametrize("kind", [XhrStreamingTransport, XhrPollingTransport])
@always(40)
@given(st.integers(0, 255), st.lists(_MESSAGES, min_size=1, max_size=4), st.data())
def test_what_is_right_over_http(
    kind: Type[Transport], first: int, batches: List[Any], data: st.DataObject
) -> None:
    """However frames are spread over answers, chunks and pieces, so it is."""
    answers = [sized(b"h\no\n")]
    for batch in batches:
        frame = b"a" + json.dumps(batch, ensure_ascii=False).encode() + b"\n"
        answers.append(chunked(*_cut(frame, data), b"h\nhalf a fra"))
    transport = kind(config(Server(answers), piece(bytes([first]))))
    assert _come_out(transport) == [repr(each) for batch in batches for each in batch]


def _cut(frame: bytes, data: st.DataObject) -> List[bytes]:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(frame)), max_size=4)))
    return [frame[start:end] for start, end in zip([0, *cuts], [*cuts, len(frame)])]


def _come_out(transport: Transport) -> List[str]:
    """The messages that a transport gives until its end."""
    protocol = CheckedProtocol()
    come: List[str] = []
    try:
        transport.open(time.monotonic() + HANGS)
        while True:
            text = transport.receive(time.monotonic() + HANGS)
            assert text is not None, "the end does not come"
            come += map(repr, protocol.receive(text))
    except SockJSError:
        return come
    finally:
        transport.discard()
