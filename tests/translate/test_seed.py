"""Each example of Keyyo's page prints and sends the same in Node and, translated, in Python."""

from __future__ import annotations

import re
from typing import Dict, Iterator, List

import pytest

from keyyo_cti.simulator import Simulator
from keyyo_cti.translate import translate

from ..docs.guide import Pair
from ..docs.guide_scenes import ALICE, BOB, CAROL, nothing, talks
from ..docs.test_porting_javascript import Stage, needs_node
from ..helpers.javascript_page import Page
from .program import TranslatedProgram
from .seed import EXAMPLES
from .taken_for_granted import names_for


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A Node process for all examples."""
    with Page() as running:
        yield running


def misses(sim: Simulator) -> None:
    """Bob calls Alice, and hangs up before she answers."""
    sim.phone(BOB).call(ALICE)
    sim.phone(BOB).hang_up()


#: Lines that an example prints, if it is not one.
LINES = {
    "basic usage": 0, "constructor": 0, "get call": 0, "get ringing duration": 0,
    "get duration": 0, "handle call events": 3, "release": 1,
}

#: What happens once an example has run.
THEN = {
    "handle call events": talks, "setup": misses, "connect": talks, "release": talks,
    "missed": misses,
}

#: In these, Alice talks to Bob.
TALKING = {"transfer", "supervised transfer", "merge", "pause", "park", "unpark"}


def filled(name: str, token: str) -> str:
    """Return an example with a token, and with handlers that print."""
    source = re.sub(r'"<?Your CSI token>"', f'"{token}"', EXAMPLES[name])
    source = re.sub(r"// Handle (setup|connect|release|missed)", r'console.log("\1");', source)
    source = re.sub(r"on(\w+) = function\(\) \{ \}", r'on\1 = function() { console.log("\1"); }',
                    source)
    if name in ("setup", "connect", "release", "missed"):
        # Each notification brings a new Call, so that the page means the one of `newCall`.
        source = f"cti.onNewCall = function(call) {{\n{source}}};\n"
    if name == "constructor":
        source = f"{whole(source)};\nvar cti = new Keyyo.CTI(options);\n"
    if name == "restore session by id":
        source = "var cti = new Keyyo.CTI({cookie_auto: false});\n" + source.replace(
            "// Create a new session", 'console.log("new");')
    if name == "unpark":
        source = f"call.pause(function(err, res) {{\n{source}}});\n"
    return source


def whole(source: str) -> str:
    """Return a source with the brackets that are cut off on the page."""
    missing: List[str] = []
    for each in re.findall(r"[(){}]", source):
        if each in _CLOSING:
            missing.insert(0, _CLOSING[each])
        else:
            missing.pop(0)
    return source + "".join(missing)


_CLOSING = {"(": ")", "{": "}"}


@pytest.mark.parametrize("name", EXAMPLES)
@needs_node
def test_example_prints_and_sends_the_same_in_both(page: Page, name: str) -> None:
    said: List[List[str]] = []
    sent: List[List[Dict[str, object]]] = []
    for play in (_in_node, _in_python):
        with Simulator() as sim:
            sim.line(ALICE, name="Alice")
            sim.line(CAROL, name="Carol")
            source = filled(name, sim.token(ALICE))
            said.append(play(page, sim, name, source))
            sent.append([dict(each, id=0) for each in sim.received()])
    assert len(said[0]) == LINES.get(name, 1) and page.raised == []
    assert list(map(_shown, said[0])) == list(map(_shown, said[1]))
    assert sent[0] == sent[1]


def _in_node(page: Page, sim: Simulator, name: str, source: str) -> List[str]:
    stage = Stage(page, sim, Pair(_title(name), whole(source), _wants(name, source)))
    stage.then = THEN.get(name, nothing)
    return list(stage.run(LINES.get(name, 1)))


def _in_python(page: Page, sim: Simulator, name: str, source: str) -> List[str]:
    translation = translate(source)
    assert translation.complete, translation.notes
    token = sim.token(ALICE)
    names = names_for(_title(name), _wants(name, source), sim, token)
    with TranslatedProgram(translation.python, sim.endpoint, names) as program:
        program.join()
        THEN.get(name, nothing)(sim)
        return program.wait_for(LINES.get(name, 1))


def _title(name: str) -> str:
    """Return a title of the guide, for an example whose call is answered."""
    return "Transfer" if name in TALKING else name


def _wants(name: str, source: str) -> str:
    """Return the translation, and the call that it lists."""
    return "[cti, call]" if name == "get calls" else translate(source).python


def _shown(line: str) -> str:
    """Return the fields of an object that a line shows, without its type, time and secrets."""
    fields = dict(re.findall(r"(\w+)[:=] ?[\['\s]*([^',})\]]*)", line))
    if "callref" in fields:
        return "<Call {callref} {caller} -> {callee} {state}>".format(**fields)
    if not fields:
        return line
    return str({key: value for key, value in fields.items() if key not in _OF_THE_MOMENT})


_OF_THE_MOMENT = ("now", "session_id", "setup_date")
