"""The porting guide is true: its Python prints what it says, and it leaves nothing out."""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import fields
from typing import Any, Dict, Iterator, List, Set

import pytest

import keyyo_cti
from keyyo_cti import CTI, Call
from keyyo_cti.options import Options
from keyyo_cti.simulator import Line, Simulator

from ..helpers.running import DEADLINE
from ..unit.test_exported_members import JAVASCRIPT
from .guide import (
    GUIDE,
    Example,
    differences,
    examples,
    pairs,
    python_output,
    taken_for_granted,
    unmatched,
)
from .guide_scenes import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    FIRST,
    MEANWHILE,
    RAISES,
    TALKING,
    THEN,
    TITLES,
    scene,
)

PYTHON = [example for example in examples() if example.kind == "python"]
PAIRS = list(pairs())


class Stage:
    """Runs one example on the simulator."""

    def __init__(self, sim: Simulator, example: Example) -> None:
        self.sim = sim
        self.example = example
        self._changed = threading.Condition()
        self._printed: List[str] = []
        self._ctis: List[CTI] = []

    def run(self) -> List[str]:
        """What it has printed, when all that was expected has come."""
        names = self._names()
        scene(FIRST, self.example.title)(self.sim)
        code = compile(self._on_the_simulator(), self.example.title, "exec")
        meanwhile = threading.Thread(target=self._meanwhile)
        meanwhile.start()
        try:
            exec(code, names)
            meanwhile.join(DEADLINE)
            scene(THEN, self.example.title)(self.sim)
            return self._all_printed()
        finally:
            for cti in (*self._ctis, *names.values()):
                if isinstance(cti, CTI):
                    cti.close()

    def typed(self) -> Iterator[str]:
        """What a person types."""
        yield f"dial {CAROL}\n"
        self._all_printed()
        yield "quit\n"

    def _names(self) -> Dict[str, Any]:
        """What an example takes for granted."""
        names: Dict[str, Any] = {
            "print": self._print,
            "endpoint": self.sim.endpoint,
            "csi_token": self.sim.token(ALICE),
        }
        wanted = taken_for_granted(self.example.code)
        if not wanted & {"cti", "call"}:
            return names
        names["cti"] = cti = CTI(endpoint=self.sim.endpoint, cookie_name="of_the_examples")
        self._ctis.append(cti)
        cti.create_session(names["csi_token"]).result(DEADLINE)
        if "call" in wanted:
            names["call"] = self._call(cti)
        if "second_call" in wanted:
            names["second_call"] = self._second_call(cti)
        return names

    def _call(self, cti: CTI) -> Call:
        self.sim.phone(BOB).call(ALICE)
        if self.example.title in TALKING:
            self.sim.phone(ALICE).pick_up()
        # Answered after the notifications, and called back after their handlers.
        told = threading.Event()
        cti.ping(lambda err, res: told.set())
        assert told.wait(DEADLINE)
        [call] = cti.get_calls()
        return call

    def _second_call(self, cti: CTI) -> Call:
        self.sim.phone(ALICE).call(DAVE)
        self.sim.phone(DAVE).pick_up()
        told = threading.Event()
        cti.ping(lambda err, res: told.set())
        assert told.wait(DEADLINE)
        return cti.get_calls()[-1]

    def _on_the_simulator(self) -> str:
        code = self.example.code.replace('"<CSI token>"', "csi_token")
        code = re.sub(r"CTI\(\)", "CTI(endpoint=endpoint)", code)
        code = re.sub(r"CTI\(\{", 'CTI({"endpoint": endpoint, ', code)
        return re.sub(r"CTI\((?=[a-z_]+=(?!endpoint))", "CTI(endpoint=endpoint, ", code)

    def _meanwhile(self) -> None:
        scene(MEANWHILE, self.example.title)(self.sim)

    def _print(self, *what: object, **_: object) -> None:
        with self._changed:
            self._printed.append(" ".join(map(str, what)))
            self._changed.notify_all()

    def _all_printed(self) -> List[str]:
        wanted = len(python_output(self.example.code))
        with self._changed:
            self._changed.wait_for(lambda: len(self._printed) >= wanted, DEADLINE)
            return list(self._printed)


