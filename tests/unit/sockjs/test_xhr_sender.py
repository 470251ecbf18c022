"""The thread that sends over HTTP, at a scripted server."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from typing import Any, Callable, Iterator, List, Optional

import pytest

from keyyo_cti._net.cancellation import CancelToken
from keyyo_cti._net.stream import WriteFailed
from keyyo_cti._sockjs.errors import Closed, NotSockJS, SockJSError
from keyyo_cti._sockjs.transport import SendProgress
from keyyo_cti._sockjs.xhr_pipe import MAX_PIPE_BYTES, Pipe
from keyyo_cti._sockjs.xhr_sender import Sender

from ...helpers.background import A_WHILE, SOON, Background, Hand
from ...helpers.probe import Record
from ...helpers.tcp_peer import Peer, Script, reset
from .xhr_peer import Post, answer, config, post

#: Bytes that an answer may have, with its headers.
LONGEST_ANSWER = 262_144


class Watched(Sender):
    """Counts its turns, so that a test can wait for the end of each, or keep it from the next."""

    turns: Record
    may_take: threading.Event

    def _take(self) -> bool:
        self.turns.add(None)
        assert self.may_take.wait(SOON)
        return super()._take()


class Sending:
    """A sender, and what becomes of it. Its clock stands still unless it is set."""

    def __init__(self, peer: Peer, **timeouts: Any) -> None:
        self.clock = Hand()
        self.cancel_token = CancelToken()
        self.pipe = Pipe(self.clock)
        self.config = config(peer, self.clock, self.cancel_token, **timeouts)
        url = f"{peer.endpoint}/000/s/xhr_send"
        self.sender = Watched(self.config, self.config.connector, url, self.pipe)
        self.sender.turns = Record()
        self.sender.may_take = threading.Event()
        self.sender.may_take.set()

    def __enter__(self) -> Sending:
        return self

    def __exit__(self, *_: Any) -> None:
        self.cancel_token.cancel()
        self.sender.stop()
        self.sender.join()
        assert not [each for each in threading.enumerate() if each.name == Sender.name]

    def send(self, message: str) -> SendProgress:
        progress = SendProgress()
        self.sender.send(message, progress)
        return progress

    @contextlib.contextmanager
    def impatient(self) -> Iterator[None]:
        """Shortens its write time-out for a while."""
        setattr(self.sender, "_config", self.config._replace(write_timeout=A_WHILE))
        yield
        setattr(self.sender, "_config", self.config)

    def wait_until_done(self, count: int) -> None:
        """Until so many posts are done with."""
        self.sender.turns.wait_for_count(count + 1)

    def refusal(self, message: str = "x") -> WriteFailed:
        with pytest.raises(WriteFailed) as caught:
            self.send(message)
        assert not caught.value.begun
        return caught.value

    def end(self) -> Closed:
        """How it ends."""
        with pytest.raises(SockJSError) as caught:
            assert self.pipe.take(self.clock() + SOON) is not None, "it goes on"
        return caught.value.closed

    def goes_on(self) -> bool:
        """Whether nothing has ended it so far."""
        return self.pipe.take(0.0) is None


class Server(Peer):
    """Keeps what is posted, connection by connection, and answers as often as it may.

    :param reply: how it answers.
    """

    def __init__(self, reply: Optional[Script] = None) -> None:
        super().__init__(self._serve_posts)
        self._reply = reply or (lambda sock: answer(sock, status="204 No Content"))
        #: The posts, as (number of the connection, post).
        self.posts = Record()
        self.may_answer = threading.Semaphore(0)
        self._connections = 0

    def _serve_posts(self, sock: socket.socket) -> None:
        self._connections += 1
        number = self._connections
        while True:
            self.posts.add((number, post(sock)))
            assert self.may_answer.acquire(timeout=2 * SOON)
            self._reply(sock)

    def __enter__(self) -> Server:
        super().__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        for _ in range(100):
            self.may_answer.release()
        super().__exit__(*exception)

    def bodies(self, count: int) -> List[Any]:
        """What was posted, when there is so much of it."""
        return [json.loads(each.body) for _, each in self.posts.wait_for_count(count)]

    def connections(self, count: int) -> List[int]:
        """Which connections so many posts came on."""
        return [number for number, _ in self.posts.wait_for_count(count)]


def replying(*arguments: Any, **named: Any) -> Server:
    """A server that answers at once."""
    server = Server(lambda sock: answer(sock, *arguments, **named))
    for _ in range(1000):
        server.may_answer.release()
    return server


# What is posted.


def test_post() -> None:
    """A message leaves at once, as an array of one string in plain text, with the cookies."""
    with Server() as server, Sending(server) as sending:
        sending.config.cookies.set("JSESSIONID", "here", domain="127.0.0.1", path="/")
        sending.send('é"\ud800')
        asked: Post = server.posts.wait_for_count(1)[0][1]
    assert asked.path == "/cti/000/s/xhr_send"
    assert asked.body == r'["\u00e9\"\ud800"]'
    assert asked.header("Content-Type") == "text/plain;charset=UTF-8"
    assert asked.header("Accept-Encoding") == "identity"
    assert asked.header("Cookie") == "JSESSIONID=here"


def test_what_comes_meanwhile_leaves_together() -> None:
    """While a post is under way, nothing else is posted; what comes meanwhile leaves in the next
    one, in order, once."""
    with Server() as server, Sending(server) as sending:
        sending.send("1")
        server.posts.wait_for_count(1)
        for message in ("2", "3", "4"):
            sending.send(message)
        assert server.bodies(1) == [["1"]]
        server.may_answer.release()
        assert server.bodies(2) == [["1"], ["2", "3", "4"]]
        server.may_answer.release()
        sending.send("5")
        assert server.bodies(3) == [["1"], ["2", "3", "4"], ["5"]]
        assert server.connections(3) == [1, 1, 1]


@pytest.mark.parametrize("status", ["200 OK", "204 No Content"])
@pytest.mark.parametrize("body", ["", "ok"])
def test_success(status: str, body: str) -> None:
    """200 and 204 are success, whatever is said with it, and the connection serves again."""
    if status.startswith("204"):
        body = ""
    with replying(body, status) as server, Sending(server) as sending:
        for count in (1, 2, 3):
            sending.send(str(count))
            server.posts.wait_for_count(count)
        assert server.connections(3) == [1, 1, 1]
        assert sending.goes_on()


PAGE = Closed(1006, "Sending error: a response that is not SockJS, such as a page of a proxy")


@pytest.mark.fault(57)
@pytest.mark.parametrize(
    "body, headers",
    [
        ("<html>", ""),
        ("\n <!DOCTYPE html>", ""),
        ('{"error": "login"}', ""),
        ("sign in", "Content-Type: text/html\r\n"),
        ("Down for maintenance", "Content-Type: text/plain\r\n"),
        ("{}", "Content-Type: application/json\r\n"),
    ],
)
def test_page(body: str, headers: str) -> None:
    """A page with 200 is the end: what was posted was not taken by the server."""
    with replying(body, headers=headers) as server, Sending(server) as sending:
        progress = sending.send("1")
        closed = sending.end()
        assert closed == PAGE and isinstance(closed.cause, NotSockJS)
        assert progress.begun
        sending.sender.join()
        assert str(sending.refusal()) == "the connection is closed"


@pytest.mark.fault(57)
def test_another_answer_than_before() -> None:
    """A server that answers 204 does so always: a 200 is of somebody else."""
    statuses = iter(["204 No Content", "204 No Content", "200 OK"])
    server = Server(lambda sock: answer(sock, status=next(statuses)))
    with server, Sending(server) as sending:
        for count in (1, 2):
            server.may_answer.release()
            sending.send("x")
            sending.wait_until_done(count)
        assert sending.goes_on()
        server.may_answer.release()
        sending.send("x")
        assert sending.end() == PAGE


@pytest.mark.parametrize("status", ["201 Created", "302 Found", "404 Not Found", "500 Oops"])
def test_failure(status: str) -> None:
    """Any other status is the end; a redirect is not followed; nothing is sent after it."""
    with replying("no", status, headers="Location: /elsewhere\r\n") as server:
        with Sending(server) as sending:
            sending.send("1")
            assert sending.end() == Closed(1006, f"Sending error http status {status[:3]}")
            sending.sender.join()
            assert str(sending.refusal()) == "the connection is closed"
            assert server.bodies(1) == [["1"]]


def test_cookies_of_the_answer() -> None:
    """A cookie that comes with an answer is sent with the next post, and shared."""
    with replying("ok", headers="Set-Cookie: a=b; Path=/\r\n") as server:
        with Sending(server) as sending:
            for count in (1, 2):
                sending.send("x")
                server.posts.wait_for_count(count)
            assert server.posts.items[1][1].header("Cookie") == "a=b"
            assert sending.config.cookies.get_dict() == {"a": "b"}


# Connections.


@pytest.mark.parametrize("idle, connections", [(0.0, [1, 1]), (3.0, [1, 1]), (3.01, [1, 2])])
def test_idle_connection(idle: float, connections: List[int]) -> None:
    """A connection that has been idle for more than three seconds is not trusted with another
    message."""
    with Server() as server, Sending(server) as sending:
        sending.send("1")
        server.posts.wait_for_count(1)
        sending.clock.time += 1
        server.may_answer.release()
        sending.wait_until_done(1)
        sending.clock.time += idle
        sending.send("2")
        assert server.connections(2) == connections


def test_an_idle_connection_is_closed() -> None:
    """The one that is not used again is closed when the next is opened."""
    ended = threading.Event()

    def serve(sock: socket.socket) -> None:
        post(sock)
        answer(sock, "ok")
        assert sock.recv(1) == b""
        ended.set()

    with Peer(serve, lambda sock: peer.stall(sock)) as peer, Sending(peer) as sending:
        sending.send("1")
        sending.wait_until_done(1)
        sending.clock.time += 10
        sending.send("2")
        assert ended.wait(SOON)


def test_a_connection_that_stays_idle_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is not used for so long is closed at once, and not kept, with its descriptor and
    its memory, until there is something to send again."""
    monkeypatch.setattr("keyyo_cti._sockjs.xhr_sender._REUSE_TIMEOUT", A_WHILE)
    ended = threading.Event()

    def serve(sock: socket.socket) -> None:
        post(sock)
        answer(sock, "ok")
        assert sock.recv(1) == b""
        ended.set()

    def serve_again(sock: socket.socket) -> None:
        post(sock)
        answer(sock, "ok")

    with Peer(serve, serve_again) as peer, Sending(peer) as sending:
        sending.send("1")
        assert ended.wait(SOON) and sending.goes_on()
        sending.send("2")
        sending.wait_until_done(2)
        assert sending.goes_on()


