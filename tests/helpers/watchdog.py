"""A test that hangs says where, and ends the run."""

from __future__ import annotations

import faulthandler
import os
from typing import Iterator, Optional

import pytest

#: Seconds after which a test hangs.
WATCHDOG = 120.0

#: The real stderr. pytest captures what is written to descriptor 2 during a test, and the end
#: that the watchdog makes of a process would lose it.
_stderr: Optional[int] = None


def pytest_configure(config: pytest.Config) -> None:
    global _stderr
    if _stderr is None:
        capture = config.pluginmanager.getplugin("capturemanager")
        with capture.global_and_fixture_disabled():
            _stderr = os.dup(2)


@pytest.fixture(autouse=True)
def watchdog(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that hangs shows where every thread stands."""
    assert _stderr is not None
    marker = request.node.get_closest_marker("watchdog")
    seconds: float = WATCHDOG if marker is None else marker.args[0]
    faulthandler.dump_traceback_later(seconds, exit=True, file=_stderr)
    yield
    faulthandler.cancel_dump_traceback_later()
