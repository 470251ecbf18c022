"""Work that several threads want at the same moment, done once."""

import concurrent.futures
import os
import threading
from concurrent.futures import Future
from functools import partial
from typing import Callable, Generic, Optional, TypeVar

Outcome = TypeVar("Outcome")


class WaitsForItself(RuntimeError):
    """Work asks for its own outcome."""


class SingleFlight(Generic[Outcome]):
    """Does work in a thread of its own. Callers that come meanwhile get the same outcome, a
    result or an exception.

    The work goes on when a caller is interrupted, as by Ctrl-C.

    :param name: of the thread.
    :param to_its_end: True if the end of the program waits for the work, because it must not be
        left half done.
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
        """Return the outcome of the work, or of what is under way.

        :param alone: True to wait for what is under way, and then do this very work.
        :raises WaitsForItself: called by the work itself.
        """
        if os.getpid() != self._process:
            # A fork took along a flight that will never land here, and perhaps a held lock.
            self._begin()
        if self._thread == threading.get_ident():
            raise WaitsForItself("called by what it waits for")
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
            # As when the interpreter is shutting down. Others may wait for it by now.
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
            # Before the callers are told: one that asks again must not get the same outcome.
            self._thread, self._flight = None, None
            flight.set_result(outcome)
