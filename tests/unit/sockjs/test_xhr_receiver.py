"""The thread that receives over HTTP, at a scripted server."""

from __future__ import annotations

import socket
import threading
import time
from functools import partial
from typing import Any, Callable, Dict, List, Optional

import pytest

from keyyo_cti._net.cancellation import CancelToken
from keyyo_cti._net.clock import NEVER
from keyyo_cti._net.connect import ConnectFailed
from keyyo_cti._sockjs.errors import Closed, NotSockJS, SockJSError
from keyyo_cti._sockjs.xhr_pipe import MAX_PIPE_BYTES, Pipe
from keyyo_cti._sockjs.xhr_receiver import Receiver

from ...helpers.background import A_WHILE, SOON, Hand
from ...helpers.probe import Record, eventually
from ...helpers.tcp_peer import Peer, Script, reset
from .xhr_peer import PRELUDE, Post, answer, begin_stream, chunk, config, post


class Receiving:
    """A receiver, and what comes out of it. Its clock stands still unless it is set."""

    def __init__(self, peer: Peer, until: Optional[float] = None, **timeouts: Any) -> None:
        self.clock = Hand()
        self.cancel_token = CancelToken()
        self.pipe = Pipe(self.clock)
        self.config = config(peer, self.clock, self.cancel_token, **timeouts)
        url = f"{peer.endpoint}/000/s/xhr"
        self.receiver = Receiver(self.config, self.config.connector, url, self.pipe)
        self._until = self.clock() + SOON if until is None else until

    def __enter__(self) -> Receiving:
        self.receiver.start(self._until)
        return self

    def __exit__(self, *_: Any) -> None:
        self.cancel_token.cancel()
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
        receiving.config.cookies.set("JSESSIONID", "here", domain="127.0.0.1", path="/")
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
            assert receiving.config.cookies.get_dict() == {"a": "b"}


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
        assert receiving.end() == Closed(1006, "Connection lost: a response without a frame")


SCRIPT = "Content-Type: application/javascript; charset=UTF-8\r\n"
HTML = "Content-Type: text/html\r\n"
NO_SOCKJS = Closed(
    1006, "Connection lost: a response that is not SockJS, such as a page of a proxy")


@pytest.mark.fault(57)
@pytest.mark.parametrize("headers", ["", SCRIPT, HTML, "Content-Type: application/json\r\n"])
@pytest.mark.parametrize(
    "page",
    ["<html>\n<body>down</body>\n</html>\n", '{"error": "login"}\n', "ok\n", "hello\n",
     "offline\n", "x\n", "\n\n", "Down\nfor\nmaintenance\n"],
)
def test_page_instead_of_a_first_answer(page: str, headers: str) -> None:
    """A page is the end at once, and is not asked for again."""
    posts = Record()
    with serving(*[lambda sock: answer(sock, page, headers=headers)] * 9, posts=posts) as peer:
        with Receiving(peer) as receiving:
            with pytest.raises(SockJSError) as caught:
                while receiving.pipe.take(receiving.clock() + SOON) is not None:
                    pass
            assert caught.value.closed == NO_SOCKJS
            assert isinstance(caught.value.closed.cause, NotSockJS)
            assert receiving.receiver.last_received_at == receiving.clock() == 100.0
            receiving.receiver.join()
    assert len(posts.items) == 1


@pytest.mark.fault(57)
@pytest.mark.parametrize("headers", ["", HTML])
@pytest.mark.parametrize(
    "page", ["<html>\n", "alert(1)\n", "a[href]\n", 'a["cut\n', "h1\n", "o k\n"]
)
def test_page_instead_of_a_later_answer(page: str, headers: str) -> None:
    """So is one that comes later, and it is no sign of life."""
    come = threading.Event()

    def later(sock: socket.socket) -> None:
        assert come.wait(SOON)
        answer(sock, page, headers=headers)

    with serving("o\n", later) as peer, Receiving(peer) as receiving:
        assert receiving.lines(1) == [b"o"]
        receiving.clock.time += 50
        come.set()
        with pytest.raises(SockJSError) as caught:
            receiving.lines(2)
        assert caught.value.closed == NO_SOCKJS
        assert receiving.receiver.last_received_at == receiving.pipe.taken_at == 100.0


@pytest.mark.fault(57)
def test_page_that_never_ends() -> None:
    """A page is known by its first line, and is not waited for to its end."""

    def endless(sock: socket.socket) -> None:
        begin_stream(sock)
        chunk(sock, "<html>\n")
        peer.over.wait(SOON)

    peer = serving("o\n", endless)
    with peer, Receiving(peer) as receiving:
        receiving.lines(1)
        assert receiving.end() == NO_SOCKJS


