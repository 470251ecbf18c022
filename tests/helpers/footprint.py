"""What this process holds, as the system tells it: threads, descriptors, memory."""

import os
import threading
from pathlib import Path
from typing import NamedTuple, Optional

_DESCRIPTORS = (Path("/proc/self/fd"), Path("/dev/fd"))

_MEMORY = Path("/proc/self/statm")


class Footprint(NamedTuple):
    """What a process holds at one moment.

    :ivar threads: those that Python knows.
    :ivar descriptors: open ones; None where the system does not tell.
    :ivar resident: memory in use (RSS), in KiB; None where the system does not tell.
    """

    threads: int
    descriptors: Optional[int]
    resident: Optional[int]


def footprint() -> Footprint:
    """That of this process, now."""
    return Footprint(threading.active_count(), _descriptors(), _resident())


def _descriptors() -> Optional[int]:
    folder = next(filter(Path.is_dir, _DESCRIPTORS), None)
    # To list the folder takes a descriptor, which is closed by now.
    return None if folder is None else len(os.listdir(folder)) - 1


def _resident() -> Optional[int]:
    if not _MEMORY.exists():
        return None
    return int(_MEMORY.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
