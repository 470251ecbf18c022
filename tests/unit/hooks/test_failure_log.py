"""Failures that repeat for months."""

import threading
from typing import Any, List

import pytest

from keyyo_cti._hooks import failure_log, threads
from keyyo_cti._hooks.failure_log import FailureLog


def test_each_kind_is_told_once_an_hour_with_the_number_of_others() -> None:
    told: List[str] = []
    now = [0.0]
    log = FailureLog(told.append, lambda: now[0])
    for seconds in (0, 1, 3599, 3600, 3700):
        now[0] = float(seconds)
        log.tell("a", f"a at {seconds}")
    log.tell("b", "b")
    log.summarize()
    log.summarize()
    assert told == [
        "a at 0", "a at 3600 (2 more since it was last told)", "b", "1 more: a at 3700"
    ]


def test_kinds_are_bounded_and_a_closed_stderr_is_no_failure() -> None:
    def tell(message: str) -> None:
        told.append(message)
        raise BrokenPipeError

    told: List[str] = []
    log = FailureLog(tell)
    for number in range(10 * failure_log._MAX_KINDS):
        log.tell(number, str(number))
    assert len(told) == failure_log._MAX_KINDS + 1


def test_system_without_another_thread_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    told: List[str] = []
    started: List[threading.Thread] = []
    threads.start(started, "name", print, FailureLog(told.append), "no command is run")
    assert (told, started) == (["no command is run: can't start new thread"], [])
