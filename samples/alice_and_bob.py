"""Alice and Bob: the two scenarios of Keyyo's page, as a program of Alice's.

On the simulator::

    python samples/alice_and_bob.py

On Keyyo, with a number of a friend who expects it::

    KEYYO_CSI_TOKEN=... python samples/alice_and_bob.py 33199020000
"""

import os
import sys
from functools import partial
from threading import Thread, Timer
from typing import Any, List, Optional

from keyyo_cti import CTI, Call, KeyyoError
from keyyo_cti.options import ENDPOINT

NAMES = {"33199000001": "Alice", "33199020000": "Bob"}


class Application:
    """Alice's application: it calls Bob, and when Bob has called back it hangs up and ends.

    :param speak: seconds that they speak before it hangs up.
    """

    def __init__(self, cti: CTI, bob: str, speak: float) -> None:
        self.cti = cti
        self.bob = bob
        self.speak = speak
        self.ended: List[Call] = []
        self.failure: Optional[KeyyoError] = None
        cti.onNewCall = self.on_new_call

    def run(self, token: str) -> None:
        """Lasts until both calls are over, or something fails."""
        self.cti.create_session(token, self.connected)
        self.cti.wait(timeout=300)

    def connected(self, err: Optional[KeyyoError], res: Any) -> None:
        if err:
            self.failed(err)
            return
        print(f"connected to {name(res.number)}; calling {name(self.bob)}")
        self.cti.dial(self.bob, self.asked)

    def on_new_call(self, call: Call) -> None:
        call.onSetup = lambda: print(f"{name(call.caller)} calls {name(call.callee)}")
        call.onConnect = partial(self.on_connect, call)
        call.onRelease = partial(self.on_end, call)
        call.onMissed = partial(self.on_end, call)

    def on_connect(self, call: Call) -> None:
        print(f"picked up after {call.get_ringing_duration()} s")
        if call.direction == "in":
            Timer(self.speak, call.hang_up, [self.asked]).start()

    def on_end(self, call: Call) -> None:
        print(f"ended after {call.get_duration()} s")
        self.ended.append(call)
        if len(self.ended) == 2:
            self.cti.destroy_session()
        else:
            print(f"waiting for {name(self.bob)} to call back")

    def asked(self, err: Optional[KeyyoError], res: Any) -> None:
        if err:
            self.failed(err)

    def failed(self, err: KeyyoError) -> None:
        self.failure = err
        self.cti.close()

    def report(self) -> Optional[str]:
        """What went wrong, for ``sys.exit``."""
        if self.failure:
            return str(self.failure)
        states = [call.state for call in self.ended]
        return None if states == ["RELEASE", "RELEASE"] else f"the calls ended as {states}"


def name(number: Optional[str]) -> str:
    return f"{NAMES.get(str(number), 'somebody')} ({number})"


def run(endpoint: str, token: str, bob: str, speak: float) -> Optional[str]:
    with CTI(endpoint=endpoint, cookie_auto=False) as cti:
        application = Application(cti, bob, speak)
        application.run(token)
    return application.report()


def on_the_simulator() -> Optional[str]:
    """The same, with people at simulated telephones."""
    try:
        from keyyo_cti.simulator import Simulator
    except ImportError as error:
        return str(error)

    with Simulator() as sim:
        alice = sim.line("33199000001")
        bob = sim.phone("33199020000")

        def people() -> None:
            bob.wait_until("ringing")
            bob.pick_up()
            bob.hang_up()
            bob.call(alice)
            alice.phone.wait_until("ringing")
            alice.phone.pick_up()

        Thread(target=people, daemon=True).start()
        return run(sim.endpoint, sim.token(alice), bob.number, speak=0)


if __name__ == "__main__":
    csi_token = os.environ.get("KEYYO_CSI_TOKEN")
    if not csi_token:
        sys.exit(on_the_simulator())
    if len(sys.argv) != 2:
        sys.exit("whom to call? Give a number: python samples/alice_and_bob.py NUMBER")
    sys.exit(run(os.environ.get("KEYYO_ENDPOINT", ENDPOINT), csi_token, sys.argv[1], speak=10))
