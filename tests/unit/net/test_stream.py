"""Streams, plain and with TLS: every wait has an end, and no write is mixed with another."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import selectors
import socket
import ssl
import struct
import threading
import time
from typing import Any, Iterator, List, Optional, Tuple

import pytest
import trustme

from keyyo_cti._net import stream as stream_module
from keyyo_cti._net.cancellation import CancelToken
from keyyo_cti._net.clock import NEVER
from keyyo_cti._net.reentrant import Wakeup
from keyyo_cti._net.stream import EarlyBytes, Stream, TooLarge, WriteFailed

from ...helpers.background import SOON, Background, Hand

#: More than any pair of sockets holds.
MUCH = b"x" * (16 * 1024 * 1024)


class Contexts:
    """One authority, and what the two sides make of it."""

    def __init__(self) -> None:
        authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost", key_type=trustme.KeyType.ECDSA).configure_cert(
            self.server
        )
        self.client = ssl.create_default_context()
        authority.configure_trust(self.client)


@pytest.fixture(scope="module")
def contexts() -> Contexts:
    return Contexts()


class Ends:
    """A stream and the socket at its other end, which blocks, but not for ever."""

    def __init__(self, write_timeout: float = SOON) -> None:
        near, self.peer = socket.socketpair()
        near.setblocking(False)
        self.peer.settimeout(SOON)
        self.cancel_token = CancelToken()
        self.stream = Stream(near, self.cancel_token, write_timeout, time.monotonic)
        self.stream.read_until = time.monotonic() + SOON

    def secure(self, contexts: Contexts) -> None:
        shaking = Background(self._accept, contexts.server)
        self.stream.secure(contexts.client, "localhost")
        shaking.result()

    def _accept(self, context: ssl.SSLContext) -> None:
        self.peer = context.wrap_socket(self.peer, server_side=True)

    def close(self) -> None:
        self.cancel_token.cancel()
        self.stream.close()
        self.peer.close()


@pytest.fixture
def plain() -> Iterator[Ends]:
    ends = Ends()
    yield ends
    ends.close()


@pytest.fixture(params=["plain", "tls"])
def ends(request: Any, contexts: Contexts) -> Iterator[Ends]:
    ends = Ends()
    if request.param == "tls":
        ends.secure(contexts)
    yield ends
    ends.close()


def read(sock: socket.socket, size: int) -> bytes:
    """So many bytes from the peer's side."""
    got = bytearray()
    while len(got) < size:
        chunk = sock.recv(min(size - len(got), 1 << 20))
        assert chunk, f"the end after {len(got)} bytes"
        got += chunk
    return bytes(got)


def receive(stream: Stream, size: int) -> bytes:
    """So many bytes from the stream."""
    got = bytearray()
    while len(got) < size:
        chunk = stream.recv(size - len(got))
        assert chunk, f"the end after {len(got)} bytes"
        got += chunk
    return bytes(got)


def blocked_writer(ends: Ends) -> Background:
    """A write that has begun and cannot end, because the peer does not go on reading."""
    writer = Background(ends.stream.sendall, MUCH)
    assert ends.peer.recv(1) == b"x"
    return writer


# Reading.


def test_both_ways(ends: Ends) -> None:
    """What is written at one end is read at the other."""
    ends.stream.sendall(b"question")
    assert read(ends.peer, 8) == b"question"
    ends.peer.sendall(b"answer")
    assert receive(ends.stream, 6) == b"answer"


def test_small_reads(ends: Ends) -> None:
    """A read gives no more than was asked for, and loses nothing of what came with it."""
    ends.peer.sendall(b"abcdefg")
    assert [receive(ends.stream, size) for size in (1, 2, 3)] == [b"a", b"bc", b"def"]
    assert ends.stream.recv(100) == b"g"


@pytest.mark.fault(9)
def test_one_tls_record(ends: Ends) -> None:
    """Three messages that came in one TLS record come out without another wait, though the
    socket itself has nothing more to read."""
    ends.peer.sendall(b"one" + b"two" + b"three")
    assert receive(ends.stream, 3) == b"one"
    ends.stream.read_until = 0.0
    assert ends.stream.recv(3) == b"two"
    assert ends.stream.recv(5) == b"three"
    with pytest.raises(socket.timeout):
        ends.stream.recv(1)


