"""Handlers of the log run on a thread of their own, which stops nobody."""

from __future__ import annotations

import logging
import threading
from typing import Iterator, List

import pytest

from keyyo_cti._net import log_thread
from keyyo_cti._net.log_thread import ThreadedLogger

from ...helpers.probe import PATIENCE, Record

NAME = "keyyo_cti.test_log_thread"


class Kept(logging.Handler):
    """Keeps the records; blocks while it is told to.

    :ivar threads: the names of the threads that it ran on.
    """

    def __init__(self) -> None:
        super().__init__()
        self.records = Record()
        self.threads: List[str] = []
        self.go = threading.Event()
        self.go.set()

    def emit(self, record: logging.LogRecord) -> None:
        assert self.go.wait(PATIENCE)
        self.threads.append(threading.current_thread().name)
        self.records.add(record)

    def said(self) -> List[str]:
        return [record.getMessage() for record in self.records.items]


@pytest.fixture
def kept() -> Iterator[Kept]:
    logger, handler = logging.getLogger(NAME), Kept()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    handler.go.set()
    logger.removeHandler(handler)


def test_record_is_written_when_the_method_returns(kept: Kept) -> None:
    log = ThreadedLogger(NAME)
    for number in range(50):
        log.info("%d of %s", number, "many")
    log.debug("nobody wants it")
    assert kept.said() == [f"{number} of many" for number in range(50)]
    record = kept.records.items[0]
    assert (record.threadName, record.filename) == ("MainThread", "test_log_thread.py")
    assert record.funcName == "test_record_is_written_when_the_method_returns"
    assert set(kept.threads) == {"keyyo-cti-log"}


def test_exception_is_written_with_its_traceback(kept: Kept) -> None:
    try:
        raise ValueError("a fault")
    except ValueError as error:
        ThreadedLogger(NAME).exception("it failed")
        assert kept.records.items[0].exc_info[1] is error


def test_records_behind_a_handler_that_blocks_wait_or_are_counted(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_thread, "_MAX_QUEUED", 10)
    kept.go.clear()
    log = ThreadedLogger(NAME)
    for number in range(30):
        log.info("%d", number)
    kept.go.set()
    kept.records.wait_for_count(12)
    log.info("last")
    lost = "19 lines of the log were left out: a logging handler is too slow"
    assert kept.said() == ["0", lost, *map(str, range(1, 11)), "last"]


def test_record_is_written_here_if_no_thread_can_be_started(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    ThreadedLogger(NAME).info("here")
    assert (kept.said(), kept.threads) == (["here"], ["MainThread"])


def test_handler_that_logs_does_not_wait_for_itself(kept: Kept) -> None:
    log, emit = ThreadedLogger(NAME), kept.emit

    def logs(record: logging.LogRecord) -> None:
        emit(record)
        if record.getMessage() == "first":
            log.info("second")

    kept.emit = logs  # type: ignore[method-assign]
    log.info("first")
    kept.records.wait_for_count(2)
    assert kept.said() == ["first", "second"]
