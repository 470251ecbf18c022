"""The queue of a dispatcher, bounded in events and in bytes."""

from collections import deque
from queue import Empty, SimpleQueue
from typing import Any, Callable, Deque, Dict, Iterable, Optional, Tuple

#: A piece of queued work.
Task = Callable[[], object]

#: A piece of work as the program's dispatch function receives it.
Work = Callable[[], None]

#: Events and bytes beyond the limits while another thread's command is pending. A handler may wait
#: for that thread, and the reply may be behind the events.
_RESERVE_EVENTS = 100_000
_RESERVE_BYTES = 64 * 1024 * 1024

#: Multiple of the limit in bytes that may be queued while a handler waits for a reply. A usual
#: program never reaches it, and the machine's memory bears it.
WAITING_FACTOR = 4

OVERFLOW = (
    f"the events behind a handler that waits for an answer take {WAITING_FACTOR} times "
    "max_backlog_bytes; let handlers return sooner, or wait for answers in another thread"
)


class Backlog:
    """Queued work, with limits.

    Any thread may add work; one thread takes it. There is no lock, because a signal handler may
    add work too: each change is one atomic step.

    :param max_events: maximum number of queued pieces; None for no limit.
    :param max_bytes: maximum memory of the events among them; None for no limit.
    """

    def __init__(self, max_events: Optional[int], max_bytes: Optional[int] = None) -> None:
        self._max_events = max_events
        self._max_bytes = max_bytes
        # A SimpleQueue bears signal handlers: no work is lost or taken twice.
        self._queue: "SimpleQueue[Task]" = SimpleQueue()
        # Beside the queue: pairs would give the garbage collector one more object per event.
        self._sizes: Deque[int] = deque()
        # Two counters, each written by one thread.
        self._bytes_in = 0
        self._bytes_out = 0
        # Dicts used as sets, because their changes are atomic: commands without a reply, and those
        # among them that the running handler has sent.
        self._unanswered: Dict[Any, None] = {}
        self._asked_inside: Dict[Any, None] = {}
        #: One entry for each handler that waits for a reply.
        self.waiting_handlers: Dict[object, None] = {}

    def put(self, work: Task, size: int) -> None:
        """Append work. Only one thread at a time may append work with a size.

        :param size: memory of the work in bytes, or 0 if it is small.
        """
        # The size first, so that each piece of work finds its size.
        self._sizes.append(size)
        if size:
            self._bytes_in += size
        self._queue.put(work)

    def take(self) -> Tuple[Task, int]:
        """Wait for work, remove it and return it with its size, which counts until ``release``."""
        return self._queue.get(), self._sizes.popleft()

    def take_now(self) -> Optional[Tuple[Task, int]]:
        """Remove and return the next work with its size, or return None.

        There is no variant with a timeout: CPython's never returns if a signal interrupts it just
        as the timeout is over.
        """
        try:
            return self._queue.get_nowait(), self._sizes.popleft()
        except Empty:
            return None

    def waiting(self) -> int:
        """Return the number of queued pieces of work."""
        return self._queue.qsize()

    def release(self, size: int) -> None:
        """Stop counting this many bytes. Only one thread at a time may call it."""
        self._bytes_out += size

    def has_room(self) -> bool:
        """Return True if the reader may read on."""
        # Written out for speed: it runs for each notification.
        events, size = self._max_events, self._max_bytes
        if (events is None or self._queue.qsize() < events) and (
            size is None or self._bytes_in - self._bytes_out < size
        ):
            return True
        if self.waiting_handlers or self._asked_inside:
            return not self.overflows()
        return bool(self._unanswered) and self._within_reserve()

    def overflows(self) -> bool:
        """Return True if a handler waits for a reply and the backlog is at its hard limit.

        To stop reading would keep the reply from the handler, and the handler blocks the events.
        """
        return (
            self._max_bytes is not None
            and bool(self.waiting_handlers or self._asked_inside)
            and self._bytes_in - self._bytes_out >= WAITING_FACTOR * self._max_bytes
        )

    def expect(self, request: Any, asked_inside: bool) -> None:
        """Note that a command is about to be sent.

        :param asked_inside: True if the running handler sends it. The limits must not delay its
            reply, however the handler waits: by a Future, a condition or a thread.
        """
        self._unanswered[request] = None
        if asked_inside:
            self._asked_inside[request] = None

    def answered(self, request: Any) -> None:
        """Note that the command has its reply."""
        self._unanswered.pop(request, None)
        self._asked_inside.pop(request, None)

    def handler_ended(self, requests: Iterable[Any]) -> None:
        """Note that the handler that sent these commands has returned."""
        for request in requests:
            self._asked_inside.pop(request, None)

    def _within_reserve(self) -> bool:
        events, size = self._max_events, self._max_bytes
        return (events is None or self._queue.qsize() < events + _RESERVE_EVENTS) and (
            size is None or self._bytes_in - self._bytes_out < size + _RESERVE_BYTES
        )
