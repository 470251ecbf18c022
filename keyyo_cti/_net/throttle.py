"""A limit for what one process does at the same time: open connections, send requests."""

from collections import deque
from contextlib import contextmanager
from typing import Deque, Iterator

from .cancellation import CancelToken
from .reentrant import Flag, new_lock


class ConnectThrottle:
    """A FIFO semaphore with a timeout.

    After the timeout the caller proceeds anyway: the holders may be stuck on a dead server.

    :param most: holders at the same time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.forget()

    @contextmanager
    def admit(self, timeout: float, cancel_token: CancelToken) -> Iterator[None]:
        """Hold the semaphore during the block.

        :param timeout: seconds to wait at most.
        :param cancel_token: ends the wait.
        """
        self._enter(timeout, cancel_token)
        try:
            yield
        finally:
            self._leave()

    def forget(self) -> None:
        """Reset the semaphore, in a child of ``fork`` too, where its threads do not exist."""
        # No signal handler re-enters it: none opens a connection on its own thread.
        self._lock = new_lock()
        # Guarded by the lock.
        self._inside = 0
        self._queue: Deque[Flag] = deque()

    def _enter(self, timeout: float, cancel_token: CancelToken) -> None:
        turn = Flag()
        with self._lock:
            if self._inside < self._most:
                self._inside += 1
                return
            self._queue.append(turn)
        try:
            with cancel_token.on_cancel(turn.set):
                turn.wait(timeout)
        except BaseException:
            # Ctrl-C. Otherwise ``_leave`` would pass a place on to a caller that is gone.
            self._take_place(turn)
            self._leave()
            raise
        self._take_place(turn)

    def _take_place(self, turn: Flag) -> None:
        with self._lock:
            # If it is not in the queue any more, ``_leave`` has passed a place on to it.
            if turn in self._queue:
                self._queue.remove(turn)
                self._inside += 1

    def _leave(self) -> None:
        with self._lock:
            if self._queue and self._inside <= self._most:
                self._queue.popleft().set()
            else:
                self._inside -= 1
