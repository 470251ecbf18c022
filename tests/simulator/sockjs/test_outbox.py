"""The frames that wait for a receiver."""

from __future__ import annotations

import asyncio
from typing import List

from keyyo_cti.simulator.sockjs.frames import HEARTBEAT, Frame, encode_messages
from keyyo_cti.simulator.sockjs.outbox import Outbox


def message(text: str) -> Frame:
    return Frame(encode_messages([text]), messages=[text])


def test_heartbeat_that_no_receiver_has_carried_is_discarded() -> None:
    """The server sends a heartbeat only when nothing else is pending.

    Otherwise the next receiver would send an old heartbeat in front of messages, which a client
    would take for newer than it.
    """

    async def carry() -> List[bytes]:
        outbox = Outbox()
        outbox.put(message("1"))
        outbox.put(HEARTBEAT)
        carried = [(await outbox.next()).payload]
        outbox.put(message("2"))
        outbox.put(message("3"))
        outbox.join()
        return [*carried, (await outbox.next()).payload]

    assert asyncio.run(carry()) == [b'a["1"]', b'a["2","3"]']
