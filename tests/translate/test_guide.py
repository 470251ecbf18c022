"""Each JavaScript example of the porting guide, translated, prints what it says."""

from __future__ import annotations

import threading
from typing import Any, Dict

import pytest

from keyyo_cti import CTI, Call
from keyyo_cti.simulator import Line, Simulator
from keyyo_cti.translate import translate

from ..docs.guide import Pair, javascript_output, pairs, taken_for_granted, unmatched
from ..docs.guide_scenes import ALICE, BOB, CAROL, DAVE, FIRST, MEANWHILE, TALKING, THEN, scene
from ..helpers.running import DEADLINE
from .program import TranslatedProgram

PAIRS = list(pairs())


@pytest.mark.parametrize("pair", PAIRS, ids=[pair.title for pair in PAIRS])
def test_example_translated_is_complete(pair: Pair) -> None:
    translation = translate(pair.js)
    assert translation.complete, translation.notes
    assert "NotImplementedError" not in translation.python


@pytest.mark.parametrize("pair", PAIRS, ids=[pair.title for pair in PAIRS])
def test_example_translated_prints_what_it_says(pair: Pair, sim: Simulator, alice: Line) -> None:
    sim.line(CAROL, name="Carol")
    token = sim.token(ALICE)
    python = translate(pair.js.replace("<CSI token>", token)).python
    names = _names(pair, python, sim, token)
    scene(FIRST, pair.title)(sim)
    meanwhile = threading.Thread(target=scene(MEANWHILE, pair.title), args=(sim,))
    wanted = javascript_output(pair.js)
    with TranslatedProgram(python, sim.endpoint, names) as program:
        try:
            meanwhile.start()
            program.join()
            meanwhile.join(DEADLINE)
            scene(THEN, pair.title)(sim)
            said = program.wait_for(len(wanted))
        finally:
            for each in names.values():
                if isinstance(each, CTI):
                    each.close()
    assert unmatched(said, [_in_python(line) for line in wanted]) == ([], [])


def _in_python(line: str) -> str:
    """Return what Python shows of a Call's JSON, which has other dates."""
    return line


def _names(pair: Pair, python: str, sim: Simulator, token: str) -> Dict[str, Any]:
    names: Dict[str, Any] = {"csi_token": token}
    wanted = taken_for_granted(python)
    if not wanted & {"cti", "call", "second_call"}:
        return names
    names["cti"] = cti = CTI(endpoint=sim.endpoint, cookie_name="of_the_examples")
    cti.create_session(token).result(DEADLINE)
    if "call" in wanted:
        names["call"] = _call(sim, cti, pair.title in TALKING)
    if "second_call" in wanted:
        sim.phone(ALICE).call(DAVE)
        sim.phone(DAVE).pick_up()
        _settle(cti)
        names["second_call"] = cti.get_calls()[-1]
    return names


def _call(sim: Simulator, cti: CTI, talks: bool) -> Call:
    sim.phone(BOB).call(ALICE)
    if talks:
        sim.phone(ALICE).pick_up()
    _settle(cti)
    [call] = cti.get_calls()
    return call


def _settle(cti: CTI) -> None:
    """Wait for the handlers of everything before."""
    told = threading.Event()
    cti.ping(lambda err, res: told.set())
    assert told.wait(DEADLINE)
