"""The websocket transport, on the ``websocket-client`` library's handshake."""

import socket
import struct
from http.cookies import CookieError
from typing import Any, Optional

import websocket
from websocket import ABNF

from .._net import http_adapter, urls
from .._net.clock import NEVER
from .._net.failures import describe_failure
from .._net.stream import Stream, TooMuch, WriteFailed
from . import frames, text_frames
from .errors import LOST, NORMAL, PROTOCOL_ERROR, SockJSError
from .http_status import refusal
from .named_stream import PLACEHOLDER, NamedStream
from .transport import Departure, Setting, Transport, decoded, open_stream
from .websocket_frames import CLOSE, PING, PONG, Frame, FrameReader, describe_close

#: Seconds that the message has which tells the server why it is given up.
_FAREWELL_TIMEOUT = 1.0

#: Headers of an answer by which a server wants something that the client never offers.
_NEVER_OFFERED = ("sec-websocket-extensions", "sec-websocket-protocol")

_LONGEST_HANDSHAKE = 65536

_SWITCHING_PROTOCOLS = 101


class WebSocketTransport(Transport):
    """One websocket to ``/<server>/<session>/websocket``.

    The library's ``WebSocket`` is used for its handshake and for making frames. Not its
    ``WebSocketApp``, whose waits have no end, nor its ``send``, whose lock would be held
    through a write that nobody can bound, nor its reading, see ``websocket_frames``.
    """

    name = "websocket"

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._stream: Optional[Stream] = None
        self._websocket = websocket.WebSocket(enable_multithread=False)
        self._reader = FrameReader(self._recv, setting.max_message_size)
        # The fragments of a message that is not complete. One object, because a list of tiny ones
        # would take twenty times the memory of the message.
        self._parts = bytearray()
        self._said_goodbye = False
        self._last_frame_at = setting.clock()

    @property
    def heard_at(self) -> float:
        return self._opened.heard_at

    @property
    def last_frame_at(self) -> float:
        return self._last_frame_at

    def open(self, until: float) -> None:
        setting = self._setting
        self._stream = open_stream(setting.route, until)
        self._stream.allowance = _LONGEST_HANDSHAKE
        url = urls.transport(setting.base_url, setting.server, PLACEHOLDER, self.name)
        try:
            self._websocket.connect(  # type: ignore[no-untyped-call]
                # The library keeps one jar of cookies for the whole process and looks in it by
                # the host of the URL, which it needs for nothing else here.
                urls.nowhere(url),
                host=urls.authority(setting.base_url),
                origin=urls.site(setting.base_url),
                socket=NamedStream(self._stream, urls.session_name()),
                cookie=http_adapter.cookie_header(setting.cookies, setting.base_url),
                redirect_limit=0,
            )
            self._expect_an_upgrade()
        except TooMuch as error:
            raise SockJSError(LOST, "websocket handshake: an endless answer", error) from error
        except (
            websocket.WebSocketException, CookieError, LookupError, OSError, ValueError
        ) as error:
            # LookupError, because of what some versions make of a status line that is none.
            raise _handshake_failed(error) from error
        # From here on, the reader of frames bounds what is read.
        self._stream.allowance = NEVER
        self._last_frame_at = self._stream.heard_at

    def receive(self, until: float) -> Optional[str]:
        stream = self._opened
        stream.read_until = until
        while True:
            try:
                stream.fill()
                text = self.at_hand()
                if text is not None:
                    return text
                frame = self._reader.read()
            except socket.timeout:
                return None
            except SockJSError as error:
                self._give_up(error.closed.code)
                raise
            except (EOFError, OSError) as error:
                raise _lost(error) from error
            if self._reader.between_messages:
                # Not in the midst of a message: its event would lie before this time, and be
                # lost with the connection.
                self._last_frame_at = stream.heard_at
            if frame.opcode >= CLOSE:
                self._control(frame)
                return ""
            message = self._join(frame)
            if message is not None:
                return decoded(message)

    def at_hand(self) -> Optional[str]:
        if not self._reader.between_messages:
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
        self._last_frame_at = stream.heard_at
        return decoded(text)

    def send(self, message: str, departure: Departure) -> None:
        departure.begun = True
        try:
            self._opened.sendall(text_frames.encode(frames.encode([message])))
        except WriteFailed as error:
            departure.begun = error.begun
            raise
        except BaseException:
            departure.begun = self._opened.broken
            raise

    def probe(self) -> None:
        self._write(PING, b"")

    def say_goodbye(self) -> None:
        self._said_goodbye = True
        # A socket with no room for it has no use for a goodbye either.
        self._write(CLOSE, struct.pack("!H", NORMAL), within=0)

    def discard(self) -> None:
        if self._stream is not None:
            self._stream.close()

    def _expect_an_upgrade(self) -> None:
        """Check what the library does not.

        Some versions of it take a redirect that is not followed for a success.
        """
        status = self._websocket.getstatus()
        if status != _SWITCHING_PROTOCOLS:
            raise websocket.WebSocketBadStatusException("no upgrade", status or 0)
        headers = self._websocket.getheaders() or {}
        for name in _NEVER_OFFERED:
            if headers.get(name):
                words = f"websocket handshake: the server wants {name}, which was not offered"
                raise SockJSError(PROTOCOL_ERROR, words)

    def _control(self, frame: Frame) -> None:
        """Handle a frame that may come in the midst of a message."""
        if frame.opcode == CLOSE:
            self._closed_by_server(frame)
        elif frame.opcode == PING:
            try:
                self._write(PONG, frame.payload)
            except OSError as error:
                raise _lost(error) from error

    def _closed_by_server(self, frame: Frame) -> None:
        try:
            said = describe_close(frame.payload)
        except SockJSError as error:
            self._give_up(error.closed.code)
            raise
        if not self._said_goodbye:
            try:
                self._write(CLOSE, frame.payload[:2], within=0)
            except OSError as error:
                raise _lost(error, said) from error
        words = "The server closed the websocket without a SockJS close"
        raise SockJSError(LOST, f"{words}: {said}" if said else words)

    def _join(self, frame: Frame) -> Optional[bytes]:
        """Return the message that this frame completes, if it does."""
        if frame.final and not self._parts:
            return frame.payload
        self._parts += frame.payload
        if not frame.final:
            return None
        message, self._parts = bytes(self._parts), bytearray()
        return message

    def _recv(self, size: int) -> bytes:
        return self._opened.recv(size)

    @property
    def _opened(self) -> Stream:
        assert self._stream is not None, "not opened yet"
        return self._stream

    def _write(self, kind: int, data: Any, within: Optional[float] = None) -> None:
        self._opened.sendall(ABNF.create_frame(data, kind).format(), within)

    def _give_up(self, code: int) -> None:
        """Tell the server why, as RFC 6455 asks."""
        try:
            self._write(CLOSE, struct.pack("!H", code), within=_FAREWELL_TIMEOUT)
        except OSError:
            pass  # The connection is given up in any case.


def _handshake_failed(error: BaseException) -> SockJSError:
    """Return the failure in a few words. Those of the library hold whole headers and bodies."""
    cause: BaseException = error
    words = describe_failure(error)
    if isinstance(error, websocket.WebSocketBadStatusException):
        words = f"the server answers with status {error.status_code}"
        # Of the others, a proxy that knows no websockets may give 502 too.
        if error.status_code in (429, 503):
            cause = refusal(error.status_code, error.resp_headers)
        else:
            # Without headers and body, in which the server may repeat the session's name.
            cause = websocket.WebSocketBadStatusException("refused", error.status_code)
    elif isinstance(error, websocket.WebSocketTimeoutException):
        words = "no answer in time"
    return SockJSError(LOST, f"websocket handshake: {words}", cause)


def _lost(error: BaseException, said: str = "") -> SockJSError:
    words = f"Connection lost: {describe_failure(error)}"
    return SockJSError(LOST, f"{words}, after {said}" if said else words, error)