def close_after(sock: socket.socket) -> None:
    answer(sock, "ok", headers="Connection: close\r\n")
    sock.close()


def test_connection_for_each_post() -> None:
    """A server that closes after each answer is connected to again."""
    server = Server(close_after)
    with server, Sending(server) as sending:
        for count in (1, 2):
            sending.send("x")
            server.posts.wait_for_count(count)
            server.may_answer.release()
            sending.wait_until_done(count)
        assert server.connections(2) == [1, 2]
        assert sending.goes_on()


def test_each_post_has_its_time() -> None:
    """A post has a whole write time-out for its answer, also on a connection that another one
    was made on."""
    with Server() as server, Sending(server, write_timeout=2.8) as sending:
        sending.send("1")
        server.posts.wait_for_count(1)
        server.may_answer.release()
        sending.wait_until_done(1)
        sending.clock.time += 2.9
        sending.send("2")
        assert server.connections(2) == [1, 1]
        server.may_answer.release()
        sending.wait_until_done(2)
        assert sending.goes_on()


def test_no_answer_in_time() -> None:
    """A server that does not answer within the write time-out is given up, on a connection that
    has served already too."""
    with Server() as server, Sending(server) as sending:
        server.may_answer.release()
        sending.send("1")
        sending.wait_until_done(1)
        with sending.impatient():
            sending.send("2")
            assert sending.end() == Closed(1006, "Connection lost: no answer in time")
        assert server.connections(2) == [1, 1]


