"""Many deadlines on one thread, which lives while there are any."""

from __future__ import annotations

import threading
from typing import List

import pytest

from keyyo_cti._client.deadline_thread import DeadlineThread
from keyyo_cti._net import process
from keyyo_cti._net.clock import NEVER, monotonic

from ...helpers.probe import PATIENCE, Record, eventually

NAME = "keyyo-cti-test-deadlines"


class Deadlines:
    """Some deadlines, and those that have passed."""

    def __init__(self) -> None:
        self.left: List[float] = []
        self.passed = Record()
        self.thread = DeadlineThread(NAME, lambda: min(self.left, default=NEVER), self._expire)

    def add(self, seconds: float) -> None:
        self.left.append(monotonic() + seconds)
        self.thread.on_added(self.left[-1])

    def _expire(self) -> None:
        for each in [each for each in self.left if each <= monotonic()]:
            self.left.remove(each)
            self.passed.add(each)


def is_running() -> bool:
    return NAME in [thread.name for thread in threading.enumerate()]


def test_earlier_deadline_wakes_the_thread_and_the_last_one_ends_it() -> None:
    deadlines = Deadlines()
    deadlines.add(1000)
    deadlines.add(0.01)
    deadlines.passed.wait_for_count(1)
    assert is_running()
    deadlines.left.clear()
    deadlines.thread.wake()
    deadlines.thread.finish(PATIENCE)
    assert not is_running()
    deadlines.add(0)
    deadlines.passed.wait_for_count(2)
    eventually(lambda: not is_running())


def test_finish_does_not_wait_for_deadlines_that_are_left() -> None:
    deadlines = Deadlines()
    deadlines.thread.finish(1000)
    deadlines.add(1000)
    deadlines.thread.finish(1000)
    deadlines.left.clear()
    deadlines.thread.wake()


def test_many_deadlines_from_many_threads_pass_once_each() -> None:
    deadlines = Deadlines()

    def add_all() -> None:
        for n in range(50):
            deadlines.add(n / 1000)

    threads = [threading.Thread(target=add_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    deadlines.passed.wait_for_count(200)
    eventually(lambda: not is_running())
    assert len(deadlines.passed.items) == 200 and not deadlines.left


def test_thread_that_cannot_start_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    deadlines = Deadlines()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        deadlines.add(0)
    deadlines.add(0)
    deadlines.passed.wait_for_count(2)


def test_fork_by_code_of_the_program_ends_the_thread_in_the_child_without_a_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        raise process.OtherProcess

    DeadlineThread(NAME, lambda: 0.0, expire).on_added(0.0)
    assert expired.wait(PATIENCE)
    eventually(lambda: not is_running())
    assert capsys.readouterr().err == ""
