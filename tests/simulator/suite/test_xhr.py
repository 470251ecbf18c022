"""The suite's cases about polling, streaming and posts."""

from __future__ import annotations

import json
from typing import Dict, Optional, Tuple

import pytest

from ...helpers.xhr_client import PRELUDE, Web
from . import checks
from .conftest import Ask, Connect
from .services import STREAM_LIMIT, Services, new_session
from .two_polls import two_polls

pytestmark = pytest.mark.fault(75)


class Session:
    """One session of the echo, with a TCP connection to send on and one to poll on."""

    def __init__(self, connect: Connect, base_url: str) -> None:
        self.path = new_session()
        self._poller: Web = connect(base_url)
        self._sender: Web = connect(base_url)

    def poll(self) -> str:
        answer = self._poller.request("POST", self.path + "xhr")
        assert answer.status == 200
        return answer.text()

    def send(self, body: str, content_type: Optional[str] = None) -> Tuple[int, str]:
        """Post messages; return the status and body of the response."""
        headers = {} if content_type is None else {"Content-Type": content_type}
        answer = self._sender.request(
            "POST", self.path + "xhr_send", body.encode("utf-8"), **headers
        )
        return answer.status, answer.text()


@pytest.fixture
def session(services: Services, connect: Connect) -> Session:
    """A session that has been opened by a poll."""
    session = Session(connect, services.echo)
    assert session.poll() == "o\n"
    return session


@pytest.mark.parametrize("origin", ["test", "null"])
@pytest.mark.parametrize("url", ["xhr", "xhr_send"])
def test_polling_preflight(services: Services, ask: Ask, url: str, origin: str) -> None:
    answer = ask(
        services.echo, "OPTIONS", "/abc/abc/" + url,
        Origin=origin, Access_Control_Request_Method="OPTIONS, POST",
    )
    checks.check_preflight(answer, origin, "OPTIONS", "POST")


@pytest.mark.parametrize("origin", ["test", "null"])
def test_streaming_preflight(services: Services, ask: Ask, origin: str) -> None:
    answer = ask(
        services.echo, "OPTIONS", "/abc/abc/xhr_streaming",
        Origin=origin, Access_Control_Request_Method="OPTIONS, POST",
    )
    checks.check_preflight(answer, origin, "OPTIONS", "POST")


@pytest.mark.parametrize(
    "asked, allowed", [({"Access-Control-Request-Headers": "a, b, c"}, "a, b, c"),
                       ({"Access-Control-Request-Headers": ""}, None), ({}, None)]
)
def test_preflight_allows_the_headers_that_are_asked_for(
    services: Services, ask: Ask, asked: Dict[str, str], allowed: Optional[str]
) -> None:
    answer = ask(
        services.echo, "OPTIONS", new_session() + "xhr",
        Origin="test", Access_Control_Request_Method="POST", **asked,
    )
    assert answer.status in (200, 204)
    checks.check_readable_by("test", answer)
    assert (answer.headers.get("Access-Control-Allow-Headers") or None) == allowed


def test_polling_carries_an_echo(services: Services, ask: Ask) -> None:
    path = new_session()
    opening = ask(services.echo, "POST", path + "xhr", Origin="test")
    assert (opening.status, opening.text()) == (200, "o\n")
    assert checks.content_type(opening) == checks.SCRIPT
    sending = ask(services.echo, "POST", path + "xhr_send", '["x"]', Origin="test")
    assert (sending.status, sending.text()) == (204, "")
    assert checks.content_type(sending) == checks.PLAIN
    for answer in (opening, sending):
        checks.check_readable_by("test", answer)
        checks.check_uncached(answer)
    message = ask(services.echo, "POST", path + "xhr")
    assert (message.status, message.text()) == (200, 'a["x"]\n')


def test_second_poll_is_told_of_the_first(services: Services, connect: Connect) -> None:
    """A poll, posts to a session that exists and one that does not, and two simultaneous polls."""
    session = Session(connect, services.echo)
    assert session.poll() == "o\n"
    assert session.send('["a"]') == (204, "")
    assert session.poll() == 'a["a"]\n'
    missing = connect(services.echo).request("POST", "/000/bad_session/xhr_send", b'["a"]')
    assert missing.status == 404
    with two_polls(connect, services.echo, session.path) as refused:
        assert refused == 'c[2010,"Another connection still open"]\n'


def test_sending_to_no_session_is_not_found(services: Services, ask: Ask) -> None:
    assert ask(services.echo, "POST", new_session() + "xhr_send", '["x"]').status == 404


def test_sending_broken_json_is_an_error_and_harmless(session: Session) -> None:
    status, text = session.send('["x')
    assert status == 500
    assert "Broken JSON encoding." in text
    status, text = session.send("")
    assert status == 500
    assert "Payload expected." in text
    assert session.send('["a"]') == (204, "")
    assert session.poll() == 'a["a"]\n'


def test_sending_with_any_content_type(session: Session) -> None:
    types = [
        "text/plain", "T", "application/json", "application/xml", "", "text/xml",
        "application/json; charset=utf-8", "text/xml; charset=utf-8",
    ]
    for number, content_type in enumerate(types):
        assert session.send(f'["{number}"]', content_type) == (204, "")
    assert json.loads(session.poll()[1:]) == [str(number) for number in range(len(types))]


def test_sending_no_messages(session: Session) -> None:
    assert session.send("[]") == (204, "")
    assert session.send('["a"]') == (204, "")
    assert session.poll() == 'a["a"]\n'


def test_streaming_carries_an_echo(services: Services, connect: Connect, ask: Ask) -> None:
    path = new_session()
    stream = connect(services.echo).request("POST", path + "xhr_streaming", Origin="test")
    assert stream.status == 200
    assert checks.content_type(stream) == checks.SCRIPT
    checks.check_readable_by("test", stream)
    checks.check_uncached(stream)
    assert (stream.line(), stream.line()) == (PRELUDE, "o")
    sending = ask(services.echo, "POST", path + "xhr_send", '["x"]')
    assert (sending.status, sending.text()) == (204, "")
    assert stream.line() == 'a["x"]'


def test_stream_ends_at_its_limit(services: Services, connect: Connect) -> None:
    path = new_session()
    stream = connect(services.echo).request("POST", path + "xhr_streaming")
    assert (stream.line(), stream.line()) == (PRELUDE, "o")
    sender = connect(services.echo)
    frame = 'a["' + "x" * 128 + '"]'
    for _ in range(STREAM_LIMIT // len(frame) + 1):
        assert sender.request("POST", path + "xhr_send", frame[1:].encode()).status == 204
        assert stream.line() == frame
    assert stream.line() == ""


# What JSON says in more than one way


def test_characters_that_browsers_mangle_are_escaped(session: Session) -> None:
    mangled = [*range(0x200C, 0x2010), *range(0x2028, 0x2030), *range(0x2060, 0x2070),
               *range(0xFFF0, 0x10000)]
    text = "".join(map(chr, mangled))
    assert session.send(f'["{text}"]') == (204, "")
    assert session.poll() == 'a["' + "".join(f"\\u{each:04x}" for each in mangled) + '"]\n'


def test_every_escape_is_understood(session: Session) -> None:
    text = '["' + "".join(f"\\u{each:04x}" for each in range(0x10000)) + '"]'
    assert session.send(text) == (204, "")
    assert json.loads(session.poll()[1:]) == json.loads(text)
