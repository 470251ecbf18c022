"""A session, a call, its events and the end: what must pass in every host.

A program imports it when its host has changed what it changes.
"""

import threading
from typing import List, Optional

from keyyo_cti import CTI, Call, Transport

#: Seconds until something that is expected counts as not coming.
_DEADLINE = 10.0

#: The number that is called.
BOB = "33199020000"

#: What `whole_way` returns when all went well.
EXPECTED = ["connected", "SETUP", "MISSED", "closed"]


def whole_way(
    endpoint: str, token: str, ca_certs: Optional[str] = None, transport: Transport = "websocket"
) -> List[str]:
    """Return what happened on the way, in order."""
    happened: List[str] = []
    rings, is_over = threading.Event(), threading.Event()

    def on_new_call(call: Call) -> None:
        happened.append(str(call.state))
        call.onSetup = rings.set
        call.onMissed = is_over.set

    with CTI(
        endpoint=endpoint, ca_certs=ca_certs, transports=[transport], cookie_auto=False
    ) as cti:
        cti.onNewCall = on_new_call
        assert cti.create_session(token, True).result(_DEADLINE).number
        happened.append("connected")
        cti.dial(BOB).result(_DEADLINE)
        assert rings.wait(_DEADLINE), happened
        [call] = cti.get_calls()
        call.hang_up().result(_DEADLINE)
        assert is_over.wait(_DEADLINE), happened
        assert cti.ping().result(_DEADLINE) == 1
    left = [each.name for each in threading.enumerate() if each.name.startswith("keyyo-cti")]
    assert not left, left
    return [*happened, "closed"]
