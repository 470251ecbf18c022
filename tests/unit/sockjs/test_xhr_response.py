"""What tells an answer of a SockJS server from a page."""

from __future__ import annotations

from typing import List

import pytest

from keyyo_cti._sockjs.errors import Closed, NotSockJS, SockJSError
from keyyo_cti._sockjs.xhr_response import PollResponse, may_become_frame

SCRIPT = "application/javascript; charset=UTF-8"

#: First lines that begin as frames do, and are none.
LOOKALIKES = [
    b"ok", b"offline", b"hello", b"h1 { color: red }", b"hh<html>", b"alert(1)", b"a[href]",
    b"a[1", b"maintenance", b"m", b"m{", b"closed", b"c[", b'c["3000"]', b"o o",
]

PAGES = [b"<!DOCTYPE html>", b"  <html>", b'{"error": "login"}', b"Down", b"\xff\xfe", b" o"]

FRAMES = [b"o", b"h", b"h" * 2048, b"a", b'a["x"]', b"a[]", b'm"x"', b'c[3000,"Go away!"]']


@pytest.mark.fault(57)
@pytest.mark.parametrize("line", LOOKALIKES + PAGES)
@pytest.mark.parametrize("content_type", ["", SCRIPT, "text/html", "text/plain; charset=x"])
def test_line_that_is_no_frame_is_not_good(line: bytes, content_type: str) -> None:
    answer = PollResponse(content_type)
    try:
        answer.add([b"", line])
    except SockJSError as error:
        assert line.lstrip()[:1] == b"<" or content_type.startswith("text/")
        assert error.closed == Closed(
            1006, "Connection lost: a response that is not SockJS, such as a page of a proxy")
        assert isinstance(error.closed.cause, NotSockJS)
        return
    assert not (answer.empty or answer.good or answer.news)


@pytest.mark.parametrize("line", FRAMES)
@pytest.mark.parametrize("content_type", ["", SCRIPT, "text/javascript", "text/plain"])
def test_frame_is_good_whatever_the_type(line: bytes, content_type: str) -> None:
    answer = PollResponse(content_type)
    answer.add([line, b"<html>"])
    assert answer.good


def test_nothing_is_empty() -> None:
    answer = PollResponse("")
    assert answer.empty and not answer.good and not may_become_frame(b"")


@pytest.mark.parametrize("line", FRAMES)
def test_beginning_of_a_frame_is_life(line: bytes) -> None:
    """A frame that comes byte by byte is life from its first one on."""
    assert all(may_become_frame(line[:end]) for end in range(1, len(line)))


@pytest.mark.fault(57)
@pytest.mark.parametrize("rest", [b"<", b"ok", b"hello", b"alert", b"a(", b"cl", b"mai", b"x"])
def test_beginning_of_a_page_is_no_life(rest: bytes) -> None:
    assert not may_become_frame(rest)


@pytest.mark.parametrize(
    "lines, news",
    [([], False), ([b"h"], False), ([b"hhhh", b"h"], False), ([b"h", b"o"], True),
     ([b"a", b"a[]"], False), ([b"h", b"<html>"], False), ([b'a["x"]'], True)],
)
def test_only_frames_that_say_something_are_news(lines: List[bytes], news: bool) -> None:
    answer = PollResponse("")
    answer.add(lines)
    assert answer.news == news


@pytest.mark.fault(57)
@pytest.mark.fault(58)
@pytest.mark.parametrize("line", [b"a[0] = 1;", b"a[x", b"ok", b"hello", *PAGES, b""])
def test_line_after_a_frame_that_is_none_is_found_out(line: bytes) -> None:
    """A proxy may add its page to an answer that the service has begun."""
    answer = PollResponse("")
    assert answer.add([b"o", line])
    assert not answer.add([line]) and not answer.add([])
    assert answer.add([line, b"h"])
