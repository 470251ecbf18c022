"""Ctrl-C, and signal handlers that raise, in the middle of a write of the main thread."""

from __future__ import annotations

import selectors
import signal
import sys
import threading
import time
from contextlib import contextmanager
from typing import Any, Iterator, List

import pytest

from keyyo_cti import CTI, ConnectionClosed, Transport
from keyyo_cti._net.stream import Stream
from keyyo_cti._sockjs import TRANSPORTS
from keyyo_cti._sockjs.xhr_sender import Sender
from keyyo_cti.simulator.tls import TRUSTED, Certificates

from ..helpers.probe import PATIENCE, Seen, eventually
from ..helpers.scripted_server import ScriptedServer, session

pytestmark = [
    pytest.mark.fault(52),
    pytest.mark.skipif(sys.platform == "win32", reason="needs timers that send signals"),
]

#: More than sockets hold.
MUCH = "x" * 3_000_000


class Alarm(Exception):
    """What a program's own handler raises."""


@contextmanager
def interrupted(error: type, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Has a signal handler raise in the block, on the main thread, when it waits for room in the
    middle of a write.

    Only there: a socket that was full for a moment takes the rest, and a signal between two writes
    finds nothing half sent.
    """
    stuck, over = threading.Event(), threading.Event()
    waiting: List[Stream] = []
    wait, main = Stream._wait, threading.main_thread()

    def watched(stream: Stream, event: int, until: float) -> bool:
        if event != selectors.EVENT_WRITE or threading.current_thread() is not main:
            return wait(stream, event, until)
        stuck.set()
        waiting.append(stream)
        try:
            return wait(stream, event, until)
        finally:
            waiting.clear()

    def handle(*_: Any) -> None:
        if waiting and waiting[0]._partly_sent and not over.is_set():
            over.set()
            raise error()

    def send_signals() -> None:
        stuck.wait(PATIENCE)
        # One that comes just before a system call begins does not interrupt it.
        while not over.wait(0.05):
            signal.pthread_kill(main.ident or 0, signal.SIGALRM)

    monkeypatch.setattr(Stream, "_wait", watched)
    before = signal.signal(signal.SIGALRM, handle)
    sender = threading.Thread(target=send_signals)
    sender.start()
    try:
        with pytest.raises(error):
            yield
            pytest.fail("it was never stuck")
    finally:
        over.set()
        sender.join(PATIENCE)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def keyyo(tls: bool) -> Iterator[Any]:
    """A server, and the options of a CTI of its."""
    if not tls:
        with ScriptedServer(session) as server:
            yield server, {"endpoint": server.endpoint}
        return
    certificates = Certificates("127.0.0.1", TRUSTED)
    certificates.publish()
    with ScriptedServer(session, tls=certificates.context) as server:
        yield server, {"endpoint": server.endpoint, "ca_certs": certificates.ca_certs}
    certificates.remove()


def stop_reading(server: ScriptedServer) -> None:
    server.do(lambda connection: connection.stop_reading())


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("error", [Alarm, KeyboardInterrupt])
def test_interrupted_write_ends_the_connection(
    tls: bool, error: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of the message is out: the command may have been done, and the connection is over, at
    once, instead of one that looks open and whose every command is late."""
    with keyyo(tls) as (server, options), CTI(
        transports=["websocket"], timeout=60, **options
    ) as cti:
        seen = Seen(cti)
        cti.create_session("token").result(PATIENCE)
        stop_reading(server)
        with interrupted(error, monkeypatch):
            for _ in range(9):
                cti.send_message("33199020000", MUCH, seen.callback("message"))
        began = time.monotonic()
        seen.wait_for("disconnected")
        assert time.monotonic() - began < 5
        answers: List[Any] = [answer for _, _, answer, _ in seen.of("callback")]
        assert answers and all(isinstance(each, ConnectionClosed) for each in answers)
        assert answers[-1].sent is True
        assert not cti.connected
        after = cti.ping().exception(PATIENCE)
        assert isinstance(after, ConnectionClosed) and after.sent is False


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_interrupted_before_a_byte_is_out_is_not_sent(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nothing is broken: the command is over, as one that was never sent, and the next is
    answered."""
    with keyyo(False) as (server, options), CTI(
        transports=[transport], **options
    ) as cti:
        seen = Seen(cti)
        cti.create_session("token").result(PATIENCE)

        def interrupt(*_: Any) -> None:
            monkeypatch.undo()
            raise KeyboardInterrupt

        if transport == "websocket":
            monkeypatch.setattr("keyyo_cti._sockjs.text_frames.encode", interrupt)
        else:
            monkeypatch.setattr("keyyo_cti._sockjs.xhr_sender.Sender._put", interrupt)
        with pytest.raises(KeyboardInterrupt):
            cti.dial("33199020000", seen.callback("dial"))
        _, _, error, _ = seen.wait_for("callback")
        assert isinstance(error, ConnectionClosed) and error.sent is False
        assert cti.get_subscriptions().result(PATIENCE) is not None
        assert cti.connected and not seen.of("disconnected")
    assert "call" not in [command["action"] for command in server.received.items]


@pytest.mark.parametrize("transport", ["xhr-streaming", "xhr-polling"])
def test_interrupted_once_it_is_with_the_sender(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over HTTP another thread may have it by then: the connection ends, and the command may have
    been done."""
    with keyyo(False) as (server, options), CTI(transports=[transport], **options) as cti:
        seen = Seen(cti)
        cti.create_session("token").result(PATIENCE)
        put = Sender._put

        def interrupt(sender: Any, outgoing: Any) -> None:
            put(sender, outgoing)
            eventually(lambda: outgoing.progress.begun)
            raise KeyboardInterrupt

        monkeypatch.setattr(Sender, "_put", interrupt)
        server.received.items.clear()
        with pytest.raises(KeyboardInterrupt):
            cti.send_message("33199020000", "x", seen.callback("message"))
        _, _, error, result = seen.wait_for("callback")
        # Its answer may be faster than the end.
        assert result is not None or (isinstance(error, ConnectionClosed) and error.sent)
        seen.wait_for("disconnected")
