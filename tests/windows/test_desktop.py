"""The Tk window, with real clicks on a screen that nobody sees."""

from __future__ import annotations

import json
from typing import Callable, Iterator, Optional

import pytest

from keyyo_cti.simulator import Line, Phone, Simulator

from ..helpers.running import ROOT, Running
from .screen import PATIENCE, Screen, missing
from .telling import Sight

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))

ALICE, BOB, CAROL = "33199000001", "33199020000", "33172587948"


@pytest.fixture
def screen() -> Iterator[Screen]:
    with Screen() as shown:
        yield shown


class Desk:
    """Somebody who sits before the window.

    :param running: the window's program.
    """

    def __init__(self, screen: Screen, running: Running) -> None:
        self._screen = screen
        self._running = running
        self.sight: Optional[Sight] = None

    def see(self, expected: Callable[[Sight], object]) -> Sight:
        """Waits until that is to be seen."""
        while self.sight is None or not expected(self.sight):
            self.sight = Sight(*json.loads(self._running.until("[", timeout=PATIENCE)))
        return self.sight

    def click(self, label: str) -> None:
        """Clicks on a button, as soon as it can be pressed; "" is the field."""
        sight = self.see(lambda sight: label in ["", *sight.enabled])
        self._screen.click(*sight.where[label])

    def type(self, text: str) -> None:
        """Types a text into the field."""
        self.click("")
        self._screen.type(text)

    def end(self) -> int:
        """Presses Ctrl-C."""
        self._running.interrupt()
        return self._running.end(PATIENCE)


@pytest.fixture
def desk(sim: Simulator, alice: Line, screen: Screen) -> Iterator[Desk]:
    keyyo = {"KEYYO_CSI_TOKEN": sim.token(alice), "KEYYO_ENDPOINT": sim.endpoint}
    with Running("-m", "tests.windows.telling", DISPLAY=screen.display, **keyyo) as running:
        desk = Desk(screen, running)
        desk.see(lambda sight: sight.status == f"connected as {ALICE}")
        yield desk


@pytest.mark.fault(35)
def test_answer_and_hang_up(desk: Desk, alice: Line, bob: Phone) -> None:
    """A click on "Answer" connects the call that rings, and one on "Hang up" ends it; all of it
    happens in the main thread."""
    bob.call(alice)
    desk.see(lambda sight: sight.rows == [[BOB, ALICE, "ringing"]])
    desk.click("Answer")
    bob.wait_until("talking", PATIENCE)
    desk.see(lambda sight: sight.rows == [[BOB, ALICE, "talking"]])
    desk.click("Hang up")
    bob.wait_until("idle", PATIENCE)
    sight = desk.see(lambda sight: sight.rows == [[BOB, ALICE, "ended"]] and not sight.enabled)
    assert sight.strays == []
    assert desk.end() == 0


@pytest.mark.fault(35)
def test_transfer(desk: Desk, sim: Simulator, alice: Line, bob: Phone) -> None:
    """The caller is sent on to the number that is typed into the field."""
    carol = sim.line(CAROL).phone
    bob.call(alice)
    desk.click("Answer")
    desk.see(lambda sight: sight.enabled == ["Hang up"])
    desk.type(CAROL)
    desk.click("Transfer to")
    carol.wait_until("ringing", PATIENCE)
    desk.see(lambda sight: sight.rows == [[BOB, ALICE, "ended"]])
    assert desk.end() == 0


def test_transfer_of_who_was_called(desk: Desk, sim: Simulator, alice: Line, bob: Phone) -> None:
    """When the line has called, it is the callee who is sent on."""
    carol = sim.line(CAROL).phone
    alice.phone.call(bob)
    desk.see(lambda sight: sight.enabled == ["Hang up"])
    bob.pick_up()
    desk.type(CAROL)
    desk.click("Transfer to")
    carol.wait_until("ringing", PATIENCE)
    bob.wait_until("calling", PATIENCE)


@pytest.mark.slow
@pytest.mark.fault(33)
@pytest.mark.promise(10)
@pytest.mark.parametrize("caller", ["<script>alert(1)</script>", "[exit] $tcl {", "-a b\\"])
def test_a_caller_is_text(desk: Desk, sim: Simulator, alice: Line, caller: str) -> None:
    """Whatever a caller is named, that is what is shown."""
    call = {"callref": "1", "caller": caller, "callee": ALICE, "state": "SETUP", "setup_date": 1}
    sim.push(alice, {"notify": "call", "call": call})
    desk.see(lambda sight: sight.rows == [[caller, ALICE, "ringing"]])
    assert desk.end() == 0


@pytest.mark.slow
@pytest.mark.fault(33)
def test_anything_is_text(desk: Desk, sim: Simulator, alice: Line) -> None:
    """So is whatever else a server sends in its place, and the next call is shown."""
    odd = {"caller": "\ud800x", "callee": ["y"], "state": {"z": 1}, "setup_date": 1}
    sim.push(alice, {"notify": "call", "call": {"callref": "1", **odd}})
    call = {"caller": BOB, "callee": ALICE, "state": "SETUP", "setup_date": 1}
    sim.push(alice, {"notify": "call", "call": {"callref": "2", **call}})
    expected = [[BOB, ALICE, "ringing"], ["?x", "['y']", "{'z': 1}"]]
    desk.see(lambda sight: sight.rows == expected)
    assert desk.end() == 0


def test_refusal(desk: Desk, sim: Simulator, alice: Line, bob: Phone) -> None:
    """What the server says when it refuses is in the window."""
    sim.faults.fail("answer_call", 400, "Cannot treat action")
    bob.call(alice)
    desk.click("Answer")
    desk.see(lambda sight: "Cannot treat action" in sight.status)
    assert bob.state == "calling"


def test_lost_connection(desk: Desk, sim: Simulator) -> None:
    """The window says that the connection is lost."""
    sim.faults.reset()
    desk.see(lambda sight: sight.status == "the connection is lost")
    assert desk.end() == 0


def test_on_the_simulator(screen: Screen) -> None:
    """By itself, the sample opens its window, and Ctrl-C ends it."""
    with Running(str(ROOT / "samples" / "desktop.py"), DISPLAY=screen.display) as running:
        screen.wait_for_window("Calls")
        running.interrupt()
        assert running.end(PATIENCE) == 0
        assert running.rest("err") == []


@pytest.mark.slow
def test_without_a_screen() -> None:
    """Where there can be no window, the sample says so."""
    with Running(str(ROOT / "samples" / "desktop.py"), DISPLAY="") as running:
        assert running.end(PATIENCE) == 1
        assert "there is no window: " in running.rest("err")[-1]


def test_name_is_before_its_number_on_one_line(desk: Desk, sim: Simulator, alice: Line) -> None:
    sim.phone("33199020009").call(alice)
    sight = desk.see(lambda sight: sight.rows)
    assert sight.rows == [["Eve  Evil, 33199020009", ALICE, "ringing"]]
    assert desk.end() == 0
