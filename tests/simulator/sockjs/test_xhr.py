"""The transports over HTTP on real sockets, with handlers that follow a script."""

from __future__ import annotations

import json
from typing import Any, Dict

import pytest

from keyyo_cti.simulator.serving import ServerThread
from keyyo_cti.simulator.sockjs import STREAM_LIMIT, Connection

from ...helpers.xhr_client import POLLING, PRELUDE, RECEIVERS, STREAMING, Cut, Web, XhrClient
from .conftest import Connect, Serve
from .script import Script

URL = "/000/abcdefgh/"
receivers = pytest.mark.parametrize("receiver", RECEIVERS)


def echo(connection: Connection, text: str) -> None:
    connection.send(text)


def words(connection: Connection, text: str) -> None:
    """Send each word by itself or packed, and close at the end of a sentence."""
    sentence = text.rstrip(".!")
    if text.endswith("!"):
        connection.send_many(sentence.split(), packed=False)
    else:
        for word in sentence.split():
            connection.send(word)
    if text.endswith("."):
        connection.close(3000, "Go away!")


# Receiving


def test_streaming(web: Web) -> None:
    """A stream has its prelude and the opening frame, a line each, and is never cached."""
    answer = web.request("POST", URL + STREAMING)
    assert (answer.status, answer.line(), answer.line()) == (200, PRELUDE, "o")
    assert answer.headers["Content-Type"] == "application/javascript; charset=UTF-8"
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Transfer-Encoding"] == "chunked"


def test_polling(web: Web) -> None:
    """A poll has an opening frame without a prelude, then ends; TCP stays open."""
    answer = web.request("POST", URL + POLLING)
    assert (answer.status, answer.text()) == (200, "o\n")
    assert "no-store" in answer.headers["Cache-Control"]
    assert web.request("POST", URL + "xhr_send", b'["x"]').status == 204


def test_a_stream_goes_on(connect: Connect, script: Script) -> None:
    """One stream carries frame after frame."""
    script.answer = echo
    client = connect()
    for text in ("a", "b", "\ud800"):
        client.say(text)
        assert json.loads(client.frame()[1:]) == [text]


def test_a_poll_has_one_frame(connect: Connect, script: Script) -> None:
    """A poll that waits is answered with the first frame, the next one with all the rest."""
    script.answer = words
    client = connect(POLLING)
    client.receive()
    client.say("a b c d")
    assert [client.frame(), client.frame()] == ['a["a"]', 'a["b","c","d"]']


@receivers
def test_messages_wait_for_a_receiver(
    connect: Connect, script: Script, server: ServerThread, receiver: str
) -> None:
    """Messages wait for a receiver; packed ones are joined, others are not."""
    script.answer = words
    client = connect(POLLING)
    for text in ("a b", "c", "d e!", "f"):
        client.say(text)
    other = XhrClient(server.base_url, receiver, opened=False)
    assert [other.frame() for _ in range(4)] == [
        'a["a","b","c"]', 'a["d"]', 'a["e"]', 'a["f"]']
    other.close()


def test_stream_limit(serve: Serve, script: Script) -> None:
    """A stream ends after its limit, with a complete frame; the next has only a prelude."""
    script.answer = words
    url = serve(stream_limit=20).base_url
    web, sender = Web(url), Web(url)
    stream = web.request("POST", URL + STREAMING)
    assert [stream.line(), stream.line()] == [PRELUDE, "o"]
    assert sender.request(
        "POST", URL + "xhr_send", b'["one two", "three ' + b"x" * 50 + b'"]').status == 204
    assert [stream.line(), stream.line(), stream.line()] == ['a["one"]', 'a["two"]', ""]
    stream = web.request("POST", URL + STREAMING)
    assert [stream.line(), stream.line(), stream.line()] == [
        PRELUDE, 'a["three","' + "x" * 50 + '"]', ""]
    web.close()
    sender.close()


