"""How the figures are shown."""

from __future__ import annotations

import statistics
from typing import Optional, Sequence

_WIDTHS = (44, 16, 16, 18, 0)


def heading() -> None:
    _row("", "ours", "beside", "ratio (range)", "")


def ratio(
    what: str, ours: str, theirs: str, ratios: Sequence[float], goal: Optional[str] = None
) -> None:
    """Two figures and their ratios, pair by pair."""
    middle = statistics.median(ratios)
    shown = f"{middle:.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
    _row(what, ours, theirs, shown, goal or "")


def figure(what: str, ours: str, goal: Optional[str] = None) -> None:
    """One figure by itself."""
    _row(what, ours, "", "", goal or "")


def note(text: str) -> None:
    print(text, flush=True)


def _row(*cells: str) -> None:
    line = "  ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS))
    print(line.rstrip(), flush=True)
