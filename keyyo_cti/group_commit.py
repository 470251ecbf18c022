"""Changes that many threads want at the same moment, made together by one of them.

A transaction costs the disk's time, however much is in it: a hundred that come at once and each
wait for those before lose their patience, while all of them fit into one.
"""

import threading
from typing import Callable, Generic, List, Optional, TypeVar

from .clock import Monotonic, monotonic

Change = TypeVar("Change")


class _Wanted(Generic[Change]):
    """A change that a thread waits for."""

    def __init__(self, change: Change) -> None:
        self.change = change
        self.over = False
        self.error: Optional[Exception] = None


class GroupCommit(Generic[Change]):
    """Makes changes for whoever wants them; those that come while others are being made are
    made together, next.

    :param commit: makes changes, in the order they came, all or none; also given the seconds
        that it may take.
    """

    def __init__(
        self,
        commit: Callable[[List[Change], float], None],
        clock: Monotonic = monotonic,
    ) -> None:
        self._commit = commit
        self._clock = clock
        self._changed = threading.Condition()
        # Guarded by it.
        self._wanted: List[_Wanted[Change]] = []
        self._busy = False

    def make(self, change: Change, timeout: float) -> None:
        """Makes a change, or has it made.

        :param timeout: seconds that it may take.
        :raises TimeoutError: it was not made in time; perhaps it is later.
        :raises Exception: what the commit raised.
        """
        until = self._clock() + timeout
        mine = _Wanted(change)
        with self._changed:
            self._wanted.append(mine)
            if not self._changed.wait_for(lambda: mine.over or not self._busy, timeout):
                if mine in self._wanted:
                    self._wanted.remove(mine)
                raise TimeoutError("other threads' changes take too long")
            if not mine.over:
                self._busy = True
                batch, self._wanted = self._wanted, []
        if not mine.over:
            self._make(batch, max(0.0, until - self._clock()))
        if mine.error is not None:
            raise mine.error

    def _make(self, batch: List[_Wanted[Change]], timeout: float) -> None:
        error: Optional[Exception] = RuntimeError("a commit was interrupted")
        try:
            self._commit([wanted.change for wanted in batch], timeout)
            error = None
        except Exception as raised:
            error = raised
        finally:
            with self._changed:
                for wanted in batch:
                    wanted.over, wanted.error = True, error
                self._busy = False
                self._changed.notify_all()
