"""Signals at random moments of the main thread."""

from __future__ import annotations

import signal
from typing import Any, Callable

#: Seconds between two of them, as far as the machine keeps up.
_INTERVAL = 1e-4

#: How many calls may interrupt one another. Where each takes longer than the time to the next
#: signal, as under coverage, the stack would overflow.
_MAX_NESTED = 20


class Signals:
    """Has a function called by a signal handler again and again, wherever the thread may be."""

    def __init__(self) -> None:
        self._stopped = False
        self._nested = 0
        self._before = signal.getsignal(signal.SIGALRM)

    def start(self, function: Callable[[], object]) -> None:
        def handler(*_: Any) -> None:
            if not self._stopped and self._nested < _MAX_NESTED:
                self._nested += 1
                try:
                    function()
                finally:
                    self._nested -= 1

        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, _INTERVAL, _INTERVAL)

    def stop(self) -> None:
        """No call begins after this."""
        self._stopped = True
        signal.setitimer(signal.ITIMER_REAL, 0)

    def restore(self) -> None:
        """Put the handler of before back."""
        self.stop()
        # Discards a pending signal, whose default is to end the process.
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.signal(signal.SIGALRM, self._before)
