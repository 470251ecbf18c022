"""What a sequence of frames means."""

from __future__ import annotations

import re
from typing import List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyyo_cti._sockjs.errors import Closed, Unreadable
from keyyo_cti._sockjs.session import (
    CLOSED,
    CONNECTING,
    OPEN,
    Event,
    Message,
    Opened,
    SockJSSession,
)


def receive(*frames: str) -> List[Event]:
    protocol = SockJSSession()
    return [event for frame in frames for event in protocol.receive(frame)]


def test_a_whole_session() -> None:
    """A session opens, carries messages in order, and closes with the server's words."""
    assert receive("o", 'a["1"]', "h", 'a["2",3]', "a", 'm{"4": 5}', 'c[3000,"Go away!"]') == [
        Opened(),
        Message("1"),
        Message("2"),
        Message(3),
        Message({"4": 5}),
        Closed(3000, "Go away!"),
    ]


def test_states() -> None:
    """A session is connecting, then open, then closed."""
    protocol = SockJSSession()
    seen = [protocol.state]
    for frame in ("h", "o", 'a["x"]', "c[3000]", "o"):
        protocol.receive(frame)
        seen.append(protocol.state)
    assert seen == [CONNECTING, CONNECTING, OPEN, OPEN, CLOSED, CLOSED]


@pytest.mark.parametrize("frame", ["h" * 2048, "h", "", "x", 'a["x"]', 'm"x"', "a"])
def test_before_open(frame: str) -> None:
    """A prelude is dropped, and so are messages that come before the session is open."""
    assert receive(frame, "o", 'a["y"]') == [Opened(), Message("y")]


@pytest.mark.parametrize("before", [[], ["o"]])
def test_words_of_a_close(before: List[str]) -> None:
    """The server's words are on one line, without control characters, and fit for any log."""
    closed = receive(*before, 'c[3000,"\\u001b[2J\\n\\ud800 été"]')[-1]
    assert closed == Closed(3000, "\\x1b[2J\\n\\ud800 été")


def test_closed_before_open() -> None:
    """A server may refuse a session at once."""
    assert receive('c[2010,"Another connection still open"]', "o") == [
        Closed(2010, "Another connection still open")
    ]


def test_open_twice() -> None:
    """A second opening means that the server has lost the session."""
    assert receive("o", "o", 'a["x"]') == [Opened(), Closed(1006, "Server lost session")]


@pytest.mark.parametrize("frame", ["a[", "anull", "m{", 'a{"CANARY": 1}'])
def test_broken_frame(frame: str) -> None:
    """A broken frame is reported, without what is in it, and the session goes on."""
    opened, broken, message = receive("o", frame, 'a["x"]')
    assert isinstance(broken, Unreadable)
    assert re.fullmatch(
        f"a frame of kind '{frame[0]}': (JSONDecodeError|expected an array)", str(broken)
    )
    assert message == Message("x")


@pytest.mark.parametrize("frame", ["c", "c[", "c{}", 'c["3000"]'])
@pytest.mark.parametrize("before", [[], ["o"]])
def test_broken_close(before: List[str], frame: str) -> None:
    """A close that cannot be read is a close all the same, as a lost connection."""
    closed = receive(*before, frame, "o", 'a["x"]')[-1]
    assert isinstance(closed, Closed)
    assert (closed.code, closed.clean) == (1006, False)
    assert re.fullmatch(
        r"A close frame that cannot be read: (JSONDecodeError|expected \[code, reason\])",
        closed.reason,
    )


@pytest.mark.parametrize("frame", ["", "x", "h", "hello", "\n"])
def test_passed_over(frame: str) -> None:
    """Unknown and empty frames are passed over."""
    assert receive("o", frame, 'a["x"]') == [Opened(), Message("x")]


@pytest.mark.parametrize(
    "code, clean",
    [(1000, True), (3000, True), (4999, True), (999, False), (1001, False), (1006, False)]
    + [(2999, False), (5000, False), (-1, False)],
)
def test_clean(code: int, clean: bool) -> None:
    """A close is clean for 1000 and for 3000 to 4999."""
    (closed,) = receive(f'c[{code},"r"]')
    assert isinstance(closed, Closed)
    assert closed.clean is clean


FRAMES = st.lists(
    st.sampled_from(["o", "h", "a", "a[", 'a["x",1]', 'm"x"', "m", "c[3000]", "c[", "c", "", "x"])
    | st.text(),
    max_size=12,
)


@settings(deadline=None, derandomize=True, database=None, max_examples=60)
@given(FRAMES)
def test_any_sequence(frames: List[str]) -> None:
    """Whatever comes, a session opens at most once and closes at most once; there is no message
    before the opening, and nothing at all after the close."""
    events = receive(*frames)
    kinds = [type(event) for event in events]
    assert kinds.count(Opened) <= 1
    assert Closed not in kinds[:-1]
    if Message in kinds:
        assert Opened in kinds[: kinds.index(Message)]


@settings(deadline=None, derandomize=True, database=None, max_examples=60)
@given(FRAMES, FRAMES)
def test_nothing_after_the_close(before: List[str], after: List[str]) -> None:
    """After a close, no frame means anything."""
    with_more = receive(*before, "c[3000]", *after)
    assert repr(with_more) == repr(receive(*before, "c[3000]"))