def test_broken_frame_of_a_server_is_passed_over() -> None:
    """A server that declares SockJS's type may send what cannot be read, once."""
    junk = "x\n"
    answers = ["o\n", junk, junk, 'a["1"]\n', junk, 'a["2"]\n', junk, junk, junk, 'a["3"]\n']
    scripts = [
        (lambda sock, body=each: answer(sock, body, headers=SCRIPT)) for each in answers
    ]
    with serving(*scripts) as peer, Receiving(peer) as receiving:
        assert receiving.lines(9) == [each.strip().encode() for each in answers[:9]]
        assert receiving.end() == NO_SOCKJS


@pytest.mark.fault(57)
@pytest.mark.parametrize("body", ["a[oops]\n", 'a["x"\n', "a[0]=1;\n", 'c["no code"]\n', "m{\n"])
def test_frames_that_are_always_broken_are_the_end(body: str) -> None:
    """A server that never sends a frame that can be read is not asked again and again."""
    posts = Record()
    script = partial(answer, body=body, headers=SCRIPT)
    with serving(partial(answer, body="o\n", headers=SCRIPT), *[script] * 9, posts=posts) as peer:
        with Receiving(peer) as receiving:
            assert receiving.lines(4) == [b"o", *[body.strip().encode()] * 3]
            assert receiving.end() == NO_SOCKJS
    assert len(posts.items) == 4


@pytest.mark.fault(57)
@pytest.mark.fault(58)
@pytest.mark.parametrize("headers", ["", SCRIPT])
@pytest.mark.parametrize(
    "junk", ["<html>504</html>\n", "\n", "x\n" * 9, "  ", "<ht", "a[0]=1;\n", "hello\n"]
)
def test_page_at_the_end_of_an_answer_is_no_sign_of_life(junk: str, headers: str) -> None:
    """The gap begins at the last frame, though a proxy adds its page to what the service sent."""
    come = threading.Event()

    def stream(sock: socket.socket) -> None:
        head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
        sock.sendall(f"{head}{headers}\r\n".encode())
        chunk(sock, 'o\na["1"]\n')
        assert come.wait(SOON)
        chunk(sock, junk)
        chunk(sock, "")

    def close(sock: socket.socket) -> None:
        answer(sock, "", "504 Gateway Timeout")

    with serving(stream, close) as peer, Receiving(peer) as receiving:
        assert receiving.lines(2) == [b"o", b'a["1"]']
        receiving.clock.time += 50
        come.set()
        receiving.lines(junk.count("\n"))
        assert receiving.end().code == 1006
        assert receiving.receiver.last_received_at == receiving.pipe.taken_at == 100.0


def assert_one_a_second(posts: Record) -> None:
    began, before = time.monotonic(), len(posts.items)
    assert not threading.Event().wait(1.2)
    more = len(posts.items) - before
    # One was under way, and the pause before the next may be nearly over.
    assert more <= time.monotonic() - began + 2


@pytest.mark.slow
@pytest.mark.fault(57)
@pytest.mark.parametrize("body", ["a[]\n", "a\n", "h\na[]\n"])
def test_empty_frames_at_once_do_not_spin(body: str) -> None:
    posts = Record()

    def serve(sock: socket.socket) -> None:
        while True:
            posts.add(post(sock))
            answer(sock, body, headers=SCRIPT)

    with Peer(serve) as peer, Receiving(peer):
        posts.wait_for_count(50)
        assert_one_a_second(posts)


@pytest.mark.slow
@pytest.mark.fault(57)
@pytest.mark.parametrize("kind", ["polling", "streaming"])
def test_heartbeats_at_once_do_not_spin(kind: str) -> None:
    """After fifty answers that come at once and bring nothing, there is one a second."""
    posts = Record()

    def serve(sock: socket.socket) -> None:
        while True:
            posts.add(post(sock))
            answer(sock, "h\n" if kind == "polling" else PRELUDE)

    with Peer(serve) as peer, Receiving(peer) as receiving:
        posts.wait_for_count(50)
        assert_one_a_second(posts)
        began = time.monotonic()
    # Nor does the pause hold up the end.
    assert time.monotonic() - began < 1.0
    assert receiving.receiver.last_received_at == 100.0


def test_news_end_the_pauses() -> None:
    """Messages are asked for without a pause."""
    posts = Record()
    with serving(*["h\n"] * 5, *['a["x"]\n'] * 200, posts=posts) as peer:
        with Receiving(peer) as receiving:
            began = time.monotonic()
            receiving.lines(205)
            assert time.monotonic() - began < SOON


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


