"""What comes on a websocket, right and wrong."""

import json
from random import Random
from typing import Optional

from . import mutation, websocket_frames
from .mutation import Mutator

#: SockJS frames of a server.
FRAMES = (
    b"o", b"h", b"a", b'a["x"]', b'm"x"', b'c[3000,"Go away!"]', b'c[3000,"\\ud800\\n"]',
    b"c[", b"a[", b"\xff\xfe",
    b'a["{\\"notify\\":\\"call\\",\\"call\\":{\\"callref\\":\\"c1\\",\\"state\\":\\"SETUP\\"}}"]',
    b'a["{\\"id\\":1,\\"result\\":{\\"number\\":\\"33199000001\\",\\"session_id\\":\\"s\\"}}"]',
)


def websocket_stream(random: Random, mutator: Mutator, *, client: bool = False) -> bytes:
    """A few websocket frames, most of them right.

    :param client: whose they are, or a server's.
    """
    mask = 1.0 if client else 0.0
    return b"".join(_frame(random, mutator, mask) for _ in range(1 + int(random.random() * 5)))


def _frame(random: Random, mutator: Mutator, masked: float) -> bytes:
    """
    :param masked: how probably it has a mask, where it is right.
    """
    draw = random.random
    kind = draw()
    payload = mutator.mutated()[: int(draw() ** 3 * 3000)]
    if kind < 0.5:
        frame = FRAMES[int(draw() * len(FRAMES))]
        if draw() < 0.5:
            frame = b"m" + json.dumps(mutation.message(random)).encode()
        return websocket_frames.frame(frame, mask=_mask(random, masked))
    if kind < 0.8:
        opcode = (0, 1, 2, 8, 9, 10)[int(draw() * 6)]
        fin = draw() < 0.7
        return websocket_frames.frame(payload, opcode, fin=fin, mask=_mask(random, masked))
    return websocket_frames.frame(
        payload,
        int(draw() * 16),
        fin=draw() < 0.7,
        reserved=int(draw() ** 4 * 8),
        mask=_mask(random, 0.2 + 0.6 * masked),
        claimed=None if draw() < 0.7 else int(2 ** (draw() * 64)),
        width=(0, 2, 8)[int(draw() * 3)],
    )


def _mask(random: Random, masked: float) -> Optional[bytes]:
    return random.getrandbits(32).to_bytes(4, "big") if random.random() < masked else None
