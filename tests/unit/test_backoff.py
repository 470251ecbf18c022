"""The pauses between attempts."""

from __future__ import annotations

import random
import time
from typing import Any, Optional

import pytest

from keyyo_cti._manager.api import QUERIES
from keyyo_cti._net.retry_after import read_retry_after
from keyyo_cti.backoff import Backoff

NOW = 784_111_777.0
"""Sun, 06 Nov 1994 08:49:37 GMT."""


def test_doubles() -> None:
    """Each pause is twice the one before, up to the longest, and after the last attempt there is
    none."""
    backoff = Backoff(attempts=5, first=1.0, longest=5.0, jitter=lambda: 1.0)
    assert [backoff.pause(attempt, None) for attempt in range(1, 6)] == [1, 2, 4, 5, None]


@pytest.mark.parametrize(("spread", "least"), [(0.0, 8.0), (0.5, 4.0), (1.0, 0.0)])
def test_jitter(spread: float, least: float) -> None:
    """Jitter takes away up to its part of a pause, so that many clients come back one by one."""
    jitters = [1.0, 0.5, 0.0]
    backoff = Backoff(first=8.0, spread=spread, jitter=iter(jitters).__next__)
    assert [backoff.pause(1) for _ in jitters] == [8.0, (8.0 + least) / 2, least]


def test_new_jitter_each_time() -> None:
    """Two clients, and two pauses of one, are not alike."""
    assert len({Backoff().pause(5) for _ in range(20)}) > 10


@pytest.mark.fault(20)
@pytest.mark.promise(8)
def test_a_herd() -> None:
    """A thousand clients that lose one server come back spread over each pause, and none waits
    longer than the longest."""
    for attempt, longest in ((1, 1.0), (3, 4.0), (20, 60.0)):
        pauses = [
            Backoff(jitter=random.Random(seed).random).pause(attempt) or 0.0
            for seed in range(1000)
        ]
        assert 0 <= min(pauses) and max(pauses) <= longest
        tenths = [sum(int(pause / longest * 10) == tenth for pause in pauses)
                  for tenth in range(10)]
        assert min(tenths) > 50, tenths


def test_no_end() -> None:
    """Without a number of attempts there is always another, however many there were."""
    backoff = Backoff(jitter=lambda: 1.0)
    assert [backoff.pause(attempt) for attempt in (7, 5000, 10**9)] == [60, 60, 60]


def test_bounds() -> None:
    """One attempt, and pauses that do not grow, are possible."""
    assert Backoff(attempts=1).pause(1) is None
    assert Backoff(first=7.0, longest=7.0, spread=0.0).pause(9) == 7.0
    assert Backoff(first=0.1, longest=0.5, spread=0.0).pause(1) == 0.1


def test_queries() -> None:
    """A web service is asked four times, and waited for half a minute at most, with jitter."""
    assert QUERIES.pause(4) is None
    assert QUERIES.pause(1, 30.1) is None
    for _ in range(20):
        pause = QUERIES.pause(2)
        assert pause is not None and 0.5 <= pause <= 1.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempts": 0}, {"first": 0}, {"first": -1.0}, {"first": 2.0, "longest": 1.0},
        {"longest": 1e9}, {"longest": float("nan")}, {"spread": 1.1}, {"spread": -0.1},
    ],
)
def test_impossible(wrong: Any) -> None:
    """What makes no pause is refused at once, by name."""
    with pytest.raises(ValueError, match=list(wrong)[-1]):
        Backoff(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"attempts": 1.5}, {"attempts": True}, {"first": "1"}, {"longest": None},
        {"spread": True}, {"jitter": 0.5},
    ],
)
def test_wrong_kind(wrong: Any) -> None:
    """So is what is no number, or no function."""
    with pytest.raises(TypeError, match=next(iter(wrong))):
        Backoff(**wrong)


def test_the_servers_wish() -> None:
    """A server that asks for a longer pause gets it; one that asks for too long a pause is not
    asked again."""
    backoff = Backoff(first=1.0, longest=10.0, jitter=lambda: 1.0)
    assert backoff.pause(1, 0.2) == 1.0
    assert backoff.pause(1, 7.0) == 7.0
    assert backoff.pause(1, 10.0) == 10.0
    assert backoff.pause(1, 10.1) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("-5", 0.0),
        ("Sun, 06 Nov 1994 08:49:47 GMT", 10.0),
        ("Sun, 06 Nov 1994 08:49:47", 10.0),
        ("Sun, 06 Nov 1994 08:49:47 -0000", 10.0),
        ("Sun, 06 Nov 1994 09:49:47 +0100", 10.0),
        ("Sun, 06 Nov 1994 08:00:00 GMT", 0.0),
        ("later", None),
        ("", None),
        ("inf", None),
        ("Sun, 99 Nov 1994 08:49:37 GMT", None),
    ],
)
def test_retry_after(value: str, seconds: Optional[float]) -> None:
    """Retry-After is a number of seconds or a date; what is neither asks for nothing."""
    assert read_retry_after({"Retry-After": value}, NOW) == seconds


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="needs a time zone of its own")
def test_retry_after_a_date_without_a_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A date without a zone is in GMT, as HTTP has it, wherever the program runs."""
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        assert read_retry_after({"Retry-After": "Sun, 06 Nov 1994 08:49:47 -0000"}, NOW) == 10
    finally:
        monkeypatch.undo()
        time.tzset()


def test_no_retry_after() -> None:
    """Without the header nothing is asked for."""
    assert read_retry_after({}, NOW) is None
