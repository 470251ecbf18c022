"""The CTI, the Call and the token that an example takes for granted."""

from __future__ import annotations

import threading
from typing import Any, Dict

from keyyo_cti import CTI, Call
from keyyo_cti.simulator import Simulator

from ..docs.guide import taken_for_granted
from ..docs.guide_scenes import ALICE, BOB, DAVE, TALKING
from ..helpers.running import DEADLINE


def names_for(title: str, python: str, sim: Simulator, token: str) -> Dict[str, Any]:
    """Return what a translated example takes for granted.

    :param title: of the example, which says whether its call is answered.
    :param python: the translation.
    """
    names: Dict[str, Any] = {"csi_token": token}
    wanted = taken_for_granted(python)
    if not wanted & {"cti", "call", "second_call"}:
        return names
    names["cti"] = cti = CTI(endpoint=sim.endpoint, cookie_name="of_the_examples")
    cti.create_session(token).result(DEADLINE)
    if "call" in wanted:
        names["call"] = _call(sim, cti, title in TALKING)
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
