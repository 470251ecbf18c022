"""The websocket transport, on the ``websocket-client`` library's handshake."""

import socket
import struct
from http.cookies import CookieError
from typing import Any, Iterator, Optional

import websocket
from websocket import ABNF

from .._net import http_adapter
from .._net.clock import NEVER
from .._net.failures import describe_failure
from .._net.stream import Stream, TooLarge, WriteFailed
from . import frames, text_frames, urls
from .errors import LOST, NORMAL, PROTOCOL_ERROR, SockJSError
from .http_status import make_bad_status
from .session_name_stream import PLACEHOLDER, SessionNameStream
from .transport import SendProgress, Transport, TransportConfig, decode_text, open_stream
from .websocket_frames import CLOSE, PING, PONG, Frame, FrameReader, describe_close

#: Seconds for the close frame that gives the reason of an error.
_CLOSE_TIMEOUT = 1.0

#: Response headers by which a server selects something that the client never offers.
_NEVER_OFFERED = ("sec-websocket-extensions", "sec-websocket-protocol")

_MAX_HANDSHAKE_BYTES = 65536

_SWITCHING_PROTOCOLS = 101


class WebSocketTransport(Transport):
    """One websocket to ``/<server>/<session>/websocket``.

    The library supplies the handshake and makes frames. Its ``WebSocketApp`` waits without a
    timeout, and its ``send`` holds a lock during a write of any length. ``websocket_frames``
    replaces its reading.
    """

    name = "websocket"

    def __init__(self, config: TransportConfig) -> None:
        self._config = config
        self._stream: Optional[Stream] = None
        self._websocket = websocket.WebSocket(enable_multithread=False)
        self._reader = FrameReader(self._recv, config.max_message_size)
        # The fragments of an incomplete message. A list of tiny ones would take twenty times the
        # memory of the message.
        self._parts = bytearray()
        self._close_sent = False
        self._last_frame_at = config.clock()

    @property
    def last_received_at(self) -> float:
        return self._opened.last_received_at

    @property
    def last_frame_at(self) -> float:
        return self._last_frame_at

    def open(self, until: float) -> None:
        config = self._config
        self._stream = open_stream(config.connector, until)
        self._stream.bytes_left = _MAX_HANDSHAKE_BYTES
        url = urls.make_transport_url(config.base_url, config.server, PLACEHOLDER, self.name)
        try:
            self._websocket.connect(  # type: ignore[no-untyped-call]
                # The library adds cookies from its process-wide jar by the host of the URL. It
                # uses this host for nothing else.
                urls.hide_host(url),
                host=urls.make_host_header(config.base_url),
                origin=urls.make_origin_header(config.base_url),
                socket=SessionNameStream(self._stream, urls.make_session_name()),
                cookie=http_adapter.make_cookie_header(config.cookies, config.base_url),
                redirect_limit=0,
            )
            self._expect_an_upgrade()
        except TooLarge as error:
            raise SockJSError(LOST, "websocket handshake: an endless response", error) from error
        except (
            websocket.WebSocketException, CookieError, LookupError, OSError, ValueError
        ) as error:
            # Some versions of the library raise LookupError for a malformed status line.
            raise _handshake_failed(error) from error
        # From here on, FrameReader limits the size.
        self._stream.bytes_left = NEVER
        self._last_frame_at = self._stream.last_received_at

    def receive(self, until: float) -> Optional[str]:
        stream = self._opened
        stream.read_until = until
        while True:
            try:
                stream.fill()
                text = next(self.buffered_frames(), None)
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
                # Not within a message: its event is older than this fragment, and would be lost
                # with the connection.
                self._last_frame_at = stream.last_received_at
            if frame.opcode >= CLOSE:
                self._control(frame)
                return ""
            message = self._join(frame)
            if message is not None:
                return decode_text(message)

    def buffered_frames(self) -> Iterator[str]:
        if not self._reader.between_messages:
            return
        stream = self._opened
        data, begin = stream.peek()
        for text, end in text_frames.split(data, begin, self._config.max_message_size):
            stream.skip(end - begin)
            begin = end
            self._last_frame_at = stream.last_received_at
            yield text

    def send(self, message: str, progress: SendProgress) -> None:
        progress.begun = True
        try:
            self._opened.sendall(text_frames.encode(frames.encode([message])))
        except WriteFailed as error:
            progress.begun = error.begun
            raise
        except BaseException:
            progress.begun = self._opened.broken
            raise

    def probe(self) -> None:
        self._write(PING, b"")

    def send_close(self) -> None:
        self._close_sent = True
        # Without waiting: a socket whose buffer is full cannot deliver it in time.
        self._write(CLOSE, struct.pack("!H", NORMAL), within=0)

    def discard(self) -> None:
        if self._stream is not None:
            self._stream.close()

    def _expect_an_upgrade(self) -> None:
        """Check the handshake where the library does not.

        Some versions of it treat a redirect that they do not follow as a success.
        """
        status = self._websocket.getstatus()
        if status != _SWITCHING_PROTOCOLS:
            raise websocket.WebSocketBadStatusException("no upgrade", status or 0)
        headers = self._websocket.getheaders() or {}
        for name in _NEVER_OFFERED:
            if headers.get(name):
                words = f"websocket handshake: the server selects {name}, which was not offered"
                raise SockJSError(PROTOCOL_ERROR, words)

    def _control(self, frame: Frame) -> None:
        """Handle a control frame, which may arrive within a message."""
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
        if not self._close_sent:
            try:
                self._write(CLOSE, frame.payload[:2], within=0)
            except OSError as error:
                raise _lost(error, said) from error
        words = "The server closed the websocket without a SockJS close"
        raise SockJSError(LOST, f"{words}: {said}" if said else words)

    def _join(self, frame: Frame) -> Optional[bytes]:
        """Return the message that this frame completes, or None."""
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
        """Send the server the reason, as RFC 6455 requires."""
        try:
            self._write(CLOSE, struct.pack("!H", code), within=_CLOSE_TIMEOUT)
        except OSError:
            pass  # The connection ends in any case.


def _handshake_failed(error: BaseException) -> SockJSError:
    """Return a short error. The messages of the library contain whole headers and bodies."""
    cause: BaseException = error
    words = describe_failure(error)
    if isinstance(error, websocket.WebSocketBadStatusException):
        words = f"the server answers with status {error.status_code}"
        # Not of the other statuses: a proxy without websockets may respond 502, for example.
        if error.status_code in (429, 503):
            cause = make_bad_status(error.status_code, error.resp_headers)
        else:
            # Without headers and body: the server may repeat the session's name there.
            cause = websocket.WebSocketBadStatusException("refused", error.status_code)
    elif isinstance(error, websocket.WebSocketTimeoutException):
        words = "no answer in time"
    return SockJSError(LOST, f"websocket handshake: {words}", cause)


def _lost(error: BaseException, said: str = "") -> SockJSError:
    words = f"Connection lost: {describe_failure(error)}"
    return SockJSError(LOST, f"{words}, after {said}" if said else words, error)
