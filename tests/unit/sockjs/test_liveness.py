"""Silence, by numbers alone."""

from __future__ import annotations

from typing import List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyyo_cti._sockjs.liveness import Liveness

START = 100.0


@pytest.fixture
def liveness() -> Liveness:
    return Liveness(60, START)


@pytest.mark.fault(5)
@pytest.mark.promise(6)
def test_silence(liveness: Liveness) -> None:
    """A silent server is asked once, half-way, and given up at the limit."""
    assert liveness.due(START) == 130
    assert not liveness.should_probe(129.9, START)
    assert liveness.should_probe(130, START)
    assert not liveness.should_probe(131, START)
    assert liveness.due(START) == 160
    assert not liveness.is_dead(159.9, START)
    assert liveness.is_dead(160, START)


def test_life(liveness: Liveness) -> None:
    """Whatever is heard counts as life, and the next silence is asked about anew."""
    assert liveness.should_probe(130, START)
    heard = 131.0
    assert not liveness.is_dead(190, heard)
    assert liveness.due(heard) == 161
    assert liveness.should_probe(161, heard)
    assert not liveness.should_probe(170, heard)
    assert liveness.is_dead(191, heard)


def test_answer_at_the_moment_of_the_probe(liveness: Liveness) -> None:
    """What was heard at the very moment of the question may not be its answer, and the server is
    given up after a whole limit of silence all the same."""
    assert liveness.should_probe(130, START)
    assert liveness.due(130) == 190
    assert not liveness.is_dead(189, 130)
    assert liveness.is_dead(190, 130)


def test_excused(liveness: Liveness) -> None:
    """A silence in which nobody read is not the server's."""
    liveness.reset(1000)
    assert not liveness.is_dead(1000, START)
    assert liveness.due(START) == 1030
    assert liveness.should_probe(1030, START)
    assert liveness.is_dead(1060, START)


def test_sleep(liveness: Liveness) -> None:
    """After the machine has slept for long, the server is given up at once."""
    assert liveness.is_dead(START + 3600, START)


def test_doubt(liveness: Liveness) -> None:
    """A server in doubt is asked at once, and has a quarter of the limit to show itself; the
    silence before counts for nothing."""
    now = START + 3600
    liveness.suspect(now)
    assert not liveness.is_dead(now, START)
    assert liveness.due(START) == now
    assert liveness.should_probe(now, START)
    assert not liveness.should_probe(now + 1, START)
    assert liveness.due(START) == now + 15
    assert not liveness.is_dead(now + 14.9, START)
    assert liveness.is_dead(now + 15, START)
    assert liveness.limit(START) == 15


def test_doubt_that_is_over(liveness: Liveness) -> None:
    """Anything that is heard ends the doubt."""
    liveness.suspect(START + 50)
    heard = START + 51
    assert liveness.limit(heard) == 60
    assert liveness.due(heard) == heard + 30
    assert not liveness.is_dead(heard + 59, heard)
    assert liveness.is_dead(heard + 60, heard)


@pytest.mark.fault(6)
def test_a_slow_message_is_life(liveness: Liveness) -> None:
    """A message that trickles in for hours keeps the connection up, unasked."""
    heard = START
    for _ in range(1000):
        heard += 29
        assert not liveness.should_probe(heard, heard)
        assert not liveness.is_dead(heard + 28, heard)


@settings(deadline=None, derandomize=True, database=None, max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(["hear", "wait", "excuse"]), st.integers(1, 40))))
def test_any_course(steps: List[Tuple[str, int]]) -> None:
    """Whatever happens, the server is dead just when the limit has passed since it was heard or
    excused; it is asked at most once in each silence; and a look is due before it is dead."""
    liveness, now, heard, since, asked = Liveness(60, START), START, START, START, False
    for what, seconds in steps:
        now += seconds
        assert liveness.is_dead(now, heard) is (now - since >= 60)
        wants = liveness.should_probe(now, heard)
        assert wants is (not asked and now - since >= 30)
        asked = asked or wants
        assert since < liveness.due(heard) <= since + 60
        if what == "hear":
            heard = since = now
            asked = wants
        elif what == "excuse":
            liveness.reset(now)
            since = now
            asked = wants
