"""Work that several threads request at the same time, done once."""

import os
import threading
from concurrent.futures import Future
from functools import partial
from typing import Callable, Dict, Generic, List, Optional, TypeVar

from .reentrant import Flag

Outcome = TypeVar("Outcome")


class WaitsForItself(RuntimeError):
    """Work waits for its own outcome."""


class _Flight(Generic[Outcome]):
    """Work and its outcome."""

    def __init__(self, work: Callable[[], Outcome]) -> None:
        self.outcome: "Future[Outcome]" = Future()
        #: Set after the outcome. To wait for the Future itself is not safe: a signal handler that
        #: waits for it, too, takes the wake-up of the thread that it interrupts.
        self.landed = Flag()
        #: The work until a thread takes it.
        self.waiting: List[Callable[[], Outcome]] = [work]


class SingleFlight(Generic[Outcome]):
    """A runner of work on a separate thread, whose outcome all concurrent callers get.

    The work goes on when a caller is interrupted, for example by Ctrl-C. There is no lock: a
    signal handler may call this on a thread that is inside. It never waits without an end.

    :param name: of the thread.
    :param to_its_end: True if the program's exit waits for the work, which must not be left
        half done.
    """

    def __init__(self, name: str, to_its_end: bool = False) -> None:
        self._name = name
        self._daemon = not to_its_end
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        # One entry at most, so that setdefault is atomic.
        self._flights: "Dict[None, _Flight[Outcome]]" = {}
        self._thread: Optional[int] = None
        # The threads that start another one for the work.
        self._starting: Dict[int, None] = {}

    def do(self, work: Callable[[], Outcome], *, alone: bool = False) -> Outcome:
        """Return the outcome of the work, or of the work that is running already.

        :param alone: True to wait for the running work, and then do this work.
        :raises WaitsForItself: called by the work itself, or in a signal handler that interrupted
            the start of it.
        """
        if os.getpid() != self._process:
            # The work of the parent never ends in a forked child.
            self._begin()
        me = threading.get_ident()
        if self._thread == me:
            raise WaitsForItself("called by the work that it would wait for")
        if me in self._starting:
            # Python's own lock of the start of threads is held, and the new thread waits for it.
            raise WaitsForItself("called in a signal handler that interrupted the same call")
        flight = _Flight(work)
        while True:
            current = self._flights.setdefault(None, flight)
            if current.waiting:
                # Also for another caller's work: this may be a signal handler that interrupts the
                # caller here, or the caller may have ended by an exception.
                self._starting[me] = None
                try:
                    self._start(current)
                finally:
                    self._starting.pop(me, None)
            current.landed.wait()
            if current is flight or not alone:
                return current.outcome.result()

    def _start(self, flight: "_Flight[Outcome]") -> None:
        fly = partial(self._fly, flight)
        try:
            threading.Thread(target=fly, name=self._name, daemon=self._daemon).start()
        except RuntimeError:
            # For example while the interpreter shuts down. Other callers may already wait.
            fly()

    def _fly(self, flight: "_Flight[Outcome]") -> None:
        try:
            work = flight.waiting.pop()
        except IndexError:
            return  # Another thread was faster.
        self._thread = threading.get_ident()
        try:
            outcome = work()
        except BaseException as error:
            self._end()
            flight.outcome.set_exception(error)
        else:
            # Before the callers wake up: one that calls again must not get the same outcome.
            self._end()
            flight.outcome.set_result(outcome)
        flight.landed.set()

    def _end(self) -> None:
        self._thread = None
        self._flights.clear()
