"""The steps of a rehearsal: calls and faults, made from a seed and nothing else."""

from __future__ import annotations

import random
from typing import Iterator, List, NamedTuple, Sequence, Tuple

from .steps import COLLEAGUE, LINE, ODD_CALLS, OUTSIDE

#: Mean seconds between the beginnings of two calls, and between two faults.
_CALL_INTERVAL = 20.0
_FAULT_INTERVAL = 20.0

_MAX_RINGING = 15.0
_MEAN_TALK = 30.0

#: Caller, callee and weight: incoming, outgoing, of a colleague's, and between lines.
_DIRECTIONS: Sequence[Tuple[str, str, int]] = (
    *((phone, LINE, 4) for phone in OUTSIDE),
    *((LINE, phone, 2) for phone in OUTSIDE),
    (COLLEAGUE, LINE, 2),
    (LINE, COLLEAGUE, 1),
    (OUTSIDE[0], COLLEAGUE, 1),
)

#: A fault and its weight.
_FAULTS: Sequence[Tuple[str, int]] = (
    ("drop", 3), ("reset", 2), ("forget", 1), ("expire", 2), ("fail", 5), ("slow", 3),
    ("repeat", 6), *((f"odd {kind}", 1) for kind in ODD_CALLS),
)


class _Event(NamedTuple):
    at: float
    step: str


def make_plan(seed: int, minutes: float) -> List[str]:
    """Return the steps of a rehearsal, the passing of time among them.

    :param minutes: of simulated time.
    """
    dice = random.Random(seed)
    end = minutes * 60
    events = [*_make_calls(dice, end), *_make_faults(dice, end)]
    steps = []
    now = 0
    for at, step in sorted(events):
        seconds = int(at) - now
        if seconds > 0:
            steps.append(f"elapse {seconds}")
            now += seconds
        steps.append(step)
    return steps


def _make_calls(dice: random.Random, end: float) -> Iterator[_Event]:
    weights = [weight for _, _, weight in _DIRECTIONS]
    at = dice.uniform(0, 5)
    while at < end:
        caller, callee, _ = dice.choices(_DIRECTIONS, weights)[0]
        yield _Event(at, f"call {caller} {callee}")
        over = at + dice.uniform(1, _MAX_RINGING)
        ends = caller
        if dice.random() < 0.65:
            yield _Event(over, f"pick_up {callee}")
            over += dice.expovariate(1 / _MEAN_TALK)
            ends = dice.choice((caller, callee))
        yield _Event(over, f"hang_up {ends}")
        at += dice.expovariate(1 / _CALL_INTERVAL)


def _make_faults(dice: random.Random, end: float) -> Iterator[_Event]:
    weights = [weight for _, weight in _FAULTS]
    at = dice.expovariate(1 / _FAULT_INTERVAL)
    while at < end:
        yield _Event(at, dice.choices(_FAULTS, weights)[0][0])
        at += dice.expovariate(1 / _FAULT_INTERVAL)