def test_nobody_there() -> None:
    """Where nobody listens, the phase and the place are told, and nothing has left."""
    with Server() as server:
        sending, where = Sending(server), f"127.0.0.1:{server.port}"
    with sending:
        progress = sending.send("1")
        assert sending.end() == Closed(1002, f"connecting to {where}: Connection refused")
        sending.sender.join()
        assert not progress.begun


def test_opening_has_a_write_timeout() -> None:
    """A connection has as long as a write to be made."""
    asked: List[Any] = []

    def open_stream(*arguments: Any) -> Any:
        asked.append(arguments)
        raise SockJSError(1002, "no way")

    with Server() as server, Sending(server, write_timeout=30.0) as sending:
        sending.config.connector.open = open_stream  # type: ignore[assignment, method-assign]
        sending.send("1")
        assert sending.end() == Closed(1002, "no way")
    assert asked == [(130.0, LONGEST_ANSWER)]


@pytest.mark.parametrize("script, words", [(reset, "Connection reset by peer")])
def test_broken(script: Script, words: str) -> None:
    """A connection that breaks is lost, and says how; what had left may have been heard."""
    server = Server(script)
    server.may_answer.release()
    with server, Sending(server) as sending:
        progress = sending.send("1")
        assert sending.end() == Closed(1006, f"Connection lost: {words}")
        assert progress.begun


