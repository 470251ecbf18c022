"""What the two threads that speak HTTP do when they fail."""

from __future__ import annotations

import socket
import threading
from typing import Callable, Iterator, List, Optional

import pytest
import requests
import urllib3

from keyyo_cti._net.cancellation import CancelToken
from keyyo_cti._net.stream import Stream, TooLarge
from keyyo_cti._sockjs.errors import Closed, SockJSError
from keyyo_cti._sockjs.xhr_pipe import Pipe
from keyyo_cti._sockjs.xhr_worker import Worker

from ...helpers.background import SOON, Hand
from ...helpers.tcp_peer import Peer
from .xhr_peer import answer, config, post


class Failing(Worker):
    """A thread that does what the test wants."""

    name = "keyyo-cti-failing"

    def begin(self, work: Callable[[requests.Session], None]) -> None:
        self.work = work
        self._thread.start()

    def _work(self, session: requests.Session) -> None:
        self.work(session)

    def _open_stream(self) -> Stream:
        return self._connector.open(self._config.clock() + SOON)


class Stage:
    def __init__(self, peer: Peer) -> None:
        self.clock, self.cancel_token = Hand(), CancelToken()
        self.config = config(peer, self.clock, self.cancel_token)
        self.pipe = Pipe(self.clock)
        self.url = f"{peer.endpoint}/xhr"
        self.worker = Failing(self.config, self.config.connector, self.url, self.pipe)

    def end(self) -> Closed:
        with pytest.raises(SockJSError) as caught:
            self.pipe.take(self.clock() + SOON)
        return caught.value.closed


@pytest.fixture
def stage() -> Iterator[Stage]:
    with Peer(lambda _: None) as peer:
        stage = Stage(peer)
        yield stage
        stage.worker.join()


def raising(error: BaseException) -> Callable[[requests.Session], None]:
    def work(_: requests.Session) -> None:
        raise error

    return work


def chained(outer: BaseException, *inner: BaseException) -> BaseException:
    """An error that came from another one, and so on."""
    if inner:
        outer.__cause__ = chained(*inner)
    return outer


RESET = ConnectionResetError(104, "Connection reset by peer")


@pytest.mark.parametrize(
    "error, words",
    [
        (RESET, "Connection reset by peer"),
        (socket.timeout("timed out"), "no answer in time"),
        (requests.ConnectionError(urllib3.exceptions.ProtocolError("aborted", RESET)),
         "Connection reset by peer"),
        (chained(requests.ConnectionError("x"), ValueError("y"), RESET),
         "Connection reset by peer"),
        (chained(*[ValueError("x") for _ in range(9)], RESET), "Connection reset by peer"),
        (ValueError("<object at 0x7f>"), "ValueError"),
        (requests.ConnectionError("<object at 0x7f>"), "ConnectionError"),
        (urllib3.exceptions.ProtocolError("broken"), "ProtocolError"),
    ],
    ids=repr,
)
def test_words(stage: Stage, error: BaseException, words: str) -> None:
    """A lost connection is told in the words of the network, wherever in the libraries' errors
    they are, or else by the kind of the error, without addresses of objects."""
    stage.worker.begin(raising(error))
    closed = stage.end()
    assert closed == Closed(1006, f"Connection lost: {words}") and closed.cause is error


def test_errors_in_a_ring(stage: Stage) -> None:
    """Errors that came from each other, round and round, are told all the same."""
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    stage.worker.begin(raising(one))
    assert stage.end().reason.startswith("Connection lost: ")


def test_context(stage: Stage) -> None:
    """An error that came while another one was treated is told by that one."""

    def work(_: requests.Session) -> None:
        try:
            raise RESET
        except OSError:
            raise ValueError("x")

    stage.worker.begin(work)
    assert stage.end() == Closed(1006, "Connection lost: Connection reset by peer")


def test_end_of_the_connection(stage: Stage) -> None:
    """What ends the connection by itself comes out as it is."""
    error = SockJSError(1009, "too big", OSError("why"))
    stage.worker.begin(raising(error))
    closed = stage.end()
    assert (closed, closed.cause) == (error.closed, error.closed.cause)


def test_too_much(stage: Stage) -> None:
    """More bytes than are allowed are an endless response."""
    error = TooLarge()
    stage.worker.begin(raising(error))
    closed = stage.end()
    assert closed == Closed(1006, "Connection lost: an endless response")
    assert closed.cause is error


def test_bug(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """A mistake in the thread ends the connection, which would look open else, and is logged."""
    error = KeyError("bug")
    stage.worker.begin(raising(error))
    closed = stage.end()
    assert closed == Closed(1006, "keyyo-cti-failing failed: KeyError")
    assert closed.cause is error and closed.fault
    stage.worker.join()
    assert "keyyo-cti-failing failed" in caplog.text and "KeyError: 'bug'" in caplog.text
    assert [record.name for record in caplog.records] == ["keyyo_cti.sockjs"]


def test_session() -> None:
    """It speaks over streams of its own, with the cookies of all, and closes them in the end."""
    left: List[Optional[bytes]] = []

    def serve(sock: socket.socket) -> None:
        assert post(sock).header("Cookie") == "a=b"
        answer(sock, "ok")
        left.append(sock.recv(1))

    with Peer(serve) as peer:
        stage = Stage(peer)
        stage.config.cookies.set("a", "b", domain="127.0.0.1", path="/")

        def work(session: requests.Session) -> None:
            session.post(stage.worker._url)

        stage.worker.begin(work)
        assert peer.reached.wait(SOON)
        stage.worker.join()
    assert left == [b""]
    assert stage.pipe.take(0.0) is None


def test_join(stage: Stage) -> None:
    """To wait for the thread is to wait for its end, if it has begun, and not for ever."""
    stage.worker.join()
    go_on = threading.Event()

    def work(_: requests.Session) -> None:
        assert go_on.wait(SOON)

    stage.worker.begin(work)
    threads = [each for each in threading.enumerate() if each.name == "keyyo-cti-failing"]
    assert [thread.daemon for thread in threads] == [True]
    go_on.set()
    stage.worker.join()
    assert not threads[0].is_alive()
