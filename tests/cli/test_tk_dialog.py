"""The window of Tk that asks or shows an error where no other program can."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any, List, Optional

import pytest

from keyyo_cti.cli import tk_dialog


class Root:
    """A window that is never shown."""

    def withdraw(self) -> None: ...

    def attributes(self, *_: Any) -> None: ...


class NoScreen(Exception):
    """What Tk raises without a screen."""


def open_nothing() -> Root:
    raise NoScreen


@pytest.mark.parametrize("kind, window, yes, status, shown", [
    ("error", Root, None, 0, ["error: text"]),
    ("question", Root, True, 0, ["question: text (no)"]),
    ("question", Root, False, 1, ["question: text (no)"]),
    ("error", open_nothing, None, tk_dialog.NO_WINDOW, []),
    ("question", None, None, tk_dialog.NO_WINDOW, []),
])
def test_window_shows_the_text_and_returns_the_answer(
    monkeypatch: pytest.MonkeyPatch, kind: str, window: Any, yes: Optional[bool], status: int,
    shown: List[str],
) -> None:
    """The return key, pressed for another program, is no yes."""
    seen: List[str] = []

    def ask(title: str, text: str, default: str) -> Any:
        seen.append(f"question: {text} ({default})")
        return yes

    box = SimpleNamespace(
        NO="no", askyesno=ask, showerror=lambda title, text: seen.append(f"error: {text}"))
    tk = window and SimpleNamespace(Tk=window, TclError=NoScreen, messagebox=box)
    monkeypatch.setitem(sys.modules, "tkinter", tk)
    monkeypatch.setitem(sys.modules, "tkinter.messagebox", box)
    assert tk_dialog.main(kind, "title", "text") == status
    assert seen == shown
