"""Suggestions for misspelt names."""

from __future__ import annotations

from typing import Optional

import pytest

from keyyo_cti._display.spelling import no_attribute, suggest
from keyyo_cti.call import Call
from keyyo_cti.cti import CTI

KNOWN = ("hang_up", "get_duration", "callref", "onNewCall", "setup_date", "_private")


@pytest.mark.parametrize(
    "name, meant",
    [
        ("hangup", "hang_up"), ("hangUp", "hang_up"), ("HANG_UP", "hang_up"),
        ("getDuration", "get_duration"), ("duration", "get_duration"),
        ("get_duraton", "get_duration"), ("CallRef", "callref"), ("call_ref", "callref"),
        ("on_new_call", "onNewCall"),
        ("setupDate", "setup_date"), ("note", None), ("x", None), ("", None),
        ("hang_up", None), ("private", None), ("_hang_up", None), ("_repr_png_", None),
    ],
)
def test_suggest_finds_other_spellings_and_near_names(name: str, meant: Optional[str]) -> None:
    assert suggest(name, KNOWN) == meant


def test_no_attribute_leaves_no_second_suggestion_to_python() -> None:
    error = no_attribute("text", "hangup", KNOWN)
    assert str(error) == "text; did you mean hang_up?"
    assert getattr(error, "name") == "hangup" and getattr(error, "obj", None) is None


@pytest.mark.parametrize("cls", [CTI, Call])
def test_no_public_name_of_a_class_suggests_another(cls: type) -> None:
    """Two names that fold to the same would hide one another."""
    names = [name for name in dir(cls) if not name.startswith("_")]
    assert len({name.replace("_", "").lower() for name in names}) == len(names)
