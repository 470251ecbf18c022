"""The interface of a transport: frames in, messages out."""

from abc import ABC, abstractmethod
from typing import ClassVar, Iterator, NamedTuple, Optional

from requests.cookies import RequestsCookieJar

from .._net.clock import NEVER, Monotonic
from .._net.connect import ConnectFailed, Connector
from .._net.stream import Stream
from .errors import CANNOT_CONNECT, SockJSError, Unreadable


class SendProgress:
    """How far the sending of a message has come.

    :ivar begun: True if any of it may have reached the network.
    :ivar queued: True if the sender thread has it.
    """

    __slots__ = ("begun", "queued")

    def __init__(self) -> None:
        self.begun = False
        self.queued = False


class TransportConfig(NamedTuple):
    """The parameters of a transport.

    :ivar connector: opens streams to the server.
    :ivar base_url: the SockJS URL.
    :ivar server: three digits, fixed for the client.
    :ivar cookies: of the server, shared by all requests.
    :ivar max_message_size: bytes of one message.
    :ivar write_timeout: seconds for sending one message.
    :ivar clock: returns monotonic seconds.
    """

    connector: Connector
    base_url: str
    server: str
    cookies: RequestsCookieJar
    max_message_size: int
    write_timeout: float
    clock: Monotonic


class Transport(ABC):
    """One attempt to carry one SockJS session.

    ``send`` and ``send_close`` are for any thread, the other methods for the reader thread.
    """

    #: As in SockJS, and in the option ``transports``.
    name: ClassVar[str]

    #: Seconds of silence that never count as death, even if ``heartbeat_timeout`` is shorter.
    min_silence_timeout: ClassVar[float] = 0.0

    @abstractmethod
    def __init__(self, config: TransportConfig) -> None: ...

    @property
    @abstractmethod
    def last_received_at(self) -> float:
        """Monotonic time of the last bytes from the server, which may be half a frame."""

    @property
    def last_frame_at(self) -> float:
        """Monotonic time of the last complete frame from the server.

        All that the server sent before that frame has arrived. Later frames, and half a frame,
        may be lost with the connection.
        """
        return self.last_received_at

    @abstractmethod
    def open(self, until: float) -> None:
        """Open the transport, so that the first frame can arrive.

        :param until: monotonic deadline.
        :raises SockJSError: it cannot be opened, or not in time.
        """

    @abstractmethod
    def receive(self, until: float) -> Optional[str]:
        """Return the next frame, or None at the deadline.

        :param until: monotonic deadline.
        :raises SockJSError: the connection has ended.
        :raises Unreadable: a frame is not text; the next call goes on after it.
        """

    @abstractmethod
    def buffered_frames(self) -> Iterator[str]:
        """Yield the frames that are buffered; the rest stays if the caller stops. Never waits.

        :raises Unreadable: as for ``receive``.
        """

    @abstractmethod
    def send(self, message: str, progress: SendProgress) -> None:
        """Write one message, or queue it for the sender thread.

        :param progress: records how far the message has come.
        :raises WriteFailed: it was not written completely; the connection cannot be used again.
        :raises BaseException: Ctrl-C, or an error of a signal handler. If ``progress`` has begun,
            the connection cannot be used again either.
        """

    @abstractmethod
    def probe(self) -> None:
        """Make a live server send something.

        :raises WriteFailed: as for ``send``.
        """

    @abstractmethod
    def send_close(self) -> None:
        """Close the session without waiting. The server's confirmation ends ``receive``.

        :raises WriteFailed: the close could not be written.
        """

    @abstractmethod
    def discard(self) -> None:
        """Free the resources. Can be called at any time, more than once."""


def open_stream(connector: Connector, until: float, max_bytes: float = NEVER) -> Stream:
    """Return a new stream to the server, see ``Connector.open``.

    :raises SockJSError: with code 1002, a reason that names the phase, and the cause.
    """
    try:
        return connector.open(until, max_bytes)
    except ConnectFailed as error:
        failure = SockJSError(CANNOT_CONNECT, error.reason, error.cause)
        raise failure from error.cause


def decode_text(frame: bytes) -> str:
    """Return the text of a frame.

    :raises Unreadable: it is not UTF-8.
    """
    try:
        return frame.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable("a frame that is not UTF-8") from error