def test_long_answers() -> None:
    """An answer may be long, each time."""
    with replying(b"x" * (LONGEST_ANSWER - 1000)) as server, Sending(server) as sending:
        for count in (1, 2, 3):
            sending.send("x")
            sending.wait_until_done(count)
        assert server.connections(3) == [1, 1, 1]
        assert sending.goes_on()


@pytest.mark.parametrize("first", [0, 1])
def test_endless_answer(first: int) -> None:
    """An answer that is too long is not read to its end, be it the first on its connection or
    another."""
    replies = [b"ok"] * first + [b"x" * LONGEST_ANSWER]
    server = Server(lambda sock: answer(sock, replies.pop(0)))
    server.may_answer.release()
    with server, Sending(server) as sending:
        if first:
            sending.send("0")
            sending.wait_until_done(1)
            server.may_answer.release()
        sending.send("1")
        assert sending.end() == Closed(1006, "Connection lost: an endless response")


# How far a message has come.


def test_departure() -> None:
    """A message has left when its post begins, and not while it waits for the one before."""
    with Server() as server, Sending(server) as sending:
        first = sending.send("1")
        server.posts.wait_for_count(1)
        second = sending.send("2")
        assert (first.begun, second.begun) == (True, False)
        server.may_answer.release()
        server.posts.wait_for_count(2)
        assert second.begun


def test_what_waits_when_it_breaks_has_not_left() -> None:
    """What waits behind a post that fails is never sent, and has not left."""
    server = Server(reset)
    with server, Sending(server) as sending:
        sending.send("1")
        server.posts.wait_for_count(1)
        waiting = sending.send("2")
        server.may_answer.release()
        sending.end()
        sending.sender.join()
        assert not waiting.begun
        assert server.bodies(1) == [["1"]]


# Too much.


def test_back_pressure() -> None:
    """When too much waits, who sends more waits for room, which there is when what waits has
    left, and at once."""
    with Server() as server, Sending(server, write_timeout=10 * SOON) as sending:
        sending.send("1")
        server.posts.wait_for_count(1)
        sending.send("x" * (MAX_PIPE_BYTES - 1))
        sending.send("y")
        sender = Background(sending.send, "z")
        assert sender.waits()
        server.may_answer.release()
        sender.result()
        server.may_answer.release()
        assert server.bodies(3)[1:] == [["x" * (MAX_PIPE_BYTES - 1), "y"], ["z"]]


def test_room_again() -> None:
    """What has left takes no room any more."""
    with Server() as server, Sending(server) as sending:
        for count in (1, 2, 3):
            sending.send("x" * MAX_PIPE_BYTES)
            server.posts.wait_for_count(count)
            server.may_answer.release()


def test_no_room() -> None:
    """Who waits for room in vain for a write time-out is told so, and nothing of it is sent."""
    with Server() as server, Sending(server) as sending:
        sending.send("1")
        server.posts.wait_for_count(1)
        sending.send("x" * MAX_PIPE_BYTES)
        with sending.impatient():
            assert str(sending.refusal("y")) == "the server does not take what is sent"
        server.may_answer.release()
        assert server.bodies(2)[1] == ["x" * MAX_PIPE_BYTES]
        server.may_answer.release()
        sending.wait_until_done(2)
        sending.send("z")
        assert server.bodies(3)[2] == ["z"]


