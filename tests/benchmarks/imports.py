"""How long an import takes, in a fresh process."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Dict

#: Only the time that the import itself takes. That of the first after a start holds what any
#: program has to read, so something that none can do without comes before.
_PROGRAM = """
import importlib, json, time
began = time.perf_counter()
importlib.import_module({name!r})
print(json.dumps(time.perf_counter() - began))
"""


def seconds(name: str, number: int) -> Dict[str, float]:
    """The least of so many imports of a module, each in a process of its own."""
    program = [sys.executable, "-c", _PROGRAM.format(name=name)]
    times = [
        json.loads(subprocess.run(program, check=True, capture_output=True).stdout)
        for _ in range(number)
    ]
    return {"least": min(times)}
