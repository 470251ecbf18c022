"""The suite's cases about URLs, the info, sessions and the cookie."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from . import checks
from .conftest import Ask
from .services import GO_AWAY, Services, new_session

pytestmark = pytest.mark.fault(75)


def test_greeting_at_the_base(services: Services, ask: Ask) -> None:
    for path in ("", "/"):
        answer = ask(services.echo, "GET", path)
        assert (answer.status, answer.text()) == (200, "Welcome to SockJS!\n")
        assert checks.content_type(answer) == checks.PLAIN
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/a", "/a.html", "//", "///", "/a/a", "/a/a/", "/a/"])
def test_other_paths_are_not_found(services: Services, ask: Ask, path: str) -> None:
    assert ask(services.echo, "GET", path).status == 404


@pytest.mark.parametrize(
    "path",
    ["/iframe", "/iframe.htm", "/iframe.xml", "/iframe.HTML", "/IFRAME", "/IFRAME.HTML",
     "/iframe-/.html"],
)
def test_paths_like_that_of_an_iframe_are_not_found(
    services: Services, ask: Ask, path: str
) -> None:
    assert ask(services.echo, "GET", path).status == 404


@pytest.mark.parametrize(
    "method, path",
    [("POST", ""), ("PUT", "/"), ("POST", "/info"), ("GET", "/000/abc/xhr"),
     ("PUT", "/000/abc/xhr_streaming"), ("DELETE", "/000/abc/xhr_send")],
)
def test_other_methods_are_refused_without_a_body(
    services: Services, ask: Ask, method: str, path: str
) -> None:
    """This is in no case of the suite but for the websocket, yet npm's server agrees."""
    checks.check_not_allowed(ask(services.echo, method, path))


# Info


def test_info_tells_the_facts(services: Services, ask: Ask) -> None:
    answer = ask(services.echo, "GET", "/info", Origin="test")
    assert answer.status == 200
    assert checks.content_type(answer) == checks.JSON
    assert "Set-Cookie" not in answer.headers
    checks.check_uncached(answer)
    checks.check_readable_by("test", answer)
    facts = json.loads(answer.text())
    assert facts["websocket"] is True
    assert facts["cookie_needed"] is False
    assert facts["origins"] == ["*:*"]
    assert isinstance(facts["entropy"], int)


def test_info_entropy_differs(services: Services, ask: Ask) -> None:
    first, second = (json.loads(ask(services.echo, "GET", "/info").text()) for _ in range(2))
    assert first["entropy"] != second["entropy"]
    assert all(0 <= facts["entropy"] < 2**32 for facts in (first, second))


@pytest.mark.parametrize("origin", ["test", "null"])
def test_info_preflight(services: Services, ask: Ask, origin: str) -> None:
    answer = ask(
        services.echo, "OPTIONS", "/info",
        Origin=origin, Access_Control_Request_Method="OPTIONS, GET",
    )
    checks.check_preflight(answer, origin, "OPTIONS", "GET")


def test_info_preflight_of_a_local_file(services: Services, ask: Ask) -> None:
    answer = ask(
        services.echo, "OPTIONS", "/info", Origin="null", Access_Control_Request_Method="POST"
    )
    assert answer.status in (200, 204)
    assert answer.text() == ""
    assert answer.headers["Access-Control-Allow-Origin"] == "null"


def test_info_without_websockets(services: Services, ask: Ask) -> None:
    answer = ask(services.without_websocket, "GET", "/info")
    assert answer.status == 200
    assert json.loads(answer.text())["websocket"] is False


# Sessions


@pytest.mark.parametrize("prefix", ["/a/a", "/_/_", "/1/", "/abcdefgh_i-j%20/abcdefg_i-j%20"])
def test_any_server_and_session(services: Services, ask: Ask, prefix: str) -> None:
    answer = ask(services.echo, "POST", f"{prefix}{uuid4().hex}/xhr")
    assert (answer.status, answer.text()) == (200, "o\n")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("prefix", ["/", "//", "///", "/a./a", "/a/a.", "/./."])
def test_dots_and_empty_parts_are_not_found(
    services: Services, ask: Ask, prefix: str, method: str
) -> None:
    assert ask(services.echo, method, prefix + "/xhr").status == 404


def test_server_part_is_ignored(services: Services, ask: Ask) -> None:
    session = uuid4().hex
    assert ask(services.echo, "POST", f"/000/{session}/xhr").text() == "o\n"
    assert ask(services.echo, "POST", f"/000/{session}/xhr_send", '["a"]').status == 204
    answer = ask(services.echo, "POST", f"/999/{session}/xhr")
    assert (answer.status, answer.text()) == (200, 'a["a"]\n')


def test_closed_session_says_so_again_and_again(services: Services, ask: Ask) -> None:
    url = new_session() + "xhr"
    answers = [ask(services.closing, "POST", url) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert [answer.text() for answer in answers] == ["o\n", GO_AWAY + "\n", GO_AWAY + "\n"]


# The cookie


def test_info_of_a_server_that_wants_the_cookie(services: Services, ask: Ask) -> None:
    answer = ask(services.with_cookie, "GET", "/info")
    assert answer.status == 200
    assert "Set-Cookie" not in answer.headers
    assert json.loads(answer.text())["cookie_needed"] is True


def test_cookie_on_a_poll(services: Services, ask: Ask) -> None:
    """A poll without the cookie gets one, and one with the cookie gets it back."""
    for given, expected in [({}, "dummy"), ({"Cookie": "JSESSIONID=abcdef"}, "abcdef")]:
        answer = ask(services.with_cookie, "POST", new_session() + "xhr", **given)
        assert (answer.status, answer.text()) == (200, "o\n")
        cookie, path = answer.headers["Set-Cookie"].split(";")[:2]
        assert (cookie, path.strip().lower()) == (f"JSESSIONID={expected}", "path=/")


def test_cookie_on_a_stream(services: Services, ask: Ask) -> None:
    answer = ask(services.with_cookie, "POST", new_session() + "xhr_streaming")
    assert answer.status == 200
    cookie, path = answer.headers["Set-Cookie"].split(";")[:2]
    assert (cookie, path.strip().lower()) == ("JSESSIONID=dummy", "path=/")
