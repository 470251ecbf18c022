"""Two things measured in turn, again and again, and the ratio of the two."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from typing import Any, Callable, Dict, List, NamedTuple, Sequence

from ..helpers.running import ROOT

#: Seconds that one sample may take.
_PATIENCE = 600

#: Takes one sample.
Sample = Callable[[], Dict[str, float]]


class Pairs(NamedTuple):
    """Figures of two samples, taken in turn.

    :ivar ours: those of the SDK.
    :ivar theirs: those of what it is compared with.
    """

    ours: List[Dict[str, float]]
    theirs: List[Dict[str, float]]

    def ratios(self, figure: str) -> List[float]:
        """Ours over theirs, pair by pair."""
        return [one[figure] / other[figure] for one, other in zip(self.ours, self.theirs)]


def sample(name: str, /, **arguments: Any) -> Sample:
    """A sample of `samples`, taken in a process of its own."""
    return _printed(
        [sys.executable, "-m", "tests.benchmarks.samples", name, json.dumps(arguments)]
    )


def node_sample(node: str, script: str, *arguments: str) -> Sample:
    """A sample that a script of ``tests/node`` takes."""
    return _printed([node, str(ROOT / "tests" / "node" / script), *arguments])


def pairs(count: int, ours: Sample, theirs: Sample) -> Pairs:
    """Takes so many of each. Who comes first changes, so that nobody gains by it."""
    taken = Pairs([], [])
    for number in range(count):
        turns = [(taken.ours, ours), (taken.theirs, theirs)]
        for figures, take in turns if number % 2 else reversed(turns):
            figures.append(take())
    return taken


def median(figures: Sequence[Dict[str, float]], name: str) -> float:
    """The median of one figure."""
    return statistics.median(each[name] for each in figures)


def _printed(command: List[str]) -> Sample:
    def take() -> Dict[str, float]:
        done = subprocess.run(
            command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, timeout=_PATIENCE
        )
        figures: Dict[str, float] = json.loads(done.stdout)
        return figures

    return take
