"""The thread that receives over HTTP, at a scripted server."""

from __future__ import annotations

import socket
import threading
from typing import Any, Callable, List, Optional

import pytest

from keyyo_cti.clock import NEVER
from keyyo_cti.sockjs.abort import Abort
from keyyo_cti.sockjs.errors import Closed, SockJSError
from keyyo_cti.sockjs.xhr_pipe import BACKLOG, Pipe
from keyyo_cti.sockjs.xhr_receiver import Receiver

from ..wire.peer import Peer, Script, reset
from ..wire.probe import Record
from .background import A_WHILE, SOON, Hand
from .xhr_peer import PRELUDE, Post, answer, begin_stream, chunk, post, setting


class Receiving:
    """A receiver, and what comes out of it. Its clock stands still unless it is set."""

    def __init__(self, peer: Peer, until: Optional[float] = None, **limits: Any) -> None:
        self.clock = Hand()
        self.abort = Abort()
        self.pipe = Pipe(self.clock)
        self.setting = setting(peer, self.clock, self.abort, **limits)
        url = f"{peer.endpoint}/000/s/xhr"
        self.receiver = Receiver(self.setting, self.setting.route, url, self.pipe)
        self._until = self.clock() + SOON if until is None else until

    def __enter__(self) -> Receiving:
        self.receiver.start(self._until)
        return self

    def __exit__(self, *_: Any) -> None:
        self.abort.pull()
        self.pipe.discard()
        self.receiver.join()
        assert not [each for each in threading.enumerate() if each.name == Receiver.name]

    def lines(self, count: int) -> List[bytes]:
        got = [self.pipe.take(self.clock() + SOON) for _ in range(count)]
        assert None not in got, got
        return [line for line in got if line is not None]

    def end(self) -> Closed:
        """How it ended, with nothing received before."""
        with pytest.raises(SockJSError) as caught:
            line = self.pipe.take(self.clock() + SOON)
            raise AssertionError(f"it goes on: {line!r}")
        return caught.value.closed


def serving(*answers: Any, posts: Optional[Record] = None) -> Peer:
    """A peer that answers one request after another on each connection, and then stays silent:
    with a body, or by a script."""

    def serve(sock: socket.socket) -> None:
        for each in answers:
            asked = post(sock)
            if posts is not None:
                posts.add(asked)
            if callable(each):
                each(sock)
            else:
                answer(sock, each)
        if posts is not None:
            posts.add(post(sock))
        peer.stall(sock)

    peer = Peer(serve)
    return peer


# The request.


def test_request() -> None:
    """What is asked for is asked by a POST without a body, uncompressed, with the cookies."""
    posts = Record()
    with serving("o\n", posts=posts) as peer:
        receiving = Receiving(peer)
        receiving.setting.cookies.set("JSESSIONID", "here", domain="127.0.0.1", path="/")
        with receiving:
            assert receiving.lines(1) == [b"o"]
            asked: Post = posts.wait_for_count(1)[0]
    assert asked.path == "/cti/000/s/xhr"
    assert asked.body == ""
    assert asked.header("Content-Length") == "0"
    assert asked.header("Accept-Encoding") == "identity"
    assert asked.header("Cookie") == "JSESSIONID=here"


def test_cookies_of_the_answer() -> None:
    """A cookie that comes with an answer is in the jar that the sender shares."""
    with serving(lambda sock: answer(sock, "o\n", headers="Set-Cookie: a=b; Path=/\r\n")) as peer:
        with Receiving(peer) as receiving:
            receiving.lines(1)
            assert receiving.setting.cookies.get_dict() == {"a": "b"}


def test_one_after_another() -> None:
    """After each answer the same is asked again, over the same connection, and not before its
    end."""
    posts, may_end = Record(), threading.Event()

    def stream(sock: socket.socket) -> None:
        begin_stream(sock)
        chunk(sock, "o\n")
        assert may_end.wait(SOON)
        chunk(sock, "")

    with serving(stream, "h\n", posts=posts) as peer, Receiving(peer) as receiving:
        assert receiving.lines(1) == [b"o"]
        assert len(posts.items) == 1
        may_end.set()
        assert receiving.lines(1) == [b"h"]
        posts.wait_for_count(3)


