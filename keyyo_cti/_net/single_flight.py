"""Work that several threads request at the same time, done once."""

import concurrent.futures
import os
import threading
from concurrent.futures import Future
from functools import partial
from typing import Callable, Generic, Optional, TypeVar

Outcome = TypeVar("Outcome")


class WaitsForItself(RuntimeError):
    """Work waits for its own outcome."""


class SingleFlight(Generic[Outcome]):
    """A runner of work on a separate thread, whose outcome all concurrent callers get.

    The work goes on when a caller is interrupted, for example by Ctrl-C.

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
        self._lock = threading.Lock()
        self._flight: "Optional[Future[Outcome]]" = None
        self._thread: Optional[int] = None

    def do(self, work: Callable[[], Outcome], *, alone: bool = False) -> Outcome:
        """Return the outcome of the work, or of the work that is running already.

        :param alone: True to wait for the running work, and then do this work.
        :raises WaitsForItself: called by the work itself.
        """
        if os.getpid() != self._process:
            # The work of the parent never ends in a forked child, and the lock may be held.
            self._begin()
        if self._thread == threading.get_ident():
            raise WaitsForItself("called by the work that it would wait for")
        flight: "Future[Outcome]" = Future()
        while True:
            with self._lock:
                under_way = self._flight
                if under_way is None:
                    self._flight = flight
                    break
            if not alone:
                return under_way.result()
            concurrent.futures.wait([under_way])
        fly = partial(self._fly, flight, work)
        try:
            threading.Thread(target=fly, name=self._name, daemon=self._daemon).start()
        except RuntimeError:
            # For example while the interpreter shuts down. Other callers may already wait.
            fly()
        return flight.result()

    def _fly(self, flight: "Future[Outcome]", work: Callable[[], Outcome]) -> None:
        self._thread = threading.get_ident()
        try:
            outcome = work()
        except BaseException as error:
            self._thread, self._flight = None, None
            flight.set_exception(error)
        else:
            # Before the callers wake up: one that calls again must not get the same outcome.
            self._thread, self._flight = None, None
            flight.set_result(outcome)
