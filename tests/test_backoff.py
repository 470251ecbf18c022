"""The pauses between attempts."""

from __future__ import annotations

from typing import Optional

import pytest

from keyyo_cti.backoff import Backoff, retry_after

NOW = 784_111_777.0
"""Sun, 06 Nov 1994 08:49:37 GMT."""


def test_doubles() -> None:
    """Each pause is twice the one before, up to the longest, and after the last attempt there is
    none."""
    backoff = Backoff(attempts=5, first=1.0, longest=5.0, jitter=lambda: 1.0)
    assert [backoff.pause(attempt, None) for attempt in range(1, 6)] == [1, 2, 4, 5, None]


def test_jitter() -> None:
    """Jitter takes away up to half of it, so that many clients come back one by one."""
    assert Backoff(first=1.0, jitter=lambda: 0.0).pause(1, None) == 0.5
    for _ in range(20):
        pause = Backoff(first=1.0).pause(1, None)
        assert pause is not None and 0.5 <= pause <= 1.0


def test_the_servers_wish() -> None:
    """A server that asks for a longer pause gets it; one that asks for too long a pause is not
    asked again."""
    backoff = Backoff(first=1.0, longest=10.0, jitter=lambda: 1.0)
    assert backoff.pause(1, 0.2) == 1.0
    assert backoff.pause(1, 7.0) == 7.0
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
    assert retry_after({"Retry-After": value}, NOW) == seconds


def test_no_retry_after() -> None:
    """Without the header nothing is asked for."""
    assert retry_after({}, NOW) is None
