"""Pages in several styles, translated: each works on the simulator after a few edited lines."""

from __future__ import annotations

import re
from pathlib import Path
from typing import List

import pytest

from keyyo_cti.simulator import Line, Simulator
from keyyo_cti.translate import browser, translate
from keyyo_cti.translate.page import page

from ..docs.guide_scenes import ALICE, BOB, DAVE
from ..helpers.running import DEADLINE, ROOT
from .program import TranslatedProgram

PAGES = Path(__file__).parent / "pages"
PHONE = ROOT / "samples" / "porting" / "phone.html"

#: By page: what a person changes in the Python, line by line.
EDITS = {
    "phone.html": [('csi_token = "<Your CSI token>"', "csi_token = token")],
    "jquery.html": [('CSI_TOKEN = "<CSI token>"', "CSI_TOKEN = token")],
    "classes.js": [('TOKEN = "<CSI token>"', "TOKEN = token")],
    "crm.js": [(
        'connector = Connector(crm, {"token": "<CSI token>"})',
        'connector = Connector(crm, {"token": token})',
    )],
    "async.js": [
        ('token = "<CSI token>"', "token = csi_token"),
        ('    {"number": "33199020000", "note": "invoice", "tries": 0},',
         f'    {{"number": "{BOB}", "note": "invoice", "tries": 0}},'),
    ],
}


def edited(path: Path) -> str:
    """Return the translation of a page with its edits."""
    translation = translate(path.read_text("utf-8"))
    assert translation.complete, translation.notes
    python = translation.python
    for before, after in EDITS[path.name]:
        assert f"{before}\n" in python
        python = python.replace(f"{before}\n", f"{after}\n", 1)
    return python


@pytest.mark.parametrize("path", [PHONE, *sorted(PAGES.iterdir())], ids=lambda path: path.name)
def test_page_translated_needs_few_edits(path: Path) -> None:
    assert edited(path)
    assert len(EDITS[path.name]) <= 10


def running(name: Path, sim: Simulator) -> TranslatedProgram:
    token = sim.token(ALICE)
    return TranslatedProgram(edited(name), sim.endpoint, {"token": token, "csi_token": token})


def _without_times(lines: List[str]) -> List[str]:
    return [re.sub(r"\d\d:\d\d:\d\d", "TIME", line) for line in lines]


def test_phone_translated_shows_a_missed_call(sim: Simulator, alice: Line) -> None:
    with running(PHONE, sim) as program:
        program.wait_until(lambda line: line.endswith("Connected"))
        sim.phone(BOB).call(ALICE)
        program.wait_until(lambda line: "Bob is calling" in line)
        sim.phone(BOB).hang_up()
        program.wait_until(lambda line: line.startswith("missed {"))
        said = _without_times(program.said)
    assert "page: #line.textContent = 33199000001" in said
    assert "page: <li>.textContent = Bob -> 33199000001: ringing" in said
    assert "page: <li>.className = missed" in said
    assert "page: #missed.textContent = 1" in said
    assert re.fullmatch(r'missed \{"from":"33199020000","at":\d+\}', said[-1])


def test_phone_translated_dials_and_answers(sim: Simulator, alice: Line) -> None:
    with running(PHONE, sim) as program:
        program.wait_until(lambda line: line.endswith("Connected"))
        browser.element("#number").value = " 33199020000 "
        page.dispatch(lambda: browser.element("#dial")._fire("submit"))
        program.wait_until(lambda line: line.endswith("Calling Bob"))
        sim.phone(BOB).wait_until("ringing", DEADLINE)
        sim.phone(BOB).pick_up()
        program.wait_until(lambda line: "Picked up after" in line)
        sim.phone(BOB).hang_up()
        program.wait_until(lambda line: "Talked for" in line)


