"""Tells an answer of a SockJS server from a page that a proxy sends in its place. Pure."""

from typing import Sequence, Union

from . import frames
from .errors import LOST, NotSockJS, SockJSError

#: How a message or a close may begin, as far as that can be told from two bytes.
_BEGINNINGS = (b"a[", b"c[", b'm"', b"m{", b"m[")

#: How it may end.
_ENDS = (b"]", b"}", b'"')

#: Frames without a message in them, beside heartbeats.
_WITHOUT_MESSAGES = (b"a", b"a[]")

#: Bytes of a line that tell whether it may become a frame; a prelude has 2048 of them.
_TELLING = 2048


class Answer:
    """What is known so far of one answer with status 200.

    :param content_type: the value of its header, "" without one.
    :ivar is_script: True if the answer has the type that SockJS servers declare.
    :ivar empty: True if no line has come.
    :ivar good: True if a frame has come that can be read.
    :ivar news: True if an open, a message or a close has come.
    """

    def __init__(self, content_type: str) -> None:
        declared = content_type.partition(";")[0].strip().lower()
        self.is_script = declared.endswith("javascript")
        self._is_page = bool(declared) and not self.is_script
        self.empty = True
        self.good = False
        self.news = False

    def add(self, lines: Sequence[bytes]) -> bool:
        """Note complete lines.

        :returns: True if a frame is among them. A page may also follow frames, in the same
            answer.
        :raises SockJSError: the answer is a page.
        """
        self.empty = self.empty and not lines
        found = False
        for line in lines:
            if self._is_frame(line):
                found = self.good = True
                self.news = self.news or not _says_nothing(line)
        return found

    def _is_frame(self, line: bytes) -> bool:
        # The reader thread parses each frame. Where one was good, a glance is enough.
        found = _is_known(line) if self.good else frames.is_good(line)
        if not (found or self.good) and (self._is_page or line.lstrip()[:1] == b"<"):
            raise not_sockjs()
        return found


def not_sockjs(failed: str = "Connection lost") -> SockJSError:
    """Return the end of a connection whose server answers with something else."""
    cause = NotSockJS("an answer that is no SockJS, such as a page of a proxy")
    return SockJSError(LOST, f"{failed}: {cause}", cause)


def is_life(rest: Union[bytes, bytearray]) -> bool:
    """True if the beginning of a line, which is not complete, may become a frame."""
    start = bytes(rest[:_TELLING])
    return start[:2] in _BEGINNINGS or start in (b"o", b"a", b"m", b"c") or _is_heartbeat(start)


def _is_known(line: bytes) -> bool:
    if line[:2] in _BEGINNINGS:
        return line.rstrip()[-1:] in _ENDS
    return line in (b"o", b"a") or _is_heartbeat(line)


def _says_nothing(line: bytes) -> bool:
    return line in _WITHOUT_MESSAGES or _is_heartbeat(line)


def _is_heartbeat(line: bytes) -> bool:
    return bool(line) and not line.strip(b"h")
