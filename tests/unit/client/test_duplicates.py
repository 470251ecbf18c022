"""What a notification says of a call that was known before a gap."""

from __future__ import annotations

from typing import Any, Dict

import pytest

from keyyo_cti._client import duplicates
from keyyo_cti._client.duplicates import DUPLICATE, NEW, UPDATED, get_stage


def fields(state: Any, **more: Any) -> Dict[str, Any]:
    return {"callref": "r", "state": state, "setup_date": 1, **more}


def compare(known: Dict[str, Any], told: Dict[str, Any]) -> str:
    """What is told right after a gap."""
    return duplicates.compare(known, told, get_stage(known))


STATES = ["SETUP", "CONNECT", "RELEASE", "MISSED", "OTHER", None, ["SETUP"]]


@pytest.mark.parametrize("state", STATES)
def test_the_same(state: Any) -> None:
    """What is told word for word is a repeat, in whatever state."""
    assert compare(fields(state), fields(state)) == DUPLICATE


@pytest.mark.parametrize(
    ("known", "told"),
    [("SETUP", "CONNECT"), ("SETUP", "MISSED"), ("SETUP", "RELEASE"), ("CONNECT", "RELEASE"),
     ("OTHER", "SETUP"), (None, "CONNECT"), (["SETUP"], "RELEASE")],
)
def test_further(known: Any, told: Any) -> None:
    """A call that has come further is news, and so is a state after one that nobody knows."""
    assert compare(fields(known), fields(told)) == NEW


@pytest.mark.parametrize(
    ("known", "told"),
    [("CONNECT", "SETUP"), ("RELEASE", "SETUP"), ("RELEASE", "CONNECT"), ("MISSED", "SETUP")],
)
def test_out_of_date(known: Any, told: Any) -> None:
    """A call does not go back: a state that it has left is a repeat."""
    assert compare(fields(known), fields(told)) == DUPLICATE


@pytest.mark.parametrize("state", ["SETUP", "CONNECT", "RELEASE"])
def test_change(state: str) -> None:
    """The same state with other fields is a change: the call is parked, say."""
    assert compare(fields(state), fields(state, callpark_slot="1")) == UPDATED
    assert compare(fields(state, callpark_slot="1"), fields(state)) == UPDATED


def test_two_ends() -> None:
    """A call that has ended has ended: released and missed are the same stage."""
    assert compare(fields("MISSED"), fields("RELEASE")) == UPDATED
    assert compare(fields("RELEASE"), fields("MISSED")) == UPDATED


@pytest.mark.parametrize("told", ["OTHER", None, ["SETUP"], 3])
def test_unknown_state(told: Any) -> None:
    """A state that nobody knows is a change; it has no event in any case."""
    assert compare(fields("CONNECT"), fields(told)) == UPDATED


@pytest.mark.parametrize("known", ["SETUP", "CONNECT", "RELEASE", "MISSED"])
@pytest.mark.parametrize("told", ["SETUP", "CONNECT", "RELEASE"])
def test_another_call(known: str, told: str) -> None:
    """A callref may be given to another call, be it that the end of the first was not told: it
    was set up at another time."""
    assert compare(fields(known), fields(told, setup_date=2)) == NEW


def test_call_without_a_date() -> None:
    """A call whose date is missing, before or now, is not another one for that."""
    for dates in ((1, None), (None, 1), (None, None)):
        known, told = (fields("CONNECT", setup_date=date) for date in dates)
        assert compare(known, {**told, "state": "SETUP"}) == DUPLICATE


def test_state_in_between() -> None:
    """A state that nobody knows, told in between, does not make a repeat of what came after it
    news."""
    reached = get_stage(fields("CONNECT"))
    held, back = fields("HOLD"), fields("CONNECT", connect_date=5)
    assert duplicates.compare(fields("CONNECT", connect_date=5), held, reached) == UPDATED
    assert duplicates.compare(held, back, reached) == UPDATED
    assert duplicates.compare(held, fields("RELEASE"), reached) == NEW
