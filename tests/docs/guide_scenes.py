"""What the people and the network do while an example of samples/PORTING.md runs."""

from __future__ import annotations

from typing import Callable, Dict

from keyyo_cti.simulator import Simulator

from ..helpers.running import DEADLINE

ALICE, BOB = "33199000001", "33199020000"
#: A colleague of Alice's, and an outsider: numbers of Keyyo's page.
CAROL, DAVE = "33172587948", "33172587949"

Scene = Callable[[Simulator], None]


def nothing(sim: Simulator) -> None:
    """Do nothing."""


def calls(sim: Simulator) -> None:
    """Bob calls Alice."""
    sim.phone(BOB).call(ALICE)


def calls_in_vain(sim: Simulator) -> None:
    """Bob calls Alice, and hangs up before she answers."""
    sim.phone(BOB).call(ALICE)
    sim.phone(BOB).hang_up()


def talks(sim: Simulator) -> None:
    """Bob calls Alice, they talk, and he hangs up."""
    sim.phone(BOB).call(ALICE)
    sim.phone(ALICE).pick_up()
    sim.phone(BOB).hang_up()


def calls_once_connected(sim: Simulator) -> None:
    """Bob calls Alice once she has a session."""
    sim.wait_for_session(ALICE, DEADLINE)
    sim.phone(BOB).call(ALICE)


def calls_and_closes(sim: Simulator) -> None:
    """Bob calls Alice, and then the server closes the connection."""
    calls_once_connected(sim)
    sim.faults.close()


def loses(sim: Simulator) -> None:
    """The connection is lost."""
    sim.wait_for_session(ALICE, DEADLINE)
    sim.faults.reset()


def colleague_picks_up(sim: Simulator) -> None:
    """Alice's colleague is called, and picks up."""
    sim.phone(CAROL).wait_until("ringing", DEADLINE)
    sim.phone(CAROL).pick_up()


def refuses_once(sim: Simulator) -> None:
    """The next connection cannot be opened."""
    sim.faults.info({}, status=500, times=1)


#: Before an example runs.
FIRST: Dict[str, Scene] = {
    "A retry that is not doubled": refuses_once,
}

#: While it runs.
MEANWHILE: Dict[str, Scene] = {
    "The way": calls_and_closes,
    "One thread for handlers, timers and promises": calls_once_connected,
    "A program that reads the keyboard": colleague_picks_up,
    "What only Python has": loses,
}

#: Once it has run.
THEN: Dict[str, Scene] = {
    "Arguments of a handler": calls,
    "`this`": calls,
    "Variables of the page": calls,
    "Promises of your own": talks,
    "The state before": talks,
    "New call": talks,
    "Disconnected": loses,
    "Handlers by `on`": calls,
    "Events of a call": calls_in_vain,
}

#: In these, Alice talks to Bob; in the others that have a call, he rings.
TALKING = {"Transfer", "Supervised transfer", "Merge", "Pause, park and unpark"}

#: In this one a handler raises.
RAISES = {"Exceptions"}

TITLES = {*FIRST, *MEANWHILE, *THEN, *TALKING, *RAISES}


def scene(scenes: Dict[str, Scene], title: str) -> Scene:
    """Return the scene for an example."""
    return scenes.get(title, nothing)
