"""The figures of a soak, as tables."""

from __future__ import annotations

from typing import Iterator, Mapping

from .findings import LOST, OUTSIDE, REPEATED, WRONG
from .stage import Figures, Settings

_WIDTH = 40


def report(settings: Settings, figures: Figures) -> Iterator[str]:
    """Lines, of which the last says whether anything was lost, repeated or wrong."""
    yield (f"seed {settings.seed}, {settings.clients} clients, {figures.seconds:.0f} s, "
           f"{settings.faults_per_second:g} faults a second; threads ran up to "
           f"{figures.lag:.2f} s late")
    yield from _table("changes of calls, by what came of them", figures.changes)
    yield from _table("faults", figures.faults)
    yield from _table("commands, by outcome", figures.outcomes)
    yield from _table("events", figures.events)
    yield from _table("at the telephones", figures.deeds)
    yield from _table("connections", figures.connections)
    yield ""
    yield from map(str, figures.findings.first())
    counts = figures.findings.counts()
    yield (f"lost: {counts[LOST]}, repeated: {counts[REPEATED]}, "
           f"outside gaps: {counts[OUTSIDE]}, wrong: {counts[WRONG]}")


def _table(title: str, counts: Mapping[str, int]) -> Iterator[str]:
    yield ""
    yield f"{title:<{_WIDTH}}{sum(counts.values()):>10}"
    for name, count in counts.items():
        yield f"  {name:<{_WIDTH - 2}}{count:>10}"