@pytest.mark.fault(61)
@pytest.mark.parametrize("script", [hang_up, break_off, garble, cut_short])
def test_an_answer_that_breaks(script: Script) -> None:
    """An answer that does not come to its end is a lost connection, with a cause, in words that
    say nothing of objects."""
    with serving(script) as peer, Receiving(peer) as receiving:
        assert receiving.lines(1) == [b"o"]
        closed = receiving.end()
    assert closed.code == 1006 and closed.cause is not None
    told: Dict[Any, str] = {
        break_off: "Connection reset by peer", garble: "the answer is garbled"
    }
    words = told.get(
        script, "the server closed the connection"
    )
    assert closed.reason == f"Connection lost: {words}"


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

    def open_stream(until: float, max_bytes: float) -> Any:
        asked.append(until)
        raise ConnectFailed("no way", OSError())

    with serving() as peer:
        receiving = Receiving(peer, until=until, write_timeout=30.0)
        receiving.config.connector.open = open_stream  # type: ignore[assignment, method-assign]
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
    stuck, line = threading.Event(), b'a["' + b"x" * 65_530 + b'"]\n'
    count = 40 * MAX_PIPE_BYTES // len(line)

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


@pytest.mark.fault(58)
@pytest.mark.parametrize("status", ["504 Gateway Timeout", "502 Bad Gateway", "200 OK"])
def test_request_and_refusal_are_no_life(status: str) -> None:
    """Neither the connection that a proxy accepts, nor the request that it hangs on to, nor its
    own answer in the end is heard of the server."""
    asked, come = threading.Event(), threading.Event()

    def hang(sock: socket.socket) -> None:
        asked.set()
        assert come.wait(SOON)
        answer(sock, "<html>gateway timeout</html>\n", status)

    def first(sock: socket.socket) -> None:
        post(sock)
        close_after(sock)

    def second(sock: socket.socket) -> None:
        post(sock)
        hang(sock)

    with Peer(first, second) as peer, Receiving(peer) as receiving:
        receiving.lines(1)
        receiving.clock.time += 30
        assert asked.wait(SOON)
        receiving.clock.time += 30
        come.set()
        receiving.end()
        assert receiving.receiver.last_received_at == receiving.pipe.taken_at == 100.0


@pytest.mark.fault(58)
def test_half_a_frame_is_life_and_no_whole_frame() -> None:
    """A message that trickles in is life; if it is lost, the gap begins before it."""
    go_on = threading.Semaphore(0)

    def trickle(sock: socket.socket) -> None:
        begin_stream(sock)
        chunk(sock, "o\n")
        for piece in ('a["tri', "ckle"):
            assert go_on.acquire(timeout=SOON)
            chunk(sock, piece)
        assert go_on.acquire(timeout=SOON)
        sock.close()

    with serving(trickle) as peer, Receiving(peer) as receiving:
        receiving.lines(1)
        for now in (120.0, 140.0):
            receiving.clock.time = now
            go_on.release()
            eventually(lambda: receiving.receiver.last_received_at == now)
        go_on.release()
        assert receiving.end() == Closed(
            1006, "Connection lost: the server closed the connection")
        assert receiving.pipe.taken_at == 100.0


@pytest.mark.fault(58)
@pytest.mark.parametrize("frames, frame_at", [
    ("", 100.0), ("h\n", 150.0), ('a["2"]\n', 150.0), ("<p>\n", 100.0), ("a[\n", 100.0),
])
def test_prelude_is_life_and_does_not_prove_that_earlier_frames_came(
    frames: str, frame_at: float
) -> None:
    """Messages that waited for the response come behind it."""
    go_on = threading.Event()

    def later(sock: socket.socket) -> None:
        assert go_on.wait(SOON)
        answer(sock, PRELUDE + frames.encode())

    with serving("o\n", later) as peer, Receiving(peer) as receiving:
        assert receiving.lines(1) == [b"o"]
        receiving.clock.time = 150.0
        go_on.set()
        receiving.lines(1 + frames.count("\n"))
        assert (receiving.receiver.last_received_at, receiving.pipe.taken_at) == (150.0, frame_at)


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
        assert receiving.receiver.last_received_at == 100.0
        with receiving:
            for now in (110.0, 130.0):
                receiving.lines(1)
                assert receiving.receiver.last_received_at == now
                receiving.clock.time += 20
                may_go_on.release()
            receiving.end()
            assert receiving.receiver.last_received_at == 130.0


def test_heard_at_while_connecting_again() -> None:
    """While a new connection is made, the last bytes of the one before it still count."""
    with serving(close_after) as peer:
        receiving = Receiving(peer)
        stream_of = receiving.config.connector.open
        connecting, may_connect, opened = threading.Event(), threading.Event(), []

        def open_late(until: float, max_bytes: float) -> Any:
            opened.append(until)
            if len(opened) == 2:
                connecting.set()
                assert may_connect.wait(SOON)
            return stream_of(until)

        # Before the first connection: the second may be made at any time after it.
        receiving.config.connector.open = open_late  # type: ignore[assignment, method-assign]
        with receiving:
            receiving.lines(1)
            assert connecting.wait(SOON)
            receiving.clock.time = 200.0
            assert receiving.receiver.last_received_at == 100.0
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
