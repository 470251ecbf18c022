"""How to test your own program: fixtures for pytest, time by hand, and a rehearsal."""

import subprocess
import sys
from typing import Dict

from keyyo_cti import CTI, Call
from keyyo_cti.simulator import Phone
from keyyo_cti.testing import SimulatedKeyyo


class MissedCalls:
    """The program: it remembers the callers without an answer, and how many seconds it rang."""
    def __init__(self, cti: CTI) -> None:
        self.cti = cti
        self.waited: Dict[str, int] = {}
        cti.onNewCall = self.on_new_call

    def on_new_call(self, call: Call) -> None:
        if call.state == "MISSED" and call.callee == self.cti.number:
            self.waited[call.caller or "hidden"] = call.get_ringing_duration()


def test_missed(keyyo: SimulatedKeyyo, keyyo_cti: CTI, keyyo_phone: Phone) -> None:
    program = MissedCalls(keyyo_cti)
    keyyo_phone.call(str(keyyo_cti.number))
    keyyo.elapse(20)
    keyyo_phone.hang_up()
    keyyo.settle()
    assert program.waited == {keyyo_phone.number: 20}


def test_rehearsal(keyyo: SimulatedKeyyo) -> None:
    keyyo.rehearse(MissedCalls, seed=1, minutes=10)


if __name__ == "__main__":
    sys.exit(subprocess.call([sys.executable, "-m", "pytest", "-q", __file__]))
