"""Health as text and as data."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import Any

import pytest

from keyyo_cti.health import Health, SlowHandler, _round

NOW = time.mktime((2026, 11, 27, 12, 0, 0, 0, 0, -1))

FULL = Health(
    at=NOW,
    state="connected",
    number="33199000001",
    connected_since=NOW - 3600,
    transport="websocket",
    last_frame=NOW - 12,
    round_trip=0.035,
    drops=2,
    gaps=1,
    gap_seconds=4.25,
    token_until=NOW + 1800,
    backlog=3,
    slowest_handler=SlowHandler("newCall", "show (app.py:12)", 0.8, NOW - 86_000),
    subscriptions=("33199000001", "callpark"),
)


def test_health_as_text_is_one_line() -> None:
    assert str(FULL) == (
        "33199000001: connected since 11:00:00 by websocket, last frame 12 s ago, "
        "round trip 35 ms, 2 drops and 1 gap of 4.2 s in the last day, "
        "token good until 12:30:00, backlog 3, "
        "slowest handler of newCall: show (app.py:12) ran for 800 ms at 2026-11-26 12:06:40, "
        "subscribed to 33199000001 callpark"
    )


def test_health_of_a_new_cti_as_text_says_what_is_known() -> None:
    assert str(Health(NOW, "disconnected")) == (
        "without a line yet: disconnected, no drop in the last day, backlog 0"
    )


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"state": "restoring", "connected_since": None}, "33199000001: restoring, last"),
        ({"transport": None}, "connected since 11:00:00, last"),
        ({"drops": 1, "gaps": 0}, "1 drop and no gap in the last day"),
        ({"drops": 0, "gaps": 2, "gap_seconds": 7200.0}, "0 drops and 2 gaps of 2.0 h in"),
        ({"subscriptions": ()}, "subscribed to no line"),
        ({"subscriptions": tuple("1234567")}, "subscribed to 1 2 3 4 5 and 2 more"),
        ({"last_frame": NOW + 5}, "last frame 0 ms ago"),
        ({"connected_since": 1e300}, "connected since an unknown time"),
        ({"slowest_handler": SlowHandler("callback", "f", 61.0, NOW - 61, True)},
         "slowest callback: f has run for 61 s at 11:58:59"),
    ],
)
def test_health_as_text_with_another_value_shows_it(change: Any, part: str) -> None:
    assert part in str(dataclasses.replace(FULL, **change))


def test_health_as_text_commands_no_terminal() -> None:
    hostile = "\x1b[2J\n" + "x" * 10_000
    health = dataclasses.replace(
        FULL, number=hostile, subscriptions=(hostile,),
        slowest_handler=SlowHandler(hostile, hostile, 1.0, NOW),
    )
    assert str(health).isprintable() and len(str(health)) < 2000


def test_health_as_data_is_json() -> None:
    data = FULL.to_dict()
    assert json.loads(json.dumps(data)) == data
    assert set(data) == {field.name for field in dataclasses.fields(Health)}
    assert data["slowest_handler"]["function"] == "show (app.py:12)"
    assert data["subscriptions"] == ["33199000001", "callpark"]
    assert Health(NOW, "disconnected").to_dict()["subscriptions"] is None


def test_health_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        FULL.drops = 0  # type: ignore[misc]
    assert hash(FULL) == hash(dataclasses.replace(FULL))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0 ms"), (0.0004, "0 ms"), (0.9996, "1.0 s"), (9.96, "10 s"), (99, "99 s"),
     (100, "2 min"), (5969, "99 min"), (5970, "1.7 h"), (86_400, "24.0 h")],
)
def test_duration_has_the_unit_that_fits(seconds: float, text: str) -> None:
    assert _round(seconds) == text
