"""Warnings about functions of the program that do not return."""

import contextlib
import threading
from typing import Callable, Iterator

from .._net.log_thread import ThreadedLogger

_log = ThreadedLogger("keyyo_cti")

#: Seconds until the first warning, and maximum seconds between two warnings.
FIRST_WARNING = 30.0
_MAX_PAUSE = 3600.0

#: Seconds to wait for the end of the watching thread after the function has returned.
_JOIN_TIMEOUT = 1.0


@contextlib.contextmanager
def warn_while_slow(
    name: str,
    unwanted: Callable[[], bool],
    first: float = FIRST_WARNING,
    make_event: Callable[[], threading.Event] = threading.Event,
) -> Iterator[None]:
    """Log a warning while a function does not return, at doubling intervals.

    :param name: the function that is called inside the ``with`` statement.
    :param unwanted: returns True if its result is no longer needed; then no warning is logged.
    :param first: seconds until the first warning.
    """
    returned = make_event()

    def watch() -> None:
        pause, waited = first, 0.0
        while not returned.wait(pause) and not unwanted():
            waited += pause
            _log.warning(
                "%s has not returned for %.0f s: the session cannot be restored meanwhile",
                name,
                waited,
            )
            pause = min(2 * pause, _MAX_PAUSE)

    thread = threading.Thread(target=watch, name="keyyo-cti-slow-call", daemon=True)
    # Without the thread there is no warning, but the function still runs.
    started = False
    with contextlib.suppress(RuntimeError):
        thread.start()
        started = True
    try:
        yield
    finally:
        returned.set()
        if started:
            thread.join(_JOIN_TIMEOUT)
