"""What is measured, each in a process of its own, so that nothing is left of the one before.

``python -m tests.benchmarks.samples NAME {"argument": value}`` prints what it measured as JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Callable, Dict

from . import bare, imports, sdk

Figures = Dict[str, float]

SAMPLES: Dict[str, Callable[..., Figures]] = {
    "bare notifications": bare.notifications,
    "bare notifications, two threads": bare.notifications_with_a_thread,
    "bare round trips": bare.round_trips,
    "bare opening": bare.opening,
    "bare thread": bare.round_trips_with_a_thread,
    "notifications": sdk.notifications,
    "round trips": sdk.round_trips,
    "opening": sdk.opening,
    "calls": sdk.calls,
    "ctis": sdk.ctis,
    "import": imports.seconds,
}


def main() -> None:
    name, arguments = sys.argv[1], json.loads(sys.argv[2])
    print(json.dumps(SAMPLES[name](**arguments)), flush=True)


if __name__ == "__main__":
    main()