def test_what_is_there_is_read_after_the_deadline(plain: Ends) -> None:
    """A deadline that has passed ends the waiting, not the reading."""
    plain.peer.sendall(b"here")
    plain.stream.read_until = 0.0
    assert plain.stream.recv(4) == b"here"


def test_look_before_taking(ends: Ends) -> None:
    """What one read has brought can be looked at, and is there until it is taken."""
    ends.peer.sendall(b"abcdef")
    ends.stream.fill()
    assert [ends.stream.peek(), ends.stream.peek()] == [(b"abcdef", 0)] * 2
    ends.stream.skip(3)
    assert [ends.stream.peek(), ends.stream.recv(2)] == [(b"abcdef", 3), b"de"]
    ends.stream.fill()
    assert ends.stream.peek() == (b"abcdef", 5), "it reads no more while there is something"
    ends.stream.skip(1)
    assert ends.stream.peek() == (b"abcdef", 6)
    ends.peer.sendall(b"next")
    ends.stream.fill()
    assert ends.stream.peek() == (b"next", 0)


def test_nothing_to_look_at(plain: Ends) -> None:
    """To wait for something to look at has its end, as reading has; then there is nothing."""
    plain.stream.read_until = time.monotonic()
    with pytest.raises(socket.timeout):
        plain.stream.fill()
    plain.peer.close()
    plain.stream.read_until = time.monotonic() + SOON
    plain.stream.fill()
    assert plain.stream.peek() == (b"", 0) and plain.stream.recv(9) == b""


def test_nothing_is_tried_in_vain() -> None:
    """After a read that brought less than it could, who reads waits first: to try would cost as
    much as to wait. After a full one there may be more."""
    tried: List[int] = []

    class Counting(socket.socket):
        def recv(self, size: int, flags: int = 0) -> bytes:
            data = super().recv(size, flags)
            tried.append(len(data))
            return data

    near, peer = socket.socketpair()
    counting = Counting(fileno=near.detach())
    counting.setblocking(False)
    stream = Stream(counting, CancelToken(), SOON, time.monotonic)
    stream.read_until = time.monotonic() + SOON
    for data in (b"one", b"two", b"three"):
        peer.sendall(data)
        assert stream.recv(9) == data
    for _ in range(2):
        # One wait for nothing, and no try, leaves nothing behind.
        stream.read_until = time.monotonic()
        with pytest.raises(socket.timeout):
            stream.recv(9)
    assert tried == [3, 3, 5]
    writer = Background(peer.sendall, b"x" * 200_000)
    stream.read_until = time.monotonic() + SOON
    assert receive(stream, 200_000) == b"x" * 200_000
    writer.result()
    stream.close()
    peer.close()


def test_a_peer_that_never_pauses() -> None:
    """After its deadline a read takes what is there once, and then gives up, however much there
    is; with another deadline it goes on."""
    clock = Hand()
    near, peer = socket.socketpair()
    near.setblocking(False)
    stream = Stream(near, CancelToken(), SOON, clock)
    try:
        for _ in range(2):
            stream.read_until = clock() - 1
            for _ in range(2):
                peer.sendall(b"x")
                first = stream.recv(100)
                peer.sendall(b"y")
                with pytest.raises(socket.timeout):
                    stream.recv(100)
                stream.read_until = clock() - 2
                assert (first, stream.recv(100)) == (b"x", b"y")
                stream.read_until = clock() + SOON
                peer.sendall(b"z")
                assert stream.recv(100) == b"z"
                stream.read_until = clock() - 1
    finally:
        stream.close()
        peer.close()


