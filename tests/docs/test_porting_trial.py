"""The page that was ported by the guide, as the program that it became."""

from __future__ import annotations

import re
import sys
from typing import Iterator

import pytest

from keyyo_cti.simulator import Line, ManualClock, Phone, Simulator

from ..helpers.running import ROOT, Running

FOLDER = ROOT / "samples" / "porting"

BOB = "33199020000"


def started(sim: Simulator, alice: Line) -> Running:
    """The program, with a token of Alice's line."""
    return Running(
        str(FOLDER / "phone.py"),
        KEYYO_CSI_TOKEN=sim.token(alice), KEYYO_ENDPOINT=sim.endpoint,
    )


@pytest.fixture
def sim() -> Iterator[Simulator]:
    """A Keyyo whose clock is moved by hand, so that durations are exact."""
    with Simulator(clock=ManualClock()) as simulator:
        yield simulator


@pytest.fixture
def phone(sim: Simulator, alice: Line) -> Iterator[Running]:
    """The program, connected; it has to end well."""
    with started(sim, alice) as running:
        running.until("Connected, line 33199000001")
        yield running
        running.type("quit")
        assert running.end() == 0
        assert running.rest("err") == []


def test_an_incoming_call(phone: Running, sim: Simulator, alice: Line, bob: Phone) -> None:
    """Who calls is shown by his name, with what can be done; "answer" connects him, "hang_up"
    ends it."""
    bob.call(alice)
    assert phone.until("->").endswith("Bob -> 33199000001: ringing answer 1, reject 1")
    phone.until("Bob is calling")
    sim.elapse(4)
    phone.type("answer 1")
    assert phone.until("->").endswith("talking hang_up 1, pause 1")
    phone.until("Picked up after 4 s")
    bob.wait_until("talking")
    sim.elapse(60)
    phone.type("hang_up 1")
    phone.until("Bob -> 33199000001: ended")
    phone.until("Talked for 60 s")


def test_a_missed_call(phone: Running, alice: Line, bob: Phone) -> None:
    """A call that is rejected, and one that Bob gives up, are counted as missed."""
    bob.call(alice)
    phone.until("Bob is calling")
    phone.type("reject 1")
    phone.until("1 missed")
    assert re.fullmatch(rf'missed {{"from": "{BOB}", "at": \d+(\.\d+)?}}', phone.until("missed {"))
    bob.call(alice)
    bob.hang_up()
    phone.until("2 missed")


def test_dialling(phone: Running, bob: Phone) -> None:
    """A favourite or a number is dialled; the call is shown to its end."""
    phone.type("dial Bob")
    phone.until("33199000001 -> Bob: ringing")
    phone.until("Calling Bob")
    bob.pick_up()
    phone.until("33199000001 -> Bob: talking")
    bob.hang_up()
    phone.until("Talked for 0 s")


def test_the_callpark(phone: Running, alice: Line, bob: Phone) -> None:
    """A call that is paused waits in the callpark, until it is taken back."""
    bob.call(alice)
    alice.phone.pick_up()
    phone.until("talking")
    phone.type("pause 1")
    phone.until("talking unpark 1")
    bob.wait_until("parked")
    phone.type("unpark 1")
    phone.until("talking hang_up 1, pause 1")
    bob.wait_until("talking")


def test_what_goes_wrong(phone: Running, alice: Line, bob: Phone) -> None:
    """What is refused is told; a row that is not there, too."""
    phone.type("answer 1")
    phone.until("There is no row 1")
    bob.call(alice)
    phone.until("Bob is calling")
    phone.type("unpark 1")
    phone.until("unpark failed: Cannot treat action")
    alice.phone_registered = False
    phone.type("dial 33199020001")
    phone.until("Cannot call 33199020001: Cannot treat action")


def test_a_caller_who_waits(phone: Running, sim: Simulator, alice: Line, bob: Phone) -> None:
    """Who rings for longer than 20 seconds is mentioned, as by the page's setInterval."""
    sim.push(alice, {"notify": "call", "call": {
        "callref": "c", "caller": BOB, "callee": alice.number, "state": "SETUP", "setup_date": 1,
    }})
    phone.until("Bob has been waiting for long")


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_ctrl_c(sim: Simulator, alice: Line) -> None:
    """Ctrl-C ends it without a traceback, and the connection with it."""
    with started(sim, alice) as running:
        running.until("Connected")
        running.interrupt()
        running.until("stopped")
        assert running.end() == 0
        assert running.rest("err") == []
    sim.wait_for_session(alice, counter=0)


def test_a_lost_connection(phone: Running, sim: Simulator) -> None:
    """A lost connection is told; what is typed then is answered so."""
    sim.faults.drop()
    phone.until("Not connected any more")
    phone.type("dial Bob")
    phone.until(f"Cannot call {BOB}: Connexion closed")


def test_a_restart(sim: Simulator, alice: Line, bob: Phone) -> None:
    """As a page that is reloaded: the session goes on, and so does the call."""
    with started(sim, alice) as running:
        running.until("Connected")
        bob.call(alice)
        running.until("ringing")
        running.type("quit")
        assert running.end() == 0
    with started(sim, alice) as running:
        running.until("Connected")
        running.until("Bob -> 33199000001: ringing answer 1")
    actions = [command["action"] for command in sim.received()]
    assert actions.count("create_session") == 1
    assert len(sim.sessions()) == 1


def test_a_wrong_token(sim: Simulator) -> None:
    """A token that is refused is told, with the server's words."""
    more = {"KEYYO_CSI_TOKEN": "of-yesterday", "KEYYO_ENDPOINT": sim.endpoint}
    with Running(str(FOLDER / "phone.py"), **more) as running:
        running.until("Not connected: 400 Invalid token")
        running.type("quit")
        assert running.end() == 0


def test_the_page_is_about_as_long_as_a_page_is() -> None:
    """The page that was ported is no toy."""
    lines = (FOLDER / "phone.html").read_text("utf-8").splitlines()
    assert 140 <= len(lines) <= 180
