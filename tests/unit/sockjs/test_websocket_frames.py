"""Frames of a server, read byte by byte, and what RFC 6455 forbids."""

from __future__ import annotations

import socket
import struct
from typing import Iterator, List, Optional

import pytest

from keyyo_cti._sockjs.errors import SockJSError
from keyyo_cti._sockjs.websocket_frames import Frame, FrameReader, describe_close

from ...load.fuzz.websocket_frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame

LIMIT = 1000

pytestmark = pytest.mark.fault(62)


class Bytes:
    """What a server sends, in pieces; None is a timeout.

    :ivar taken: bytes that were read.
    """

    def __init__(self, *pieces: Optional[bytes]) -> None:
        self._pieces: Iterator[Optional[bytes]] = iter(pieces)
        self._rest = b""
        self.taken = 0

    def __call__(self, size: int) -> bytes:
        if not self._rest:
            piece = next(self._pieces, b"")
            if piece is None:
                raise socket.timeout("timed out")
            self._rest = piece
        data, self._rest = self._rest[:size], self._rest[size:]
        self.taken += len(data)
        return data


def read(*pieces: bytes) -> List[Frame]:
    """The frames up to the end of the stream."""
    reader, frames = FrameReader(Bytes(*pieces), LIMIT), []
    while True:
        try:
            frames.append(reader.read())
        except EOFError:
            return frames


def failure(data: bytes) -> SockJSError:
    with pytest.raises(SockJSError) as caught:
        read(data)
    return caught.value


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 999, 1000])
@pytest.mark.parametrize("width", [0, 2, 8])
def test_payload_of_each_length_comes_out(size: int, width: int) -> None:
    assert read(frame(b"x" * size, width=width)) == [Frame(TEXT, True, b"x" * size)]


def test_bytes_one_by_one_give_the_same_frames() -> None:
    data = frame(b"a" * 300) + frame(b"p", PING) + frame(b"b", BINARY, fin=False)
    data += frame(b"", PONG) + frame(b"c", CONTINUATION)
    pieces = [data[at : at + 1] for at in range(len(data))]
    assert read(*pieces) == read(data) == [
        Frame(TEXT, True, b"a" * 300),
        Frame(PING, True, b"p"),
        Frame(BINARY, False, b"b"),
        Frame(PONG, True, b""),
        Frame(CONTINUATION, True, b"c"),
    ]


@pytest.mark.parametrize("cut", range(1, 204))
def test_timeout_anywhere_loses_nothing(cut: int) -> None:
    data = frame(b"x" * 200)
    reader = FrameReader(Bytes(data[:cut], None, data[cut:]), LIMIT)
    if cut < len(data):
        with pytest.raises(socket.timeout):
            reader.read()
        assert not reader.between_messages
    assert reader.read() == Frame(TEXT, True, b"x" * 200)
    assert reader.between_messages


def test_open_fragment_is_in_the_midst_of_a_message() -> None:
    reader = FrameReader(Bytes(
        frame(b"x", fin=False) + frame(b"", PING) + frame(b"y", CONTINUATION)), LIMIT)
    assert reader.between_messages
    reader.read(), reader.read()
    assert not reader.between_messages
    reader.read()
    assert reader.between_messages


@pytest.mark.parametrize(
    "data, words",
    [
        (frame(b"x", mask=b"1234"), "a masked frame"),
        (frame(b"", mask=b"1234"), "a masked frame"),
        (frame(b"", PING, mask=b"1234"), "a masked frame"),
        (frame(b"x" * 126, PING), "a control frame of more than 125 bytes"),
        (frame(b"x" * 126, PONG), "a control frame of more than 125 bytes"),
        (frame(b"\x03\xe8" + b"x" * 124, CLOSE), "a control frame of more than 125 bytes"),
        (frame(b"x", PING, width=8), "a control frame of more than 125 bytes"),
        (frame(b"x", PING, fin=False), "a control frame in fragments"),
        (frame(b"x", PONG, fin=False), "a control frame in fragments"),
        (frame(b"", CLOSE, fin=False), "a control frame in fragments"),
        (frame(b"", claimed=1 << 63), "a length with its top bit set"),
        (frame(b"", claimed=(1 << 64) - 1), "a length with its top bit set"),
        (frame(b"x", CONTINUATION), "a fragment in the wrong place"),
        (frame(b"x", CONTINUATION, fin=False), "a fragment in the wrong place"),
        (frame(b"x", fin=False) + frame(b"y"), "a fragment in the wrong place"),
        (frame(b"x", fin=False) + frame(b"y", BINARY), "a fragment in the wrong place"),
        (frame(b"x", fin=False) + frame(b"y", CONTINUATION) + frame(b"z", CONTINUATION),
         "a fragment in the wrong place"),
        *((frame(b"x", opcode), f"the reserved opcode {opcode:#x}")
          for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
        *((frame(b"x", reserved=bits), "reserved bits without an extension")
          for bits in range(1, 8)),
        (frame(b"x", PING, reserved=4), "reserved bits without an extension"),
    ],
    ids=repr,
)
def test_what_is_forbidden_fails_with_1002(data: bytes, words: str) -> None:
    closed = failure(data).closed
    assert (closed.code, closed.reason) == (
        1002, f"The server violates the websocket protocol: {words}")


@pytest.mark.parametrize("size", [LIMIT + 1, 65_536, 1 << 40, (1 << 63) - 1])
def test_announced_size_fails_with_1009_before_the_payload(size: int) -> None:
    data = frame(b"x" * 100, claimed=size)
    source = Bytes(data)
    with pytest.raises(SockJSError) as caught:
        FrameReader(source, LIMIT).read()
    assert (caught.value.closed.code, source.taken) == (1009, len(data) - 100)


def test_announced_size_counts_the_fragments_before() -> None:
    start = frame(b"x" * 600, fin=False) + frame(b"p" * 125, PING)
    assert len(read(start + frame(b"y" * 400, CONTINUATION))) == 3
    assert failure(start + frame(b"", CONTINUATION, claimed=401)).closed.code == 1009


def test_size_begins_anew_with_each_message() -> None:
    whole = frame(b"x" * 600, fin=False) + frame(b"y" * 400, CONTINUATION)
    assert len(read(whole + whole + frame(b"z" * 1000))) == 5


@pytest.mark.parametrize(
    "payload, words",
    [
        (b"", ""),
        (struct.pack("!H", 1000), "1000 (normal closure)"),
        (struct.pack("!H", 1012) + "bientôt".encode(), "1012 (service restart) bientôt"),
        (struct.pack("!H", 3999) + b"\x1b[31m", r"3999 \x1b[31m"),
    ],
)
def test_close_is_described(payload: bytes, words: str) -> None:
    assert describe_close(payload) == words


@pytest.mark.parametrize(
    "payload",
    [b"\x03", struct.pack("!H", 1000) + b"\xff", struct.pack("!H", 1000) + b"\xed\xa0\x80"]
    + [struct.pack("!H", code) for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100)]
    + [struct.pack("!H", code) for code in (2000, 2999, 5000, 65_535)],
)
def test_bad_close_fails_with_1002(payload: bytes) -> None:
    with pytest.raises(SockJSError) as caught:
        describe_close(payload)
    assert caught.value.closed.code == 1002
