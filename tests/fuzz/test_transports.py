"""Any bytes at the transports, on a network in memory."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from . import websocket_frames
from .answers import GOOD_INFO, sized
from .conftest import on
from .memory import ACCEPTED
from .strategies import UNSORTED, WEBSOCKET_STREAMS, always, http_answers, mutated
from .target import NEXT, Target
from .transports import Open, WebSocket, Xhr


@on(WebSocket)
@always(120)
@given(st.integers(0, 255), WEBSOCKET_STREAMS | mutated(WebSocket.seeds, WebSocket.tokens))
@example(0, websocket_frames.frame(b"x" * 2000, claimed=2**63))
def test_any_websocket(target: Target, piece: int, stream: bytes) -> None:
    """Whatever comes on a websocket, in whatever pieces: text comes out, or the end with its
    reason, and nothing else."""
    target.attempt(bytes([piece]) + stream)


@on(Xhr)
@always(80)
@given(st.integers(0, 255), http_answers([seed[1:] for seed in Xhr.seeds], Xhr.tokens))
@example(0, UNSORTED + b"Content-Length: 2\r\n\r\no\n")
@example(1, sized(b"o\n", UNSORTED))
@example(1, NEXT.join([sized(b"o\n"), sized(b"h\n", UNSORTED)]))
@example(0, sized(b"o\n", b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset\r\n"))
def test_any_answers_to_a_receiver(target: Target, piece: int, answers: bytes) -> None:
    """So it is over HTTP, and the thread that receives is gone in the end."""
    target.attempt(bytes([piece]) + answers)


@on(Open)
@always(80)
@given(st.integers(0, 255), http_answers([seed[1:] for seed in Open.seeds], Open.tokens))
@example(255, sized(b"{}", UNSORTED))
@example(255, NEXT.join([GOOD_INFO, ACCEPTED.replace(b"\r\n", b"\r\nSet-Cookie: a@b=c\r\n", 1)]))
@example(255, NEXT.join([GOOD_INFO, b"", sized(b"o\n", UNSORTED), sized(b'c[3000,"\\ud800"]\n')]))
def test_any_opening(target: Target, piece: int, answers: bytes) -> None:
    """Whatever is answered while a session opens, it opens or fails with a reason, at once."""
    target.attempt(bytes([piece]) + answers)
