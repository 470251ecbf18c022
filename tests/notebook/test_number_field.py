"""The Enter key in a field for numbers."""

from __future__ import annotations

import threading
from typing import Any, Dict, Iterator, List, Optional

import pytest

from keyyo_cti.notebook.number_field import NumberField
from keyyo_cti.notebook.styles import Styles

from .conftest import PATIENCE, Kernel


class Entered:
    """The numbers that were entered in a field, whose clock stands still."""

    def __init__(self) -> None:
        self.texts: List[str] = []
        self.now = 0.0
        self._changed = threading.Semaphore(0)
        self.field = NumberField("number", self._on_enter, Styles(), lambda: self.now)

    def _on_enter(self) -> None:
        self.texts.append(self.field.value)
        self._changed.release()

    def wait(self) -> None:
        assert self._changed.acquire(timeout=PATIENCE)


@pytest.fixture
def entered(kernel: Kernel) -> Iterator[Entered]:
    made = Entered()
    yield made
    made.field.close()


def press_enter(field: Any, text: Optional[str] = None) -> None:
    """What a browser sends for the Enter key: the key, then the text if it has changed."""
    data: Dict[str, Any] = {"method": "custom", "content": {"event": "submit"}}
    field._handle_msg({"content": {"data": data}, "buffers": []})
    if text is not None:
        field.set_state({"value": text})


def test_enter_after_new_text_takes_the_text_that_follows(entered: Entered) -> None:
    press_enter(entered.field, "33199020000")
    assert entered.texts == ["33199020000"]
    press_enter(entered.field, "33199020001")
    assert entered.texts == ["33199020000", "33199020001"]


def test_enter_without_new_text_takes_the_text_that_is_there(entered: Entered) -> None:
    entered.field.value = "33199020000"
    press_enter(entered.field)
    entered.wait()
    assert entered.texts == ["33199020000"]


def test_text_without_enter_is_not_entered(entered: Entered) -> None:
    entered.field.set_state({"value": "33199020000"})
    assert entered.texts == [] and not entered.field._timers


@pytest.mark.parametrize(("pause", "texts"), [(0.5, ["7701"]), (2.5, ["7701", "7701"])])
def test_enter_again_soon_is_the_same_key(
    entered: Entered, pause: float, texts: List[str]
) -> None:
    press_enter(entered.field, "7701")
    entered.now += pause
    press_enter(entered.field)
    timer = entered.field._timers[0]
    press_enter(entered.field)
    assert entered.field._timers == [timer]
    timer.join(PATIENCE)
    assert entered.texts == texts


def test_close_forgets_a_key_without_its_text(entered: Entered) -> None:
    press_enter(entered.field)
    [timer] = entered.field._timers
    entered.field.close()
    timer.join(PATIENCE)
    assert entered.texts == []
