"""How late the machine runs threads that have something to do."""

from __future__ import annotations

import threading
import time
from typing import Callable, List, Tuple

#: Seconds between two looks, and from which on a delay is noted.
_NAP, _NOTED = 0.02, 0.01


class Lag:
    """A thread that sleeps, and notes how late it wakes up.

    A frame may lie in the system's buffers for as long before the client reads it. Neither the
    client nor the account can see that otherwise.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._delays: List[Tuple[float, float]] = []
        self._thread = threading.Thread(target=self._run, name="soak-lag", daemon=True)

    def __enter__(self) -> Lag:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def worst(self, begin: float, end: float) -> float:
        """The longest delay between two monotonic times, in seconds.

        One that was noted after the end began before it: other threads may have run first.
        """
        with self._lock:
            return max((
                late for at, late in self._delays if begin <= at and at - late <= end
            ), default=0.0)

    def note(self, began: float) -> float:
        """Note that a nap which began then is over.

        :returns: the monotonic time.
        """
        now = self._clock()
        late = now - began - _NAP
        if late >= _NOTED:
            with self._lock:
                self._delays.append((now, late))
        return now

    def _run(self) -> None:
        began = self._clock()
        while not self._stop.wait(_NAP):
            began = self.note(began)
