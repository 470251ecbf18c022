"""What a soak must not leave behind: threads, descriptors, and unplanned errors."""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
import time
import traceback
from typing import Any, List, Optional, Tuple

from .findings import LOST, WRONG, Findings
from .mischief import Mischief

#: Seconds that the last threads have to end.
_PATIENCE = 20.0

#: Where Linux lists the descriptors of a process.
_DESCRIPTORS = "/proc/self/fd"


class Leftovers:
    """Looks at the process before and after; use it in a ``with`` statement."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._log = _ErrorLog(findings)
        self._before: Optional[List[str]] = None
        self._hooks: Tuple[Any, Any] = (None, None)

    def __enter__(self) -> Leftovers:
        logging.getLogger("keyyo_cti").addHandler(self._log)
        self._hooks = threading.excepthook, sys.unraisablehook
        threading.excepthook = self._thread_died
        sys.unraisablehook = self._unraisable
        gc.collect()
        self._before = descriptors()
        return self

    def __exit__(self, *exception: object) -> None:
        until = time.monotonic() + _PATIENCE
        for thread in _ours():
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                self._findings.add(WRONG, "the process", f"a thread is left: {thread.name}")
        gc.collect()
        after = descriptors()
        if self._before is not None and after is not None and len(after) > len(self._before):
            new = sorted(set(after) - set(self._before))
            self._findings.add(
                WRONG, "the process",
                f"{len(after)} descriptors, when there were {len(self._before)}: {new}")
        threading.excepthook, sys.unraisablehook = self._hooks
        logging.getLogger("keyyo_cti").removeHandler(self._log)

    def _thread_died(self, died: threading.ExceptHookArgs) -> None:
        name = died.thread.name if died.thread is not None else "a thread"
        context = _traceback(died.exc_type, died.exc_value)
        self._findings.add(LOST, "the process", f"{name} died", context)

    def _unraisable(self, what: Any) -> None:
        self._findings.add(
            WRONG, "the process", f"{what.err_msg or 'ignored'}: {what.exc_value!r}")


class _ErrorLog(logging.Handler):
    """Errors of the SDK's and the simulator's loggers, but for those that handlers raised on
    purpose."""

    def __init__(self, findings: Findings) -> None:
        super().__init__(logging.ERROR)
        self._findings = findings

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, Mischief):
            return
        context = _traceback(type(error), error) if error is not None else []
        self._findings.add(WRONG, record.name, record.getMessage(), context)


def descriptors() -> Optional[List[str]]:
    """Where each open descriptor leads to, or None where nobody tells."""
    if not os.path.isdir(_DESCRIPTORS):
        return None
    found = []
    for name in os.listdir(_DESCRIPTORS):
        try:
            found.append(f"{name} -> {os.readlink(os.path.join(_DESCRIPTORS, name))}")
        except OSError:
            pass  # That of the listing itself.
    return found


def _ours() -> List[threading.Thread]:
    return [each for each in threading.enumerate() if each.name.startswith(("keyyo-", "soak-"))]


def _traceback(kind: Any, error: Optional[BaseException]) -> List[str]:
    stack = None if error is None else error.__traceback__
    return "".join(traceback.format_exception(kind, error, stack)).splitlines()
