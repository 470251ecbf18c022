"""Tells a response of a SockJS server from a page of a proxy. Pure."""

from typing import Sequence, Union

from . import frames
from .errors import LOST, NotSockJS, SockJSError

#: The first two bytes of a message or a close.
_BEGINNINGS = (b"a[", b"c[", b'm"', b"m{", b"m[")

#: The last byte of a message or a close.
_ENDS = (b"]", b"}", b'"')

#: Frames without a message, in addition to heartbeats.
_WITHOUT_MESSAGES = (b"a", b"a[]")

#: Bytes of an incomplete line that are examined. A prelude is a heartbeat of 2048 bytes.
_MAX_PREFIX_BYTES = 2048


class PollResponse:
    """The contents of one response with status 200, so far.

    :param content_type: the value of the header, "" without one.
    :ivar is_script: True if the response has the type that SockJS servers declare.
    :ivar empty: True if no line has arrived.
    :ivar good: True if a readable frame has arrived.
    :ivar news: True if an open, a message or a close has arrived.
    :ivar past_prelude: True if a frame after the prelude has arrived. Messages that waited for
        this response come behind the prelude, and may be lost with the connection.
    """

    def __init__(self, content_type: str) -> None:
        declared = content_type.partition(";")[0].strip().lower()
        self.is_script = declared.endswith("javascript")
        self._is_page = bool(declared) and not self.is_script
        self.empty = True
        self.good = False
        self.news = False
        self.past_prelude = False

    def add(self, lines: Sequence[bytes]) -> bool:
        """Record complete lines.

        :returns: True if a frame is among them. A page may also follow frames in one response.
        :raises SockJSError: the response is a page.
        """
        self.empty = self.empty and not lines
        found = False
        for line in lines:
            if self._is_frame(line):
                found = self.good = True
                self.news = self.news or not _says_nothing(line)
                self.past_prelude = self.past_prelude or not _is_prelude(line)
        return found

    def _is_frame(self, line: bytes) -> bool:
        # The reader thread parses every frame. After a good one, a cheap check is enough here.
        found = _is_known(line) if self.good else frames.is_good(line)
        if not (found or self.good) and (self._is_page or line.lstrip()[:1] == b"<"):
            raise make_not_sockjs_error()
        return found


def make_not_sockjs_error(failed: str = "Connection lost") -> SockJSError:
    """Return the error of a connection whose server is not a SockJS server."""
    cause = NotSockJS("a response that is not SockJS, such as a page of a proxy")
    return SockJSError(LOST, f"{failed}: {cause}", cause)


def may_become_frame(rest: Union[bytes, bytearray]) -> bool:
    """Return True if an incomplete line may become a frame."""
    start = bytes(rest[:_MAX_PREFIX_BYTES])
    return start[:2] in _BEGINNINGS or start in (b"o", b"a", b"m", b"c") or _is_heartbeat(start)


def _is_known(line: bytes) -> bool:
    if line[:2] in _BEGINNINGS:
        return line.rstrip()[-1:] in _ENDS
    return line in (b"o", b"a") or _is_heartbeat(line)


def _says_nothing(line: bytes) -> bool:
    return line in _WITHOUT_MESSAGES or _is_heartbeat(line)


def _is_prelude(line: bytes) -> bool:
    return len(line) > 1 and _is_heartbeat(line)


def _is_heartbeat(line: bytes) -> bool:
    return bool(line) and not line.strip(b"h")
