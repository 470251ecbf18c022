"""Sessions and tokens, without sockets or threads."""

from __future__ import annotations

from typing import List

import pytest

from keyyo_cti.simulator.clock import ManualClock
from keyyo_cti.simulator.errors import EXPIRED_TOKEN, INVALID_TOKEN, UNKNOWN_SESSION, Refused
from keyyo_cti.simulator.sessions import Session, Sessions, Tokens

ALICE = "33199000001"
CAROL = "33199000002"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def destroyed() -> List[Session]:
    return []


@pytest.fixture
def sessions(clock: ManualClock, destroyed: List[Session]) -> Sessions:
    return Sessions(clock, 300, destroyed.append)


def test_new_session(sessions: Sessions) -> None:
    """A new session counts one connection and is subscribed to its own line."""
    session = sessions.create(ALICE, True)
    assert (session.counter, session.subscriptions, session.auto_answer) == (1, [ALICE], True)


def test_ids_are_unguessable(sessions: Sessions) -> None:
    """No two ids are the same, and each is long."""
    ids = {sessions.create(ALICE, True).id for _ in range(100)}
    assert len(ids) == 100
    assert min(map(len, ids)) >= 32


def test_id_stays_out_of_sight(sessions: Sessions) -> None:
    """Neither the session nor its snapshot shows the id."""
    session = sessions.create(ALICE, True)
    assert session.id not in repr(session) + repr(session.take_snapshot())


def test_session_timer(clock: ManualClock, sessions: Sessions, destroyed: List[Session]) -> None:
    """A session without connections is destroyed after five minutes, and not before."""
    session = sessions.create(ALICE, True)
    sessions.close(session)
    clock.advance(299)
    assert sessions.get_all() == [session]
    clock.advance(1)
    assert (sessions.get_all(), destroyed) == ([], [session])
    with pytest.raises(Refused) as caught:
        sessions.restore(session.id, ALICE)
    assert caught.value.refusal == UNKNOWN_SESSION


def test_restore_stops_the_timer(clock: ManualClock, sessions: Sessions) -> None:
    """A session restored in time keeps its subscriptions and its auto-answer."""
    session = sessions.create(ALICE, False)
    session.subscribe(CAROL)
    sessions.close(session)
    clock.advance(299)
    assert sessions.restore(session.id, ALICE) is session
    clock.advance(1000)
    assert sessions.get_all() == [session]
    assert (session.counter, session.subscriptions) == (1, [ALICE, CAROL])
    assert not session.auto_answer


def test_counter_of_two(clock: ManualClock, sessions: Sessions) -> None:
    """The timer waits for the last of several connections."""
    session = sessions.create(ALICE, True)
    sessions.restore(session.id, ALICE)
    assert session.counter == 2
    sessions.close(session)
    clock.advance(1000)
    assert sessions.get_all() == [session]


def test_restore_by_another_line(sessions: Sessions) -> None:
    """A session is of no use to another line."""
    session = sessions.create(ALICE, True)
    with pytest.raises(Refused) as caught:
        sessions.restore(session.id, CAROL)
    assert caught.value.refusal == UNKNOWN_SESSION
    assert session.counter == 1


def test_destroyed_session(
    clock: ManualClock, sessions: Sessions, destroyed: List[Session]
) -> None:
    """A destroyed session starts no timer when its connections close."""
    session = sessions.create(ALICE, True)
    sessions.destroy(session)
    sessions.close(session)
    clock.advance(1000)
    assert destroyed == [session]


def test_subscriptions(sessions: Sessions) -> None:
    """Subscriptions keep their order, count once, and can be left as often as one likes."""
    session = sessions.create(ALICE, True)
    for number in (CAROL, "callpark", CAROL):
        session.subscribe(number)
    assert session.subscriptions == [ALICE, CAROL, "callpark"]
    assert session.subscribes_to({"callpark", "33199029999"})
    session.unsubscribe(CAROL)
    session.unsubscribe(CAROL)
    assert session.subscriptions == [ALICE, "callpark"]
    assert not session.subscribes_to({CAROL})


def test_token_lifetime(clock: ManualClock) -> None:
    """A token stands for its line until its lifetime is over."""
    tokens = Tokens(clock)
    token = tokens.mint(ALICE, 3600)
    clock.advance(3599)
    assert tokens.check(token) == ALICE
    clock.advance(1)
    with pytest.raises(Refused) as caught:
        tokens.check(token)
    assert caught.value.refusal == EXPIRED_TOKEN


def test_expired_and_revoked(clock: ManualClock) -> None:
    """An expired token says so; a revoked one is as wrong as one that never was."""
    tokens = Tokens(clock)
    expired, revoked = tokens.mint(ALICE, 3600), tokens.mint(ALICE, 3600)
    tokens.expire(expired)
    tokens.revoke(revoked)
    for token, refusal in [
        (expired, EXPIRED_TOKEN), (revoked, INVALID_TOKEN), ("nonsense", INVALID_TOKEN)
    ]:
        with pytest.raises(Refused) as caught:
            tokens.check(token)
        assert caught.value.refusal == refusal


def test_unknown_token_is_not_repeated(clock: ManualClock) -> None:
    """Expiring or revoking an unknown token fails without showing it."""
    tokens = Tokens(clock)
    for act in (tokens.expire, tokens.revoke):
        with pytest.raises(ValueError, match="token: not one") as caught:
            act("s3cret")
        assert "s3cret" not in repr(caught.value)
        assert caught.value.__suppress_context__
