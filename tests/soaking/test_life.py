"""What a client may be told of its session, and what not."""

from __future__ import annotations

from typing import Any, Dict, List

import pytest

from .diary import (
    Disconnected,
    Ended,
    Entry,
    Lost,
    NewCall,
    Opened,
    Opening,
    Restored,
    StateEvent,
)
from .life import CLOSED, DOWN, IDLE, UP, Life

ENTRIES: Dict[str, Entry] = {
    "asks": Opening(0),
    "opens": Opened(0),
    "call": NewCall(0, {}, False),
    "state": StateEvent(0, "a", "setup", "SETUP"),
    "dropped": Disconnected(0, 0),
    "restored": Restored(0, 1.0, False, 0),
    "lost": Lost(0, None),
    "ends": Ended(0, "closed"),
}


def lived(restores: bool, words: str) -> Any:
    """The state after such a life, and what was complained of."""
    complaints: List[str] = []
    life = Life(restores, complaints.append)
    for word in words.split():
        life.see(ENTRIES[word])
    return life.state, complaints


@pytest.mark.parametrize(
    ("restores", "words", "state"),
    [
        (True, "asks opens call state", UP),
        (True, "asks opens dropped", DOWN),
        (True, "asks opens dropped call restored dropped restored", UP),
        (True, "asks opens dropped lost asks opens", UP),
        (True, "asks opens dropped ends", CLOSED),
        (True, "asks dropped asks dropped asks opens", UP),
        (True, "asks opens ends asks opens dropped restored ends", CLOSED),
        (False, "asks opens dropped", IDLE),
        (False, "asks opens dropped asks dropped asks opens dropped", IDLE),
    ],
)
def test_lives(restores: bool, words: str, state: str) -> None:
    """Every drop is followed by restored, lost or an end; a connection that could not be had is
    told too; after an end everything may begin anew."""
    assert lived(restores, words) == (state, [])


@pytest.mark.parametrize(
    ("restores", "words"),
    [
        (True, "asks opens dropped dropped"),
        (True, "asks opens restored"),
        (True, "asks opens dropped restored restored"),
        (True, "asks opens dropped restored lost"),
        (True, "asks opens dropped lost restored"),
        (True, "asks opens lost"),
        (True, "asks opens opens"),
        (True, "asks opens ends call"),
        (True, "asks opens ends state"),
        (True, "asks opens ends dropped"),
        (True, "asks opens dropped ends restored"),
        (True, "asks opens dropped ends lost"),
        (False, "asks opens dropped restored"),
    ],
)
def test_impossible_lives(restores: bool, words: str) -> None:
    """Anything else is wrong, and complained of once."""
    assert len(lived(restores, words)[1]) == 1
