"""Closes the connections that a program leaves open when it ends."""

import atexit
import weakref
from typing import List, Optional, Protocol

from .._net import process
from .._net.clock import monotonic
from . import unretrieved

#: Maximum seconds that ``close`` waits, whatever a handler does, so that it returns within two.
CLOSE_TIMEOUT = 1.8


class Closable(Protocol):
    """An object that a program may leave open."""

    def unclosed(self) -> bool:
        """Return True if this process has a connection that the program has not closed."""

    def begin_close(self) -> object:
        """Begin to close. Do not block."""

    def after_fork(self) -> None:
        """Handle the start of a forked child."""

    def close(self, until: Optional[float] = None) -> None:
        """Close by this deadline in monotonic seconds."""


_known: "weakref.WeakSet[Closable]" = weakref.WeakSet()


def watch(closable: Closable) -> None:
    """Close an object when the program ends, if it is open then."""
    _known.add(closable)


def get_known() -> List[Closable]:
    """Return all objects that this module watches."""
    while True:
        try:
            return list(_known)
        except RuntimeError:
            pass  # Another thread has added one meanwhile.


# Registered when the package is imported, not with the first connection. Functions that a program
# registers later run earlier, and so they find its connections open.
@atexit.register
def _close_all() -> None:
    """Close every open connection before the interpreter removes the standard streams."""
    until = monotonic() + CLOSE_TIMEOUT
    unclosed = [closable for closable in list(_known) if closable.unclosed()]
    for closable in unclosed:
        closable.begin_close()
    for closable in unclosed:
        closable.close(until)
    unretrieved.log_all()


def _after_fork() -> None:
    for closable in list(_known):
        closable.after_fork()


process.run_in_child(_after_fork)
