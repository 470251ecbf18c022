"""In a program that tests itself under a frozen clock."""

import ast

import pytest

from keyyo_cti.simulator import Simulator

from ..helpers.running import ROOT
from .hosting import needs, run
from .whole_way import BOB

#: Its clock is frozen while a CTI is connected, and before another one is made.
FROZEN = """
import sys, threading, time
from functools import partial
from keyyo_cti import CTI, Backoff, CommandTimeout
from freezegun import freeze_time

def new_cti():
    cti = CTI(endpoint=endpoint, token_provider=lambda: token, timeout=0.5, ping_interval=0.1,
              transports=[transport], backoff=Backoff(first=0.01))
    cti.onNewCall = lambda call: rings.set()
    cti.onRestored = lambda info: gaps.append(info.gap) or restored.set()
    cti.onError = errors.append
    assert cti.create_session(token, True).result(10).number
    return cti

def use(cti):
    cti.dial("33199020000").result(10)
    assert rings.wait(10)
    began = monotonic()
    assert not cti.wait(0.3)
    assert 0.3 <= monotonic() - began < 5
    assert isinstance(cti.send_message("33199020000", "ignored").exception(10), CommandTimeout)
    [call] = cti.get_calls()
    assert 0 <= call.get_ringing_duration() < 60, call.get_ringing_duration()
    cti.set_auto_answer(True).exception(10)
    assert restored.wait(10)
    assert 0 <= gaps.pop() < 10
    assert cti.session_exists() and cti.ping().result(10) == 1
    call.hang_up().result(10)
    rings.clear()
    restored.clear()

endpoint, token, transport = sys.argv[1:]
rings, restored = threading.Event(), threading.Event()
monotonic = partial(time.monotonic)     # the real one
gaps, errors = [], []
before = new_cti()
with freeze_time("2030-01-01"):
    assert time.monotonic() == time.monotonic() and time.time() > 1.8e9
    use(before)
    during = new_cti()
    before.close()
    use(during)
with freeze_time("2000-01-01"):
    during.close()
    new_cti().close()
assert not errors, errors
print([each.name for each in threading.enumerate() if each.name.startswith("keyyo-cti")])
"""


@pytest.mark.fault(78)
@pytest.mark.parametrize("transport", ["websocket", "xhr-streaming", "xhr-polling"])
@needs("freezegun")
def test_frozen_clock_stops_no_deadline(sim: Simulator, transport: str) -> None:
    """Time-outs, pings, durations, restores and ``close()`` go by the clocks of the system."""
    token = sim.token(sim.line("33199000001"))
    sim.phone(BOB)
    sim.faults.ignore("send_message")
    for _ in range(2):
        sim.faults.reset(on="set_auto_answer")
    assert run(FROZEN, sim.endpoint, token, transport) == "[]\n"


@pytest.mark.fault(78)
def test_clocks_come_from_one_place() -> None:
    """No module of the client but clock.py asks ``time`` for the clock."""
    clocks = {"monotonic", "time", "monotonic_ns", "time_ns", "perf_counter"}
    package = ROOT / "keyyo_cti"
    found = []
    for path in package.rglob("*.py"):
        name = path.relative_to(package).as_posix()
        # The helpers of a translation are parts of somebody else's program.
        if name == "_net/clock.py" or name.startswith(("simulator/", "translate/helpers/")):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "time":
                found += [f"{name}:{node.lineno}"] if node.attr in clocks else []
            elif isinstance(node, ast.ImportFrom) and node.module == "time":
                found += [f"{name}:{node.lineno}"] if clocks & {n.name for n in node.names} else []
    assert found == []
