"""Paris time, with and without the system's data."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta, timezone
from typing import Iterator

import pytest

from keyyo_cti._display import paris as module
from keyyo_cti._display.paris import EuropeanTime, in_paris, paris

zoneinfo = pytest.importorskip("zoneinfo")


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    module.paris.cache_clear()
    yield
    module.paris.cache_clear()


def test_paris_without_data_has_the_rule_of_the_union(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoneinfo, "ZoneInfo", lambda key: {}[key])
    assert isinstance(paris(), EuropeanTime)
    monkeypatch.setitem(sys.modules, "zoneinfo", None)
    module.paris.cache_clear()
    assert in_paris(1_700_000_000).isoformat() == "2023-11-14T23:13:20+01:00"
    assert EuropeanTime().utcoffset(None) == timedelta(hours=1), "as a time without a date"


@pytest.mark.parametrize("year", [1996, 2000, 2017, 2026, 2028, 2037])
def test_rule_agrees_with_the_data_of_each_quarter_of_an_hour(year: int) -> None:
    rule, data = EuropeanTime(), zoneinfo.ZoneInfo("Europe/Paris")
    for month, day in ((1, 1), (3, 24), (6, 30), (10, 24), (12, 31)):
        for quarter in range(8 * 96):
            utc = datetime(year, month, day, tzinfo=timezone.utc) + timedelta(minutes=15 * quarter)
            ours, theirs = utc.astimezone(rule), utc.astimezone(data)
            assert (ours.replace(tzinfo=None), ours.fold, ours.tzname()) == (
                theirs.replace(tzinfo=None), theirs.fold, theirs.tzname())
            assert ours.timestamp() == utc.timestamp()
            for fold in (0, 1):  # Also at local times that do not exist.
                local = utc.replace(tzinfo=None, fold=fold)
                assert local.replace(tzinfo=rule).utcoffset() == local.replace(
                    tzinfo=data).utcoffset()
