"""Websocket frames that are complete text messages, as nearly all frames are. Pure.

The websocket library would take five times as long for them. It handles all other frames.
"""

import os
import struct
from typing import Optional, Tuple

#: The first byte of a text frame that is a complete message.
_WHOLE_TEXT = 0x81

#: Bit of the second byte; frames to a server are masked.
_MASKED = 0x80

#: In place of a length, which follows in two or eight bytes.
_TWO_BYTES, _EIGHT_BYTES = 126, 127


def find(head: bytes) -> Optional[Tuple[int, int]]:
    """Return the place of the text, or None if no short text frame of a server begins here.

    :param head: the first four bytes.
    :returns: the offsets of its first byte and of its end, which is the end of the frame.
    """
    if len(head) < 4 or head[0] != _WHOLE_TEXT or head[1] > _TWO_BYTES:
        return None
    if head[1] < _TWO_BYTES:
        return 2, 2 + head[1]
    return 4, 4 + (head[2] << 8 | head[3])


def encode(text: str) -> bytes:
    """Return the frame that carries an ASCII text to a server."""
    data = text.encode("ascii")
    size = len(data)
    key = os.urandom(4)
    if size < _TWO_BYTES:
        head = bytes((_WHOLE_TEXT, _MASKED | size))
    elif size < 65536:
        head = struct.pack("!BBH", _WHOLE_TEXT, _MASKED | _TWO_BYTES, size)
    else:
        head = struct.pack("!BBQ", _WHOLE_TEXT, _MASKED | _EIGHT_BYTES, size)
    # One XOR of two large integers: a loop over the bytes would be slow.
    mask = int.from_bytes((key * (size // 4 + 1))[:size], "little")
    masked = (int.from_bytes(data, "little") ^ mask).to_bytes(size, "little")
    return head + key + masked