# The answer.


def test_several_frames_in_one_answer() -> None:
    """An answer may hold several frames, the prelude first; each comes out as it was sent."""
    body = PRELUDE + b'o\na["1"]\n\na["2\xe2\x80\xa8\xc2\x85\r"]\nh\n'
    with serving(body) as peer, Receiving(peer) as receiving:
        assert receiving.lines(6) == [
            PRELUDE[:-1], b"o", b'a["1"]', b"", b'a["2\xe2\x80\xa8\xc2\x85\r"]', b"h",
        ]


def test_frames_come_as_they_are_sent() -> None:
    """A frame comes out when it is whole, however it was cut, while the answer goes on."""
    taken = threading.Semaphore(0)

    def stream(sock: socket.socket) -> None:
        begin_stream(sock)
        for piece in (b'o\na["', b"\xe2\x80", b'\xa8"', b"]\nh\n"):
            chunk(sock, piece)
            if piece.endswith(b"\n") or piece.startswith(b"o"):
                assert taken.acquire(timeout=SOON)

    with serving(stream) as peer, Receiving(peer) as receiving:
        assert receiving.lines(1) == [b"o"]
        taken.release()
        assert receiving.lines(2) == [b'a["\xe2\x80\xa8"]', b"h"]
        taken.release()


def test_what_is_not_complete_is_dropped() -> None:
    """Half a frame at the end of an answer is none, and nothing of it gets into the next."""
    with serving('o\na["lo', 'a["x"]\n') as peer, Receiving(peer) as receiving:
        assert receiving.lines(2) == [b"o", b'a["x"]']


@pytest.mark.parametrize("status", ["204 No Content", "302 Found", "404 Not Found", "500 Oops"])
def test_status(status: str) -> None:
    """Any status but 200 is the end, and is told; a redirect is not followed."""
    posts = Record()

    def refuse(sock: socket.socket) -> None:
        answer(sock, b"", status, f"Location: {peer.endpoint}/elsewhere\r\n")

    peer = serving(refuse, posts=posts)
    with peer, Receiving(peer) as receiving:
        assert receiving.end() == Closed(1006, f"The server answers with status {status[:3]}")
        assert len(posts.items) == 1


@pytest.mark.parametrize("body", ["", "o", 'a["lost"]'])
def test_no_frame(body: str) -> None:
    """A server that answers without a frame is not asked again and again."""
    with serving(body, body) as peer, Receiving(peer) as receiving:
        assert receiving.end() == Closed(1006, "Connection lost: an answer without a frame")


# Ends.


def hang_up(sock: socket.socket) -> None:
    begin_stream(sock)
    chunk(sock, "o\n")
    sock.close()


def break_off(sock: socket.socket) -> None:
    begin_stream(sock)
    chunk(sock, "o\n")
    reset(sock)


def garble(sock: socket.socket) -> None:
    begin_stream(sock)
    chunk(sock, "o\n")
    sock.sendall(b"zz\r\n")


def cut_short(sock: socket.socket) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\no\n")
    sock.close()


@pytest.mark.parametrize("script", [hang_up, break_off, garble, cut_short])
def test_an_answer_that_breaks(script: Script) -> None:
    """An answer that does not come to its end is a lost connection, with a cause, in words that
    say nothing of objects."""
    with serving(script) as peer, Receiving(peer) as receiving:
        assert receiving.lines(1) == [b"o"]
        closed = receiving.end()
    assert closed.code == 1006 and closed.cause is not None
    assert closed.reason.startswith("Connection lost: ")
    assert "object" not in closed.reason and " at 0x" not in closed.reason


