"""The websocket transport, on the ``websocket-client`` library's framing and handshake."""

import socket
import struct
from http.cookies import CookieError
from typing import Any, List, Optional

import websocket
from websocket import ABNF

from . import frames, http, text_frames, urls
from .errors import LOST, NORMAL, TOO_BIG, SockJSError
from .route import describe
from .stream import Stream, TooMuch, WriteFailed
from .transport import Departure, Setting, Transport, decoded

#: A frame's header at its longest, in bytes.
_HEADER = 14

_LONGEST_HANDSHAKE = 65536

_SWITCHING_PROTOCOLS = 101


class WebSocketTransport(Transport):
    """One websocket to ``/<server>/<session>/websocket``.

    The library's ``WebSocket`` is used for its handshake and for reading and making frames. Not
    its ``WebSocketApp``, whose waits have no end, nor its ``send``, whose lock would be held
    through a write that nobody can bound.
    """

    name = "websocket"

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._stream: Optional[Stream] = None
        # UTF-8 is checked once, by decoding; the library would check it slowly before.
        self._websocket = websocket.WebSocket(enable_multithread=False, skip_utf8_validation=True)
        # The fragments of a message that is not complete, and their bytes.
        self._parts: List[bytes] = []
        self._size = 0
        # Whether the library has begun to read a frame.
        self._begun = False
        self._said_goodbye = False

    @property
    def heard_at(self) -> float:
        return self._opened.heard_at

    def open(self, until: float) -> None:
        setting = self._setting
        self._stream = setting.route.open(until)
        self._stream.allowance = _LONGEST_HANDSHAKE
        url = urls.transport(setting.base_url, setting.server, urls.session_name(), self.name)
        try:
            self._websocket.connect(  # type: ignore[no-untyped-call]
                # The library keeps one jar of cookies for the whole process and looks in it by
                # the host of the URL, which it needs for nothing else here.
                urls.nowhere(url),
                host=urls.authority(setting.base_url),
                origin=urls.site(setting.base_url),
                socket=self._stream,
                cookie=http.cookie_header(setting.cookies, setting.base_url),
                redirect_limit=0,
            )
            self._expect_an_upgrade()
        except TooMuch as error:
            raise SockJSError(LOST, "websocket handshake: an endless answer", error) from error
        except (
            websocket.WebSocketException, CookieError, LookupError, OSError, ValueError
        ) as error:
            # LookupError, because of what some versions make of a status line that is none.
            raise SockJSError(LOST, f"websocket handshake: {_words(error)}", error) from error
        self._allow()

    def receive(self, until: float) -> Optional[str]:
        stream = self._opened
        stream.read_until = until
        while True:
            try:
                stream.fill()
                text = self.at_hand()
                if text is not None:
                    return text
                self._begun = True
                frame = self._websocket.recv_frame()  # type: ignore[no-untyped-call]
            except (socket.timeout, websocket.WebSocketTimeoutException):
                return None
            except TooMuch as error:
                self._refuse_the_rest()
                reason = f"A message of more than {self._setting.max_message_size} bytes"
                raise SockJSError(TOO_BIG, reason, error) from error
            except (websocket.WebSocketException, OSError) as error:
                raise SockJSError(LOST, f"Connection lost: {_words(error)}", error) from error
            self._begun = False
            if frame.opcode >= ABNF.OPCODE_CLOSE:
                self._allow()
                self._control(frame)
                return ""
            message = self._join(frame)
            self._allow()
            if message is not None:
                return decoded(message)

    def at_hand(self) -> Optional[str]:
        if self._begun or self._parts:
            return None
        stream = self._opened
        head = stream.peek(0, 4)
        frame = text_frames.find(head) if head else None
        if frame is None or frame.end > self._setting.max_message_size:
            return None
        text = stream.peek(frame.start, frame.end)
        if len(text) < frame.end - frame.start:
            return None
        stream.skip(frame.end)
        return decoded(text)

    def send(self, message: str, departure: Departure) -> None:
        departure.begun = True
        try:
            self._opened.sendall(text_frames.encode(frames.encode([message])))
        except WriteFailed as error:
            departure.begun = error.begun
            raise

    def probe(self) -> None:
        self._write(ABNF.OPCODE_PING, b"")

    def say_goodbye(self) -> None:
        self._said_goodbye = True
        # A socket with no room for it has no use for a goodbye either.
        self._write(ABNF.OPCODE_CLOSE, struct.pack("!H", NORMAL), within=0)

    def discard(self) -> None:
        if self._stream is not None:
            self._stream.close()

    def _expect_an_upgrade(self) -> None:
        """Some versions of the library take a redirect that is not followed for a success."""
        status = self._websocket.getstatus()
        if status != _SWITCHING_PROTOCOLS:
            raise websocket.WebSocketBadStatusException("no upgrade", status or 0)

    def _control(self, frame: Any) -> None:
        """A frame that may come in the middle of a message, of which it is no part."""
        try:
            if frame.opcode == ABNF.OPCODE_PING:
                self._write(ABNF.OPCODE_PONG, frame.data[:125])
            elif frame.opcode == ABNF.OPCODE_CLOSE and not self._said_goodbye:
                self._write(ABNF.OPCODE_CLOSE, frame.data[:2], within=0)
        except OSError as error:
            raise SockJSError(LOST, f"Connection lost: {_words(error)}", error) from error
        if frame.opcode == ABNF.OPCODE_CLOSE:
            raise SockJSError(LOST, "The server closed the websocket without a SockJS close")

    def _join(self, frame: Any) -> Optional[bytes]:
        """The message that this frame completes, if it does. Not the library's joining, which
        copies all there is for each fragment and has no bound."""
        if (frame.opcode == ABNF.OPCODE_CONT) != bool(self._parts):
            raise SockJSError(LOST, "Connection lost: a fragment in the wrong place")
        if frame.data or not self._parts:
            self._parts.append(frame.data)
        self._size += len(frame.data)
        if not frame.fin:
            return None
        message = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts, self._size = [], 0
        return bytes(message)

    def _allow(self) -> None:
        """Bounds the next frame by what the message may still have."""
        self._opened.allowance = self._setting.max_message_size - self._size + _HEADER

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
