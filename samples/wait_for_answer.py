"""A call from its first ring to its end, line by line: each event is waited for.

On Keyyo it takes the number of a friend who expects the call.
"""

import sys
from typing import Any

from whose_line import mine, whose_line

from keyyo_cti import CTI, CallEnded


def bob_talks(sim: Any, alice: Any, bob: Any) -> None:
    bob.wait_until("ringing")
    bob.pick_up()
    bob.hang_up()


if __name__ == "__main__":
    if mine() and len(sys.argv) != 2:
        sys.exit("whom to call? Give a number: python samples/wait_for_answer.py NUMBER")
    number = sys.argv[1] if mine() else "33199020000"
    with whose_line(bob_talks) as line, CTI(line.options) as cti:
        cti.create_session(line.new_token()).result(timeout=10)
        # It begins before the command, because the call may ring before the reply comes.
        rings = cti.wait_for("newCall", lambda call: call.other == number, timeout=60)
        cti.dial(number).result(timeout=10)
        call = rings.result()
        print("it rings at", call.other)
        try:
            call.wait_for("connect", timeout=60).result()
        except CallEnded:
            sys.exit("the call was not answered")
        print("answered")
        call.wait_for("release").result(timeout=300)
        print("it is over")
