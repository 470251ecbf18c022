"""Waiting until a program has handled everything that a simulator has sent."""

from __future__ import annotations

import threading
from typing import Any, Callable, Dict, List

from .._client import wire
from .._client.client import Client
from .._net.clock import monotonic
from .clients import describe_running, find_clients, is_polled, runs_here

#: Successive rounds without traffic after which nothing is under way any more. A handler that
#: runs in one round may send a command, which the simulator performs in the next; its effect is
#: handled in the third.
_QUIET_ROUNDS = 3

#: Seconds between two polls of a CTI with ``dispatch="manual"``.
_POLL_INTERVAL = 0.01


class Settling:
    """Settles the clients of a simulator.

    A ping goes to each client through the queue of its handlers. After its reply, everything that
    the simulator sent before has been handled.

    :param endpoint: of the simulator.
    :param count: returns the number of messages that the simulator has sent and received.
    """

    def __init__(self, endpoint: str, count: Callable[[], int]) -> None:
        self._endpoint = endpoint
        self._count = count

    def settle(self, timeout: float, polls: bool = True) -> None:
        """Wait until nothing is under way between the simulator and the program's handlers.

        :param timeout: seconds.
        :param polls: True if this thread runs the handlers of a CTI with ``dispatch="manual"``.
        :raises RuntimeError: a handler calls it.
        :raises TimeoutError: a handler did not return, or they never stop sending commands.
        """
        until = monotonic() + timeout
        quiet, before = 0, self._count()
        while quiet < _QUIET_ROUNDS:
            pings = _Pings(find_clients(self._endpoint))
            left = pings.wait(until, polls)
            if left:
                raise TimeoutError(f"not settled after {timeout:g} s: {describe_running(left[0])}")
            # Counted once: a message between two rounds would otherwise be in neither.
            now = self._count()
            quiet = quiet + 1 if now - before == 2 * pings.answered else 0
            before = now
            if monotonic() > until:
                raise TimeoutError(
                    f"not settled after {timeout:g} s: there are always new messages")


class _Pings:
    """One ping for each client, and the callbacks that have come back."""

    def __init__(self, clients: List[Client]) -> None:
        self.answered = 0
        self._changed = threading.Condition()
        self._waiting: Dict[int, Client] = {}
        for number, client in enumerate(clients):
            if runs_here(client):
                raise RuntimeError("settle() in a handler would wait for itself")
            self._waiting[number] = client
        for number, client in list(self._waiting.items()):
            client.ask(wire.ping, (), self._make_callback(number))

    def _make_callback(self, number: int) -> Callable[[Any, Any], None]:
        def callback(error: Any, result: Any) -> None:
            with self._changed:
                del self._waiting[number]
                self.answered += error is None
                self._changed.notify_all()

        return callback

    def wait(self, until: float, polls: bool) -> List[Client]:
        """Wait for all of them; return the clients whose callbacks did not come."""
        while True:
            polled = []
            with self._changed:
                waiting = list(self._waiting.values())
                if not waiting or monotonic() >= until:
                    return waiting
                if polls:
                    polled = [c for c in waiting if is_polled(c)]
                if not polled:
                    self._changed.wait(until - monotonic())
            for client in polled:
                client.poll(_POLL_INTERVAL)
