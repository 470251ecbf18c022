"""Tells an answer of a SockJS server from a page that a proxy sends in its place. Pure."""

from typing import Iterable, Union

from . import frames
from .errors import LOST, NotSockJS, SockJSError

#: How a message or a close may begin, as far as that can be told from two bytes.
_BEGINNINGS = (b"a[", b"c[", b'm"', b"m{", b"m[")

#: Bytes of a line that tell whether it may become a frame; a prelude has 2048 of them.
_TELLING = 2048


class Answer:
    """What is known so far of one answer with status 200.

    :param content_type: the value of its header, "" without one.
    :ivar is_script: True if the answer has the type that SockJS servers declare.
    :ivar empty: True if no line has come.
    :ivar good: True if a frame has come that can be read.
    :ivar news: True if anything but heartbeats has come.
    """

    def __init__(self, content_type: str) -> None:
        declared = content_type.partition(";")[0].strip().lower()
        self.is_script = declared.endswith("javascript")
        self._is_page = bool(declared) and not self.is_script
        self.empty = True
        self.good = False
        self.news = False

    def add(self, lines: Iterable[bytes]) -> None:
        """Note complete lines.

        :raises SockJSError: the answer is a page.
        """
        for line in lines:
            self.empty = False
            self.news = self.news or line[:1] != b"h"
            if not self.good:
                self._judge(line)

    def _judge(self, line: bytes) -> None:
        # The reader thread parses each frame. Where the type says script, that is enough.
        self.good = _is_known(line) if self.is_script else frames.is_good(line)
        if not self.good and (self._is_page or line.lstrip()[:1] == b"<"):
            raise not_sockjs()

    def is_life(self, rest: Union[bytes, bytearray]) -> bool:
        """True if what has come is a sign of life of a SockJS server.

        :param rest: the beginning of a line that is not complete.
        """
        return self.good or _may_become_a_frame(bytes(rest[:_TELLING]))


def not_sockjs(failed: str = "Connection lost") -> SockJSError:
    """Return the end of a connection whose server answers with something else."""
    cause = NotSockJS("an answer that is no SockJS, such as a page of a proxy")
    return SockJSError(LOST, f"{failed}: {cause}", cause)


def _is_known(line: bytes) -> bool:
    return line[:2] in _BEGINNINGS or line in (b"o", b"a") or _is_heartbeat(line)


def _may_become_a_frame(rest: bytes) -> bool:
    return rest[:2] in _BEGINNINGS or rest in (b"o", b"a", b"m", b"c") or _is_heartbeat(rest)


def _is_heartbeat(line: bytes) -> bool:
    return bool(line) and not line.strip(b"h")
