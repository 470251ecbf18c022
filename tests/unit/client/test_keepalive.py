"""Pings and the watch on slow handlers, by a clock that is set by hand."""

from __future__ import annotations

import logging
from typing import Any, List, Optional

import pytest

from keyyo_cti._client.dispatch import PolledDispatcher, Running
from keyyo_cti._client.keepalive import HandlerWatch, Pinger
from keyyo_cti._net.clock import NEVER


def test_no_pings() -> None:
    """Without an interval there is never a ping."""
    pings: List[int] = []
    pinger = Pinger(None, lambda: pings.append(1), 100.0)
    assert pinger.due() == NEVER
    pinger.on_due(1e12)
    assert pings == []


def test_pings() -> None:
    """A ping is sent each interval, the first one interval after the start, and not before."""
    pings: List[int] = []
    pinger = Pinger(300.0, lambda: pings.append(1), 100.0)
    assert pinger.due() == 400
    pinger.on_due(399.9)
    assert pings == []
    pinger.on_due(400)
    assert (pings, pinger.due()) == ([1], 700)
    pinger.on_due(400)
    assert pings == [1]


def test_no_pings_to_catch_up() -> None:
    """After a long sleep there is one ping, not one for each interval that was missed."""
    pings: List[int] = []
    pinger = Pinger(300.0, lambda: pings.append(1), 0.0)
    pinger.on_due(3000)
    assert (pings, pinger.due()) == ([1], 3300)


def test_ping_that_raises() -> None:
    """A ping that fails is not repeated before the next interval."""

    def ping() -> None:
        raise OSError

    pinger = Pinger(300.0, ping, 0.0)
    with pytest.raises(OSError):
        pinger.on_due(300)
    assert pinger.due() == 600


class Busy(PolledDispatcher):
    """A dispatcher that runs what the test says."""

    def __init__(self) -> None:
        super().__init__(None, print)
        self.now_running: Optional[Running] = None

    def running(self) -> Optional[Running]:
        return self.now_running

    def wait_behind(self, count: int) -> None:
        for _ in range(count):
            self.put(lambda: None)


def a_slow_handler() -> None:
    """What the warning is to name."""


@pytest.fixture
def busy() -> Busy:
    return Busy()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Any:
    caplog.set_level(logging.DEBUG, "keyyo_cti")
    return caplog


def test_idle(busy: Busy, log: pytest.LogCaptureFixture) -> None:
    """An idle line wakes nobody."""
    watch = HandlerWatch(busy, 5.0)
    assert watch.due(100) == NEVER
    watch.on_due(1000)
    assert log.records == []


def test_something_waits(busy: Busy) -> None:
    """When work waits, it is looked at whether it gets on."""
    busy.wait_behind(1)
    assert HandlerWatch(busy).due(100) == 105


def test_slow(busy: Busy, log: pytest.LogCaptureFixture) -> None:
    """A handler that runs for long is named in a warning, with what waits behind it."""
    watch = HandlerWatch(busy, 5.0)
    busy.now_running = Running(a_slow_handler, 100.0)
    busy.wait_behind(3)
    assert watch.due(101) == 105
    watch.on_due(104.9)
    assert log.records == []
    watch.on_due(105)
    assert [record.levelname for record in log.records] == ["WARNING"]
    assert "a_slow_handler (" in log.text and "test_keepalive.py:" in log.text
    assert "for 5 s: 3 events and callbacks wait behind it" in log.text


def test_named_once(busy: Busy, log: pytest.LogCaptureFixture) -> None:
    """One that blocks for ever is named once, and does not keep the reader busy."""
    watch = HandlerWatch(busy, 5.0)
    busy.now_running = Running(a_slow_handler, 100.0)
    for now in range(100, 200):
        watch.on_due(now)
    assert len(log.records) == 1
    assert watch.due(200) == NEVER
    busy.wait_behind(1)
    assert watch.due(200) == 205


def test_named_again(busy: Busy, log: pytest.LogCaptureFixture) -> None:
    """The same handler is named again when it blocks another time."""
    watch = HandlerWatch(busy, 5.0)
    for since in (100.0, 200.0):
        busy.now_running = Running(a_slow_handler, since)
        assert watch.due(since) == since + 5
        watch.on_due(since + 5)
        busy.now_running = None
        watch.on_due(since + 50)
        assert watch.due(since + 50) == NEVER
    assert len(log.records) == 2
