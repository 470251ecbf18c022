"""Websocket frames as a server should send them, and as it should not."""

import base64
import hashlib
import struct
from typing import Optional

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def frame(
    payload: bytes,
    opcode: int = TEXT,
    *,
    fin: bool = True,
    reserved: int = 0,
    mask: Optional[bytes] = None,
    claimed: Optional[int] = None,
    width: int = 0,
) -> bytes:
    """A frame, right or wrong.

    :param reserved: the three bits, 0 to 7.
    :param mask: four bytes, as only a client should have.
    :param claimed: the length that the header tells; by default the payload's.
    :param width: bytes that the length takes at least: 0, 2 or 8.
    """
    length = len(payload) if claimed is None else claimed
    first = fin << 7 | reserved << 4 | opcode
    marked = 0x80 if mask is not None else 0
    if width == 8 or length > 0xFFFF:
        head = struct.pack("!BBQ", first, marked | 127, length)
    elif width == 2 or length > 125:
        head = struct.pack("!BBH", first, marked | 126, length)
    else:
        head = struct.pack("!BB", first, marked | length)
    if mask is None:
        return head + payload
    return head + mask + masked(payload, mask)


def masked(payload: bytes, mask: bytes) -> bytes:
    """A payload with a mask on it, or off it."""
    return bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def missing(stream: bytes) -> int:
    """How many bytes the last frame of a stream still lacks, as far as one can tell; 0 where one
    ends."""
    at = 0
    while at < len(stream):
        lacking = _header(stream[at : at + 14])
        size = _size(stream[at : at + 14]) if not lacking else 0
        lacking = lacking or max(0, at + size - len(stream))
        if lacking:
            return lacking
        at += size
    return 0


def accept(request: bytes) -> bytes:
    """The answer to the challenge in a handshake; none without one."""
    for line in request.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"sec-websocket-key":
            return base64.b64encode(hashlib.sha1(value.strip() + _GUID).digest())
    return b""


def _header(start: bytes) -> int:
    """The bytes that a header lacks."""
    if len(start) < 2:
        return 2 - len(start)
    return max(0, _head(start[1]) - len(start))


def _head(second: int) -> int:
    return 2 + {126: 2, 127: 8}.get(second & 0x7F, 0) + (4 if second & 0x80 else 0)


def _size(start: bytes) -> int:
    length = start[1] & 0x7F
    if length == 126:
        (length,) = struct.unpack("!H", start[2:4])
    elif length == 127:
        (length,) = struct.unpack("!Q", start[2:10])
    return _head(start[1]) + length
