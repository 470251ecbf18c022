"""The JavaScript of the porting guide is free of known errors, and prints what it says."""

from __future__ import annotations

import re
import threading
from typing import Iterator, List, Optional

import pytest

from keyyo_cti.simulator import Line, Simulator

from ..helpers.javascript_page import Page
from ..helpers.methods import METHODS
from ..helpers.node_programs import missing
from ..helpers.running import DEADLINE, ROOT
from .guide import GUIDE, Pair, javascript_output, pairs, taken_for_granted, unmatched
from .guide_scenes import ALICE, BOB, CAROL, DAVE, FIRST, MEANWHILE, TALKING, THEN, scene

_MISSING = missing()

needs_node = pytest.mark.skipif(_MISSING is not None, reason=_MISSING or "")

PAIRS = list(pairs())

PAGE = (ROOT / "samples" / "porting" / "phone.html").read_text("utf-8")

_METHODS = "|".join(method.name for method in METHODS)

#: What looks right and is wrong on the real SDK -> what is wrong with it.
ERRORS = {
    r"(?<!Keyyo\.CSB)\.connected\b": "cti.connected is always undefined",
    r"\bcti\.(number|session_id)\b": "a CTI has no such attribute",
    r"\.type\b": "call.type is always undefined",
    r"\bremoveEventListener\b": "removeEventListener does nothing",
    r"\.off\(": "there is no off",
    r"get_call\([^)]*\)\s*[!=]==?\s*undefined": "get_call of an unknown call is null",
    r"(\w+) = \w+\.get_call\((?s:.*)\b\1\s*[!=]==\s*undefined": "such a call is null",
    rf"\.({_METHODS})\(([\"'\w, .]*[\"'])?\)": "a method needs its callback",
    r"\.on\([\"'][^\"']*\b(error|connected|response)\b": "this event never comes",
    r"onNewcall|onDisconnect\b|onDisconnection": "there is no such event",
    r"onNewCall = (async )?function\(call\) \{\n\s*call\.(on|addEventListener)\(":
        "this adds a handler at each notification, for all calls",
    r"\.(session_exists|get_calls|get_call|get_duration|get_ringing_duration)\([^)]*function":
        "this returns at once, and takes no callback",
}


def errors(code: str) -> List[str]:
    """Return the known errors in a piece of JavaScript."""
    code = re.sub(r"//.*$", "", code, flags=re.M)
    return [wrong for pattern, wrong in ERRORS.items() if re.search(pattern, code)]


@pytest.mark.parametrize(
    "code",
    [
        "console.log(cti.connected);",
        "if (phone.cti.connected) { }",
        "console.log(cti.number);",
        'if (call.type != "RELEASE") { }',
        'cti.removeEventListener("newCall", log);',
        'cti.off("newCall");',
        'if (cti.get_call("a") === undefined) { }',
        'if (cti.get_call(ref) == undefined) { }',
        'var other = cti.get_call("a");\nconsole.log(other === undefined);',
        "call.hang_up();",
        'cti.dial("33172587948");',
        "call.park('caller');",
        'cti.on("error", log);',
        "cti.onNewCall = function(call) {\n    call.on('setup', log);\n};",
        "cti.get_calls(function(err, res) { });",
    ],
)
def test_errors_wrong_javascript_is_found(code: str) -> None:
    assert errors(code)


@pytest.mark.parametrize("pair", PAIRS, ids=[pair.title for pair in PAIRS])
def test_javascript_example_has_no_known_error(pair: Pair) -> None:
    assert errors(pair.js) == []


def test_javascript_of_the_ported_page_has_no_known_error() -> None:
    assert errors(PAGE) == []


def test_prose_shows_no_known_error_as_code() -> None:
    """An expression in a table or a sentence is correct, unless the sentence says it is not."""
    code = re.findall(r"^\| `([^`|]*(?:function|\.onclick)[^`|]*)` \|", GUIDE, re.M)
    assert code and [errors(each) for each in code] == [[]] * len(code)


#: A CTI with a session, which most examples take for granted.
CONNECTED = """
    cti = new Keyyo.CTI();
    await new Promise((resolve, reject) => cti.create_session(csi_token, (err, res) => (
        err ? reject(new Error(err.message)) : resolve(res)
    )));
"""

#: Runs once the callbacks of everything before it have run.
SETTLED = "await new Promise((resolve) => cti.ping(resolve));"


class Stage:
    """Runs one example in the page, on the simulator."""

    def __init__(self, page: Page, sim: Simulator, pair: Pair) -> None:
        self.page = page
        self.sim = sim
        self.pair = pair
        self.then = scene(THEN, pair.title)

    def run(self, count: Optional[int] = None) -> List[str]:
        """Return what it said, once everything that was expected has come.

        :param count: how many lines are expected; by default those of its comments.
        """
        token = self.sim.token(ALICE)
        self.page.open(self.sim.endpoint, names={"csi_token": token})
        meanwhile = threading.Thread(target=scene(MEANWHILE, self.pair.title), args=(self.sim,))
        try:
            self._take_for_granted()
            scene(FIRST, self.pair.title)(self.sim)
            self.page.run(self.pair.js.replace("<CSI token>", token))
            # Not before: a call would come while the script has set no handler yet.
            meanwhile.start()
            meanwhile.join(DEADLINE)
            self.then(self.sim)
            wanted = len(javascript_output(self.pair.js)) if count is None else count
            return self.page.wait_for(wanted)
        finally:
            self.page.leave()

    def _take_for_granted(self) -> None:
        if "new Keyyo.CTI" in self.pair.js:
            return
        self.page.run(CONNECTED)
        wanted = taken_for_granted(self.pair.python)
        if "call" in wanted:
            self._call("call", BOB, ALICE, ALICE if self.pair.title in TALKING else None)
        if "second_call" in wanted:
            self._call("second_call", ALICE, DAVE, DAVE)

    def _call(self, name: str, caller: str, callee: str, answers: Optional[str]) -> None:
        self.sim.phone(caller).call(callee)
        if answers:
            self.sim.phone(answers).pick_up()
        self.page.run(f"{SETTLED} {name} = cti.get_calls().slice(-1)[0];")


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A Node process for all examples."""
    with Page() as running:
        yield running


@needs_node
@pytest.mark.parametrize("pair", PAIRS, ids=[pair.title for pair in PAIRS])
def test_javascript_example_prints_what_it_says(
    page: Page, sim: Simulator, alice: Line, pair: Pair
) -> None:
    sim.line(CAROL, name="Carol")
    said = Stage(page, sim, pair).run()
    assert unmatched(said, javascript_output(pair.js)) == ([], [])
    assert page.raised == []


def test_pairs_are_announced_alike() -> None:
    """Both languages of an example print about the same."""
    assert len(PAIRS) > 45
    assert len([pair for pair in PAIRS if not javascript_output(pair.js)]) <= 1
