"""What a notification says of a call that was known before a gap."""

from __future__ import annotations

from typing import Any, Dict

import pytest

from keyyo_cti.retelling import CHANGE, NEWS, REPEAT, compare


def fields(state: Any, **more: Any) -> Dict[str, Any]:
    return {"callref": "r", "state": state, "setup_date": 1, **more}


STATES = ["SETUP", "CONNECT", "RELEASE", "MISSED", "OTHER", None, ["SETUP"]]


@pytest.mark.parametrize("state", STATES)
def test_the_same(state: Any) -> None:
    """What is told word for word is a repeat, in whatever state."""
    assert compare(fields(state), fields(state)) == REPEAT


@pytest.mark.parametrize(
    ("known", "told"),
    [("SETUP", "CONNECT"), ("SETUP", "MISSED"), ("SETUP", "RELEASE"), ("CONNECT", "RELEASE"),
     ("OTHER", "SETUP"), (None, "CONNECT"), (["SETUP"], "RELEASE")],
)
def test_further(known: Any, told: Any) -> None:
    """A call that has come further is news, and so is a state after one that nobody knows."""
    assert compare(fields(known), fields(told)) == NEWS


@pytest.mark.parametrize(
    ("known", "told"),
    [("CONNECT", "SETUP"), ("RELEASE", "SETUP"), ("RELEASE", "CONNECT"), ("MISSED", "SETUP")],
)
def test_out_of_date(known: Any, told: Any) -> None:
    """A call does not go back: a state that it has left is a repeat."""
    assert compare(fields(known), fields(told)) == REPEAT


@pytest.mark.parametrize("state", ["SETUP", "CONNECT", "RELEASE"])
def test_change(state: str) -> None:
    """The same state with other fields is a change: the call is parked, say."""
    assert compare(fields(state), fields(state, callpark_slot="1")) == CHANGE
    assert compare(fields(state, callpark_slot="1"), fields(state)) == CHANGE


def test_two_ends() -> None:
    """A call that has ended has ended: released and missed are the same stage."""
    assert compare(fields("MISSED"), fields("RELEASE")) == CHANGE
    assert compare(fields("RELEASE"), fields("MISSED")) == CHANGE


@pytest.mark.parametrize("told", ["OTHER", None, ["SETUP"], 3])
def test_unknown_state(told: Any) -> None:
    """A state that nobody knows is a change; it has no event in any case."""
    assert compare(fields("CONNECT"), fields(told)) == CHANGE


@pytest.mark.parametrize("state", ["SETUP", "CONNECT", "RELEASE"])
def test_another_call(state: str) -> None:
    """A callref whose call has ended may be given to another one, which was set up at another
    time."""
    assert compare(fields("RELEASE"), fields(state, setup_date=2)) == NEWS
    assert compare(fields("MISSED"), fields(state, setup_date=2)) == NEWS


def test_another_date_of_the_same_call() -> None:
    """While a call goes on, its callref is its own, whatever its dates."""
    assert compare(fields("CONNECT"), fields("SETUP", setup_date=2)) == REPEAT
    assert compare(fields("CONNECT"), fields("CONNECT", setup_date=2)) == CHANGE
