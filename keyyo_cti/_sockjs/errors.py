"""How a SockJS connection ends or fails, with a code, a reason and a cause."""

from dataclasses import dataclass, field
from typing import Optional

#: Codes of SockJS clients, in addition to those that a server sends in a close frame.
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

    :ivar fault: True if the cause is a bug of this package.
    """

    code: int
    reason: str
    cause: Optional[BaseException] = field(default=None, compare=False)
    fault: bool = field(default=False, compare=False)

    @property
    def clean(self) -> bool:
        """True if one of the two sides closed the connection on purpose.

        While a connection opens, no other transport is tried after that.
        """
        return self.code == NORMAL or 3000 <= self.code <= 4999


class SockJSError(Exception):
    """A connection cannot be opened, or is lost."""

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
    """The cause of an end: an intermediary responds in place of a SockJS server."""


class BadStatus(Exception):
    """The cause of an end: the server refuses a request by its HTTP status.

    :ivar status: of the response.
    :ivar retry_after: seconds until the server wants the next request, or None.
    """

    def __init__(self, status: int, retry_after: Optional[float] = None) -> None:
        super().__init__(f"HTTP status {status}")
        self.status = status
        self.retry_after = retry_after

    @property
    def may_pass(self) -> bool:
        """True if the error is transient: the service, or its proxy, is down or busy."""
        # Proxies have their own statuses, such as 520 to 530. 501 and 505 concern the request.
        return self.status in (408, 425, 429) or (
            self.status >= 500 and self.status not in (501, 505)
        )

    @property
    def is_foreign(self) -> bool:
        """True if an intermediary responded in place of the service.

        A SockJS server asks for no login, forbids nothing and redirects no client.
        """
        return self.status in (401, 403, 407, 451, 511) or 300 <= self.status < 400


class SendFailed(SockJSError):
    """A message was not written completely.

    :ivar begun: True if any of it may have left.
    """

    def __init__(self, reason: str, begun: bool, cause: Optional[BaseException] = None) -> None:
        super().__init__(LOST, reason, cause)
        self.begun = begun


class NotOpen(Exception):
    """The connection is not open; nothing was written."""


class Unreadable(Exception):
    """A frame of the server cannot be read. The connection goes on."""