def test_how_long_is_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read without a deadline waits without an end, and a write as long as the stream says, or
    as it is told."""
    waits: List[Optional[float]] = []

    class Asked(selectors.PollSelector):
        def select(self, timeout: Optional[float] = None) -> Any:
            waits.append(timeout)
            return []

    monkeypatch.setattr(stream_module, "Selector", Asked)
    for within in ((), (None,), (7.0,)):
        near, peer = socket.socketpair()
        near.setblocking(False)
        with near, peer:
            stream = Stream(near, CancelToken(), 60.0, Hand())
            with pytest.raises(socket.timeout):
                stream.recv(1)
            with pytest.raises(WriteFailed):
                stream.sendall(MUCH, *within)
    assert waits == [None, 60.0, None, 60.0, None, 7.0]


def test_high_descriptor() -> None:
    """A descriptor above 1023, as in a program with many lines, is waited on like any other."""
    low, high = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(low, 3000), high), high))
    near, peer = socket.socketpair()
    with near, peer:
        os.dup2(near.fileno(), 2000)
        stream = Stream(socket.socket(fileno=2000), CancelToken(), SOON, time.monotonic)
        stream._sock.setblocking(False)
        reader = Background(stream.recv, 1)
        assert reader.waits()
        peer.sendall(b"x")
        assert reader.result() == b"x"
        stream.close()


def test_read_deadline(ends: Ends) -> None:
    """A read gives up at its deadline, and a later one goes on."""
    until = ends.stream.read_until = time.monotonic() + 0.05
    reader = Background(ends.stream.recv, 1)
    assert isinstance(reader.error(), socket.timeout)
    assert time.monotonic() >= until and reader.seconds < SOON / 2
    ends.peer.sendall(b"x")
    ends.stream.read_until = time.monotonic() + SOON
    assert ends.stream.recv(1) == b"x"


def test_no_read_deadline(plain: Ends) -> None:
    """Without a deadline a read waits for what comes."""
    plain.stream.read_until = NEVER
    reader = Background(plain.stream.recv, 1)
    plain.peer.sendall(b"x")
    assert reader.result() == b"x"


def test_end(ends: Ends) -> None:
    """When the peer has closed, what it wrote before is read, and then nothing."""
    ends.peer.sendall(b"bye")
    ends.peer.close()
    assert receive(ends.stream, 3) == b"bye"
    assert not ends.stream.ended
    assert ends.stream.recv(1) == b"" and ends.stream.ended
    assert ends.stream.recv(1) == b""


def test_broken_pipe_on_a_tls_read_is_the_end(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL 3.6 raises it where the peer leaves without TLS's own farewell."""

    def recv(*_: Any) -> bytes:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    ends.peer.sendall(b"bye")
    assert receive(ends.stream, 3) == b"bye"
    ends.peer.sendall(b"!")
    kind = type(getattr(ends.stream, "_sock"))
    monkeypatch.setattr(kind, "recv", recv, raising=False)
    if kind is ssl.SSLSocket:
        assert ends.stream.recv(1) == b"" and ends.stream.ended
    else:
        with pytest.raises(BrokenPipeError):
            ends.stream.recv(1)


@pytest.mark.fault(6)
def test_heard_at() -> None:
    """Any bytes are life, at the time they come, and what is only handed out later is not."""
    now = [100.0]
    near, peer = socket.socketpair()
    near.setblocking(False)
    stream = Stream(near, CancelToken(), SOON, lambda: now[0])
    try:
        assert stream.last_received_at == 100
        peer.sendall(b"half a mess")
        now[0] = 110
        stream.recv(4)
        now[0] = 120
        stream.recv(4)
        assert stream.last_received_at == 110
        peer.close()
        stream.recv(100)
        assert stream.recv(1) == b""
        assert stream.last_received_at == 110
    finally:
        stream.close()
        peer.close()


@pytest.mark.fault(58)
def test_last_received_at_is_before_the_read() -> None:
    """Bytes that arrive while other threads keep the reader from going on are not read yet."""
    now = [100.0]

    class Late(socket.socket):
        def recv(self, size: int, flags: int = 0) -> bytes:
            data = super().recv(size, flags)
            now[0] += 5
            return data

    near, peer = socket.socketpair()
    late = Late(fileno=near.detach())
    late.setblocking(False)
    stream = Stream(late, CancelToken(), SOON, lambda: now[0])
    with contextlib.closing(stream), contextlib.closing(peer):
        peer.sendall(b"!")
        now[0] = 110
        assert stream.recv(1) == b"!"
        assert (stream.last_received_at, now) == (110, [115])


