"""Sequences of operations on the simulator, against the simulator's truth about its calls."""

from __future__ import annotations

import itertools
import random
from typing import List, Sequence

import pytest

from ....helpers.in_full import in_full
from .operations import OPERATIONS, Scene, Step
from .watching import Program

STEPS = [Step(operation, own) for operation in OPERATIONS for own in (True, False)]

#: Sequences of the greatest length that each run of the tests plays.
_SAMPLE = 300


def check(scene: Scene, watcher: Program, exact: bool, own_only: bool, quiet: bool) -> None:
    """Compare what a program knows with the truth.

    :param exact: True if it watches every line, so that it can know everything.
    :param own_only: True if all commands were its own.
    :param quiet: True if nothing has happened for long enough.
    """
    visible = scene.visible(watcher)
    for ref in watcher.legs:
        state = watcher.state(ref)
        truth = scene.world.groups[ref] & set(watcher.legs)
        # At once, a line that makes a call looks like one that is transferred in another's view.
        may_guess = scene.gap == 0 and not exact and not state.certain
        assert set(state.calls) <= truth or may_guess, (ref, state)
        goes_on = bool(visible & set(state.calls))
        assert not (state.ended and goes_on), (ref, state)
        assert state.ended or goes_on or not quiet, (ref, state)
        if exact:
            assert set(state.calls) == truth, (ref, state)
            assert state.first == scene.world.first(ref, watcher.legs), (ref, state)
            assert state.certain or not own_only, (ref, state)


def check_all(scene: Scene, everything: bool, quiet: bool = False) -> None:
    for name, watcher in scene.watchers.items():
        exact = name == "everything" or (everything and name == "the program")
        own_only = scene.own_only and name == "the program"
        check(scene, watcher, exact, own_only, quiet)


def play(
    steps: Sequence[Step], gap: float, everything: bool = True, alone: bool = False
) -> None:
    scene = Scene(gap, everything, alone)
    check_all(scene, everything)
    for step in steps:
        scene.play(step)
        check_all(scene, everything)
        if gap:
            scene.world.clock.advance(gap)
            scene.expire()
            check_all(scene, everything, quiet=True)
    scene.end()
    check_all(scene, everything)
    scene.world.clock.advance(3)
    scene.expire()
    check_all(scene, everything, quiet=True)
    for watcher in scene.watchers.values():
        assert len(watcher.ended) == len(set(watcher.ended))


def take_sample(length: int) -> List[Sequence[Step]]:
    chosen = random.Random(16)
    return [tuple(chosen.choice(STEPS) for _ in range(length)) for _ in range(_SAMPLE)]


@pytest.mark.parametrize("everything", [True, False], ids=["every line", "one line"])
@pytest.mark.parametrize("gap", [0.0, 10.0], ids=["at once", "slowly"])
def test_sequences_of_two_agree_with_the_simulator(gap: float, everything: bool) -> None:
    for steps in itertools.product(STEPS, repeat=2):
        play(steps, gap, everything)


@pytest.mark.parametrize("everything", [True, False], ids=["every line", "one line"])
@pytest.mark.parametrize("gap", [0.0, 10.0], ids=["at once", "slowly"])
def test_some_sequences_of_four_agree_with_the_simulator(gap: float, everything: bool) -> None:
    for steps in take_sample(4):
        play(steps, gap, everything)


@pytest.mark.slow
@pytest.mark.skipif(not in_full(1, 0), reason="takes minutes: KEYYO_TESTS_IN_FULL=1")
@pytest.mark.watchdog(1200)
@pytest.mark.parametrize("first", STEPS, ids=lambda step: f"{step.operation} {step.own}")
def test_every_sequence_of_four_agrees_with_the_simulator(first: Step) -> None:
    for steps in itertools.product(STEPS, repeat=3):
        play((first, *steps), 10.0, alone=True)
