"""What is received over HTTP, on its way from the thread that reads it."""

import threading
from collections import deque
from typing import Deque, List, Optional, Tuple

from .._net.clock import Monotonic
from .errors import LOST, SockJSError

#: Bytes that wait to be read, or to be sent, before who brings more has to wait. As many may be
#: on their way to being told already.
BACKLOG = 1 << 20

#: Bytes that a line takes besides its own. Otherwise empty ones would fill the memory unseen.
LINE_OVERHEAD = 40

#: A line, and the time at which the whole frames up to it came; None if more of them follow.
_Lines = Deque[Tuple[bytes, Optional[float]]]


class Pipe:
    """What was received, on its way to the thread that runs the connection.

    :ivar taken_at: monotonic time at which the last whole frame came of which all was taken.
        What is left in the pipe at the end is lost, so that it must not count.
    """

    def __init__(self, clock: Monotonic) -> None:
        self._clock = clock
        self.taken_at = clock()
        self._changed = threading.Condition()
        self._lines: _Lines = deque()
        self._size = 0
        # Of the thread that takes: what it has of them, which was all there was.
        self._here: _Lines = deque()
        self._end: Optional[SockJSError] = None
        self._unwanted = False

    def put(self, lines: List[bytes], came_at: Optional[float] = None) -> bool:
        """Takes lines, as soon as there is room.

        :param came_at: monotonic time, if there is a whole frame among them.
        :returns: whether to go on asking, which is so until the very end: a server notices that
            we leave only when a request of ours is cut off.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._size < BACKLOG or self._end is not None)
            self._lines.extend((line, None) for line in lines[:-1])
            self._lines.extend((line, came_at) for line in lines[-1:])
            self._size += sum(map(len, lines)) + LINE_OVERHEAD * len(lines)
            self._changed.notify_all()
            return not self._unwanted

    def rest(self, seconds: float) -> None:
        """Wait for so long, unless the end comes before."""
        with self._changed:
            self._changed.wait_for(lambda: self._end is not None, seconds)

    def discard(self) -> None:
        """Nobody takes anything any more."""
        with self._changed:
            self._unwanted = True
            self._end = self._end or SockJSError(LOST, "The transport was discarded")
            self._changed.notify_all()

    def end(self, error: SockJSError) -> None:
        """Nothing more comes; the first reason counts."""
        with self._changed:
            self._end = self._end or error
            self._changed.notify_all()

    def take(self, until: float) -> Optional[bytes]:
        """The next line, or None when that monotonic time has come first.

        :raises SockJSError: there is none, and none will come.
        """
        if not self._here:
            self._fetch(until)
        return self.at_hand()

    def at_hand(self) -> Optional[bytes]:
        """The next line, if it was there together with the one before. For the thread that
        takes."""
        if not self._here:
            return None
        line, came_at = self._here.popleft()
        if came_at is not None:
            self.taken_at = came_at
        return line

    def _fetch(self, until: float) -> None:
        with self._changed:
            timeout = min(max(0.0, until - self._clock()), threading.TIMEOUT_MAX)
            self._changed.wait_for(lambda: self._lines or self._end is not None, timeout)
            if self._lines:
                self._here, self._lines = self._lines, self._here
                self._size = 0
                self._changed.notify_all()
            elif self._end is not None:
                raise self._end
