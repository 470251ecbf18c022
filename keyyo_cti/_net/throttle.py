"""How many connections of one process are being opened at the same moment."""

from collections import deque
from contextlib import contextmanager
from typing import Deque, Iterator

from .cancellation import CancelToken
from .reentrant import Flag, new_lock


class ConnectThrottle:
    """Lets so many in at once, in the order they came. Who has waited for long enough goes in
    all the same: those before may be waiting for a server that is dead.

    :param most: how many.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.forget()

    @contextmanager
    def admit(self, patience: float, cancel_token: CancelToken) -> Iterator[None]:
        """While inside.

        :param patience: seconds to wait at most.
        :param abort: ends the wait.
        """
        self._enter(patience, cancel_token)
        try:
            yield
        finally:
            self._leave()

    def forget(self) -> None:
        """Nobody is inside, nor waits: in the child of a fork there are none of these threads."""
        # Entered again by nobody: what a signal handler calls opens no connection by itself.
        self._lock = new_lock()
        # Guarded by the lock.
        self._inside = 0
        self._queue: Deque[Flag] = deque()

    def _enter(self, patience: float, cancel_token: CancelToken) -> None:
        turn = Flag()
        with self._lock:
            if self._inside < self._most:
                self._inside += 1
                return
            self._queue.append(turn)
        with cancel_token.on_cancel(turn.set):
            turn.wait(patience)
        with self._lock:
            # Who leaves takes the next one out of the queue, and gives it a place.
            if turn in self._queue:
                self._queue.remove(turn)
                self._inside += 1

    def _leave(self) -> None:
        with self._lock:
            if self._queue and self._inside <= self._most:
                self._queue.popleft().set()
            else:
                self._inside -= 1