def test_allowance(plain: Ends) -> None:
    """As many bytes as are allowed can be read, and not one more."""
    plain.stream.bytes_left = 5
    plain.peer.sendall(b"12345")
    assert receive(plain.stream, 5) == b"12345"
    assert plain.stream.bytes_left == 0
    plain.peer.sendall(b"67")
    with pytest.raises(TooLarge):
        plain.stream.recv(1)
    with pytest.raises(TooLarge):
        plain.stream.makefile("rb").read(1)


def test_allowance_raised(plain: Ends) -> None:
    """The allowance can be raised on the way; an end uses none of it."""
    plain.stream.bytes_left = 2
    plain.peer.sendall(b"1234")
    assert receive(plain.stream, 2) == b"12"
    plain.stream.bytes_left += 2
    assert receive(plain.stream, 2) == b"34"
    plain.peer.close()
    assert plain.stream.recv(1) == b""


# Writing.


def test_on_write(plain: Ends) -> None:
    """Before anything is written, whoever wants to is told, in the thread that writes."""
    told: List[Any] = []

    def tell() -> None:
        plain.peer.setblocking(False)
        with pytest.raises(BlockingIOError):
            plain.peer.recv(1)
        plain.peer.settimeout(SOON)
        told.append(threading.current_thread())

    plain.stream.sendall(b"1")
    assert read(plain.peer, 1) == b"1"
    plain.stream.on_write = tell
    plain.stream.sendall(b"2")
    assert told == [threading.current_thread()]
    assert read(plain.peer, 1) == b"2"


@pytest.mark.parametrize("data", [b"", b"x", bytearray(b"abc"), memoryview(b"abc")])
def test_kinds_of_bytes(ends: Ends, data: Any) -> None:
    """Any bytes can be written, none at all too."""
    ends.stream.sendall(data)
    ends.stream.sendall(b".")
    assert read(ends.peer, len(data) + 1) == bytes(data) + b"."


def test_send(plain: Ends) -> None:
    """send is for libraries that ask how much was written: all of it."""
    assert plain.stream.send(b"abc") == 3
    assert read(plain.peer, 3) == b"abc"


def test_slow_peer(ends: Ends) -> None:
    """More than the socket holds is written piece by piece as the peer reads."""
    data = bytes(range(256)) * 16_384
    writer = Background(ends.stream.sendall, data)
    assert read(ends.peer, len(data)) == data
    assert writer.result() is None


def test_write_while_reading(ends: Ends) -> None:
    """A read that waits keeps no write waiting."""
    reading = threading.Event()

    def wait() -> bytes:
        reading.set()
        return ends.stream.recv(1)

    reader = Background(wait)
    assert reading.wait(SOON)
    for _ in range(100):
        ends.stream.sendall(b"ping")
        assert read(ends.peer, 4) == b"ping"
    ends.peer.sendall(b"!")
    assert reader.result() == b"!"


def test_peer_that_does_not_read(ends: Ends) -> None:
    """A write that is stuck fails at its deadline and says that it had begun; after it, nothing
    more is written or read, and the reader is told what came first."""
    writer = Background(ends.stream.sendall, MUCH, 0.1)
    error = writer.error()
    assert isinstance(error, WriteFailed)
    assert error.begun
    assert 0.09 < writer.seconds < 2
    with pytest.raises(WriteFailed, match="^writing failed: timed out$") as again:
        ends.stream.sendall(b"more")
    assert not again.value.begun
    with pytest.raises(OSError, match="writing failed: timed out"):
        ends.stream.recv(1)


def test_write_timeout_by_default() -> None:
    """Without a time of its own, a write has that of the stream."""
    ends = Ends(write_timeout=0.1)
    try:
        writer = Background(ends.stream.sendall, MUCH)
        assert isinstance(writer.error(), WriteFailed)
        assert writer.seconds < 2
    finally:
        ends.close()


def test_no_time_to_write(ends: Ends) -> None:
    """A write without any time goes through when there is room, and fails with WriteFailed when
    there is none."""
    ends.stream.sendall(b"x", within=0.0)
    assert read(ends.peer, 1) == b"x"
    with pytest.raises(WriteFailed):
        ends.stream.sendall(MUCH, within=0.0)


