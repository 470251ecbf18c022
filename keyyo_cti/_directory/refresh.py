"""The thread that keeps the contacts of a directory up to date."""

import itertools
import threading
import weakref
from typing import Dict, Iterator, Sequence

from .._net import process
from .._net.clock import NEVER, Monotonic
from .._net.reentrant import Flag, Wakeup, interrupts_itself
from .feed import Feed

#: Maximum seconds of a pause. During a suspend of the machine, a pause does not go on.
_MAX_PAUSE = 60.0

_numbers: Iterator[int] = itertools.count(1)


class Refresher:
    """Reads sources when they are due, on a thread that begins with ``start``.

    The thread ends with ``close``, or when the program has dropped the refresher.

    :param feeds: the sources.
    :ivar closed: set by ``close``.
    """

    def __init__(self, feeds: Sequence[Feed], monotonic: Monotonic) -> None:
        self._feeds = feeds
        self._monotonic = monotonic
        self._name = f"keyyo-cti-directory-{next(_numbers)}"
        # By process, because a forked child has no threads. Of one thread at most is put there, in
        # an atomic step: a signal handler may interrupt another call on this thread.
        self._threads: Dict[int, threading.Thread] = {}
        self._tried = Wakeup()
        self.closed = Flag()
        self._signal = _Signal()
        # Otherwise a dropped refresher would leave its thread.
        weakref.finalize(self, self._signal.send).atexit = False

    @property
    def started(self) -> bool:
        """True if the thread of this process has been started."""
        return process.current() in self._threads

    def start(self) -> None:
        """Start the thread of this process, unless it was started before. It never blocks."""
        if self.started or self.closed.is_set() or not self._feeds:
            return
        thread = threading.Thread(
            target=_run, args=(weakref.ref(self), self._signal), name=self._name, daemon=True
        )
        if self._threads.setdefault(process.current(), thread) is thread:
            try:
                thread.start()
            except RuntimeError:
                # The interpreter ends, or has no thread left: the next call tries again.
                self._threads.pop(process.current(), None)

    def refresh_soon(self) -> None:
        """Read every source again now."""
        for feed in self._feeds:
            feed.wanted = True
        self.start()
        self._signal.send()

    def wait(self, timeout: float) -> bool:
        """Wait until each source has been read or has failed once.

        :param timeout: maximum seconds.
        :returns: False after the timeout.
        """
        self.start()
        self._tried.wait_for(lambda: self._all_tried() or self.closed.is_set(), timeout)
        return self._all_tried()

    def refresh_due(self) -> float:
        """Read the sources that are due.

        :returns: seconds until the next one is due.
        """
        for feed in self._feeds:
            is_due = feed.wanted or feed.due <= self._monotonic()
            if is_due and not self.closed.is_set():
                feed.refresh()
                self._tried.notify_all()
        due = min((feed.due for feed in self._feeds), default=NEVER)
        return max(0.0, due - self._monotonic())

    def close(self, timeout: float) -> None:
        """End the thread, and wait for it.

        :param timeout: maximum seconds.
        """
        self.closed.set()
        self._signal.send()
        self._tried.notify_all()
        thread = self._threads.get(process.current())
        is_own = thread is threading.current_thread()
        if thread is not None and thread.ident is not None and not (is_own or interrupts_itself()):
            thread.join(timeout)

    def _all_tried(self) -> bool:
        return all(feed.tried for feed in self._feeds)


class _Signal:
    """Wakes up the thread. It may be sent from a finalizer, unlike ``threading.Event``."""

    def __init__(self) -> None:
        self._sent = False
        self._wakeup = Wakeup()

    def send(self) -> None:
        self._sent = True
        self._wakeup.notify_all()

    def wait(self, timeout: float) -> None:
        self._wakeup.wait_for(lambda: self._sent, min(timeout, _MAX_PAUSE))
        # Before the work, so that no signal during it is lost.
        self._sent = False


def _run(reference: "weakref.ref[Refresher]", signal: _Signal) -> None:
    # Without a reference to the refresher during a pause, so that it can be collected.
    while True:
        refresher = reference()
        if refresher is None or refresher.closed.is_set():
            return
        pause = refresher.refresh_due()
        del refresher
        signal.wait(pause)
