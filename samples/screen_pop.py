"""A screen pop that shows the customer, even if a colleague passes him on. On the simulator."""

import sys
from threading import Event

from keyyo_cti import CTI, Call, Conversation

ALICE, CAROL, BOB = "33199000001", "33199000002", "33199020000"
ended = Event()


def on_new_call(call: Call) -> None:
    if call.state == "SETUP":
        # Carol's telephone shows Alice, who calls it. Her screen shows for whom.
        print(f"{call.callee} rings: {call.caller} calls for {call.conversation.first.caller}")
    elif call.state == "CONNECT" and call.callee == ALICE:
        call.supervised_transfer("caller", CAROL)


def on_end(conversation: Conversation) -> None:
    print(f"ended: {len(conversation.calls)} calls of", *conversation.parties)
    ended.set()


if __name__ == "__main__":
    try:
        from keyyo_cti.simulator import Simulator
    except ImportError as error:
        sys.exit(str(error))

    with Simulator() as sim, CTI(endpoint=sim.endpoint, cookie_auto=False) as cti:
        alice, carol, bob = sim.line(ALICE), sim.line(CAROL), sim.phone(BOB)
        cti.onNewCall, cti.onConversationEnded = on_new_call, on_end
        cti.create_session(sim.token(alice)).result()
        cti.subscribe(CAROL).result()
        for step in (lambda: bob.call(alice), alice.phone.pick_up,
                     lambda: carol.phone.wait_until("ringing"), carol.phone.pick_up, bob.hang_up):
            step()
        sys.exit(not ended.wait(30))