def test_a_clock_that_jumps() -> None:
    """When the machine sleeps between two looks at the clock, a write fails as any late one."""
    now = [0.0]

    def jumping() -> float:
        now[0] += 3600
        return now[0]

    near, peer = socket.socketpair()
    near.setblocking(False)
    stream = Stream(near, CancelToken(), SOON, jumping)
    try:
        with pytest.raises(WriteFailed):
            stream.sendall(MUCH)
    finally:
        stream.close()
        peer.close()


def test_another_write_does_not_end(ends: Ends) -> None:
    """Who waits behind a stuck write gives up at his own deadline, and has begun nothing."""
    writer = blocked_writer(ends)
    other = Background(ends.stream.sendall, b"x", 0.05)
    error = other.error()
    assert isinstance(error, WriteFailed)
    assert str(error) == "another thread's write does not end"
    assert not error.begun
    assert other.seconds < 2
    ends.cancel_token.cancel()
    assert isinstance(writer.error(), WriteFailed)


def test_peer_that_is_gone(ends: Ends) -> None:
    """A write to a peer that has closed fails with WriteFailed, sooner or later."""
    ends.peer.close()
    with pytest.raises(WriteFailed):
        for _ in range(100):
            ends.stream.sendall(b"x" * 100_000)


@pytest.mark.fault(10)
@pytest.mark.parametrize("sizes", [[1, 100, 5000], [200_000]])
def test_writes_are_not_mixed(ends: Ends, sizes: List[int]) -> None:
    """16 threads write large buffers at once while another one reads: no buffer is mixed with
    another, and each thread's come in its order."""
    rounds = 6
    total = 16 * rounds * sum(9 + size for size in sizes)
    barrier = threading.Barrier(17)

    def echo() -> None:
        left = total
        while left:
            chunk = ends.peer.recv(1 << 16)
            assert chunk
            ends.peer.sendall(chunk)
            left -= len(chunk)

    def write(name: int) -> None:
        barrier.wait(SOON)
        for turn in range(rounds):
            for size in sizes:
                head = struct.pack("!BII", name, turn, size)
                ends.stream.sendall(head + bytes([name]) * size)

    ends.stream.read_until = time.monotonic() + 2 * SOON
    echoing = Background(echo)
    writers = [Background(write, name) for name in range(16)]
    barrier.wait(SOON)
    seen: List[List[Tuple[int, int]]] = [[] for _ in range(16)]
    for _ in range(16 * rounds * len(sizes)):
        name, turn, size = struct.unpack("!BII", receive(ends.stream, 9))
        assert receive(ends.stream, size) == bytes([name]) * size
        seen[name].append((turn, size))
    for writer in writers:
        writer.result()
    echoing.result()
    assert seen == [[(turn, size) for turn in range(rounds) for size in sizes]] * 16


# Ends.


def test_abort_while_reading(ends: Ends) -> None:
    """A pull from another thread ends a read that waits."""
    reading = threading.Event()

    def wait() -> bytes:
        reading.set()
        return ends.stream.recv(1)

    reader = Background(wait)
    assert reading.wait(SOON)
    ends.cancel_token.cancel()
    error = reader.error()
    assert reader.seconds < 2
    assert isinstance(error, OSError) or reader.result() == b""


def test_abort_while_writing(ends: Ends) -> None:
    """A pull from another thread ends a write that is stuck, which says that it had begun."""
    writer = blocked_writer(ends)
    ends.cancel_token.cancel()
    error = writer.error()
    assert isinstance(error, WriteFailed)
    assert error.begun
    assert writer.seconds < 2


def test_abort_before(ends: Ends) -> None:
    """After a pull nothing waits. Nothing of a write has left then; through TLS, nobody can be
    sure of that."""
    ends.cancel_token.cancel()
    with pytest.raises(WriteFailed) as caught:
        ends.stream.sendall(b"x")
    assert caught.value.begun is isinstance(ends.stream._sock, ssl.SSLSocket)
    try:
        assert ends.stream.recv(1) == b""
    except OSError as error:
        assert not isinstance(error, socket.timeout)


