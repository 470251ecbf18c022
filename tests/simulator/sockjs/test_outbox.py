"""The frames that wait for a receiver."""

from __future__ import annotations

import asyncio
from typing import List

from keyyo_cti.simulator.sockjs.frames import HEARTBEAT, Frame, encode_messages
from keyyo_cti.simulator.sockjs.outbox import Outbox


def message(text: str) -> Frame:
    return Frame(encode_messages([text]), messages=[text])


def test_heartbeat_that_no_receiver_has_carried_is_discarded() -> None:
    """A heartbeat is due when nothing else is sent. The next receiver would carry an old one in
    front of the messages that have waited for it, and a client would take them for younger."""

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
