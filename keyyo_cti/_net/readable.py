"""Repeated waits for a socket that becomes readable."""

import math
import select
import selectors
from typing import Any, Callable, Optional

#: Waits for at most so many seconds, None for no limit. Returns True if there is something to
#: read, or the peer has left.
Wait = Callable[[Optional[float]], bool]


def make_wait(sock: Any) -> Wait:
    """Return a function that waits until a socket is readable.

    :raises ValueError: the socket is closed.
    """
    if not hasattr(select, "poll"):
        selector = selectors.SelectSelector()
        selector.register(sock, selectors.EVENT_READ)
        return lambda seconds: bool(selector.select(seconds))
    # Not PollSelector, which takes three times as long: a reply waits for the reader to get here.
    poll = select.poll()
    poll.register(sock, select.POLLIN)

    def wait(seconds: Optional[float]) -> bool:
        # Rounded up: otherwise the last millisecond would be spent in a busy loop.
        return bool(poll.poll(None if seconds is None else math.ceil(seconds * 1000)))

    return wait
