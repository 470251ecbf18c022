"""Finding a short list of steps with the same mistake, by delta debugging."""

from __future__ import annotations

from typing import Callable, List, Sequence

from .._net.clock import monotonic


def shrink(steps: Sequence[str], fails: Callable[[List[str]], bool], seconds: float) -> List[str]:
    """Return a part of some steps that still fails, and fails no more without any one of them.

    :param steps: steps that fail.
    :param fails: plays steps, and returns True if the same mistake is found.
    :param seconds: after this time, the shortest list so far is returned.
    """
    until = monotonic() + seconds
    best = list(steps)
    size = max(1, len(best) // 2)
    while best:
        # From the end: the steps that lead to the mistake are mostly the last ones.
        removed = False
        begin = len(best)
        while begin > 0:
            begin = max(0, begin - size)
            if monotonic() > until:
                return best
            shorter = best[:begin] + best[begin + size:]
            if len(shorter) < len(best) and fails(shorter):
                best, removed = shorter, True
        if size == 1 and not removed:
            break
        size = max(1, size // 2)
    return best
