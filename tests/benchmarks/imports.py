"""How long an import takes, in a fresh process."""

from __future__ import annotations

import subprocess
import sys
from typing import Dict

#: Only the time that it takes by itself, and not the interpreter's start.
_PROGRAM = """
import time
began = time.perf_counter()
{statement}
print(time.perf_counter() - began)
"""


def seconds(statement: str, number: int) -> Dict[str, float]:
    """The least of so many runs of a statement, each in a process of its own."""
    program = [sys.executable, "-c", _PROGRAM.format(statement=statement)]
    times = [
        float(subprocess.run(program, check=True, capture_output=True).stdout)
        for _ in range(number)
    ]
    return {"least": min(times)}
