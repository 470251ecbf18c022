"""The porting guide is true: its Python prints what it says, and it leaves nothing out."""

from __future__ import annotations

import io
import json
import logging
import re
import subprocess
import symtable
import threading
import tokenize
from dataclasses import fields
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Set, Tuple

import pytest

import keyyo_cti
from keyyo_cti import CTI, Call
from keyyo_cti.options import Options
from keyyo_cti.simulator import Line, Simulator

from .node_programs import NODE
from .running import DEADLINE, ROOT
from .test_exported_members import JAVASCRIPT

GUIDE = (ROOT / "samples" / "PORTING.md").read_text("utf-8")

#: The same without its examples.
PROSE = re.sub(r"^```.*?^```", "", GUIDE, flags=re.M | re.S)

ALICE, BOB = "33199000001", "33199020000"
#: A colleague of Alice's, and an outsider: numbers of Keyyo's page.
CAROL, DAVE = "33172587948", "33172587949"

_BLOCK = re.compile(
    r"^#+ (?P<heading>[^\n]*)$|^```(?P<kind>js|html|python)\n(?P<code>.*?)^```", re.M | re.S
)
_PAIR = re.compile(r"```(?:js|html)\n(.*?)```\n\n</td><td>\n\n```python\n(.*?)```", re.S)


class Example(NamedTuple):
    """A block of the guide."""

    title: str
    kind: str
    code: str


def examples() -> Iterator[Example]:
    """Every block, under its heading; the second one there has a 2 after it."""
    heading, seen = "", 0
    for found in _BLOCK.finditer(GUIDE):
        if found["heading"]:
            heading, seen = found["heading"], 0
        else:
            seen += found["kind"] == "python"
            title = heading if seen < 2 else f"{heading} {seen}"
            yield Example(title, found["kind"], found["code"])


PYTHON = [example for example in examples() if example.kind == "python"]
JS = [example for example in examples() if example.kind != "python"]


# What the examples need around them.


def nothing(sim: Simulator) -> None:
    """Nobody does anything."""


def calls(sim: Simulator) -> None:
    """Bob calls Alice."""
    sim.phone(BOB).call(ALICE)


def calls_in_vain(sim: Simulator) -> None:
    """Bob calls Alice, and nobody picks up."""
    sim.phone(BOB).call(ALICE)
    sim.phone(BOB).hang_up()


def talks(sim: Simulator) -> None:
    """Bob calls Alice, and they talk for a while."""
    sim.phone(BOB).call(ALICE)
    sim.phone(ALICE).pick_up()
    sim.phone(BOB).hang_up()


def calls_and_goes(sim: Simulator) -> None:
    """Bob calls Alice, and then the server says goodbye."""
    sim.wait_for_session(ALICE, DEADLINE)
    sim.phone(BOB).call(ALICE)
    sim.faults.close()


def loses(sim: Simulator) -> None:
    """The connection is lost."""
    sim.wait_for_session(ALICE, DEADLINE)
    sim.faults.reset()


def colleague_picks_up(sim: Simulator) -> None:
    """Alice's colleague is called, and picks up."""
    sim.phone(CAROL).wait_until("ringing", DEADLINE)
    sim.phone(CAROL).pick_up()


#: Who does what while an example runs.
MEANWHILE: Dict[str, Callable[[Simulator], None]] = {
    "The way": calls_and_goes,
    "A program that is typed to": colleague_picks_up,
    "What only Python has": loses,
}

#: What happens once it has run.
THEN: Dict[str, Callable[[Simulator], None]] = {
    "Arguments of a handler": calls,
    "`this`": calls,
    "Variables of the page": calls,
    "New call": talks,
    "Disconnected": loses,
    "Handlers by `on`": calls,
    "Events of a call": calls_in_vain,
}

#: In these, Alice talks to Bob; in the others that have a call, he rings.
TALKING = {"Transfer", "Supervised transfer", "Merge", "Pause", "Park and unpark"}

#: In this one a handler raises.
RAISES = {"Exceptions"}


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
        code = compile(self._on_the_simulator(), self.example.title, "exec")
        meanwhile = threading.Thread(target=self._meanwhile)
        meanwhile.start()
        try:
            exec(code, names)
            meanwhile.join(DEADLINE)
            THEN.get(self.example.title, nothing)(self.sim)
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
        MEANWHILE.get(self.example.title, nothing)(self.sim)

    def _print(self, *what: object, **_: object) -> None:
        with self._changed:
            self._printed.append(" ".join(map(str, what)))
            self._changed.notify_all()

    def _all_printed(self) -> List[str]:
        wanted = len(expected(self.example.code))
        with self._changed:
            self._changed.wait_for(lambda: len(self._printed) >= wanted, DEADLINE)
            return list(self._printed)


