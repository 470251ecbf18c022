"""Signals at random moments of the main thread."""

from __future__ import annotations

import signal
from typing import Any, Callable

#: Seconds between two of them, as far as the machine keeps up.
_INTERVAL = 1e-4


class Signals:
    """Has a function called by a signal handler again and again, wherever the thread may be."""

    def __init__(self) -> None:
        self._stopped = False
        self._before = signal.getsignal(signal.SIGALRM)

    def start(self, function: Callable[[], object]) -> None:
        def handler(*_: Any) -> None:
            if not self._stopped:
                function()

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
