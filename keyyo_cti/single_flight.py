"""Work that several threads want at the same moment, done once."""

import concurrent.futures
import contextlib
import threading
from concurrent.futures import CancelledError, Future
from typing import Callable, Generic, Optional, Tuple, TypeVar

Outcome = TypeVar("Outcome")


class _Flight(Generic[Outcome]):
    """Work under way, in the thread that asked for it first."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.outcome: "Future[Outcome]" = Future()


class SingleFlight(Generic[Outcome]):
    """Does work in the thread that asks; those who ask while it is done get the same outcome,
    be it a result or an exception."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flight: Optional[_Flight[Outcome]] = None

    def do(self, work: Callable[[], Outcome]) -> Outcome:
        """The outcome of the work, or of what is under way.

        :raises RuntimeError: called by the work itself, which would wait for itself.
        """
        while True:
            flight, first = self._board()
            if first:
                return self._fly(flight, work)
            with contextlib.suppress(CancelledError):
                return flight.outcome.result()

    def do_alone(self, work: Callable[[], Outcome]) -> Outcome:
        """The outcome of this very work, once what is under way is done.

        :raises RuntimeError: called by the work itself, which would wait for itself.
        """
        while True:
            flight, first = self._board()
            if first:
                return self._fly(flight, work)
            concurrent.futures.wait([flight.outcome])

    def _board(self) -> Tuple[_Flight[Outcome], bool]:
        """The flight that there is, or a new one, and whether it is new."""
        with self._lock:
            flight = self._flight
            if flight is None:
                self._flight = flight = _Flight()
                return flight, True
        if flight.thread == threading.get_ident():
            raise RuntimeError("called by what it waits for")
        return flight, False

    def _fly(self, flight: _Flight[Outcome], work: Callable[[], Outcome]) -> Outcome:
        # It has landed before anybody is told: who finds fault with the outcome and asks again
        # must not get the same.
        try:
            outcome = work()
        except Exception as error:
            self._land()
            flight.outcome.set_exception(error)
            raise
        except BaseException:
            # Its thread was interrupted, which is no outcome of the work: another does it.
            self._land()
            flight.outcome.cancel()
            raise
        self._land()
        flight.outcome.set_result(outcome)
        return outcome

    def _land(self) -> None:
        with self._lock:
            self._flight = None