def test_reset() -> None:
    """A reset is told as what it is."""
    with serving(reset) as peer, Receiving(peer) as receiving:
        assert receiving.end() == Closed(1006, "Connection lost: Connection reset by peer")


def test_nobody_there() -> None:
    """Where nobody listens, the phase and the place are told."""
    with serving() as peer:
        receiving, where = Receiving(peer), f"127.0.0.1:{peer.port}"
    with receiving:
        assert receiving.end() == Closed(1002, f"connecting to {where}: Connection refused")


def test_no_answer_in_time() -> None:
    """A server that does not begin a first answer in time is given up."""
    with Peer(lambda sock: peer.stall(sock)) as peer:
        with Receiving(peer, until=Hand().time + A_WHILE) as receiving:
            assert receiving.end() == Closed(1006, "Connection lost: no answer in time")


def test_silence_later() -> None:
    """Once a first answer has begun, its silence has no end here, and neither has that of the
    answers after it: liveness sees to it."""
    may_go_on = threading.Semaphore(0)

    def stream(sock: socket.socket) -> None:
        begin_stream(sock)
        for line in ("o\n", "h\n", "h\n"):
            chunk(sock, line)
            assert may_go_on.acquire(timeout=SOON)
        chunk(sock, "")

    def late(sock: socket.socket) -> None:
        assert may_go_on.acquire(timeout=SOON)
        answer(sock, "h\n")

    with serving(stream, late, late) as peer, Receiving(peer) as receiving:
        for _ in range(3):
            receiving.lines(1)
            receiving.clock.time += 1000
            may_go_on.release()
        for _ in range(2):
            receiving.clock.time += 1000
            may_go_on.release()
            assert receiving.lines(1) == [b"h"]


def close_after(sock: socket.socket) -> None:
    answer(sock, "h\n", headers="Connection: close\r\n")
    sock.close()


def test_a_connection_for_each_answer() -> None:
    """A server that closes after each answer is connected to again, however late it is."""
    with serving(close_after) as peer, Receiving(peer) as receiving:
        for _ in range(3):
            assert receiving.lines(1) == [b"h"]
            receiving.clock.time += 1000


@pytest.mark.parametrize("until", [NEVER, 100.0 + SOON])
def test_connecting_again_takes_a_write_timeout_at_most(until: float) -> None:
    """Each connection has as long as a write to be made, and the first one not longer than its
    answer has."""
    asked: List[float] = []

    def open_stream(until: float) -> Any:
        asked.append(until)
        raise SockJSError(1002, "no way")

    with serving() as peer:
        receiving = Receiving(peer, until=until, write_timeout=30.0)
        receiving.setting.route.open = open_stream  # type: ignore[assignment, method-assign]
        with receiving:
            assert receiving.end() == Closed(1002, "no way")
    assert asked == [min(until, 130.0)]


# Sizes.


def long_tail(size: int) -> Callable[[socket.socket], None]:
    """A script: a frame, and bytes that never become one."""
    return lambda sock: answer(sock, b"h\n" + b"x" * size)


def test_message_of_the_greatest_size() -> None:
    """A message may have as many bytes as is allowed."""
    with serving(long_tail(200_000), "o\n") as peer:
        with Receiving(peer, max_message_size=200_000) as receiving:
            assert receiving.lines(2) == [b"h", b"o"]


def test_message_that_is_too_long() -> None:
    """One byte more is too much, and is not waited for to its end."""
    with serving(long_tail(200_001), "o\n") as peer:
        with Receiving(peer, max_message_size=200_000) as receiving:
            assert receiving.lines(1) == [b"h"]
            assert receiving.end() == Closed(1009, "A message of more than 200000 bytes")


def test_endless_headers() -> None:
    """Headers that do not end are refused."""

    def endless(sock: socket.socket) -> None:
        while True:
            sock.sendall(b"HTTP/1.1 100 Continue\r\n" + b"X: y\r\n" * 200 + b"\r\n")

    with serving(endless) as peer, Receiving(peer) as receiving:
        closed = receiving.end()
    assert closed.code == 1006 and closed.reason.startswith("Connection lost: ")


