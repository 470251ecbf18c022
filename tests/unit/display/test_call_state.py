"""The words for the states of a call: one set, on every screen."""

from __future__ import annotations

import re
from typing import Any

import pytest

from keyyo_cti._display.call_state import WORDS, describe_state

from ...helpers.running import ROOT


@pytest.mark.parametrize(
    ("state", "slot", "word"),
    [
        ("SETUP", None, "ringing"), ("CONNECT", None, "talking"), ("RELEASE", None, "ended"),
        ("MISSED", None, "missed"), ("CONNECT", "7", "parked"), ("CONNECT", 0, "parked"),
        ("SETUP", "7", "ringing"), ("RELEASE", "7", "ended"), (None, None, "unknown"),
        ("HELD", "7", "HELD"), (["odd"], None, "['odd']"), (7, None, "7"),
    ],
)
def test_describe_state(state: Any, slot: Any, word: str) -> None:
    assert describe_state(state, slot) == word


def test_samples_have_the_same_words() -> None:
    """They repeat them, because the module is private and a web page cannot import it."""
    texts = [path.read_text("utf-8") for path in (ROOT / "samples").rglob("*")
             if path.suffix in (".py", ".html")]
    pairs = [pair for text in texts
             for pair in re.findall(r"\b(SETUP|CONNECT|RELEASE|MISSED)\"?: \"(\w+)\"", text)]
    assert len(pairs) >= 12
    assert [(state, word) for state, word in pairs if WORDS[state] != word] == []
