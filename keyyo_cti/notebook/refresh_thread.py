"""Who paints the board: a thread, woken by events, and each second for the durations."""

import logging
import threading
from contextvars import Context
from typing import Callable

_log = logging.getLogger("keyyo_cti")

#: Seconds between two paintings when nothing happens.
TICK = 1.0

#: Seconds between two paintings, however much happens: hundreds of events are one message.
PAUSE = 0.05

#: Seconds that ``stop`` waits for a painting under way.
_FAREWELL = 2.0


class Painter:
    """Paints until it is stopped.

    Handlers of the CTI only wake it, so that Jupyter never holds up the event thread, and every
    change of a widget comes from one thread.

    :param paint: is called in the thread.
    :param context: of the cell. What the kernel sends, it says to be an answer to that cell;
        ipykernel 7.0 sends nothing at all from a thread without.
    """

    def __init__(self, paint: Callable[[], None], context: Context, tick: float = TICK) -> None:
        self._paint = paint
        self._tick = tick
        self._due = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(
            target=context.copy().run, args=(self._run,), name="keyyo-cti-board", daemon=True
        )

    def start(self) -> None:
        """Begins."""
        self._thread.start()

    def wake(self) -> None:
        """Has it paint soon. From any thread; never waits."""
        self._due.set()

    def stop(self) -> None:
        """Ends it; nothing is painted after that."""
        self._over.set()
        self._due.set()
        if self._thread is not threading.current_thread():
            self._thread.join(_FAREWELL)

    def _run(self) -> None:
        while not self._over.is_set():
            self._due.wait(self._tick)
            self._due.clear()
            if not self._over.is_set():
                try:
                    self._paint()
                except Exception:
                    # The kernel may be going away under us.
                    _log.exception("the board could not be painted")
            self._over.wait(PAUSE)
