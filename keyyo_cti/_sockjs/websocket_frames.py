"""Websocket frames from a server, each checked by its header before its payload is read.

The websocket library reads a payload before it looks at most of what RFC 6455 forbids, and takes
frames that a server must not send.
"""

import struct
from typing import Callable, NamedTuple, Optional

from .._net.text import plain
from .errors import PROTOCOL_ERROR, TOO_BIG, SockJSError

CONTINUATION, TEXT, BINARY = 0x0, 0x1, 0x2
CLOSE, PING, PONG = 0x8, 0x9, 0xA

_DATA = (CONTINUATION, TEXT, BINARY)
_KNOWN = (*_DATA, CLOSE, PING, PONG)

#: Bytes that the payload of a control frame may have.
MAX_CONTROL = 125

#: Values of the first length that say how many bytes of length follow.
_LENGTHS = {126: "!H", 127: "!Q"}

#: What the registered codes of a close frame mean. Others below 3000 must not be sent.
_CODES = {
    1000: "normal closure",
    1001: "going away",
    1002: "protocol error",
    1003: "unsupported data",
    1007: "invalid payload data",
    1008: "policy violation",
    1009: "message too big",
    1010: "missing extension",
    1011: "internal error",
    1012: "service restart",
    1013: "try again later",
    1014: "bad gateway",
}


class Frame(NamedTuple):
    """One frame."""

    opcode: int
    final: bool
    payload: bytes


class FrameReader:
    """Reads one frame after another, and goes on after a timeout where it was.

    :param recv: returns up to so many bytes, none at the end. What it raises comes out.
    :param max_message_size: bytes that a message may have, over all of its fragments.
    """

    def __init__(self, recv: Callable[[int], bytes], max_message_size: int) -> None:
        self._recv = recv
        self._max_message_size = max_message_size
        self._head = bytearray()
        self._payload = bytearray()
        # Bytes of the payload; None until the header is complete.
        self._length: Optional[int] = None
        self._in_message = False
        # Bytes of the fragments before.
        self._size = 0

    @property
    def between_messages(self) -> bool:
        """True if the last byte that was read completed a frame, and no fragment is open."""
        return not self._head and not self._in_message

    def read(self) -> Frame:
        """Read the next frame.

        :raises SockJSError: the server breaks the protocol (1002), or the message that the frame
            belongs to is too big (1009). The payload has not been read then.
        :raises EOFError: the stream has ended.
        """
        if self._length is None:
            self._length = self._read_header()
        while len(self._payload) < self._length:
            self._payload += self._some(self._length - len(self._payload))
        opcode, final = self._head[0] & 0x0F, bool(self._head[0] & 0x80)
        frame = Frame(opcode, final, bytes(self._payload))
        if opcode in _DATA:
            self._in_message = not final
            self._size = 0 if final else self._size + self._length
        self._head, self._payload, self._length = bytearray(), bytearray(), None
        return frame

    def _read_header(self) -> int:
        self._fill_head(2)
        self._check_first_byte(self._head[0])
        if self._head[1] & 0x80:
            raise violation("a masked frame")
        length = self._head[1]
        if length in _LENGTHS and self._is_control:
            raise violation(f"a control frame of more than {MAX_CONTROL} bytes")
        if length in _LENGTHS:
            form = _LENGTHS[length]
            self._fill_head(2 + struct.calcsize(form))
            (length,) = struct.unpack(form, self._head[2:])
        if length >> 63:
            raise violation("a length with its top bit set")
        if not self._is_control and self._size + length > self._max_message_size:
            words = f"A message of more than {self._max_message_size} bytes"
            raise SockJSError(TOO_BIG, words)
        return int(length)

    def _check_first_byte(self, first: int) -> None:
        opcode = first & 0x0F
        if first & 0x70:
            raise violation("reserved bits, for which no extension was asked")
        if opcode not in _KNOWN:
            raise violation(f"the reserved opcode {opcode:#x}")
        if self._is_control:
            if not first & 0x80:
                raise violation("a control frame in fragments")
        elif (opcode == CONTINUATION) != self._in_message:
            raise violation("a fragment in the wrong place")

    @property
    def _is_control(self) -> bool:
        return bool(self._head[0] & 0x08)

    def _fill_head(self, size: int) -> None:
        while len(self._head) < size:
            self._head += self._some(size - len(self._head))

    def _some(self, size: int) -> bytes:
        data = self._recv(size)
        if not data:
            raise EOFError
        return data


def violation(what: str) -> SockJSError:
    """Return the end of a connection whose server breaks RFC 6455."""
    return SockJSError(PROTOCOL_ERROR, f"The server breaks the websocket protocol: {what}")


def describe_close(payload: bytes) -> str:
    """Return the code and the words of a close frame, "" if it has none.

    :raises SockJSError: the server must not send this.
    """
    if not payload:
        return ""
    if len(payload) == 1:
        raise violation("a close frame of one byte")
    (code,) = struct.unpack("!H", payload[:2])
    if code not in _CODES and not 3000 <= code <= 4999:
        raise violation(f"the close code {code}")
    try:
        words = payload[2:].decode("utf-8")
    except UnicodeDecodeError:
        raise violation("a close reason that is not UTF-8") from None
    meaning = f" ({_CODES[code]})" if code in _CODES else ""
    # The words end in logs and errors, where a control character would be a command.
    return f"{code}{meaning}" + (f" {plain(words)}" if words else "")
