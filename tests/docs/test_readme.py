"""What the README shows is what happens."""

import inspect
import os
import re
import subprocess
import sys
import threading
from typing import Dict, List

import pytest

from keyyo_cti import simulator
from keyyo_cti.diagnosis import diagnose
from keyyo_cti.simulator import Line, Phone, Simulator

from ..helpers.accounts import client_of
from ..helpers.running import ROOT, environment

README = (ROOT / "README.md").read_text("utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)

#: Seconds that a program of the README may take.
PATIENCE = 30.0


def assumptions() -> Dict[str, List[str]]:
    """The simulator's assumptions by topic, from its docstring."""
    text = inspect.getdoc(simulator) or ""
    found: Dict[str, List[str]] = {}
    for line in text.partition("documents say nothing\n")[2].splitlines()[1:]:
        if re.match(r"\w", line):
            topic = line
            found[topic] = []
        elif line.startswith("    - "):
            found[topic].append(line[6:])
        elif line.strip():
            found[topic][-1] += " " + line.strip()
    return found


def as_markdown(topics: Dict[str, List[str]]) -> str:
    """The same as it stands in the README."""
    return "\n\n".join(
        f"**{topic}**\n\n" + "\n".join(f"- {line}" for line in lines)
        for topic, lines in topics.items()
    ).replace("``", "`")


def test_assumptions() -> None:
    """The README lists the simulator's assumptions word for word."""
    assert len(assumptions()) > 4
    assert as_markdown(assumptions()) in README


def run(program: str, sim: Simulator, alice: Line) -> "subprocess.CompletedProcess[str]":
    """Runs a program of the README on the simulator instead of Keyyo. What it keeps goes where
    the test has its home."""
    for theirs, ours in (
        ('"<CSI token>"', repr(sim.token(alice))),
        ("Keyyo.CTI({", f'Keyyo.CTI({{"endpoint": "{sim.endpoint}", '),
        ("CTI(cookie_name", f'CTI(endpoint="{sim.endpoint}", cookie_name'),
    ):
        program = program.replace(theirs, ours)
    return subprocess.run(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        cwd=os.environ["HOME"],
        env=environment(),
    )


def test_there_are_five_programs() -> None:
    """The tests below are those of all programs in the README."""
    assert len(PROGRAMS) == 5


def test_program_with_callbacks(sim: Simulator, alice: Line) -> None:
    """The JavaScript-like program connects, dials, and tells of the call to its end."""
    friend: Phone = sim.phone("33172587948")

    def people() -> None:
        friend.wait_until("ringing", timeout=PATIENCE)
        friend.pick_up()
        friend.hang_up()
        sim.faults.drop()

    thread = threading.Thread(target=people)
    thread.start()
    done = run(PROGRAMS[0], sim, alice)
    thread.join(PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "connected to 33199000001"
    assert sorted(lines[1:]) == ["1", "over after 0 s", "ringing 33199000001", "talking"]


def test_program_with_futures(sim: Simulator, alice: Line) -> None:
    """The Pythonic program connects and dials, or tells why not."""
    done = run(PROGRAMS[1], sim, alice)
    assert (done.returncode, done.stdout, done.stderr) == (0, "connected to 33199000001\n", "")
    alice.phone_registered = False
    done = run(PROGRAMS[1], sim, alice)
    assert done.stdout.splitlines()[1] == "400 Cannot treat action None"


def test_program_from_an_account(sim: Simulator, alice: Line) -> None:
    """The program that signs in finds the line, nothing wrong with it, and opens a session."""
    done = run(PROGRAMS[2], sim, alice)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "33199000001 Alice"
    assert [line.split()[0] for line in lines[2:-1]] == ["good"] * 6
    assert lines[-1] == "33199000001"


def test_program_for_months(sim: Simulator, alice: Line) -> None:
    """The program that is to stay up is told of the loss, and of the session that is back."""
    done = run(PROGRAMS[3], sim, alice)
    assert done.returncode == 0 and "Traceback" not in done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "the connection is lost" and len(lines) == 2
    assert re.fullmatch(r"back after \d\.\d s", lines[1])


def test_diagnosis(sim: Simulator, alice: Line) -> None:
    """The diagnosis in the README is the one that one gets."""
    alice.plugin_enabled = False
    assert str(diagnose(client_of(sim), alice.number, sim.endpoint)) in README


def test_program_on_the_simulator(sim: Simulator, alice: Line) -> None:
    """The program with a simulator of its own shows the call that it answered."""
    done = run(PROGRAMS[4], sim, alice)
    assert (done.returncode, done.stderr) == (0, "")
    assert "33199020000 -> 33199000001" in done.stdout


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_links(link: str) -> None:
    """A link into the project leads somewhere."""
    assert (ROOT / link).exists()
