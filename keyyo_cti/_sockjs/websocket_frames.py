"""Websocket frames from a server, whose header is checked before the payload is read.

The websocket library reads the payload before most checks of RFC 6455, and accepts frames that a
server must not send.
"""

import struct
from typing import Callable, NamedTuple, Optional

from .._net.text import plain
from .errors import PROTOCOL_ERROR, TOO_BIG, SockJSError

CONTINUATION, TEXT, BINARY = 0x0, 0x1, 0x2
CLOSE, PING, PONG = 0x8, 0x9, 0xA

_DATA = (CONTINUATION, TEXT, BINARY)
_KNOWN = (*_DATA, CLOSE, PING, PONG)

#: Bytes of the payload of a control frame.
MAX_CONTROL_BYTES = 125

#: The first length, if the real length follows, and the format of the latter.
_LENGTHS = {126: "!H", 127: "!Q"}

#: The registered codes of a close frame. Others below 3000 are forbidden.
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
    """A reader of frames, which resumes after a timeout.

    :param recv: returns at most so many bytes, none at EOF. Its exceptions pass through.
    :param max_message_size: bytes of a message, over all its fragments.
    """

    def __init__(self, recv: Callable[[int], bytes], max_message_size: int) -> None:
        self._recv = recv
        self._max_message_size = max_message_size
        self._head = bytearray()
        self._payload = bytearray()
        # Length of the payload; None until the header is complete.
        self._length: Optional[int] = None
        self._in_message = False
        # Bytes of the earlier fragments of the message.
        self._size = 0

    @property
    def between_messages(self) -> bool:
        """True if no frame and no message is incomplete."""
        return not self._head and not self._in_message

    def read(self) -> Frame:
        """Read the next frame.

        :raises SockJSError: the server violates the protocol (1002), or the message is too big
            (1009). The payload has not been read then.
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
            raise make_violation("a masked frame")
        length = self._head[1]
        if length in _LENGTHS and self._is_control:
            raise make_violation(f"a control frame of more than {MAX_CONTROL_BYTES} bytes")
        if length in _LENGTHS:
            form = _LENGTHS[length]
            self._fill_head(2 + struct.calcsize(form))
            (length,) = struct.unpack(form, self._head[2:])
        if length >> 63:
            raise make_violation("a length with its top bit set")
        if not self._is_control and self._size + length > self._max_message_size:
            words = f"A message of more than {self._max_message_size} bytes"
            raise SockJSError(TOO_BIG, words)
        return int(length)

    def _check_first_byte(self, first: int) -> None:
        opcode = first & 0x0F
        if first & 0x70:
            raise make_violation("reserved bits without an extension")
        if opcode not in _KNOWN:
            raise make_violation(f"the reserved opcode {opcode:#x}")
        if self._is_control:
            if not first & 0x80:
                raise make_violation("a control frame in fragments")
        elif (opcode == CONTINUATION) != self._in_message:
            raise make_violation("a fragment in the wrong place")

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


def make_violation(what: str) -> SockJSError:
    """Return the error of a connection whose server violates RFC 6455."""
    return SockJSError(PROTOCOL_ERROR, f"The server violates the websocket protocol: {what}")


def describe_close(payload: bytes) -> str:
    """Return the code and the reason of a close frame, "" if it has none.

    :raises SockJSError: the frame violates the protocol.
    """
    if not payload:
        return ""
    if len(payload) == 1:
        raise make_violation("a close frame of one byte")
    (code,) = struct.unpack("!H", payload[:2])
    if code not in _CODES and not 3000 <= code <= 4999:
        raise make_violation(f"the close code {code}")
    try:
        words = payload[2:].decode("utf-8")
    except UnicodeDecodeError:
        raise make_violation("a close reason that is not UTF-8") from None
    meaning = f" ({_CODES[code]})" if code in _CODES else ""
    # The reason goes into logs and errors, where a control character would be a command.
    return f"{code}{meaning}" + (f" {plain(words)}" if words else "")