@pytest.mark.parametrize("example", PYTHON, ids=[example.title for example in PYTHON])
def test_it_prints_what_it_says(
    example: Example,
    sim: Simulator,
    alice: Line,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each Python example runs as it stands, and prints what its comments say and no more."""
    sim.line(CAROL, name="Carol")
    stage = Stage(sim, example)
    monkeypatch.setattr("sys.stdin", stage.typed())
    printed = stage.run()
    assert python_output(example.code), "an example shows something"
    assert unmatched(printed, python_output(example.code)) == ([], [])
    complaints = [record for record in caplog.records if record.levelno >= logging.ERROR]
    complaints = [record for record in complaints if record.name == "keyyo_cti"]
    assert bool(complaints) == (example.title in RAISES), complaints


def test_every_scene_has_its_example() -> None:
    """No scene is left over from an example that is no more."""
    assert TITLES <= {example.title for example in PYTHON}


# Nothing is left out.


def used(names: Set[str], code: str) -> Set[str]:
    """Which of these names are used as members."""
    return {name for name in names if re.search(rf"\.{name}\b", code)}


def test_both_sides_do_the_same() -> None:
    """Each member of the SDK that the JavaScript of an example uses, its Python uses too."""
    names = set().union(*JAVASCRIPT.values())
    for pair in PAIRS:
        assert used(names, pair.js) <= used(names, pair.python), pair.js


@pytest.mark.parametrize("kind", sorted(JAVASCRIPT))
def test_every_member_that_javascript_documents_has_an_example(kind: str) -> None:
    """Each member of JavaScript's SDK is used in an example of both languages, except those
    that JavaScript does not have or that do nothing there."""
    beyond = {"connected", "number", "session_id", "type", "off", "removeEventListener"}
    js = "\n".join(pair.js for pair in PAIRS)
    python = "\n".join(example.code for example in PYTHON)
    names = JAVASCRIPT[kind]
    assert used(names, python) == names
    assert used(names, js) >= names - beyond


def members(cls: type) -> Set[str]:
    """What a program sees of a class."""
    return {name for name in dir(cls) if not name.startswith("_")}


#: Members that are there for the SDK itself.
INNER = {"EVENTS", "handlers", "update"}


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("CTI", members(CTI) - INNER),
        ("Call", members(Call) - INNER),
        ("attributes of a call", set("caller callee state setup_date connect_date release_date "
                                     "callpark_slot".split())),
        ("options", {option.name for option in fields(Options)}),
        ("events", {*CTI.EVENTS, *Call.EVENTS}),
        ("public names", set(keyyo_cti.__all__) - {"__version__", "Result"}),
    ],
)
def test_every_name_is_in_it(what: str, names: Set[str]) -> None:
    """Each public method, event, attribute, option and error is named, as code."""
    code = "\n".join([*re.findall(r"`[^`\n]+`", GUIDE), *re.findall(r"```.*?```", GUIDE, re.S)])
    missing = {name for name in names if not re.search(rf"\b{name}\b", code)}
    assert missing == set()


def test_the_options_have_the_defaults_that_it_says() -> None:
    """A default in the table of options that is a number is the one there is."""
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+)( MiB)? \|", GUIDE, re.M)
    said = {
        name: int(value.replace(",", "")) * (1024 * 1024 if unit else 1)
        for name, value, unit in rows
    }
    assert {"timeout", "max_ended_calls", "max_message_size"} <= set(said)
    assert said == {name: getattr(Options(), name) for name in said}


def test_differences_are_numbered() -> None:
    """The differences are numbered from 1 on, each with a reason."""
    rows = differences()
    assert [row.number for row in rows] == list(range(1, len(rows) + 1)) and len(rows) > 40
    assert all(row.python and row.reason for row in rows)
