"""Under gevent and eventlet, whose sockets, locks and threads are not Python's."""

import pytest

from keyyo_cti.simulator import Simulator

from .hosting import needs, run
from .whole_way import BOB, EXPECTED

EVENTLET = """
import sys, warnings
warnings.simplefilter("ignore")     # eventlet says of itself that it is old
import eventlet
eventlet.monkey_patch()
from tests.hosts.whole_way import whole_way

print(*whole_way(*sys.argv[1:3], sys.argv[3] or None, sys.argv[4]))
"""

GEVENT = """
import sys
from gevent import monkey
monkey.patch_all()
from tests.hosts.whole_way import whole_way

print(*whole_way(*sys.argv[1:3], sys.argv[3] or None, sys.argv[4]))
"""


@pytest.mark.fault(55)
@pytest.mark.parametrize("transport", ["websocket", "xhr-streaming"])
@pytest.mark.parametrize("tls", [False, True], ids=["clear", "tls"])
@pytest.mark.parametrize(
    "program",
    [
        pytest.param(EVENTLET, marks=needs("eventlet"), id="eventlet"),
        pytest.param(GEVENT, marks=needs("gevent"), id="gevent"),
    ],
)
def test_green_threads_go_the_whole_way(program: str, tls: bool, transport: str) -> None:
    with Simulator(tls=tls) as sim:
        alice = sim.line("33199000001")
        sim.phone(BOB)
        ca_certs = str(sim.ca_certs) if tls else ""
        printed = run(program, sim.endpoint, sim.token(alice), ca_certs, transport)
    assert printed.split() == EXPECTED
