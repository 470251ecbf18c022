"""Who calls whom: the direction, the other party and the outcome of each call that ends.

On the simulator Bob gets no answer, and Alice calls him back. On Keyyo it ends after the first
call from your line. The handler is added by a decorator.
"""

from typing import Any

from whose_line import whose_line

from keyyo_cti import CTI, Call


def people(sim: Any, alice: Any, bob: Any) -> None:
    bob.call(alice)
    bob.hang_up()
    alice.call(bob)
    bob.pick_up()
    bob.hang_up()


if __name__ == "__main__":
    with whose_line(people) as line, CTI(line.options) as cti:

        @cti.on("newCall")
        def show(call: Call) -> None:
            if not call.active:
                other = "a hidden number" if call.hidden else call.other
                words = "from" if call.direction == "in" else "to"
                print(words, other, "answered" if call.answered else "missed")

        over = cti.wait_for("newCall", lambda call: call.direction == "out" and not call.active)
        cti.create_session(line.new_token()).result(timeout=10)
        over.result(timeout=300)
