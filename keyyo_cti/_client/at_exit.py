"""A program that just ends: what it left open is closed."""

import atexit
import os
import weakref
from typing import Optional, Protocol

from .._net import process
from .._net.clock import monotonic

#: Seconds that ``close`` waits at most, whatever a handler does meanwhile, so that it returns
#: within two.
CLOSE = 1.8


class Closable(Protocol):
    """What may be left open."""

    def unclosed(self) -> bool:
        """Whether there is a connection, in this process, that nobody has closed."""

    def begin_close(self) -> object:
        """Begins to close; waits for nothing."""

    def after_fork(self) -> None:
        """This is a forked child."""

    def close(self, until: Optional[float] = None) -> None:
        """Closes, by that monotonic time."""


_known: "weakref.WeakSet[Closable]" = weakref.WeakSet()


def watch(closable: Closable) -> None:
    """Closes it at the end, if it is open then."""
    _known.add(closable)


# When the package is imported, and not with the first connection: what a program registers after
# that comes before this, and finds its connections open.
@atexit.register
def _close_all() -> None:
    """The server is told goodbye, and the threads are gone before the interpreter takes away what
    they print to."""
    until = monotonic() + CLOSE
    unclosed = [closable for closable in list(_known) if closable.unclosed()]
    for closable in unclosed:
        closable.begin_close()
    for closable in unclosed:
        closable.close(until)


def _after_fork() -> None:
    # Not before the new number is there; hooks run in the order in which modules are imported.
    assert process.current()
    for closable in list(_known):
        closable.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