def test_phone_translated_says_why_it_cannot_dial(sim: Simulator, alice: Line) -> None:
    with running(PHONE, sim) as program:
        program.wait_until(lambda line: line.endswith("Connected"))
        sim.faults.close(on="call")
        page.dispatch(lambda: program.globals["dial"]("33199020000"))
        program.wait_until(lambda line: "Cannot call 33199020000: Connexion closed" in line)


def test_jquery_page_translated_answers_and_hangs_up(sim: Simulator, alice: Line) -> None:
    with running(PAGES / "jquery.html", sim) as program:
        program.wait_until(lambda line: line == "status: Ready")
        sim.phone(BOB).call(ALICE)
        program.wait_until(lambda line: line == "call: from Bob* rings")
        program.wait_until(lambda line: line.startswith("page: document.title = Call"))
        browser.element("#answer")._fire("click")
        program.wait_until(lambda line: line == "answer ok")
        program.wait_until(lambda line: line == "status: Talking from Bob*")
        browser.element("#hang-up")._fire("click")
        program.wait_until(lambda line: line.startswith("history:"))
        said = program.said
    assert "page: #line.textContent = 01 99 00 00 01" in said
    assert any(re.fullmatch(r"status: Talked for 0:0\d", line) for line in said)
    assert any(re.fullmatch(r"answered 100% average \d.0", line) for line in said)
    assert said[-1] in ("history: answered from Bob*", "hang up ok")


def test_jquery_page_translated_refuses_what_is_no_number(sim: Simulator, alice: Line) -> None:
    with running(PAGES / "jquery.html", sim) as program:
        program.wait_until(lambda line: line == "status: Ready")
        browser.element("#number").value = "abc"
        browser.element("#dial")._fire("click")
        program.wait_until(lambda line: line == "status: Not a number: abc")


def test_class_page_translated_counts_calls(sim: Simulator, alice: Line) -> None:
    with running(PAGES / "classes.js", sim) as program:
        program.wait_until(lambda line: line == "[info] main: hears 33199000001")
        sim.phone(BOB).call(ALICE)
        program.wait_until(lambda line: line == "[info] main: Bob -> Alice (SETUP)")
        sim.phone(ALICE).pick_up()
        sim.phone(BOB).hang_up()
        program.wait_until(lambda line: line == "open 0 of 1")
        said = program.said
    assert said[:3] == [
        "true no level debug", "[info] main: started", "[info] main: started 0 0",
    ]
    assert "[info] main: line Alice" in said
    assert "[info] main: Bob -> Alice (SETUP > CONNECT > RELEASE)" in said
    assert any(re.fullmatch(r"1 calls, \d s, \d.00 s each, 0 missed", line) for line in said)


def test_async_page_translated_calls_one_after_the_other(sim: Simulator, alice: Line) -> None:
    with running(PAGES / "async.js", sim) as program:
        _talk(sim, BOB)
        _miss(sim, DAVE)
        _miss(sim, DAVE)
        program.wait_until(lambda line: line == "the end")
        said = program.said
    assert said == [
        "started", "open 33199000001",
        f"calling {BOB} invoice", f"talked with {BOB}", "left 1",
        f"calling {DAVE} no note", f"failed: nobody at {DAVE} try 1", "left 1",
        f"calling {DAVE} no note", f"failed: nobody at {DAVE} try 2", "left 0",
        "done: 0199020000", f'failed: ["{DAVE}"]', "done=1 failed=1", "code 0 true", "the end",
    ]


def _talk(sim: Simulator, number: str) -> None:
    sim.phone(ALICE).wait_until("ringing", DEADLINE)
    sim.phone(ALICE).pick_up()
    sim.phone(number).wait_until("ringing", DEADLINE)
    sim.phone(number).pick_up()
    sim.phone(number).hang_up()


def _miss(sim: Simulator, number: str) -> None:
    sim.phone(ALICE).wait_until("ringing", DEADLINE)
    sim.phone(ALICE).pick_up()
    sim.phone(number).wait_until("ringing", DEADLINE)
    sim.phone(ALICE).hang_up()
