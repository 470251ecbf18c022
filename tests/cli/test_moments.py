"""Moments as people write them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from keyyo_cti.cli.exit_codes import UsageError
from keyyo_cti.cli.moments import parse_moment

#: A Monday after the night with an hour more.
NOW = datetime(2026, 10, 26, 12, tzinfo=ZoneInfo("Europe/Paris")).timestamp()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2h", "2026-10-26 10:00+01:00"), ("30m", "2026-10-26 11:30+01:00"),
        ("1d", "2026-10-25 12:00+01:00"), ("1 w", "2026-10-19 13:00+02:00"),
        ("today", "2026-10-26 00:00+01:00"), ("Yesterday", "2026-10-25 00:00+02:00"),
        ("2026-10-25", "2026-10-25 00:00+02:00"), ("2026-10-25 08:30", "2026-10-25 08:30+01:00"),
        ("2026-10-25T08:30:10", "2026-10-25 08:30:10+01:00"),
        ("2026-10-25T08:30:00Z", "2026-10-25 08:30+00:00"),
        ("2026-10-25T08:30:00-05:00", "2026-10-25 08:30-05:00"),
        ("999999d", "1970-01-01 00:00+00:00"),
    ],
)
def test_moment_in_any_form_is_in_paris_time(text: str, moment: str) -> None:
    assert parse_moment("--since", text, NOW) == datetime.fromisoformat(moment).timestamp()


@pytest.mark.parametrize("text", ["", "soon", "h", "-1h", "2026-13-01", "26/10/2026", "1y", "12"])
def test_moment_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--until: expected a moment, such as 2h"):
        parse_moment("--until", text, NOW)
