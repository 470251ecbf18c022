"""The thread that updates the board: after each event, and every second for the durations."""

import logging
import threading
from contextvars import Context
from typing import Callable

_log = logging.getLogger("keyyo_cti")

#: Seconds between two updates without events.
REFRESH_INTERVAL = 1.0

#: Seconds between two updates, so that a burst of events causes only one.
MIN_REFRESH_INTERVAL = 0.05

#: Maximum seconds that ``stop`` waits for a running update. Short, because the kernel waits too.
_JOIN_TIMEOUT = 0.2


class RefreshThread:
    """Calls ``refresh`` until it is stopped.

    Handlers of the CTI only wake this thread. So Jupyter never blocks the event thread, and all
    changes of widgets come from one thread.

    :param refresh: updates the widgets.
    :param context: that of the cell, from which ipykernel knows where its messages belong.
        Without it, ipykernel 7.0 sends nothing from a thread.
    :param interval: seconds between two updates without events.
    """

    def __init__(
        self, refresh: Callable[[], None], context: Context, interval: float = REFRESH_INTERVAL
    ) -> None:
        self._refresh = refresh
        self._interval = interval
        self._due = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=context.copy().run, args=(self._run,), name="keyyo-cti-board", daemon=True
        )

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Cause an update soon, from any thread, without waiting for it."""
        self._due.set()

    def stop(self) -> None:
        """Stop the thread. Only an update that already runs may end later."""
        self._stopped.set()
        self._due.set()
        if self._thread is not threading.current_thread():
            self._thread.join(_JOIN_TIMEOUT)

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._due.wait(self._interval)
            self._due.clear()
            if not self._stopped.is_set():
                try:
                    self._refresh()
                except Exception:
                    # The kernel may be shutting down, or the board was closed meanwhile.
                    if not self._stopped.is_set():
                        _log.exception("the board could not be updated")
            self._stopped.wait(MIN_REFRESH_INTERVAL)