def test_nothing_is_read_after_a_pull(ends: Ends) -> None:
    """After a pull nothing is read, also of what had come before."""
    ends.peer.sendall(b"abc")
    assert ends.stream.recv(1) == b"a"
    ends.peer.sendall(b"def")
    ends.cancel_token.cancel()
    assert ends.stream.recv(100) == b"bc"
    assert ends.stream.recv(100) == b""
    assert ends.stream.recv(100) == b""


def test_stream_of_a_pulled_handle() -> None:
    """A stream that is made after the pull is shut from the start."""
    near, peer = socket.socketpair()
    near.setblocking(False)
    cancel_token = CancelToken()
    cancel_token.cancel()
    stream = Stream(near, cancel_token, SOON, time.monotonic)
    try:
        assert stream.recv(1) == b""
        peer.settimeout(SOON)
        assert peer.recv(1) == b""
    finally:
        stream.close()
        peer.close()


def test_the_peer_sees_the_abort(plain: Ends) -> None:
    """A pull ends the connection for the peer too."""
    plain.cancel_token.cancel()
    assert plain.peer.recv(1) == b""


def test_close(ends: Ends) -> None:
    """A closed stream has no descriptor, can be closed again, and is not touched by a pull."""
    assert ends.stream.fileno() >= 0
    ends.stream.close()
    assert ends.stream.fileno() == -1
    ends.stream.close()
    assert getattr(ends.cancel_token, "_hooks") == []
    ends.cancel_token.cancel()
    with pytest.raises(WriteFailed):
        ends.stream.sendall(b"x")


def test_close_under_a_stuck_write(ends: Ends) -> None:
    """When the reader closes the stream, a write of another thread that is stuck ends at once,
    and the peer sees the end."""
    writer = blocked_writer(ends)
    assert writer.waits()
    ends.stream.close()
    error = writer.error()
    assert isinstance(error, WriteFailed)
    assert writer.seconds < 2


def test_close_just_before_a_writer_waits() -> None:
    """When the reader closes the stream just before a writer begins to wait, the write fails
    with WriteFailed as any other."""

    class Full(socket.socket):
        def send(self, *_: Any) -> int:
            streams[0].close()
            raise BlockingIOError

    near, peer = socket.socketpair()
    full = Full(fileno=near.detach())
    streams = [Stream(full, CancelToken(), SOON, time.monotonic)]
    try:
        with pytest.raises(WriteFailed):
            streams[0].sendall(b"x")
    finally:
        full.close()
        peer.close()


# TLS.


def test_secure_names_the_host(plain: Ends, contexts: Contexts) -> None:
    """A certificate of another host is refused."""
    shaking = Background(plain._accept, contexts.server)
    with pytest.raises(ssl.SSLCertVerificationError):
        plain.stream.secure(contexts.client, "example.com")
    plain.stream.close()
    assert isinstance(shaking.error(), OSError)


def test_secure_trusts_no_stranger(plain: Ends, contexts: Contexts) -> None:
    """A certificate of an unknown authority is refused."""
    shaking = Background(plain._accept, contexts.server)
    with pytest.raises(ssl.SSLCertVerificationError):
        plain.stream.secure(ssl.create_default_context(), "localhost")
    plain.stream.close()
    assert isinstance(shaking.error(), OSError)


def test_handshake_deadline(plain: Ends, contexts: Contexts) -> None:
    """A peer that does not answer the handshake is given up at the deadline."""
    plain.stream.read_until = time.monotonic() + 0.05
    shaking = Background(plain.stream.secure, contexts.client, "localhost")
    assert isinstance(shaking.error(), socket.timeout)
    assert shaking.seconds < 2


def test_abort_during_the_handshake(plain: Ends, contexts: Contexts) -> None:
    """A pull from another thread ends a handshake that waits."""
    shaking = Background(plain.stream.secure, contexts.client, "localhost")
    assert plain.peer.recv(1)
    plain.cancel_token.cancel()
    error = shaking.error()
    assert isinstance(error, OSError)
    assert not isinstance(error, socket.timeout)
    assert shaking.seconds < 2


def test_abort_before_the_handshake(plain: Ends, contexts: Contexts) -> None:
    """A handshake that begins after the pull ends at once."""
    plain.cancel_token.cancel()
    shaking = Background(plain.stream.secure, contexts.client, "localhost")
    assert isinstance(shaking.error(), OSError)
    assert shaking.seconds < 2