def test_default_stream_limit(connect: Connect, script: Script) -> None:
    """By default a stream ends after 128 KiB."""
    assert STREAM_LIMIT == 131_072
    script.answer = echo
    client = connect()
    frame = len('a[""]\n')
    client.say("x" * (STREAM_LIMIT - len("o\n") - frame - 1))
    assert len(client.frame()) > 130_000
    assert client.hears_nothing(0.05)
    client.say("")
    assert client.frame() == 'a[""]'
    client.say("next")
    assert client.frame() == 'a["next"]', "the answer before had its end"


@receivers
def test_heartbeats(serve: Serve, receiver: str) -> None:
    """Heartbeats are periodic."""
    client = XhrClient(serve(heartbeat=0.01).base_url, receiver)
    assert [client.frame() for _ in range(3)] == ["h", "h", "h"]
    client.close()


@receivers
@pytest.mark.parametrize("first", RECEIVERS)
def test_second_receiver(
    connect: Connect, script: Script, web: Web, first: str, receiver: str
) -> None:
    """A second receiver of a session gets a close frame and ends; the first continues."""
    script.answer = echo
    client = connect(first)
    client.receive()
    lines = web.request("POST", URL + receiver).text().splitlines()
    assert lines[receiver == STREAMING:] == ['c[2010,"Another connection still open"]']
    client.say("still there")
    assert client.frame() == 'a["still there"]'
    assert [script.next(), script.next()] == ["opened", "still there"]


def test_other_receiver_later(connect: Connect, script: Script, web: Web) -> None:
    """A session may go on with the other way to receive."""
    script.answer = echo
    connect(POLLING).say("x")
    stream = web.request("POST", URL + STREAMING)
    assert [stream.line(), stream.line()] == [PRELUDE, 'a["x"]']
    assert [connection.transport for connection in script.connections] == ["xhr-streaming"]


# Sending


def test_messages(connect: Connect, script: Script) -> None:
    """Messages arrive in order, with and without a receiver."""
    client = connect(POLLING)
    for body in (["a", "b"], [], ["c"]):
        client.send_text(json.dumps(body))
    client.receive()
    client.say("\N{BLACK TELEPHONE}")
    assert [script.next() for _ in range(5)] == ["opened", "a", "b", "c", "\N{BLACK TELEPHONE}"]


def test_answer_to_a_post(connect: Connect, web: Web) -> None:
    """A post gets 204, as uncached plain text."""
    connect()
    answer = web.request("POST", URL + "xhr_send", b'["x"]')
    assert answer.status == 204
    assert answer.headers["Content-Type"] == "text/plain; charset=UTF-8"
    assert "no-store" in answer.headers["Cache-Control"]


def test_unknown_session(web: Web) -> None:
    """A message for a session that is not there is not found."""
    answer = web.request("POST", URL + "xhr_send", b'["x"]')
    assert (answer.status, answer.headers["Content-Type"]) == (404, "text/plain; charset=UTF-8")


@pytest.mark.parametrize("body, content_type, complaint", [
    (b"", "text/plain", "Payload expected."),
    (b"[", "text/plain", "Broken JSON encoding."),
    (b'["x', "", "Broken JSON encoding."),
    (b'["\xff', "text/plain", "Broken JSON encoding."),
    (b'"x"', "text/plain", "Payload expected."),
    (b"[7]", "application/json", "Payload expected."),
    (b'["x"]', "image/png", "Payload expected."),
])
def test_broken_posts(
    connect: Connect, script: Script, body: bytes, content_type: str, complaint: str
) -> None:
    """A body that is no array of strings is an error of sockjs-node's words; the session lives."""
    client = connect()
    assert client.post(body, content_type) == (500, complaint)
    client.say("y")
    assert [script.next(), script.next()] == ["opened", "y"]


@pytest.mark.parametrize("content_type", [
    "", "text/plain", "T", "application/json", "application/xml;charset=UTF-8", "text/xml"])
def test_content_types(connect: Connect, script: Script, content_type: str) -> None:
    """Every content type that a browser can be made to say is good."""
    assert connect().post(b'["x"]', content_type) == (204, "")
    assert [script.next(), script.next()] == ["opened", "x"]


