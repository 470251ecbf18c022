"""A connection that is lost many times.

``python -m tests.load.endurance`` does this ten thousand times and also measures memory.
"""

from __future__ import annotations

import gc
from typing import Iterator

import pytest

from keyyo_cti import Transport
from keyyo_cti._sockjs import TRANSPORTS

from ..helpers.in_full import in_full
from ..helpers.simulator_process import SimulatorApart
from .endurance import KEPT, blows, endure

DROPS = in_full(60, always=18)


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Garbage is not collected: what is let go of must go at once."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.slow
@pytest.mark.fault(28)
@pytest.mark.promise(9)
@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("by_hand", [False, True], ids=["by the SDK", "by the handler"])
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_many_drops(transport: Transport, by_hand: bool) -> None:
    """Drops, of each kind in turn, are each restored; the calls that go on are told, and
    their ends; threads and descriptors are as before after each of them, without the collector
    of garbage, few calls are kept, and of the SDK's objects none is left in the end."""
    with SimulatorApart() as sim:
        outcome = endure(sim, transport, DROPS, every=1, by_hand=by_hand)
    assert set(outcome.losses) == set(blows(transport))
    # Beside those that are kept, those that were known before the last gap or two.
    assert outcome.samples[-1].calls <= 2 * KEPT + 2
