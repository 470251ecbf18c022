"""The threads of CTIs."""

from __future__ import annotations

import threading
from typing import List


def cti_threads() -> List[str]:
    """Return their names, without that of the log: it ends soon after the last record."""
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith("keyyo-cti") and name != "keyyo-cti-log"]