@pytest.mark.parametrize("end", [Sender.stop, Sender.finish])
def test_end_while_waiting_for_room(end: Callable[[Sender], None]) -> None:
    """Who waits for room when it ends is told that the connection is closed."""
    with Server() as server, Sending(server) as sending:
        sending.send("1")
        server.posts.wait_for_count(1)
        sending.send("x" * MAX_PIPE_BYTES)
        sender = Background(sending.refusal)
        assert sender.waits()
        end(sending.sender)
        server.may_answer.release()
        assert str(sender.result()) == "the connection is closed"


# Ends.


def test_finish_sends_what_waits() -> None:
    """To finish is to send what waits, and then to end; what comes later is not taken."""
    with Server() as server, Sending(server) as sending:
        sending.send("1")
        server.posts.wait_for_count(1)
        sending.send("2")
        sending.sender.finish()
        assert str(sending.refusal()) == "the connection is closed"
        assert sending.goes_on()
        server.may_answer.release()
        assert server.bodies(2) == [["1"], ["2"]]
        assert sending.goes_on()
        server.may_answer.release()
        assert sending.end() == Closed(1006, "Closed")


def test_finish_while_one_is_under_way() -> None:
    """The post under way is waited for, with nothing behind it too."""
    with Server() as server, Sending(server) as sending:
        sending.send("1")
        server.posts.wait_for_count(1)
        sending.sender.finish()
        assert sending.goes_on()
        server.may_answer.release()
        assert sending.end() == Closed(1006, "Closed")


def test_finish_before_it_is_taken() -> None:
    """A message that its thread has not taken yet is sent too."""
    with replying("ok") as server, Sending(server) as sending:
        sending.sender.may_take.clear()
        sending.send("last")
        sending.sender.finish()
        assert sending.goes_on()
        sending.sender.may_take.set()
        assert sending.end() == Closed(1006, "Closed")
        assert server.bodies(1) == [["last"]]


@pytest.mark.parametrize("count", [0, 1])
def test_finish_with_nothing_to_send(count: int) -> None:
    """With nothing to send the end is at once, whether anything was sent before or not."""
    with replying("ok") as server, Sending(server) as sending:
        for _ in range(count):
            sending.send("1")
            sending.wait_until_done(1)
        sending.sender.finish()
        assert sending.end() == Closed(1006, "Closed")


def test_stop() -> None:
    """To stop is to send nothing more, be it waiting or new."""
    with Server() as server, Sending(server) as sending:
        sending.send("1")
        server.posts.wait_for_count(1)
        waiting = sending.send("2")
        sending.sender.stop()
        assert str(sending.refusal()) == "the connection is closed"
        server.may_answer.release()
        sending.sender.join()
        assert not [each for each in threading.enumerate() if each.name == Sender.name]
        assert not waiting.begun
        assert server.bodies(1) == [["1"]]
        assert sending.goes_on()


def test_stop_while_idle() -> None:
    """An idle thread ends when it is stopped."""
    with replying("ok") as server, Sending(server) as sending:
        sending.send("1")
        sending.wait_until_done(1)
        sending.sender.stop()
        sending.sender.join()
        assert not [each for each in threading.enumerate() if each.name == Sender.name]


def test_thread() -> None:
    """There is no thread before something is sent, and then one daemon with a name."""
    with replying("ok") as server, Sending(server) as sending:
        sending.sender.join()
        assert not [each for each in threading.enumerate() if each.name == "keyyo-cti-sender"]
        sending.send("1")
        sending.send("2")
        threads = [each for each in threading.enumerate() if each.name == "keyyo-cti-sender"]
        assert [thread.daemon for thread in threads] == [True]


def test_many_threads() -> None:
    """What many threads send at once is posted once each, and in the order of each thread."""
    with replying("ok") as server, Sending(server) as sending:
        def send(name: int) -> None:
            for turn in range(50):
                sending.send(f"{name} {turn}")

        for thread in [Background(send, name) for name in range(8)]:
            thread.result()
        sending.sender.finish()
        assert sending.end() == Closed(1006, "Closed")
        posted = [message for each in server.bodies(1) for message in each]
    assert len(posted) == 400
    for name in range(8):
        own = [message for message in posted if message.startswith(f"{name} ")]
        assert own == [f"{name} {turn}" for turn in range(50)]
