"""The state of a SockJS session, and the events of its frames. Pure."""

from dataclasses import dataclass
from typing import Any, List, NamedTuple, Optional, Union

from .._net.text import plain, shorten
from . import frames
from .errors import LOST, Closed, Unreadable

CONNECTING = "connecting"
OPEN = "open"
CLOSED = "closed"


@dataclass(frozen=True)
class Opened:
    """The session is open. Occurs once."""


class Message(NamedTuple):
    """A message of the server, of any JSON type."""

    value: Any


Event = Union[Opened, Message, Unreadable, Closed]


class SockJSSession:
    """One SockJS session, from its first frame to its last."""

    def __init__(self) -> None:
        self.state = CONNECTING

    def receive(self, text: str) -> List[Event]:
        """Return the events of a frame, in order; none after the session has closed."""
        frame = frames.decode(text)
        if self.state == CLOSED:
            return []
        if isinstance(frame, frames.Close):
            # The reason goes into logs. A lone surrogate would break some of them, and a line
            # break would forge a record.
            return [self._close(Closed(frame.code, plain(shorten(frame.reason))))]
        if self.state == CONNECTING:
            return self._while_connecting(frame)
        return self._while_open(frame)

    def read_messages(self, text: str) -> Optional[List[Any]]:
        """Return the messages of a usual frame, or None for any other, which is for ``receive``.

        It makes none of the events, which would take longer than the rest.
        """
        return frames.read_array(text) if self.state == OPEN else None

    def _while_connecting(self, frame: frames.Frame) -> List[Event]:
        if isinstance(frame, frames.Open):
            self.state = OPEN
            return [Opened()]
        return self._broken(frame)

    def _while_open(self, frame: frames.Frame) -> List[Event]:
        if isinstance(frame, frames.Messages):
            return [Message(value) for value in frame.messages]
        if isinstance(frame, frames.Open):
            return [self._close(Closed(LOST, "Server lost session"))]
        return self._broken(frame)

    def _broken(self, frame: frames.Frame) -> List[Event]:
        if not isinstance(frame, frames.Broken):
            return []
        if frame.kind == "c":
            reason = f"A close frame that cannot be read: {frame.problem}"
            return [self._close(Closed(LOST, reason))]
        return [Unreadable(f"a frame of kind {frame.kind!r}: {frame.problem}")]

    def _close(self, closed: Closed) -> Closed:
        self.state = CLOSED
        return closed