def taken_for_granted(code: str) -> Set[str]:
    """The names that an example uses and does not define."""
    top = symtable.symtable(code, "example", "exec")
    tables, used = [top], set()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            if symbol.is_global() or (table is top and symbol.is_referenced()):
                used.add(symbol.get_name())
    defined = {
        symbol.get_name() for symbol in top.get_symbols()
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()
    }
    return used - defined


def expected(code: str) -> List[str]:
    """What the comments beside each ``print`` say that it prints; "..." is anything."""
    found: List[str] = []
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type != tokenize.COMMENT:
            continue
        beside = "print(" in token.line
        if beside or re.match(r"# {3,}", token.string):
            found.append(token.string[1:].strip())
    return found


def fits(printed: str, wanted: str) -> bool:
    pattern = ".*".join(map(re.escape, wanted.split("...")))
    return re.fullmatch(pattern, printed) is not None


def unmatched(printed: List[str], wanted: List[str]) -> Tuple[List[str], List[str]]:
    """What was printed and not announced, and the other way round."""
    printed = list(printed)
    missing = []
    for each in sorted(wanted, key=lambda wanted: "..." in wanted):
        match = next((line for line in printed if fits(line, each)), None)
        if match is None:
            missing.append(each)
        else:
            printed.remove(match)
    return printed, missing


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
    assert expected(example.code), "an example shows something"
    assert unmatched(printed, expected(example.code)) == ([], [])
    complaints = [record for record in caplog.records if record.levelno >= logging.ERROR]
    complaints = [record for record in complaints if record.name == "keyyo_cti"]
    assert bool(complaints) == (example.title in RAISES), complaints


def test_every_scene_has_its_example() -> None:
    """No scene is left over from an example that is no more."""
    titles = {example.title for example in PYTHON}
    assert {*MEANWHILE, *THEN, *TALKING, *RAISES} <= titles


@pytest.mark.skipif(NODE is None, reason="needs Node")
def test_the_javascript_is_javascript() -> None:
    """Each JavaScript example is one that an engine can read."""
    script = (
        "const AsyncFunction = (async () => {}).constructor;"
        "let text = ''; process.stdin.on('data', d => text += d).on('end', () => {"
        "for (const code of JSON.parse(text)) {"
        "try { new AsyncFunction(code); } catch (e) { console.log(String(e), code); } } });"
    )
    scripts = [re.sub(r"</?script.*?>", "", example.code) for example in JS]
    assert NODE is not None and len(scripts) > 40
    done = subprocess.run(
        [NODE, "-e", script], input=json.dumps(scripts), text=True, timeout=60,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    assert (done.returncode, done.stdout) == (0, "")


# Nothing is left out.


def used(names: Set[str], code: str) -> Set[str]:
    """Which of these names are used as members."""
    return {name for name in names if re.search(rf"\.{name}\b", code)}


def test_both_sides_do_the_same() -> None:
    """Whatever member of the SDK the JavaScript of an example uses, its Python uses too."""
    names = {name for kind in JAVASCRIPT.values() for name in kind.split()}
    pairs = _PAIR.findall(GUIDE)
    assert len(pairs) == len(JS)
    for js, python in pairs:
        assert used(names, js) <= used(names, python), js


@pytest.mark.parametrize("kind", sorted(JAVASCRIPT))
def test_every_member_that_javascript_documents_has_an_example(kind: str) -> None:
    """Each member of JavaScript's SDK is used in an example of both languages, but for the
    attributes that the page does not name."""
    beyond = {"number", "session_id", "off"}
    js = "\n".join(example.code for example in JS)
    python = "\n".join(example.code for example in PYTHON)
    names = set(JAVASCRIPT[kind].split())
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
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+) \|", GUIDE, re.M)
    said = {name: float(value.replace(",", "")) for name, value in rows}
    assert len(said) == 6
    assert said == {name: getattr(Options(), name) for name in said}


def test_differences_are_numbered() -> None:
    """The differences are numbered from 1 on, each with a reason."""
    rows = re.findall(r"^\| (\d+) \|(.*)\|(.*)\|(.*)\|$", GUIDE, re.M)
    assert [int(row[0]) for row in rows] == list(range(1, len(rows) + 1)) and len(rows) > 25
    assert all(row[2].strip() and row[3].strip() for row in rows)


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)]+)\)", PROSE))
def test_links(link: str) -> None:
    """A link leads to a file, or to a heading of the guide."""
    path, _, anchor = link.partition("#")
    headings: List[str] = re.findall(r"^#+ (.*)$", PROSE, re.M)
    assert (ROOT / "samples" / path).exists()
    assert not anchor or anchor in map(_anchor, headings)
