"""The window in Qt, drawn into memory and clicked on by Qt's own means."""

from __future__ import annotations

import json
from typing import Iterator, Optional

import pytest

from keyyo_cti.simulator import Line, Simulator

from ..helpers.running import Running
from .screen import PATIENCE


def missing() -> Optional[str]:
    """Why there can be no window of Qt; None when there can be one."""
    try:
        # Its parts need libraries of the system, which may be missing too.
        import PySide6.QtTest  # noqa: F401
        import PySide6.QtWidgets  # noqa: F401
    except ImportError as error:
        return f"needs PySide6, which is too large for the test extra: {error}"
    return None


pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))

ALICE, BOB, CAROL = "33199000001", "33199020000", "33172587948"


@pytest.fixture
def window(sim: Simulator, alice: Line) -> Iterator[Running]:
    variables = {
        "KEYYO_CSI_TOKEN": sim.token(alice),
        "KEYYO_ENDPOINT": sim.endpoint,
        "QT_QPA_PLATFORM": "offscreen",
    }
    with Running("-m", "tests.windows.clicking", **variables) as running:
        sim.wait_for_session(alice, PATIENCE)
        yield running


def test_answer_and_transfer(window: Running, sim: Simulator, alice: Line) -> None:
    """A click answers, and another one sends the caller on; all of it happens in the main
    thread."""
    bob, carol = sim.phone(BOB), sim.line(CAROL).phone
    bob.call(alice)
    carol.wait_until("ringing", PATIENCE)
    assert window.end(PATIENCE) == 0, window.rest("err")
    said = [json.loads(line)[0] for line in window.rest()]
    states = ["SETUP", "CONNECT", "RELEASE"]
    assert said == [f"{BOB} calls {ALICE}: {state}" for state in states]


@pytest.mark.fault(33)
@pytest.mark.promise(10)
def test_a_caller_is_text(window: Running, sim: Simulator, alice: Line) -> None:
    """A caller who is named like markup is shown as he is."""
    name = "<script>alert(1)</script><b>Bob"
    call = {"callref": "1", "caller": name, "callee": ALICE, "state": "SETUP", "setup_date": 1}
    sim.push(alice, {"notify": "call", "call": call})
    assert window.end(PATIENCE) == 0, window.rest("err")
    assert json.loads(window.rest()[0]) == [f"{name} calls {ALICE}: SETUP", "PlainText"]
