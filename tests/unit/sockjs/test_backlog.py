"""Since when frames may have waited to be read."""

from __future__ import annotations

import pytest

from keyyo_cti._sockjs.backlog import Backlog

pytestmark = pytest.mark.fault(58)


def test_nothing_waited_by_default() -> None:
    assert Backlog().age(100.0) == 0.0


def test_frame_read_after_a_pause_may_be_as_old_as_the_pause() -> None:
    backlog = Backlog()
    backlog.record_pause(60.0, 100.0)
    backlog.record_wait(0.001)
    assert backlog.age(160.0) == 60.0
    assert backlog.age(100.0) == 0.0


def test_second_pause_in_a_backlog_keeps_the_first() -> None:
    backlog = Backlog()
    backlog.record_pause(60.0, 100.0)
    backlog.record_pause(60.0, 160.0)
    assert backlog.age(220.0) == 120.0


def test_reader_that_waits_has_read_everything() -> None:
    backlog = Backlog()
    backlog.record_pause(60.0, 100.0)
    backlog.record_wait(0.5)
    assert backlog.age(160.0) == 0.0


def test_short_work_is_no_pause() -> None:
    backlog = Backlog()
    backlog.record_pause(0.04, 100.0)
    assert backlog.age(100.04) == 0.0


def test_short_pause_counts() -> None:
    """A handler that blocks for a tenth of a second is enough for an event to be lost behind."""
    backlog = Backlog()
    backlog.record_pause(0.1, 100.0)
    assert backlog.age(100.1) == pytest.approx(0.1)
