"""What the SDK has logged, also by its own thread."""

from __future__ import annotations

import logging
from typing import List

import pytest

from keyyo_cti._net.log_thread import ThreadedLogger

from .probe import eventually

_END = "that is all"


def read_log(caplog: pytest.LogCaptureFixture) -> List[logging.LogRecord]:
    """Return the records until now, after the thread has written them."""
    caplog.records[:] = [each for each in caplog.records if each.getMessage() != _END]
    ThreadedLogger("keyyo_cti").warning(_END)
    eventually(lambda: any(each.getMessage() == _END for each in list(caplog.records)))
    return [each for each in list(caplog.records) if each.getMessage() != _END]
