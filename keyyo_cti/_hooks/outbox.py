"""Messages on their way to a receiver: in order for each call, with retries, on own threads."""

import threading
from collections import deque
from enum import Enum
from typing import Any, Callable, Deque, Dict, List, NamedTuple, Optional

from .._net.clock import Monotonic, monotonic
from ..backoff import Backoff
from . import threads
from .failure_log import FailureLog

#: Messages at the same time: on their way, and all that are kept.
_MAX_SENDERS = 4
_MAX_MESSAGES = 1000

#: Seconds after which a message is worth no further retry, and the longest pause that a receiver
#: can ask for.
MAX_AGE = 600.0

#: Seconds in which a message on its way may end after it was cancelled.
_CANCEL_TIMEOUT = 2.0


class Verdict(Enum):
    """How an attempt ended."""

    DELIVERED = "delivered"
    #: The error may pass.
    RETRY = "retry"
    #: This message will never be taken.
    REFUSED = "refused"
    #: No message will ever be taken.
    GONE = "gone"


class Outcome(NamedTuple):
    """The end of an attempt, with the seconds that the receiver asks to wait."""

    verdict: Verdict
    retry_after: Optional[float] = None


class _Lane:
    """The messages of one call. ``due`` is the monotonic time of the next attempt."""

    def __init__(self) -> None:
        self.messages: "Deque[_Message]" = deque()
        self.busy = False
        self.due = 0.0


class _Message(NamedTuple):
    content: Any
    born: float
    attempts: List[int]


class Outbox:
    """Sends messages, those of one call in order.

    A message that fails is retried with back-off, for ten minutes; it does not hold up other
    calls. If a receiver asks for a pause with ``Retry-After``, every message waits, at most ten
    minutes, and is sent after it whatever its age.

    :param send: sends the content of a message, on a thread of the outbox.
    """

    def __init__(
        self,
        send: Callable[[Any], Outcome],
        failures: FailureLog,
        backoff: Backoff = Backoff(first=1.0, longest=60.0, spread=0.5),
        clock: Monotonic = monotonic,
    ) -> None:
        self._send = send
        self._failures = failures
        self._backoff = backoff
        self._clock = clock
        self._threads: List[threading.Thread] = []
        self._changed = threading.Condition()
        # Guarded by the condition.
        self._lanes: Dict[str, _Lane] = {}
        self._count = 0
        self._paused_until = 0.0
        self._gone = False
        self._stopping = False

    def put(self, key: str, content: Any) -> None:
        """Send a message, without waiting. For one thread.

        :param key: the call.
        """
        with self._changed:
            if self._gone or self._stopping:
                return
            is_full = self._count >= _MAX_MESSAGES
            if not is_full:
                lane = self._lanes.setdefault(key, _Lane())
                lane.messages.append(_Message(content, self._clock(), [0]))
                self._count += 1
                self._changed.notify()
            wants_thread = not is_full and len(self._threads) < min(_MAX_SENDERS, self._count)
        if is_full:
            message = f"{_MAX_MESSAGES} posts wait already: others are discarded"
            self._failures.tell("full", message)
        if wants_thread:
            threads.start(
                self._threads, "keyyo-cti-post", self._work, self._failures, "cannot post"
            )

    def close(self, until: float, cancel: Callable[[], object]) -> None:
        """Wait until all messages are sent, and discard them at a deadline.

        :param until: monotonic time.
        :param cancel: ends the attempts under way.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._count, max(0.0, until - self._clock()))
            self._stopping = True
            left = self._count
            self._changed.notify_all()
        cancel()
        end = self._clock() + _CANCEL_TIMEOUT
        for thread in self._threads:
            thread.join(max(0.0, end - self._clock()))
        if left:
            self._failures.tell("left", f"{left} posts were not delivered before the end")

    def _work(self) -> None:
        while True:
            with self._changed:
                key = self._take()
                if key is None:
                    return
                lane = self._lanes[key]
                lane.busy = True
                message = lane.messages[0]
            outcome = self._try(message.content)
            with self._changed:
                lane.busy = False
                expired = self._settle(key, lane, message, outcome)
                self._changed.notify_all()
            if expired:
                text = f"a post was given up after {MAX_AGE / 60:.0f} minutes"
                self._failures.tell("expired", text)

    def _try(self, content: Any) -> Outcome:
        try:
            return self._send(content)
        except Exception as error:
            # Otherwise this thread would end, and the other messages of the call would stay.
            self._failures.tell(repr(type(error)), f"cannot post an event: {error!r}")
            return Outcome(Verdict.REFUSED)

    def _take(self) -> Optional[str]:
        """Return the next call with a message that is due; None at the end. Waits for one."""
        while not self._stopping:
            now = self._clock()
            idle = [(lane.due, key) for key, lane in self._lanes.items() if not lane.busy]
            # The first one of those that are due for the longest time.
            due, key = min(idle, key=lambda each: each[0], default=(None, ""))
            if due is None:
                self._changed.wait()
                continue
            due = max(due, self._paused_until)
            if due <= now:
                return key
            self._changed.wait(due - now)
        return None

    def _settle(self, key: str, lane: _Lane, message: _Message, outcome: Outcome) -> bool:
        """Discard a message or plan its retry.

        :returns: True if its retries are over.
        """
        now = self._clock()
        if outcome.retry_after is not None:
            self._paused_until = max(self._paused_until, now + min(outcome.retry_after, MAX_AGE))
        if outcome.verdict is Verdict.GONE:
            self._gone = True
            self._count = 0
            self._lanes.clear()
            return False
        if self._gone:
            return False
        expired = False
        if outcome.verdict is Verdict.RETRY:
            message.attempts[0] += 1
            lane.due = now + self._backoff.length(message.attempts[0])
            # A message is sent once after a pause that the receiver asks for. Otherwise a long one
            # would discard every message that waits.
            retry_at = now if self._paused_until > now else lane.due
            expired = retry_at >= message.born + MAX_AGE
            if not expired:
                return False
        lane.messages.popleft()
        lane.due = 0.0
        self._count -= 1
        if not lane.messages:
            del self._lanes[key]
        return expired
