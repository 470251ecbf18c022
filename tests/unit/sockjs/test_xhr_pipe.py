"""What is received over HTTP, on its way from one thread to another."""

from __future__ import annotations

import time
from typing import List

import pytest

from keyyo_cti._net.clock import NEVER
from keyyo_cti._sockjs.errors import SockJSError
from keyyo_cti._sockjs.xhr_pipe import LINE_OVERHEAD_BYTES, MAX_PIPE_BYTES, Pipe

from ...helpers.background import SOON, Background, Hand


def error(pipe: Pipe) -> str:
    with pytest.raises(SockJSError) as caught:
        pipe.take(0.0)
    return str(caught.value)


def test_order() -> None:
    """Lines come out one by one, in the order in which they went in."""
    pipe = Pipe(Hand())
    assert pipe.put([b"1", b"2"])
    assert pipe.put([])
    assert pipe.put([b"", b"3"])
    assert [pipe.take(0.0) for _ in range(4)] == [b"1", b"2", b"", b"3"]


def test_at_hand() -> None:
    """What was there when something was taken is at hand, and what came later is not."""
    pipe = Pipe(Hand())
    assert pipe.take_buffered() is None
    pipe.put([b"1", b"2", b""])
    assert pipe.take_buffered() is None
    assert pipe.take(0.0) == b"1"
    pipe.put([b"3"])
    assert [pipe.take_buffered() for _ in range(3)] == [b"2", b"", None]
    assert pipe.take(0.0) == b"3"


@pytest.mark.fault(58)
def test_time_of_the_last_frame_is_that_of_frames_taken_whole() -> None:
    """What is left in the pipe is lost with the connection, so that the announced gap must begin
    before it; lines that are no frames do not count."""
    clock = Hand()
    pipe = Pipe(clock)
    began = clock()
    pipe.put([b"1", b"2"], began + 10)
    pipe.put([b"junk"])
    assert pipe.taken_at == began
    pipe.take(0.0)
    assert pipe.taken_at == began
    pipe.put([b"3"], began + 20)
    pipe.take(0.0)
    assert pipe.taken_at == began + 10
    pipe.take(0.0)
    assert pipe.taken_at == began + 10
    pipe.take(0.0)
    assert pipe.taken_at == began + 20


def test_deadline() -> None:
    """Who takes gives up at his deadline, and not before."""
    pipe = Pipe(time.monotonic)
    began = time.monotonic()
    assert pipe.take(began + 0.05) is None
    assert 0.05 <= time.monotonic() - began < SOON
    assert pipe.take(began) is None


def test_what_is_there_is_taken_after_the_deadline() -> None:
    """A deadline that has passed ends the waiting, not the taking."""
    pipe = Pipe(Hand())
    pipe.put([b"1"])
    assert pipe.take(0.0) == b"1"
    assert pipe.take(0.0) is None


@pytest.mark.parametrize("until", [1000.0, NEVER])
def test_waiting_for_a_line(until: float) -> None:
    """Who waits is woken by the next line."""
    pipe = Pipe(Hand())
    taker = Background(pipe.take, until)
    assert taker.waits()
    pipe.put([b"1"])
    assert taker.result() == b"1"


def test_full() -> None:
    """A full pipe keeps who brings more waiting until something is taken."""
    pipe = Pipe(Hand())
    pipe.put([b"x" * (MAX_PIPE_BYTES - LINE_OVERHEAD_BYTES - 1)])
    pipe.put([b"y"])
    bringer = Background(pipe.put, [b"z"])
    assert bringer.waits()
    assert pipe.take(0.0) == b"x" * (MAX_PIPE_BYTES - LINE_OVERHEAD_BYTES - 1)
    assert bringer.result() is True
    assert [pipe.take(0.0), pipe.take(0.0)] == [b"y", b"z"]


