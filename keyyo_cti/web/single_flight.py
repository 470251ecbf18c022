"""Work that several threads want at the same moment, done once."""

import concurrent.futures
import os
import threading
from concurrent.futures import Future
from typing import Callable, Generic, Optional, Tuple, TypeVar

Outcome = TypeVar("Outcome")


class WaitsForItself(RuntimeError):
    """Work asks for its own outcome."""


class _Flight(Generic[Outcome]):
    """Work under way, in a thread of its own."""

    def __init__(self) -> None:
        self.thread: Optional[int] = None
        self.outcome: "Future[Outcome]" = Future()


class SingleFlight(Generic[Outcome]):
    """Does work in a thread of its own; those who ask while it is done get the same outcome, be
    it a result or an exception.

    Work goes on when who waits for it is interrupted.

    :param name: of the thread.
    :param to_its_end: whether the work must not be left half done: the end of the program waits
        for it then.
    """

    def __init__(self, name: str, to_its_end: bool = False) -> None:
        self._name = name
        self._daemon = not to_its_end
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._flight: Optional[_Flight[Outcome]] = None

    def do(self, work: Callable[[], Outcome]) -> Outcome:
        """The outcome of the work, or of what is under way.

        :raises WaitsForItself: called by the work itself.
        """
        flight, first = self._board()
        if first:
            self._start(flight, work)
        return flight.outcome.result()

    def do_alone(self, work: Callable[[], Outcome]) -> Outcome:
        """The outcome of this very work, once what is under way is done.

        :raises WaitsForItself: called by the work itself.
        """
        while True:
            flight, first = self._board()
            if first:
                self._start(flight, work)
                return flight.outcome.result()
            concurrent.futures.wait([flight.outcome])

    def _board(self) -> Tuple[_Flight[Outcome], bool]:
        """The flight that there is, or a new one, and whether it is new."""
        if os.getpid() != self._process:
            # A fork took along a flight that will never land here, and perhaps a held lock.
            self._process, self._lock, self._flight = os.getpid(), threading.Lock(), None
        with self._lock:
            flight = self._flight
            if flight is None:
                self._flight = flight = _Flight()
                return flight, True
        if flight.thread == threading.get_ident():
            raise WaitsForItself("called by what it waits for")
        return flight, False

    def _start(self, flight: _Flight[Outcome], work: Callable[[], Outcome]) -> None:
        thread = threading.Thread(
            target=self._fly, args=(flight, work), name=self._name, daemon=self._daemon
        )
        try:
            thread.start()
        except RuntimeError:
            # As when the interpreter is shutting down. Others may wait for it by now.
            self._fly(flight, work)

    def _fly(self, flight: _Flight[Outcome], work: Callable[[], Outcome]) -> None:
        # It has landed before anybody is told: who finds fault with the outcome and asks again
        # must not get the same.
        flight.thread = threading.get_ident()
        try:
            outcome = work()
        except BaseException as error:
            self._land()
            flight.outcome.set_exception(error)
        else:
            self._land()
            flight.outcome.set_result(outcome)

    def _land(self) -> None:
        with self._lock:
            self._flight = None
