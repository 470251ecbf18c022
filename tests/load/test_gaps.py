"""The town with gaps in short form, with a seed that stays."""

from __future__ import annotations

from typing import List

import pytest

from .gaps import play


@pytest.mark.slow
@pytest.mark.watchdog(300)
def test_town_with_gaps_tells_each_call_once() -> None:
    said: List[str] = []
    figures = play(12.0, 3, 20261, said.append)
    assert figures.findings.first() == [], said
    assert figures.calls and figures.live and figures.came_and_went + figures.settled
    assert figures.gaps >= figures.events > 0
