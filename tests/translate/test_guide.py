"""Each JavaScript example of the porting guide, translated, prints what it says."""

from __future__ import annotations

import threading

import pytest

from keyyo_cti.simulator import Line, Simulator
from keyyo_cti.translate import translate

from ..docs.guide import Pair, javascript_output, pairs, unmatched
from ..docs.guide_scenes import ALICE, CAROL, FIRST, MEANWHILE, THEN, scene
from ..helpers.running import DEADLINE
from .program import TranslatedProgram
from .taken_for_granted import names_for

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
    names = names_for(pair.title, python, sim, token)
    scene(FIRST, pair.title)(sim)
    meanwhile = threading.Thread(target=scene(MEANWHILE, pair.title), args=(sim,))
    wanted = javascript_output(pair.js)
    with TranslatedProgram(python, sim.endpoint, names) as program:
        meanwhile.start()
        program.join()
        meanwhile.join(DEADLINE)
        scene(THEN, pair.title)(sim)
        said = program.wait_for(len(wanted))
    assert unmatched(said, wanted) == ([], [])
