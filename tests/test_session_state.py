"""The links of one CTI and the outage between two of them: who ends what, just once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, List, Optional

import pytest

from keyyo_cti.links import Links
from keyyo_cti.outage import Outage


class FakeLink:
    """What is known of a link's life, and nothing behind it."""

    def __init__(self) -> None:
        self.sessions_asked = 0
        self.in_session = False
        self.quiet = False
        self.is_event = False
        self.last_silence = 2.0


@pytest.fixture
def links() -> Any:
    return Links()


def opened(links: Any, in_session: bool = True) -> FakeLink:
    """A link with a session on it, or with one that is asked for."""
    link: FakeLink = links.for_session(FakeLink)
    if in_session:
        links.session_answered(link)
        link.in_session = True
    return link


def lost(links: Any) -> Any:
    """The outage after a session was lost."""
    outage = links.lose(opened(links), True)
    assert isinstance(outage, Outage)
    return outage


def test_at_first(links: Any) -> None:
    """At first there is nothing, and nothing to expect."""
    assert links.current is None and not links.restoring and not links.expecting()
    assert links.all_quiet() and not links.inside_restorer()
    assert links.close() == ([], [], False)


def test_one_link(links: Any) -> None:
    """Requests for a session share the link that there is; each is counted."""
    first = opened(links, in_session=False)
    assert links.for_session(FakeLink) is first is links.current
    assert first.sessions_asked == 2
    links.session_answered(first)
    assert first.sessions_asked == 1 and links.expecting() and not links.all_quiet()


def test_link_that_cannot_be_made(links: Any) -> None:
    """A link that cannot be made leaves nothing behind."""

    def fail() -> Any:
        raise RuntimeError("can't start new thread")

    with pytest.raises(RuntimeError):
        links.for_session(fail)
    assert links.current is None and not links.expecting()


def test_lost(links: Any) -> None:
    """A session that is lost begins an outage, if it is to be restored."""
    link = opened(links)
    assert links.lose(link, False) is None
    assert link.is_event and links.current is None and not links.restoring
    outage = lost(links)
    assert links.restoring and links.inside_restorer() and links.current is None
    with ThreadPoolExecutor(1) as other:
        assert not other.submit(links.inside_restorer).result(10)
    assert outage.summary().gap >= 2.0 and not outage.summary().recreated


def test_lost_without_a_session(links: Any) -> None:
    """A link that never had a session begins none; its end is an event."""
    link = opened(links, in_session=False)
    assert links.lose(link, True) is None
    assert link.is_event and not links.restoring


def test_link_that_nobody_wants_is_no_loss(links: Any) -> None:
    """A link that was dropped or closed is none that can be lost."""
    dropped = opened(links)
    assert links.drop(dropped) and not links.drop(dropped)
    assert links.lose(dropped, True) is None and not dropped.is_event
    closed = opened(links)
    links.close()
    assert links.lose(closed, True) is None and not closed.is_event and not links.restoring


@pytest.mark.parametrize("in_session", [True, False])
def test_attempt_that_is_lost(links: Any, in_session: bool) -> None:
    """A link that is lost during an outage is part of it, and no event of its own."""
    outage = lost(links)
    attempt = links.for_session(FakeLink, outage)
    attempt.in_session = in_session
    assert links.lose(attempt, True) is None
    assert not attempt.is_event and links.restoring


def test_nobody_else_asks_in_an_outage(links: Any) -> None:
    """During an outage only who restores gets a link, and only for that outage."""
    outage = lost(links)
    assert links.for_session(FakeLink) is None
    assert links.for_session(FakeLink, Outage(0.0)) is None
    attempt = links.for_session(FakeLink, outage)
    assert attempt is not None and attempt.sessions_asked == 1
    links.end_outage()
    assert links.for_session(FakeLink, outage) is None
    assert links.for_session(FakeLink) is attempt


def test_useless(links: Any) -> None:
    """A link is useless with no session on it, and none asked for."""
    link = opened(links, in_session=False)
    assert not links.drop_if_useless(link)
    links.session_answered(link)
    link.in_session = True
    assert not links.drop_if_useless(link)
    link.in_session = False
    assert links.drop_if_useless(link)
    assert links.current is None and not links.drop_if_useless(link)


def test_restored(links: Any) -> None:
    """An outage is ended once, by whoever comes first, and wakes who restores."""
    outage = lost(links)
    assert links.end_outage() is outage and outage.over.is_set()
    assert links.end_outage() is None and not links.restoring
    assert not links.lose_session(outage)
    assert links.close().outages == []


def test_closed(links: Any) -> None:
    """Closing ends the outage, and no attempt begins after that."""
    outage = lost(links)
    attempt = links.for_session(FakeLink, outage)
    ending = links.close()
    assert ending.outages == [outage] and ending.was_restoring and outage.over.is_set()
    assert attempt in ending.links
    assert links.for_session(FakeLink, outage) is None and links.current is None
    assert not links.lose_session(outage)


def test_lost_for_good(links: Any) -> None:
    """A session that is lost for good is something to expect until that is told."""
    outage = lost(links)
    assert links.lose_session(outage) and not links.lose_session(outage)
    assert links.end_outage() is None and not links.restoring
    for link in links.close().links:
        links.done(link)
    assert links.close() == ([], [outage], False)
    assert links.expecting() and links.all_quiet()
    links.told(outage)
    assert not links.expecting()


def test_new_outage_before_the_last_one_is_told(links: Any) -> None:
    """When what was lost is opened and lost again before its handlers are done, what is told of
    the first does not end the second."""
    first = lost(links)
    links.lose_session(first)
    second = lost(links)
    assert second is not first
    assert sorted(links.close().outages, key=id) == sorted([first, second], key=id)
    third = lost(links)
    links.told(first)
    assert links.restoring and links.end_outage() is third


@pytest.mark.parametrize("last", ["link", "outage", "loss"])
def test_wait(links: Any, last: str) -> None:
    """Who waits is woken when the last thing that was expected is over, and not before."""
    links.wait(0)
    outage = lost(links)
    rest: List[Optional[bool]] = []

    def wait() -> None:
        links.wait(20)
        rest.append(links.expecting())

    waiter = threading.Thread(target=wait)
    waiter.start()
    (link,) = links._all
    if last == "link":
        links.end_outage()
    elif last == "loss":
        links.lose_session(outage)
    links.wait(0.05)
    assert rest == []
    links.done(link)
    if last == "outage":
        links.end_outage()
    elif last == "loss":
        links.told(outage)
    waiter.join(10)
    assert rest == [False]


def test_quiet(links: Any) -> None:
    """A link that was closed is quiet, though it is not done."""
    link = opened(links)
    assert not links.all_quiet()
    link.quiet = True
    assert links.all_quiet() and links.expecting()
