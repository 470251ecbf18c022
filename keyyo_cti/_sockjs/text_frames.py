"""Websocket frames that are whole text messages, as nearly all are in both directions. Pure.

The websocket library makes and reads them too, in five times the time. All other frames are left
to it.
"""

import os
import struct
from typing import NamedTuple, Optional

#: The first byte of a text frame that is a message by itself.
_WHOLE_TEXT = 0x81

#: In the second byte: what is sent to a server is masked.
_MASKED = 0x80

#: In place of a length: it comes next, in two bytes or in eight.
_TWO_BYTES, _EIGHT_BYTES = 126, 127


class TextFrame(NamedTuple):
    """Where the text of a frame is.

    :ivar start: of the text, in bytes from the beginning of the frame.
    :ivar end: of the text, and of the frame.
    """

    start: int
    end: int


def find(head: bytes) -> Optional[TextFrame]:
    """Where the text is, if this is how a server's short text frame begins.

    :param head: four bytes; fewer are the beginning of no such frame.
    """
    if len(head) < 4 or head[0] != _WHOLE_TEXT or head[1] > _TWO_BYTES:
        return None
    if head[1] < _TWO_BYTES:
        return TextFrame(2, 2 + head[1])
    return TextFrame(4, 4 + (head[2] << 8 | head[3]))


def encode(text: str) -> bytes:
    """The frame that carries an ASCII text to a server."""
    data = text.encode("ascii")
    size = len(data)
    key = os.urandom(4)
    if size < _TWO_BYTES:
        head = bytes((_WHOLE_TEXT, _MASKED | size))
    elif size < 65536:
        head = struct.pack("!BBH", _WHOLE_TEXT, _MASKED | _TWO_BYTES, size)
    else:
        head = struct.pack("!BBQ", _WHOLE_TEXT, _MASKED | _EIGHT_BYTES, size)
    # As two numbers, whose bits are combined at once.
    mask = int.from_bytes((key * (size // 4 + 1))[:size], "little")
    masked = (int.from_bytes(data, "little") ^ mask).to_bytes(size, "little")
    return head + key + masked
