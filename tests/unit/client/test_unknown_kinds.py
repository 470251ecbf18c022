"""Which notifications of unknown kinds are news."""

from __future__ import annotations

import pytest

from keyyo_cti._client.unknown_kinds import UnknownKinds


@pytest.mark.parametrize("kind", ["log", "error"])
def test_kind_that_javascript_names_is_no_news(kind: str) -> None:
    """The JavaScript SDK passes these over; so does this one."""
    assert not UnknownKinds().is_new(kind)


def test_kind_is_news_once() -> None:
    """Each kind is news the first time."""
    kinds = UnknownKinds()
    assert [kinds.is_new(kind) for kind in ("a", "b", "a", "b", "c")] == [
        True, True, False, False, True,
    ]


def test_kinds_without_end_are_bounded() -> None:
    """A server that invents kinds is reported a bounded number of times, and costs no memory."""
    kinds = UnknownKinds()
    assert sum(kinds.is_new(str(number)) for number in range(10_000)) == 100
    assert len(kinds._seen) == 100
