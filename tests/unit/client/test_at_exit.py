"""A program that just ends: what it left open is closed."""

from __future__ import annotations

import gc
from typing import List, Optional

import pytest

from keyyo_cti._client import at_exit
from keyyo_cti.simulator import Simulator

from ...helpers.running import Running


class Door:
    """Something that may be left open."""

    def __init__(self, seen: List[str], open_: bool) -> None:
        self._seen = seen
        self._open = open_
        at_exit.watch(self)

    def unclosed(self) -> bool:
        return self._open

    def after_fork(self) -> None:
        raise AssertionError("nothing forks")

    def begin_close(self) -> None:
        self._seen.append("begins to close")

    def close(self, until: Optional[float] = None) -> None:
        assert until is not None
        self._seen.append("closes")


@pytest.fixture
def seen() -> List[str]:
    gc.collect()
    return []


def test_all_begin_before_one_is_waited_for(seen: List[str]) -> None:
    """All that is open begins to close before one of them is waited for; what is closed is left
    alone."""
    doors = [Door(seen, open_) for open_ in (True, False, True)]
    at_exit._close_all()
    assert seen == ["begins to close"] * 2 + ["closes"] * 2
    del doors


def test_nothing_is_kept(seen: List[str]) -> None:
    """What nobody holds any more is not closed, and not kept for the end."""
    Door(seen, True)
    gc.collect()
    at_exit._close_all()
    assert seen == []


PROGRAM = """
import atexit, sys
import keyyo_cti

def farewell():
    print("farewell:", cti.send_message("33199000001", "bye").exception(5), flush=True)

atexit.register(farewell)
cti = keyyo_cti.CTI(endpoint=sys.argv[1], cookie_auto=False)
cti.create_session(sys.argv[2]).result(5)
"""


@pytest.mark.fault(4)
def test_a_farewell_of_the_program() -> None:
    """What a program has done at its end, and asked for after the import, still finds the
    connection open."""
    with Simulator() as sim:
        token = sim.token(sim.line("33199000001"))
        with Running("-c", PROGRAM, sim.endpoint, token) as program:
            assert "not connected" not in program.until("farewell:")
            assert program.end() == 0