def test_room_is_that_of_what_was_taken() -> None:
    """What was taken is room again, byte for byte, however often."""
    pipe = Pipe(Hand())
    for _ in range(3):
        pipe.put([b"x" * MAX_PIPE_BYTES, b"y"])
        bringer = Background(pipe.put, [])
        assert bringer.waits()
        pipe.take(0.0)
        pipe.take(0.0)
        bringer.result()
    pipe.put([b"x" * (MAX_PIPE_BYTES - LINE_OVERHEAD_BYTES - 1)])
    pipe.put([b"y"])


@pytest.mark.fault(26)
@pytest.mark.parametrize("line", [b"", b"h"])
def test_lines_without_bytes_fill_the_pipe(line: bytes) -> None:
    """A server that sends nothing but line breaks has to wait too."""
    pipe = Pipe(Hand())
    lines = [line] * 65536
    pipe.put(lines)
    bringer = Background(pipe.put, lines)
    assert bringer.waits()
    assert pipe.take(0.0) == line
    bringer.result()


def test_end() -> None:
    """What was put before the end is taken, and then the end is told, again and again, as it
    was told first."""
    pipe = Pipe(Hand())
    pipe.put([b"1"])
    pipe.end(SockJSError(1006, "first"))
    pipe.end(SockJSError(1006, "second"))
    assert pipe.take(0.0) == b"1"
    assert error(pipe) == error(pipe) == "1006 first"


def test_end_wakes() -> None:
    """The end wakes who waits for a line."""
    pipe = Pipe(Hand())
    taker = Background(pipe.take, NEVER)
    assert taker.waits()
    pipe.end(SockJSError(1006, "over"))
    assert str(taker.error()) == "1006 over"


def test_end_of_a_full_pipe() -> None:
    """The end wakes who waits for room, and his lines are taken too. He goes on asking, so that
    the server can notice that we leave."""
    pipe = Pipe(Hand())
    pipe.put([b"x" * MAX_PIPE_BYTES])
    bringer = Background(pipe.put, [b"y"])
    assert bringer.waits()
    pipe.end(SockJSError(1006, "over"))
    assert bringer.result() is True
    assert pipe.take(0.0) == b"x" * MAX_PIPE_BYTES
    assert pipe.take(0.0) == b"y"
    assert error(pipe) == "1006 over"


def test_discard() -> None:
    """After discarding, nobody is to ask any more, and nobody waits."""
    pipe = Pipe(Hand())
    pipe.discard()
    assert pipe.put([b"x"]) is False
    assert pipe.take(0.0) == b"x"
    assert error(pipe) == "1006 The transport was discarded"


def test_discard_wakes() -> None:
    """Discarding wakes both who waits for room and who waits for a line."""
    full, empty = Pipe(Hand()), Pipe(Hand())
    full.put([b"x" * MAX_PIPE_BYTES])
    bringer, taker = Background(full.put, [b"y"]), Background(empty.take, NEVER)
    assert bringer.waits() and taker.waits()
    full.discard()
    empty.discard()
    assert bringer.result() is False
    assert isinstance(taker.error(), SockJSError)


def test_discard_after_the_end() -> None:
    """The reason of the end outlives the discarding."""
    pipe = Pipe(Hand())
    pipe.end(SockJSError(1006, "over"))
    pipe.discard()
    assert error(pipe) == "1006 over"


def test_two_threads() -> None:
    """Nothing is lost or doubled between a thread that puts and one that takes."""
    pipe, count = Pipe(time.monotonic), 3000
    taken: List[bytes] = []

    def put() -> None:
        for number in range(count):
            pipe.put([b"%d" % number, b"x" * 1000])

    bringer = Background(put)
    until = time.monotonic() + 4 * SOON
    while len(taken) < 2 * count:
        line = pipe.take(until)
        assert line is not None, "it stalls"
        taken.append(line)
    bringer.result()
    assert taken[::2] == [b"%d" % number for number in range(count)]
