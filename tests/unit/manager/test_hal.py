"""HAL, as the Manager API writes it, and as PHP writes what is empty."""

from __future__ import annotations

from typing import Any

import pytest

from keyyo_cti._net import hal


@pytest.mark.parametrize("embedded", [None, [], {}, {"Line": []}, {"Line": None}])
def test_nothing(embedded: Any) -> None:
    """Every way to write nothing is an empty collection."""
    assert hal.read_items({"_embedded": embedded}) == []
    assert hal.read_items({}) == []


def test_items() -> None:
    """The items of all types are found, a single one too."""
    document = {"_embedded": {"Line": [{"csi": "1"}, {"csi": "2"}], "Fax": {"csi": "3"}}}
    assert [item["csi"] for item in hal.read_items(document) or []] == ["1", "2", "3"]


@pytest.mark.parametrize(
    "embedded",
    [[{"csi": "1"}], {"Line": [None, {"csi": "1"}, 5, "x"]}, {"A": 1, "B": {"csi": "1"}}],
)
def test_item_among_what_is_none(embedded: Any) -> None:
    assert hal.read_items({"_embedded": embedded}) == [{"csi": "1"}]


@pytest.mark.parametrize("embedded", ["x", 5, [1], {"Line": "x"}, {"Line": [1]}, {"Line": 0}])
def test_no_collection(embedded: Any) -> None:
    """What has no objects in it is no collection."""
    assert hal.read_items({"_embedded": embedded}) is None


@pytest.mark.parametrize(
    "document",
    [
        {"csi": "1"},
        {"_embedded": {"Line": [{"csi": "1"}]}},
        {"_embedded": {"Line": {"csi": "1"}}},
        {"csi": "1", "_embedded": {"Organisation": [{"csi": "9"}]}},
    ],
)
def test_one(document: Any) -> None:
    """An object is found by itself or embedded; what it embeds besides is not taken for it."""
    assert hal.unwrap(document, "csi")["csi"] == "1"


@pytest.mark.parametrize(
    "links",
    [None, {}, [], {"next": None}, {"next": {}}, {"next": "x"}, {"next": {"href": None}},
     {"next": {"href": 5}},],
)
def test_last_page(links: Any) -> None:
    """Without a link there is no next page."""
    assert hal.read_next_href({"_links": links}) is None


def test_next_page() -> None:
    """The next page is where the link leads."""
    assert hal.read_next_href({"_links": {"next": {"href": "/x"}}}) == "/x"
