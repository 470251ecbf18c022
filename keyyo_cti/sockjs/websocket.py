"""The websocket transport, on the ``websocket-client`` library's framing and handshake."""

import struct
from typing import Any, Optional

import websocket
from websocket import ABNF

from . import frames, urls
from .errors import LOST, NORMAL, TOO_BIG, SockJSError, Unreadable
from .route import describe
from .stream import Stream, TooMuch
from .transport import Setting, Transport

#: A frame's header at its longest.
_HEADER = 14


class WebSocketTransport(Transport):
    """One websocket to ``/<server>/<session>/websocket``.

    The library's ``WebSocket`` is used for its handshake and for reading frames; it answers a
    PING while it reads. Not its ``WebSocketApp``, whose waits have no end, nor its ``send``,
    whose lock would be held through a write that nobody can bound.
    """

    name = "websocket"

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._stream: Optional[Stream] = None
        # UTF-8 is checked once, by decoding; the library would check it slowly before.
        self._websocket = websocket.WebSocket(enable_multithread=False, skip_utf8_validation=True)

    @property
    def heard_at(self) -> float:
        return self._opened.heard_at

    def open(self, until: float) -> None:
        setting = self._setting
        self._stream = setting.route.open(until)
        self._stream.allowance = setting.max_message_size
        url = urls.transport(
            setting.base_url, setting.server, urls.session_name(), self.name
        )
        try:
            self._websocket.connect(  # type: ignore[no-untyped-call]
                url, socket=self._stream, cookie=setting.cookies, redirect_limit=0
            )
        except (websocket.WebSocketException, OSError, ValueError, TooMuch) as error:
            raise SockJSError(LOST, f"websocket handshake: {_words(error)}", error) from error

    def receive(self, until: float) -> Optional[str]:
        stream = self._opened
        stream.read_until = until
        try:
            kind, frame = self._websocket.recv_data_frame(True)
        except websocket.WebSocketTimeoutException:
            return None
        except TooMuch as error:
            self._refuse_the_rest()
            size = self._setting.max_message_size
            raise SockJSError(TOO_BIG, f"A message of more than {size} bytes", error) from error
        except (websocket.WebSocketException, OSError) as error:
            raise SockJSError(LOST, f"Connection lost: {_words(error)}", error) from error
        if kind == ABNF.OPCODE_CLOSE:
            raise SockJSError(LOST, "The server closed the websocket without a SockJS close")
        if kind in (ABNF.OPCODE_PING, ABNF.OPCODE_PONG):
            # They may come in the middle of a message, of which they are no part.
            stream.allowance += _HEADER + len(frame.data)
            return ""
        stream.allowance = self._setting.max_message_size
        try:
            return bytes(frame.data).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Unreadable("a frame that is not UTF-8") from error

    def send(self, message: str) -> None:
        self._write(ABNF.OPCODE_TEXT, frames.encode([message]))

    def probe(self) -> None:
        self._write(ABNF.OPCODE_PING, b"")

    def say_goodbye(self, within: float) -> None:
        self._write(ABNF.OPCODE_CLOSE, struct.pack("!H", NORMAL), within)

    def discard(self) -> None:
        if self._stream is not None:
            self._stream.close()

    @property
    def _opened(self) -> Stream:
        assert self._stream is not None, "not opened yet"
        return self._stream

    def _write(self, kind: int, data: Any, within: Optional[float] = None) -> None:
        self._opened.sendall(ABNF.create_frame(data, kind).format(), within)

    def _refuse_the_rest(self) -> None:
        try:
            self._write(ABNF.OPCODE_CLOSE, struct.pack("!H", TOO_BIG), within=1.0)
        except OSError:
            pass  # It is given up in any case.


def _words(error: BaseException) -> str:
    """The error in a few words; the library's own hold whole headers and bodies."""
    if isinstance(error, websocket.WebSocketBadStatusException):
        return f"the server answers with status {error.status_code}"
    if isinstance(error, websocket.WebSocketTimeoutException):
        return "no answer in time"
    if isinstance(error, websocket.WebSocketConnectionClosedException):
        return "the server closed the connection"
    return describe(error)