def test_large_message(connect: Connect, script: Script) -> None:
    """Three megabytes pass, as on a websocket."""
    connect().say("x" * 3_000_000)
    assert [script.next(), len(script.next())] == ["opened", 3_000_000]


def test_client_vanishes_in_the_middle(
    connect: Connect, script: Script, web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    """A truncated body is not a message, and nothing is logged."""
    client = connect()
    web.ask("POST", URL + "xhr_send", b'["half', {"Content-Length": "100"})
    web.close()
    client.say("whole")
    assert [script.next(), script.next()] == ["opened", "whole"]
    assert caplog.records == []


# The end


@receivers
def test_close(connect: Connect, script: Script, receiver: str) -> None:
    """Each later receiver of a closed session gets its close frame; its messages are discarded."""
    script.answer = words
    client = connect(receiver)
    client.receive()
    client.say("bye.")
    assert client.frame() == 'a["bye"]'
    assert [client.frame() for _ in range(3)] == ['c[3000,"Go away!"]'] * 3
    client.say("too late")
    assert client.frame() == 'c[3000,"Go away!"]'
    assert [script.next() for _ in range(3)] == ["opened", "bye.", "closed"]
    assert script.events.empty()


def test_close_while_nothing_receives(connect: Connect, script: Script) -> None:
    """Messages sent before closing arrive first, then the close frame; the handler is called."""
    script.answer = words
    client = connect(POLLING)
    client.say("so long.")
    assert [client.frame() for _ in range(3)] == [
        'a["so","long"]', 'c[3000,"Go away!"]', 'c[3000,"Go away!"]']
    assert [script.next() for _ in range(3)] == ["opened", "so long.", "closed"]


@receivers
def test_client_vanishes(connect: Connect, script: Script, receiver: str) -> None:
    """The end of a receiver's TCP ends the session at once, and its id is free."""
    client = connect(receiver)
    client.receive()
    client.close()
    assert [script.next(), script.next()] == ["opened", "closed"]
    connect(receiver)
    assert script.next() == "opened"


def test_client_hangs_up_between_two_polls(connect: Connect, script: Script) -> None:
    """The end of a TCP connection that receives nothing is not the end of the session."""
    script.answer = echo
    connect(POLLING).close()
    other = connect(POLLING, opened=False)
    other.say("x")
    assert other.frame() == 'a["x"]'
    assert [script.next(), script.next()] == ["opened", "x"]


def test_client_stays_away(serve: Serve, script: Script) -> None:
    """A client without a receiver for too long has left, and its session's id is free."""
    server = serve(disconnect_delay=0.01)
    for _ in range(2):
        client = XhrClient(server.base_url, POLLING)
        assert [script.next(), script.next()] == ["opened", "closed"]
        assert client.post(b'["x"]')[0] == 404
        client.close()


def test_closed_session_whose_client_stays_away(serve: Serve, script: Script) -> None:
    """A closed session whose client never returns ends after the timeout."""
    script.greet = lambda connection: connection.close(3000, "Go away!")
    client = XhrClient(serve(disconnect_delay=0.01).base_url, POLLING)
    assert [script.next(), script.next()] == ["opened", "closed"]
    client.close()


@pytest.mark.parametrize("blow, complaint", [
    (Connection.drop, Cut), (Connection.reset, ConnectionResetError)])
@receivers
def test_tcp_ends(
    connect: Connect, script: Script, receiver: str, blow: Any, complaint: Any
) -> None:
    """A receiver whose TCP is dropped or reset has no end of its answer; the session is over."""
    script.answer = lambda connection, text: blow(connection)
    client = connect(receiver)
    client.receive()
    client.say("now")
    with pytest.raises(complaint):
        client.frame()
    assert [script.next() for _ in range(3)] == ["opened", "now", "closed"]
    assert client.post(b'["x"]')[0] == 404


@pytest.mark.parametrize("blow, complaint", [
    (Connection.drop, Cut), (Connection.reset, ConnectionResetError)])
def test_tcp_ends_between_two_polls(
    connect: Connect, script: Script, blow: Any, complaint: Any
) -> None:
    """A fault of TCP without a receiver hits the next one, and then the id is free."""
    script.answer = lambda connection, text: blow(connection)
    client = connect(POLLING)
    client.say("now")
    assert [script.next() for _ in range(3)] == ["opened", "now", "closed"]
    assert client.post(b'["x"]')[0] == 404
    with pytest.raises(complaint):
        client.frame()
    connect(POLLING)
    assert script.next() == "opened"


def test_frames_after_the_end(connect: Connect, script: Script) -> None:
    """A handler that sends to a receiver that it has dropped harms nothing."""
    def answer(connection: Connection, text: str) -> None:
        connection.send("before")
        connection.drop()
        connection.send("after")

    script.answer = answer
    client = connect()
    client.say("now")
    with pytest.raises(Cut):
        client.frame()
    assert [script.next() for _ in range(3)] == ["opened", "now", "closed"]


def test_stop(connect: Connect, script: Script, server: ServerThread) -> None:
    """A server that stops ends every session, those without a receiver too."""
    streaming = connect(session="streaming")
    connect(POLLING, session="polling")
    server.stop()
    assert [script.next() for _ in range(4)] == ["opened", "opened", "closed", "closed"]
    with pytest.raises((Cut, OSError)):
        streaming.frame()


# Headers


@pytest.mark.parametrize("name", ["xhr", "xhr_streaming", "xhr_send"])
def test_preflight(web: Web, name: str) -> None:
    """The response to a preflight request can be cached for a year."""
    answer = web.request(
        "OPTIONS", URL + name, Origin="http://page.test", Access_Control_Request_Method="POST",
        Access_Control_Request_Headers="Content-Type")
    assert (answer.status, answer.text()) == (204, "")
    expected: Dict[str, str] = {
        "Access-Control-Allow-Origin": "http://page.test",
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Methods": "OPTIONS, POST",
        "Access-Control-Allow-Headers": "Content-Type",
        "Access-Control-Max-Age": "31536000",
        "Cache-Control": "public, max-age=31536000",
        "Vary": "Origin",
    }
    assert {key: answer.headers[key] for key in expected} == expected
    assert answer.headers["Expires"].endswith("GMT")


@pytest.mark.parametrize("name", ["xhr", "xhr_streaming", "xhr_send"])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_other_methods(web: Web, name: str, method: str) -> None:
    """Only POST and OPTIONS are allowed."""
    answer = web.request(method, URL + name)
    assert (answer.status, answer.headers["Allow"]) == (405, "OPTIONS,POST")


@pytest.mark.parametrize("origin, allowed, credentials", [
    (None, "*", None), ("http://page.test", "http://page.test", "true"), ("null", "null", "true")])
@pytest.mark.parametrize("name", ["xhr", "xhr_streaming", "xhr_send"])
def test_cors(web: Web, name: str, origin: Any, allowed: str, credentials: Any) -> None:
    """The answer may be read by the origin that asks, with its cookies, or else by any."""
    answer = web.request("POST", URL + name, **({"Origin": origin} if origin else {}))
    assert answer.headers["Access-Control-Allow-Origin"] == allowed
    assert answer.headers["Access-Control-Allow-Credentials"] == credentials


@pytest.mark.parametrize("name", ["xhr", "xhr_streaming", "xhr_send"])
@pytest.mark.parametrize("sent, back", [
    ("other=1", "dummy"), ("JSESSIONID=", "dummy"), ("NOJSESSIONID=x", "dummy"),
    ("other=1; JSESSIONID=node-7; more=2", "node-7"), (r'JSESSIONID="a\012b"', r'"a\012b"')])
def test_cookie(web: Web, name: str, sent: str, back: str) -> None:
    """A load balancer's cookie is sent back unchanged; a client without one gets a dummy."""
    answer = web.request("POST", URL + name, Cookie=sent)
    assert answer.headers["Set-Cookie"] == f"JSESSIONID={back}; path=/"
