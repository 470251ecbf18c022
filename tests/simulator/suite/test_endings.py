"""The suite's cases about the end of sessions and responses."""

from __future__ import annotations

import pytest

from ...helpers.xhr_client import PRELUDE, Answer, Web
from .conftest import Ask, Connect
from .services import GO_AWAY, Services, new_session
from .two_polls import two_polls

pytestmark = pytest.mark.fault(75)

STILL_OPEN = 'c[2010,"Another connection still open"]'
GREETING = "Welcome to SockJS!\n"

#: A receiver after an aborted one begins a new session, or gets a close frame.
AFTER_AN_ABORT = ["o", 'c[1002,"Connection interrupted"]']

#: Number of aborted receivers. A server that detects them too late may pass some by chance.
ABORTS = 20


def stream_of(web: Web, path: str) -> Answer:
    """A stream behind its prelude."""
    stream = web.request("POST", path + "xhr_streaming")
    assert stream.status == 200
    assert stream.line() == PRELUDE
    return stream


def test_stream_after_a_close_hears_of_the_close(services: Services, connect: Connect) -> None:
    path = new_session()
    first = stream_of(connect(services.closing), path)
    assert [first.line(), first.line(), first.line()] == ["o", GO_AWAY, ""]
    second = stream_of(connect(services.closing), path)
    assert [second.line(), second.line()] == [GO_AWAY, ""]


def test_second_stream_is_told_of_the_first_and_ends(
    services: Services, connect: Connect
) -> None:
    path = new_session()
    assert stream_of(connect(services.echo), path).line() == "o"
    second = stream_of(connect(services.echo), path)
    assert [second.line(), second.line()] == [STILL_OPEN, ""]


def test_aborted_stream_ends_the_session_at_once(services: Services, connect: Connect) -> None:
    for _ in range(ABORTS):
        path = new_session()
        receiver = connect(services.echo)
        assert stream_of(receiver, path).line() == "o"
        assert stream_of(connect(services.echo), path).line() == STILL_OPEN
        receiver.close()
        assert stream_of(connect(services.echo), path).line() in AFTER_AN_ABORT


def test_aborted_poll_ends_the_session_at_once(
    services: Services, connect: Connect, ask: Ask
) -> None:
    for _ in range(ABORTS):
        path = new_session()
        assert ask(services.echo, "POST", path + "xhr").text() == "o\n"
        with two_polls(connect, services.echo, path) as refused:
            assert refused == STILL_OPEN + "\n"
        assert ask(services.echo, "POST", path + "xhr").text().rstrip("\n") in AFTER_AN_ABORT


# Versions of HTTP


def test_http_1_0_answer_of_known_length(services: Services, connect: Connect) -> None:
    web = connect(services.echo)
    for _ in range(2):
        web.ask("GET", "", headers={"Connection": "Keep-Alive"}, version="1.0")
        answer = web.answer()
        assert (answer.status, answer.text()) == (200, GREETING)
        assert "Transfer-Encoding" not in answer.headers
        if answer.headers.get("Connection", "close").lower() == "close":
            assert web.tcp.recv(1) == b""
            web = connect(services.echo)


def test_http_1_0_stream_ends_with_tcp(services: Services, connect: Connect) -> None:
    web = connect(services.closing)
    web.ask(
        "POST", new_session() + "xhr_streaming",
        headers={"Connection": "Keep-Alive"}, version="1.0",
    )
    stream = web.answer()
    assert stream.status == 200
    assert "Transfer-Encoding" not in stream.headers
    assert "Content-Length" not in stream.headers
    assert [stream.line() for _ in range(4)] == [PRELUDE, "o", GO_AWAY, ""]
    assert web.tcp.recv(1) == b""


def test_http_1_1_keeps_the_connection(services: Services, connect: Connect) -> None:
    web = connect(services.echo)
    for _ in range(2):
        answer = web.request("GET", "", Connection="Keep-Alive")
        assert (answer.status, answer.text()) == (200, GREETING)
        assert answer.headers.get("Connection", "keep-alive").lower() == "keep-alive"
        assert ("Content-Length" in answer.headers) != ("Transfer-Encoding" in answer.headers)


def test_http_1_1_stream_comes_in_chunks(services: Services, connect: Connect) -> None:
    stream = connect(services.closing).request(
        "POST", new_session() + "xhr_streaming", Connection="Keep-Alive"
    )
    assert stream.status == 200
    assert stream.headers["Transfer-Encoding"].lower() == "chunked"
    assert "Content-Length" not in stream.headers
    assert [stream.line() for _ in range(4)] == [PRELUDE, "o", GO_AWAY, ""]