def test_abort_just_before_the_handshake(plain: Ends, contexts: Contexts) -> None:
    """A pull while the socket is made one of TLS, when neither of the two is there to be shut,
    ends the handshake too."""

    class Pulling:
        def wrap_socket(self, *arguments: Any, **named: Any) -> ssl.SSLSocket:
            tls = contexts.client.wrap_socket(*arguments, **named)
            plain.cancel_token.cancel()
            return tls

    context: Any = Pulling()
    shaking = Background(plain.stream.secure, context, "localhost")
    error = shaking.error()
    assert isinstance(error, OSError) and not isinstance(error, socket.timeout)


def test_peer_that_ends_the_handshake(plain: Ends, contexts: Contexts) -> None:
    """A peer that hangs up during the handshake is an OSError."""
    shaking = Background(plain.stream.secure, contexts.client, "localhost")
    assert plain.peer.recv(1)
    plain.peer.close()
    assert isinstance(shaking.error(), OSError)


def test_peer_that_speaks_no_tls(plain: Ends, contexts: Contexts) -> None:
    """A peer that answers in plain text is an SSLError."""
    plain.peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(ssl.SSLError):
        plain.stream.secure(contexts.client, "localhost")


@pytest.mark.fault(49)
@pytest.mark.parametrize("taken, left", [(0, 5), (4, 1)])
def test_secure_with_bytes_left_over_is_refused(
    plain: Ends, contexts: Contexts, taken: int, left: int
) -> None:
    """What came before TLS is not handed out as if TLS had proved who wrote it."""
    plain.peer.sendall(b"HTTP "[: taken + left])
    plain.stream.fill()
    plain.stream.skip(taken)
    with pytest.raises(EarlyBytes):
        plain.stream.secure(contexts.client, "localhost")
    plain.peer.setblocking(False)
    with pytest.raises(BlockingIOError):
        plain.peer.recv(1)  # Not even the first word of a handshake was said.


@pytest.mark.fault(49)
@pytest.mark.parametrize("read_before", [False, True])
def test_expect_silence_after_a_byte_raises(plain: Ends, read_before: bool) -> None:
    plain.stream.expect_silence()
    plain.peer.sendall(b"x")
    if read_before:
        plain.stream.fill()
    with pytest.raises(EarlyBytes):
        plain.stream.expect_silence()
    assert plain.stream.recv(9) == b"x"
    plain.peer.close()
    plain.stream.expect_silence()


# Interrupted.


class Raising(socket.socket):
    """A socket on which a signal handler raises behind the system call of a write."""

    #: True, False if it is full, or None if it is as any other.
    interrupted: Optional[bool] = True

    def send(self, data: Any, flags: int = 0) -> int:
        if self.interrupted is False:
            raise BlockingIOError
        sent = super().send(data, flags)
        if self.interrupted:
            raise KeyboardInterrupt
        return sent