def test_back_pressure() -> None:
    """While nobody takes what came, nothing more is read, so that the server has to wait; then
    all of it comes."""
    stuck, line = threading.Event(), b"x" * 65_535 + b"\n"
    count = 40 * BACKLOG // len(line)

    def flood(sock: socket.socket) -> None:
        begin_stream(sock)
        sock.settimeout(A_WHILE)
        data = b"".join(b"%x\r\n%b\r\n" % (len(line), line) for _ in range(count))
        left = memoryview(data)
        while left:
            try:
                left = left[sock.send(left) :]
            except socket.timeout:
                stuck.set()

    with serving(flood) as peer, Receiving(peer) as receiving:
        assert stuck.wait(SOON)
        assert set(receiving.lines(count)) == {line[:-1]}


# What is heard, and leaving.


def test_heard_at() -> None:
    """What comes is life, at the time it comes, and its end is not; before anything has come, it
    is the beginning that counts."""
    may_go_on = threading.Semaphore(0)

    def stream(sock: socket.socket) -> None:
        begin_stream(sock)
        for line in ("o\n", "h\n"):
            chunk(sock, line)
            assert may_go_on.acquire(timeout=SOON)
        sock.close()

    with serving(stream) as peer:
        receiving = Receiving(peer, until=NEVER)
        receiving.clock.time = 110.0
        assert receiving.receiver.heard_at == 100.0
        with receiving:
            for now in (110.0, 130.0):
                receiving.lines(1)
                assert receiving.receiver.heard_at == now
                receiving.clock.time += 20
                may_go_on.release()
            receiving.end()
            assert receiving.receiver.heard_at == 130.0


def test_heard_at_while_connecting_again() -> None:
    """While a new connection is made, the last bytes of the one before it still count."""
    with serving(close_after) as peer, Receiving(peer) as receiving:
        receiving.lines(1)
        stream_of = receiving.setting.route.open
        connecting, may_connect = threading.Event(), threading.Event()

        def open_late(until: float) -> Any:
            connecting.set()
            assert may_connect.wait(SOON)
            return stream_of(until)

        receiving.setting.route.open = open_late  # type: ignore[assignment, method-assign]
        receiving.lines(1)
        assert connecting.wait(SOON)
        receiving.clock.time = 200.0
        assert receiving.receiver.heard_at == 100.0
        may_connect.set()
        receiving.lines(1)


def test_leaving() -> None:
    """When nobody wants it any more, the answer under way is cut off: the server sees the end
    of its connection."""
    left = threading.Event()

    def stream(sock: socket.socket) -> None:
        begin_stream(sock)
        chunk(sock, "o\n")
        while sock.recv(100):
            pass
        left.set()

    with serving(stream) as peer:
        with Receiving(peer) as receiving:
            receiving.lines(1)
        assert left.wait(SOON)


def test_leaving_between_two_answers() -> None:
    """After discarding, what was asked for last is not asked for again."""
    posts, asked = Record(), threading.Event()

    def late(sock: socket.socket) -> None:
        asked.set()
        assert discarded.wait(SOON)
        answer(sock, "h\n")

    discarded = threading.Event()
    with serving("o\n", late, posts=posts) as peer, Receiving(peer) as receiving:
        receiving.lines(1)
        assert asked.wait(SOON)
        receiving.pipe.discard()
        discarded.set()
        receiving.receiver.join()
        assert [each for each in threading.enumerate() if each.name == Receiver.name] == []
        assert len(posts.items) == 2


def test_thread() -> None:
    """It is one daemon thread with a name, and none before it is started."""
    with serving("o\n") as peer:
        receiving = Receiving(peer)
        receiving.receiver.join()
        with receiving:
            receiving.lines(1)
            threads = [each for each in threading.enumerate() if each.name == "keyyo-cti-receiver"]
            assert [thread.daemon for thread in threads] == [True]
