"""The thread that paints."""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from contextvars import copy_context
from typing import Iterator, List

import pytest

from keyyo_cti.notebook import refresh_thread
from keyyo_cti.notebook.refresh_thread import RefreshThread

from .conftest import PATIENCE

#: Seconds; as good as never.
NEVER = 3_600.0


class Easel:
    """Notes each painting, and can be waited for."""

    def __init__(self) -> None:
        self.painted = threading.Semaphore(0)
        self.times: List[float] = []
        self.threads: List[str] = []

    def paint(self) -> None:
        self.times.append(time.monotonic())
        self.threads.append(threading.current_thread().name)
        self.painted.release()

    def wait(self) -> bool:
        return self.painted.acquire(timeout=PATIENCE)


@pytest.fixture
def easel() -> Easel:
    return Easel()


@pytest.fixture
def ours(easel: Easel) -> Iterator[RefreshThread]:
    """A painter that only paints when it is woken."""
    there = RefreshThread(easel.paint, copy_context(), NEVER)
    there.start()
    yield there
    there.stop()


def test_woken(easel: Easel, ours: RefreshThread) -> None:
    """It paints when it is woken, each time, in a thread of its own."""
    for _ in range(3):
        ours.wake()
        assert easel.wait()
    assert set(easel.threads) == {"keyyo-cti-board"}


def test_woken_often(
    easel: Easel, ours: RefreshThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it is woken in a pause, it paints once after it."""
    monkeypatch.setattr(refresh_thread, "MIN_REFRESH_INTERVAL", 0.3)
    ours.wake()
    assert easel.wait()
    for _ in range(1_000):
        ours.wake()
    assert easel.wait()
    ours.stop()
    first, second = easel.times
    assert second - first >= 0.3


def test_each_second(easel: Easel) -> None:
    """It paints by itself, too, for the durations that run."""
    by_itself = RefreshThread(easel.paint, copy_context(), 0.01)
    by_itself.start()
    assert easel.wait() and easel.wait()
    by_itself.stop()


def test_stopped(easel: Easel, ours: RefreshThread) -> None:
    """Stopped, it paints no more; to stop it again does no harm."""
    ours.stop()
    ours.wake()
    ours.stop()
    assert easel.times == []


def test_stopped_from_inside() -> None:
    """A painting may stop the painter, as when the notebook closes the board meanwhile."""
    done = threading.Event()

    def paint() -> None:
        there.stop()
        done.set()

    there = RefreshThread(paint, copy_context(), NEVER)
    there.start()
    there.wake()
    assert done.wait(PATIENCE)


def test_stop_does_not_wait_for_a_refresh_that_hangs(caplog: pytest.LogCaptureFixture) -> None:
    """Otherwise the kernel, which stops it, would hang too. Its failure afterwards is no news."""
    hanging, go_on = threading.Event(), threading.Event()

    def hang() -> None:
        hanging.set()
        assert go_on.wait(PATIENCE)
        raise OSError("the widget is closed")

    there = RefreshThread(hang, copy_context(), NEVER)
    there.start()
    there.wake()
    assert hanging.wait(PATIENCE)
    began = time.monotonic()
    there.stop()
    assert time.monotonic() - began < 1.5
    go_on.set()
    there._thread.join(PATIENCE)
    assert not there._thread.is_alive() and caplog.text == ""


def test_what_goes_wrong_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """A painting that fails is logged, and the next one is tried."""
    tried = threading.Semaphore(0)

    def fail() -> None:
        tried.release()
        raise OSError("the kernel is gone")

    there = RefreshThread(fail, copy_context(), 0.01)
    with caplog.at_level(logging.ERROR, "keyyo_cti"):
        there.start()
        assert tried.acquire(timeout=PATIENCE) and tried.acquire(timeout=PATIENCE)
        there.stop()
    assert "the board could not be updated" in caplog.text


@pytest.mark.fault(34)
def test_in_the_context(easel: Easel) -> None:
    """It paints in the context that it was given, even while that is in use elsewhere."""
    cell: "contextvars.ContextVar[str]" = contextvars.ContextVar("cell")
    seen: List[str] = []
    context = copy_context()

    def paint() -> None:
        seen.append(cell.get("none"))
        easel.paint()

    context.run(cell.set, "ours")
    there = RefreshThread(paint, context, NEVER)
    context.run(there.start)
    there.wake()
    assert easel.wait()
    there.stop()
    assert seen == ["ours"]
