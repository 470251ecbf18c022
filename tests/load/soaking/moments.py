"""Notes when a session was back. The handler of ``restored`` can run much later, behind others
that block, and an announced gap ends at that moment and not when it is told."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import Iterator
from unittest import mock

from keyyo_cti._client.outage import Outage
from keyyo_cti.results import Restored


class TimedRestored(Restored):
    """What ``restored`` tells, with the monotonic time at which the session was back."""

    at: float


@contextmanager
def restorations_timed() -> Iterator[None]:
    """Every ``restored`` tells a `TimedRestored`."""
    summary = Outage.summary

    def timed(outage: Outage) -> Restored:
        # Before the gap's end is read off a clock: the thread may be stopped in between, and the
        # gap would seem to begin later than was announced.
        at = time.monotonic()
        info = TimedRestored(*summary(outage))
        info.at = at
        return info

    with mock.patch.object(Outage, "summary", timed):
        yield
