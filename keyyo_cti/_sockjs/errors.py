"""How a SockJS connection ends or fails, with a code, a reason and a cause."""

from dataclasses import dataclass, field
from typing import Optional

#: Codes of SockJS clients, beside those that a server sends in a close frame.
NORMAL = 1000
CANNOT_CONNECT = 1002
PROTOCOL_ERROR = 1002
LOST = 1006
TOO_BIG = 1009
ALL_FAILED = 2000
TOO_LATE = 2007


@dataclass(frozen=True)
class Closed:
    """The end of a connection, reported once.

    :ivar fault: True if the cause is a fault of this package.
    """

    code: int
    reason: str
    cause: Optional[BaseException] = field(default=None, compare=False)
    fault: bool = field(default=False, compare=False)

    @property
    def clean(self) -> bool:
        """Whether one of the two sides meant it."""
        return self.code == NORMAL or 3000 <= self.code <= 4999


class SockJSError(Exception):
    """A connection cannot be opened, or cannot go on."""

    def __init__(
        self,
        code: int,
        reason: str,
        cause: Optional[BaseException] = None,
        fault: bool = False,
    ) -> None:
        super().__init__(code, reason)
        self.closed = Closed(code, reason, cause, fault)

    def __str__(self) -> str:
        return f"{self.closed.code} {self.closed.reason}"


class NotSockJS(Exception):
    """Something on the way answers in place of a SockJS server: the cause of an end."""


class BadStatus(Exception):
    """The server refuses a request by its HTTP status: the cause of an end.

    :ivar status: of the answer.
    :ivar retry_after: seconds that the server wants to be left alone, or None.
    """

    def __init__(self, status: int, retry_after: Optional[float] = None) -> None:
        super().__init__(f"HTTP status {status}")
        self.status = status
        self.retry_after = retry_after

    @property
    def may_pass(self) -> bool:
        """True if the service, or a proxy before it, is down or busy and may be back soon."""
        # Proxies have statuses of their own, such as 520 to 530. 501 and 505 are about the
        # request.
        return self.status in (408, 425, 429) or (
            self.status >= 500 and self.status not in (501, 505)
        )

    @property
    def is_foreign(self) -> bool:
        """True if something between answers in place of the service: a SockJS server asks for no
        login, forbids nothing and sends nobody elsewhere."""
        return self.status in (401, 403, 407, 451, 511) or 300 <= self.status < 400


class SendFailed(SockJSError):
    """A message was not written whole; ``begun`` tells whether any of it went out."""

    def __init__(self, reason: str, begun: bool, cause: Optional[BaseException] = None) -> None:
        super().__init__(LOST, reason, cause)
        self.begun = begun


class NotOpen(Exception):
    """Sending before a connection is open or after it has closed; nothing was written."""


class Unreadable(Exception):
    """The server sent a frame that cannot be read; the connection goes on."""
