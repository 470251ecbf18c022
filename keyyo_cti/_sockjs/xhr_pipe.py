"""What is received over HTTP, on its way from the thread that reads it."""

from collections import deque
from typing import Deque, Dict, List, Optional, Tuple

from .._net.clock import Monotonic
from .._net.reentrant import Wakeup
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
        # No lock, because a signal handler may end it on a thread that is inside: whoever
        # changes something does so in one step, then wakes.
        self._changed = Wakeup()
        self._lines: _Lines = deque()
        # Bytes that came, and bytes that were taken. Each has one thread that writes it.
        self._size_in = 0
        self._size_out = 0
        # Of the thread that takes: what it has of them, which was all there was.
        self._here: _Lines = deque()
        # One entry, which is set once.
        self._end: Dict[None, SockJSError] = {}
        self._unwanted = False

    def put(self, lines: List[bytes], came_at: Optional[float] = None) -> bool:
        """Takes lines, as soon as there is room.

        :param came_at: monotonic time, if there is a whole frame among them.
        :returns: whether to go on asking, which is so until the very end: a server notices that
            we leave only when a request of ours is cut off.
        """
        self._changed.wait_for(lambda: self._size_in - self._size_out < BACKLOG or self._end)
        self._size_in += sum(map(len, lines)) + LINE_OVERHEAD * len(lines)
        self._lines.extend((line, None) for line in lines[:-1])
        self._lines.extend((line, came_at) for line in lines[-1:])
        self._changed.notify_all()
        return not self._unwanted

    def rest(self, seconds: float) -> None:
        """Wait for so long, unless the end comes before."""
        self._changed.wait_for(lambda: self._end, seconds)

    def discard(self) -> None:
        """Nobody takes anything any more."""
        self._unwanted = True
        self.end(SockJSError(LOST, "The transport was discarded"))

    def end(self, error: SockJSError) -> None:
        """Nothing more comes; the first reason counts."""
        self._end.setdefault(None, error)
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
        timeout = max(0.0, until - self._clock())
        self._changed.wait_for(lambda: self._lines or self._end, timeout)
        ended = self._end.get(None)
        while self._lines:
            entry = self._lines.popleft()
            self._size_out += len(entry[0]) + LINE_OVERHEAD
            self._here.append(entry)
        self._changed.notify_all()
        if ended is not None and not self._here:
            raise ended
