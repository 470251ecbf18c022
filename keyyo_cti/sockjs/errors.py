"""How a SockJS connection ends or fails, with a code, a reason and a cause."""

from dataclasses import dataclass, field
from typing import Optional

#: Codes of SockJS clients, beside those that a server sends in a close frame.
NORMAL = 1000
CANNOT_CONNECT = 1002
LOST = 1006
TOO_BIG = 1009
ALL_FAILED = 2000
TOO_LATE = 2007


@dataclass(frozen=True)
class Closed:
    """The end of a connection, reported once."""

    code: int
    reason: str
    cause: Optional[BaseException] = field(default=None, compare=False)

    @property
    def clean(self) -> bool:
        """Whether one of the two sides meant it."""
        return self.code == NORMAL or 3000 <= self.code <= 4999


class SockJSError(Exception):
    """A connection cannot be opened, or cannot go on."""

    def __init__(self, code: int, reason: str, cause: Optional[BaseException] = None) -> None:
        super().__init__(code, reason)
        self.closed = Closed(code, reason, cause)

    def __str__(self) -> str:
        return f"{self.closed.code} {self.closed.reason}"


class SendFailed(SockJSError):
    """A message was not written whole; ``begun`` tells whether any of it went out."""

    def __init__(self, reason: str, begun: bool, cause: Optional[BaseException] = None) -> None:
        super().__init__(LOST, reason, cause)
        self.begun = begun


class NotOpen(Exception):
    """Sending before a connection is open or after it has closed; nothing was written."""


class Unreadable(Exception):
    """The server sent a frame that cannot be read; the connection goes on."""
