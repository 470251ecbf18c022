"""What a transport does: frames in, messages out. The rest of the package knows only this."""

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple, Optional

from requests.cookies import RequestsCookieJar

from .._net.clock import NEVER, Monotonic
from .._net.connect import ConnectFailed, Route
from .._net.stream import Stream
from .errors import CANNOT_CONNECT, SockJSError, Unreadable


class Departure:
    """How far a message has come on its way out.

    :ivar begun: whether any of it may have reached the network.
    :ivar queued: True if it was handed to the thread that sends.
    """

    __slots__ = ("begun", "queued")

    def __init__(self) -> None:
        self.begun = False
        self.queued = False


class Setting(NamedTuple):
    """What a transport needs to know of its connection.

    :ivar route: opens streams to the server.
    :ivar base_url: the SockJS URL.
    :ivar server: three digits, fixed for the client.
    :ivar cookies: those of the server, shared by all that asks it.
    :ivar max_message_size: bytes that one message may have.
    :ivar write_timeout: seconds that sending a message may take.
    :ivar clock: monotonic seconds.
    """

    route: Route
    base_url: str
    server: str
    cookies: RequestsCookieJar
    max_message_size: int
    write_timeout: float
    clock: Monotonic


class Transport(ABC):
    """One attempt to carry one SockJS session.

    ``send`` and ``say_goodbye`` are for any thread, the rest for the one that reads.
    """

    #: As in SockJS, and in the option ``transports``.
    name: ClassVar[str]

    #: Seconds of silence that are no sign of death, whatever is wanted.
    least_patience: ClassVar[float] = 0.0

    @abstractmethod
    def __init__(self, setting: Setting) -> None: ...

    @property
    @abstractmethod
    def heard_at(self) -> float:
        """Monotonic time of the last bytes from the server, be they half a frame."""

    @property
    def last_frame_at(self) -> float:
        """Monotonic time of the last whole frame from the server.

        All that the server sent before that frame has arrived. What it sent later may be lost
        with the connection, half a frame included.
        """
        return self.heard_at

    @abstractmethod
    def open(self, until: float) -> None:
        """Up to the point where the first frame can come.

        :raises SockJSError: it cannot be had, or not by that monotonic time.
        """

    @abstractmethod
    def receive(self, until: float) -> Optional[str]:
        """The next frame, or None when that monotonic time has come first.

        :raises SockJSError: the connection is over.
        :raises Unreadable: a frame came that is no text; the next call goes on after it.
        """

    def at_hand(self) -> Optional[str]:
        """The next frame, if it came together with the one before, so that nobody needs to
        wait; or None, when it is for ``receive`` to say what comes next.

        :raises Unreadable: as for ``receive``.
        """
        return None

    @abstractmethod
    def send(self, message: str, departure: Departure) -> None:
        """Hands one message over to the network, or to who does that.

        :param departure: is told when any of it may have left.
        :raises WriteFailed: it could not be written whole; the connection is of no more use.
        :raises BaseException: Ctrl-C, or what a signal handler raises. If ``departure`` says
            that it has begun, the connection is of no more use either.
        """

    @abstractmethod
    def probe(self) -> None:
        """Makes a server that is alive send something.

        :raises WriteFailed: as for ``send``.
        """

    @abstractmethod
    def say_goodbye(self) -> None:
        """Tells the server that this is the end, and waits for nothing; its answer ends
        ``receive``.

        :raises WriteFailed: that could not be done.
        """

    @abstractmethod
    def discard(self) -> None:
        """Frees what it holds. Can be called at any time, more than once."""


def open_stream(route: Route, until: float, max_bytes: float = NEVER) -> Stream:
    """Return a new stream to the server, see ``Route.open``.

    :raises SockJSError: with code 1002, a reason that names the phase, and the cause.
    """
    try:
        return route.open(until, max_bytes)
    except ConnectFailed as error:
        failure = SockJSError(CANNOT_CONNECT, error.reason, error.cause)
        raise failure from error.cause


def decoded(frame: bytes) -> str:
    """The text of a frame.

    :raises Unreadable: it is none.
    """
    try:
        return frame.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable("a frame that is not UTF-8") from error
