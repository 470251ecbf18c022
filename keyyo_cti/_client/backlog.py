"""The queue of a dispatcher: bounded in events and in bytes; by more while an answer is due."""

from collections import deque
from queue import Empty, SimpleQueue
from typing import Any, Callable, Deque, Dict, Iterable, Optional, Tuple

#: What is queued.
Task = Callable[[], object]

#: What a program's dispatch function is handed.
Work = Callable[[], None]

#: Events and bytes beyond the bounds while a command of another thread waits for its answer: a
#: handler may wait for that thread, and the answer may be behind the events.
_RESERVE_EVENTS = 100_000
_RESERVE_BYTES = 64 * 1024 * 1024

#: While a handler waits for an answer, this many times the bound in bytes may wait; as many as a
#: usual program will never have, and few enough for the machine to go on.
WAITING_FACTOR = 4

OVERFLOW = (
    f"the events behind a handler that waits for an answer take {WAITING_FACTOR} times "
    "max_backlog_bytes; let handlers return sooner, or wait for answers in another thread"
)


class Backlog:
    """Work that waits, and whether there is room for more.

    It is filled by any thread and emptied by one. It has no lock of its own: each change is one
    step for the interpreter, so that a signal handler may put work too.

    :param max_events: pieces of work that may wait; None for no bound.
    :param max_bytes: memory that the events among them may take; None for no bound.
    """

    def __init__(self, max_events: Optional[int], max_bytes: Optional[int] = None) -> None:
        self._max_events = max_events
        self._max_bytes = max_bytes
        # Its methods bear signal handlers, and no work is lost or taken twice.
        self._queue: "SimpleQueue[Task]" = SimpleQueue()
        # Beside it, because a pair for each event would be one more object for the collector.
        self._sizes: Deque[int] = deque()
        # Two counters, because each has one thread that writes it.
        self._bytes_in = 0
        self._bytes_out = 0
        # Sets that keep no order would do; a dict changes in one step as well. Commands without
        # an answer, and those of them that were asked in the handler that now runs.
        self._unanswered: Dict[Any, None] = {}
        self._asked_inside: Dict[Any, None] = {}
        #: Handlers that wait for an answer, one entry each.
        self.waiting_handlers: Dict[object, None] = {}

    def put(self, work: Task, size: int) -> None:
        """Append work. Work that has a size comes from one thread at a time.

        :param size: bytes of memory that it takes, or 0 for what is small.
        """
        # The size first: where there is work, there is a size.
        self._sizes.append(size)
        if size:
            self._bytes_in += size
        self._queue.put(work)

    def take(self) -> Tuple[Task, int]:
        """Wait for the next work and remove it. Its bytes, its size, count until ``release``."""
        return self._queue.get(), self._sizes.popleft()

    def take_now(self) -> Optional[Tuple[Task, int]]:
        """Remove the next work, or return None if there is none.

        There is no wait with a timeout: CPython's would never end when a signal interrupts it as
        the time is up.
        """
        try:
            return self._queue.get_nowait(), self._sizes.popleft()
        except Empty:
            return None

    def waiting(self) -> int:
        """Return how many pieces of work wait."""
        return self._queue.qsize()

    def release(self, size: int) -> None:
        """Count these bytes no longer. By one thread at a time."""
        if size:
            self._bytes_out += size

    def has_room(self) -> bool:
        """True if the reader may read on."""
        # The first look is written out, because it comes with each notification.
        events, size = self._max_events, self._max_bytes
        if (events is None or self._queue.qsize() < events) and (
            size is None or self._bytes_in - self._bytes_out < size
        ):
            return True
        if self.waiting_handlers or self._asked_inside:
            return not self.overflows()
        return bool(self._unanswered) and self._within_reserve()

    def overflows(self) -> bool:
        """True if a handler waits for an answer, and more has come meanwhile than memory is for.

        To stop reading would keep the answer from the handler, and the handler would keep the
        events from going.
        """
        return (
            self._max_bytes is not None
            and bool(self.waiting_handlers or self._asked_inside)
            and self._bytes_in - self._bytes_out >= WAITING_FACTOR * self._max_bytes
        )

    def expect(self, request: Any, asked_inside: bool) -> None:
        """A command goes out whose answer may be behind events.

        :param asked_inside: True if a handler that now runs asked it: however that waits, by a
            Future, a condition or a thread, the bounds must not keep the answer from it.
        """
        self._unanswered[request] = None
        if asked_inside:
            self._asked_inside[request] = None

    def answered(self, request: Any) -> None:
        """The command has its answer."""
        self._unanswered.pop(request, None)
        self._asked_inside.pop(request, None)

    def handler_ended(self, requests: Iterable[Any]) -> None:
        """The handler that asked these has returned, so that it waits for none of them."""
        for request in requests:
            self._asked_inside.pop(request, None)

    def _within_reserve(self) -> bool:
        events, size = self._max_events, self._max_bytes
        return (events is None or self._queue.qsize() < events + _RESERVE_EVENTS) and (
            size is None or self._bytes_in - self._bytes_out < size + _RESERVE_BYTES
        )
