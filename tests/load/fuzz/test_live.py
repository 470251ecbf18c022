"""Any bytes at a CTI with all its threads, and at the simulator, over loopback."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from . import websocket_frames
from .answers import sized
from .conftest import on
from .live_reader import LiveOpening, LiveWebSocket, LiveXhrPolling, LiveXhrStreaming
from .live_simulator import LiveSimulator
from .played import carrying
from .strategies import MESSAGES, UNSORTED, WEBSOCKET_STREAMS, always, http_answers, mutated
from .target import NEXT, Target

_FRAMES = st.lists(MESSAGES, max_size=4).map(lambda messages: carrying(*messages))


@pytest.mark.slow
@on(LiveWebSocket)
@always(100)
@given(
    WEBSOCKET_STREAMS
    | mutated(LiveWebSocket.seeds, LiveWebSocket.tokens)
    | st.lists(_FRAMES.map(websocket_frames.frame), max_size=4).map(b"".join)
)
@example(websocket_frames.frame(b'c[3000,"\\ud800\\n"]'))
@example(websocket_frames.frame(b"a", fin=False))
@example(websocket_frames.frame(b"", claimed=2**64 - 1))
def test_any_websocket(target: Target, stream: bytes) -> None:
    """After whatever came on a websocket, the next event is handled; or the end was told once,
    every command has its answer, and no thread is left."""
    target.attempt(stream)


@pytest.mark.slow
@on(LiveXhrStreaming, LiveXhrPolling)
@always(50)
@given(
    st.integers(0, 2),
    http_answers([seed[1:] for seed in LiveXhrPolling.seeds], LiveXhrPolling.tokens)
    | _FRAMES.map(lambda frame: frame + b"\n"),
)
@example(0, sized(b"h\n", UNSORTED))
@example(2, sized(b"", UNSORTED))
@example(2, sized(b"", b"HTTP/1.1 200 OK\r\n" + (b"X: " + b"y" * 60_000 + b"\r\n") * 5))
@example(1, b'c[3000,"\\ud800\\n"]\n')
def test_any_answer(target: Target, what: int, data: bytes) -> None:
    """So it is over HTTP, for whoever receives and whoever sends."""
    target.attempt(bytes([what]) + data.replace(NEXT, b""))


@pytest.mark.slow
@on(LiveOpening)
@always(50)
@given(
    st.integers(0, 2),
    http_answers([seed[1:] for seed in LiveOpening.seeds], LiveOpening.tokens),
)
@example(0, sized(b"{}", UNSORTED))
@example(1, LiveOpening.seeds[2][1:].replace(b"\r\n", b"\r\nSet-Cookie: a@b=c\r\n", 1))
@example(2, sized(b"o\n", UNSORTED))
@example(2, sized(b'c[3000,"\\ud800\\n"]\n'))
def test_any_opening(target: Target, stage: int, answer: bytes) -> None:
    """Whatever is answered to one of the requests that open a session, the end comes, is told
    once, and leaves nothing."""
    target.attempt(bytes([stage]) + answer)


_CLIENT_STREAMS = WEBSOCKET_STREAMS.map(lambda stream: b"\x01" + stream)
_COMMANDS = st.fixed_dictionaries(
    {"id": st.integers(1, 3), "action": st.sampled_from(["call", "ping", "park_call", "x"])},
    optional={"number": st.text(), "call_ref": st.just("call-1"), "side": st.text()},
)


@on(LiveSimulator)
@always(80)
@given(
    st.builds(lambda kind, rest: bytes([kind]) + rest, st.integers(0, 4), st.binary())
    | mutated(LiveSimulator.seeds, LiveSimulator.tokens)
    | _CLIENT_STREAMS
    | (_COMMANDS | MESSAGES).map(lambda message: b"\x03" + json.dumps(message).encode())
)
@example(b"\x00GET http://[/cti HTTP/1.1\r\nHost: x\r\n\r\n")
@example(b"\x00GET /cti HTTP/1.1\r\nHost: x\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx")
def test_any_client_of_the_simulator(target: Target, data: Any) -> None:
    """After whatever came to the simulator, it has logged no traceback, and serves the client
    that has a session."""
    target.attempt(data)
