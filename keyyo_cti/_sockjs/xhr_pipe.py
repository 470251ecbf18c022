"""The queue of lines from the receiver thread to the reader thread."""

from collections import deque
from typing import Deque, Dict, List, Optional, Tuple

from .._net.clock import Monotonic
from .._net.reentrant import Wakeup
from .errors import LOST, SockJSError

#: Bytes in the queue before the producer has to wait. The consumer may hold as many.
MAX_PIPE_BYTES = 1 << 20

#: Bytes counted for each line in addition. Otherwise empty lines would fill the memory.
LINE_OVERHEAD_BYTES = 40

#: A line, and the arrival time of the complete frames up to it; None within a batch.
_Lines = Deque[Tuple[bytes, Optional[float]]]


class Pipe:
    """A bounded queue of lines between two threads.

    :ivar taken_at: monotonic arrival time of the last frame that was taken. Frames that are left
        at the end are lost, and must not count.
    """

    def __init__(self, clock: Monotonic) -> None:
        self._clock = clock
        self.taken_at = clock()
        # No lock: a signal handler may end the pipe on a thread inside it. Each change is one
        # atomic step, followed by a notification.
        self._changed = Wakeup()
        self._lines: _Lines = deque()
        # Bytes put and bytes taken. One thread writes each.
        self._size_in = 0
        self._size_out = 0
        # The lines that the consumer has fetched.
        self._here: _Lines = deque()
        # One entry, set once.
        self._end: Dict[None, SockJSError] = {}
        self._unwanted = False

    def put(self, lines: List[bytes], came_at: Optional[float] = None) -> bool:
        """Append lines, as soon as there is room.

        :param came_at: monotonic arrival time, if a complete frame is among them that proves the
            arrival of all earlier ones.
        :returns: False if the pipe was discarded. After its mere end the requests go on: a server
            notices the end of a client only by an aborted request.
        """
        self._changed.wait_for(
            lambda: self._size_in - self._size_out < MAX_PIPE_BYTES or self._end
        )
        self._size_in += sum(map(len, lines)) + LINE_OVERHEAD_BYTES * len(lines)
        self._lines.extend((line, None) for line in lines[:-1])
        self._lines.extend((line, came_at) for line in lines[-1:])
        self._changed.notify_all()
        return not self._unwanted

    def rest(self, seconds: float) -> None:
        """Wait, at most until the end of the pipe."""
        self._changed.wait_for(lambda: self._end, seconds)

    def discard(self) -> None:
        """End the pipe, whose lines are not wanted any more."""
        self._unwanted = True
        self.end(SockJSError(LOST, "The transport was discarded"))

    def end(self, error: SockJSError) -> None:
        """End the pipe with an error; the first one counts."""
        self._end.setdefault(None, error)
        self._changed.notify_all()

    def take(self, until: float) -> Optional[bytes]:
        """Return the next line, or None at the deadline.

        :param until: monotonic deadline.
        :raises SockJSError: the pipe has ended, and all its lines are taken.
        """
        if not self._here:
            self._fetch(until)
        return self.take_buffered()

    def take_buffered(self) -> Optional[bytes]:
        """Return the next line if it was fetched with the one before, else None."""
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
            self._size_out += len(entry[0]) + LINE_OVERHEAD_BYTES
            self._here.append(entry)
        self._changed.notify_all()
        if ended is not None and not self._here:
            raise ended