@pytest.mark.fault(52)
@pytest.mark.parametrize("out", [True, False])
def test_interrupted_write_with_bytes_out_breaks_the_stream(
    out: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if nobody could tell any more how many; with none out, the next write goes on."""
    near, peer = socket.socketpair()
    raising = Raising(fileno=near.detach())
    raising.setblocking(False)
    raising.interrupted = out
    stream = Stream(raising, CancelToken(), SOON, time.monotonic)

    def select(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(selectors.PollSelector, "select", select)
    with stream_closed(stream, peer):
        with pytest.raises(KeyboardInterrupt):
            stream.sendall(b"half")
        monkeypatch.undo()
        assert stream.broken is out
        if out:
            with pytest.raises(WriteFailed, match="writing was interrupted") as caught:
                stream.sendall(b"other")
            assert not caught.value.begun
            assert peer.recv(9) == b"half" and peer.recv(9) == b""
            stream.read_until = time.monotonic() + SOON
            with pytest.raises(ConnectionAbortedError, match="interrupted"):
                stream.recv(1)
        else:
            raising.interrupted = None
            stream.sendall(b"whole")
            assert peer.recv(9) == b"whole"


@pytest.mark.parametrize("name, before", [("_send_some", b"thread "), ("_recv_some", b"")])
def test_write_of_a_signal_handler_follows_the_operation_that_it_interrupts(
    ends: Ends, monkeypatch: pytest.MonkeyPatch, name: str, before: bytes
) -> None:
    operation = getattr(ends.stream, name)

    def interrupt(*arguments: Any) -> Any:
        monkeypatch.undo()
        ends.stream.sendall(b"handler ")
        return operation(*arguments)

    monkeypatch.setattr(ends.stream, name, interrupt)
    if before:
        ends.stream.sendall(before)
    else:
        ends.peer.sendall(b"x")
        assert ends.stream.recv(1) == b"x"
    ends.stream.sendall(b"later")
    said = before + b"handler later"
    assert read(ends.peer, len(said)) == said


def test_write_of_a_signal_handler_that_fails_breaks_the_stream(plain: Ends) -> None:
    """The thread that it interrupted has written its own data, and does not fail."""

    def interrupt() -> None:
        plain.stream.on_write = None
        plain.stream.sendall(MUCH, within=0.0)
        plain.stream.sendall(b"handler")

    plain.stream.on_write = interrupt
    plain.stream.sendall(b"thread")
    assert plain.stream.broken and read(plain.peer, 6) == b"thread"
    with pytest.raises(WriteFailed) as caught:
        plain.stream.sendall(b"later")
    assert not caught.value.begun


@contextlib.contextmanager
def stream_closed(stream: Stream, peer: socket.socket) -> Iterator[None]:
    with peer:
        try:
            yield
        finally:
            stream.close()


@pytest.mark.fault(52)
def test_interrupted_while_another_thread_writes_leaves_its_write_alone(
    plain: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And whoever is interrupted in a wait for its turn leaves nobody behind it locked out."""
    writer = blocked_writer(plain)

    def wait_for(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(Wakeup, "wait_for", wait_for)
    with pytest.raises(KeyboardInterrupt):
        plain.stream.sendall(b"y")
    monkeypatch.undo()
    assert not plain.stream.broken
    read(plain.peer, len(MUCH) - 1)
    writer.result()
    plain.stream.sendall(b"z")
    assert plain.peer.recv(9) == b"z"


# What libraries ask for.


def test_makefile(ends: Ends) -> None:
    """http.client reads its answers through a file."""
    ends.peer.sendall(b"line 1\r\nline 2\r\nrest")
    ends.peer.close()
    with ends.stream.makefile("rb") as file:
        assert file.readline() == b"line 1\r\n"
        assert file.readline() == b"line 2\r\n"
        assert file.read() == b"rest"
        assert file.read() == b""


def test_a_file_keeps_the_stream(plain: Ends) -> None:
    """As long as a file is open on a closed stream, it can be read; then the stream is closed."""
    plain.peer.sendall(b"rest")
    one, other = plain.stream.makefile("rb"), plain.stream.makefile("rb")
    plain.stream.close()
    assert one.read(4) == b"rest"
    one.close()
    one.close()
    assert plain.stream.fileno() >= 0
    other.close()
    assert plain.stream.fileno() == -1


def test_a_closed_file_leaves_the_stream(plain: Ends) -> None:
    """A file that is closed, however often, leaves the stream open until that is closed."""
    file = plain.stream.makefile("rb")
    raw = file.raw
    file.close()
    raw.close()
    plain.peer.sendall(b"x")
    assert plain.stream.recv(1) == b"x"
    plain.stream.close()
    assert plain.stream.fileno() == -1


def test_file_keeps_the_deadline(plain: Ends) -> None:
    """A read through the file gives up at the stream's deadline."""
    plain.stream.read_until = time.monotonic() + 0.05
    with pytest.raises(socket.timeout):
        plain.stream.makefile("rb").read(1)


def test_timeouts_of_libraries(plain: Ends) -> None:
    """A library's own time-out is passed over: the stream has its deadlines."""
    timeout: object = getattr(plain.stream, "gettimeout")()
    assert timeout is None
    plain.stream.settimeout(0.0)
    reader = Background(plain.stream.recv, 1)
    plain.peer.sendall(b"x")
    assert reader.result() == b"x"
