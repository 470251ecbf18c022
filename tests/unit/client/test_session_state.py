"""The states of a client's sessions: which one is current, and what is still expected."""

from __future__ import annotations

import threading
from typing import Any, List

import pytest

from keyyo_cti._client.pending import Request
from keyyo_cti._client.session_state import Sessions, SessionState, State
from keyyo_cti._client.wire import ping
from keyyo_cti.errors import ConnectionClosed

from .test_pending import FakeDispatcher


@pytest.fixture
def sessions() -> Sessions[SessionState]:
    return Sessions()


def begin(sessions: Sessions[SessionState], state: State = State.OPEN) -> SessionState:
    """Begin a session, and bring it into a state."""
    session = SessionState()
    session.state = state
    sessions.all.append(session)
    return session


def request() -> Any:
    return Request(ping(), FakeDispatcher())


def test_no_session_nothing_is_expected(sessions: Sessions[SessionState]) -> None:
    assert sessions.current is None and not sessions.expecting()


@pytest.mark.parametrize("state", State)
def test_session_is_current_until_it_ends(
    sessions: Sessions[SessionState], state: State
) -> None:
    session = begin(sessions, state)
    lives = state in (State.OPENING, State.OPEN, State.RESTORING)
    assert (sessions.current is session) is session.is_current is lives
    assert session.serves is (state in (State.OPENING, State.OPEN))
    # The end of its connection is to come, and told.
    assert sessions.expecting() and session.unclosed is (state is not State.CLOSING)
    sessions.on_end_handled(session)
    assert sessions.expecting() is session.unclosed is lives
    assert sessions.all == [session] * lives


def test_session_that_began_last_is_current(sessions: Sessions[SessionState]) -> None:
    closing = begin(sessions)
    closing.end(State.CLOSING)
    assert sessions.current is None and sessions.expecting()
    assert sessions.current is not begin(sessions) is not closing


@pytest.mark.parametrize(
    ("state", "requests", "useless"),
    [(State.OPENING, 0, True), (State.OPENING, 1, False), (State.OPEN, 0, False),
     (State.RESTORING, 0, False), (State.ENDED, 0, False)],
)
def test_session_without_any_request_is_useless(
    sessions: Sessions[SessionState], state: State, requests: int, useless: bool
) -> None:
    session = begin(sessions, state)
    session.requests = requests
    assert sessions.close_if(session, lambda: session.is_useless) is useless
    assert (session.state is State.CLOSING) is useless


def test_outage_is_given_up_once(sessions: Sessions[SessionState]) -> None:
    """A loss is expected until it is told; after close() there is none."""
    session = begin(sessions)
    session.lose()
    sessions.on_end_handled(session)
    assert sessions.current is session and session.give_up() and not session.give_up()
    assert sessions.expecting() and session.unclosed
    sessions.on_end_handled(session)
    assert not sessions.expecting()
    closed = begin(sessions)
    closed.lose()
    closed.end(State.CLOSING)
    assert not closed.give_up() and closed.state is State.CLOSING


def test_handled_drop_is_expected_to_be_followed(sessions: Sessions[SessionState]) -> None:
    """The program may be about to open another session, until it does or closes."""
    for end in ("follow", "close"):
        dropped = begin(sessions)
        dropped.end(State.ENDED)
        sessions.on_end_handled(dropped, drop_handled=True)
        assert sessions.expecting() and not dropped.unclosed
        if end == "close":
            dropped.end(State.CLOSING)
        else:
            sessions.follow(begin(sessions))
            sessions.all.pop()
        sessions.forget_old()
        assert not sessions.expecting() and sessions.all == []


@pytest.mark.parametrize("meanwhile", ["followed", "closed"])
def test_drop_handled_too_late_is_not_expected_to_be_followed(
    sessions: Sessions[SessionState], meanwhile: str
) -> None:
    dropped = begin(sessions)
    dropped.end(State.ENDED)
    if meanwhile == "closed":
        dropped.end(State.CLOSING)
    else:
        sessions.follow(begin(sessions))
        sessions.all.pop()
    sessions.on_end_handled(dropped, drop_handled=True)
    assert not sessions.expecting()


@pytest.mark.parametrize("lost", [True, False])
def test_refused_command_comes_after_those_sent_before(
    sessions: Sessions[SessionState], lost: bool
) -> None:
    """While commands of the lost or closed connection have no answer, later ones have none."""
    session = begin(sessions)
    if lost:
        session.lose()
    else:
        session.end(State.CLOSING)
    first, second, third = request(), request(), request()
    sessions.refuse(first)
    sessions.refuse(second)
    assert not first.future.done()

    def ask_again(_: Any) -> None:
        sessions.refuse(third)
        assert not third.future.done()

    # As asyncio's own, it runs at once.
    ask_again.__module__ = "asyncio.futures"
    second.future.add_done_callback(ask_again)
    sessions.refuse_deferred(session)
    for each in (first, second, third):
        error = each.future.exception(0)
        assert isinstance(error, ConnectionClosed) and not error.sent
        assert ("restored" in str(error.hint)) is lost
    late = request()
    sessions.refuse(late)
    assert late.future.done()


def test_wait_ends_with_the_last_thing_expected(sessions: Sessions[SessionState]) -> None:
    session = begin(sessions)
    session.lose()
    waited: List[bool] = []
    waiter = threading.Thread(
        target=lambda: waited.append(sessions.changed.wait_for(lambda: not sessions.expecting()))
    )
    waiter.start()
    sessions.on_end_handled(session)
    assert sessions.close_if(session, lambda: True)
    waiter.join(10)
    assert waited == [True]
