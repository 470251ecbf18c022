"""The ring test: your line is called, and each layer that the call passes is shown with its time.

On the simulator Bob calls. On Keyyo it takes the client id and the client secret of your program,
as first_call.py does; call the first line of your account from some telephone.
"""

import os
import sys
from typing import Callable

from get_token import first_line, simulated
from whose_line import my_account

from keyyo_cti import Call
from keyyo_cti.manager import Manager, RingTest
from keyyo_cti.options import ENDPOINT


def show(call: Call) -> None:
    print("your handler sees a call from", call.other or "a hidden number")


def ring(manager: Manager, on_ready: Callable[[], object], endpoint: str = ENDPOINT) -> bool:
    test = RingTest(timeout=60, handler=show, on_ready=on_ready, on_finding=print)
    return manager.diagnose(first_line(manager), endpoint, ring=test).result().good


if __name__ == "__main__":
    if os.environ.get("KEYYO_CLIENT_ID"):
        good = ring(my_account(), lambda: print("now call the line, within 60 s"))
    else:
        from keyyo_cti.simulator import Simulator

        with Simulator() as sim:
            alice, bob = sim.line("33199000001", name="Alice"), sim.phone("33199020000")
            good = ring(simulated(sim), lambda: bob.call(alice), sim.endpoint)
    sys.exit(0 if good else "the first line with FAULT says what to do")
