"""What a simulator shows of what goes on, for any thread."""

from __future__ import annotations

from typing import List, Optional

from .arguments import require_integer, require_one_of
from .calls import CallRecord
from .clients import ConnectionSnapshot, Witness
from .commands import Fields
from .phones import NumberLike, World, number_of
from .service import RECEIVED_KEPT, CallWitness, Service
from .serving import ServerThread
from .sessions import SessionSnapshot
from .sockjs import TRANSPORT_NAMES


class Observation:
    """The part of `Simulator` that looks and waits."""

    _thread: ServerThread
    _world: World
    _service: Service

    def connections(self) -> List[ConnectionSnapshot]:
        """Every connection of a client with its transport, oldest first."""
        return self._thread.call(self._service.clients.snapshots)

    def wait_for_connection(
        self, transport: Optional[str] = None, timeout: float = 5.0
    ) -> ConnectionSnapshot:
        """Wait until a client is connected, and give its newest connection.

        :param transport: "websocket", "xhr-streaming" or "xhr-polling"; None for any.
        :param timeout: seconds.
        :raises TimeoutError: there is none; says which there are.
        """
        if transport is not None:
            require_one_of(transport, TRANSPORT_NAMES, "transport")

        def find() -> Optional[ConnectionSnapshot]:
            newest_first = reversed(self._service.clients.snapshots())
            return next((c for c in newest_first if transport in (None, c.transport)), None)

        def complaint() -> str:
            seen = self._service.clients.snapshots()
            return f"no connection on {transport or 'any transport'} after {timeout} s: saw {seen}"

        return self._world.wait(find, timeout, complaint)

    def add_witness(self, witness: Witness) -> None:
        """Have a function told what passes on the connections from here on.

        What a connection that is dropped, closed or silent does not send any more is not told as
        sent, nor what is cut off in the middle. What is told as sent is on its way, in that order;
        whether it arrives is known only to who receives it.

        :param witness: is called on the simulator's own thread; it must not wait, nor raise.
        """
        self._thread.call(self._service.clients.witnesses.append, witness)

    def add_call_witness(self, witness: CallWitness) -> None:
        """Have a function told each change of a call from here on, whoever is connected.

        What a client was not told, in an outage or a silence, shows so.

        :param witness: gets the call as it is now, and the numbers whose subscribers the change
            concerns, before any client is told. It is called on the simulator's own thread; it
            must not wait, nor raise.
        """
        self._thread.call(self._service.call_witnesses.append, witness)

    def sessions(self) -> List[SessionSnapshot]:
        """Every session that is in use or can be restored, oldest first."""
        return self._thread.call(
            lambda: [session.snapshot() for session in self._service.sessions.all()])

    def wait_for_session(
        self, number: NumberLike, timeout: float = 10.0, *, counter: int = 1
    ) -> SessionSnapshot:
        """Wait until a line has a session with that many connections.

        :param number: a line, or the number of one.
        :param timeout: seconds; who polls has left when it has not asked for five.
        :param counter: how many connections; 0 waits for a session that all have left.
        :raises TimeoutError: there is none; says which there are.
        """
        wanted = number_of(number)

        def find() -> Optional[SessionSnapshot]:
            snapshots = (session.snapshot() for session in self._service.sessions.all())
            fitting = (s for s in snapshots if (s.number, s.counter) == (wanted, counter))
            return next(fitting, None)

        def complaint() -> str:
            seen = [session.snapshot() for session in self._service.sessions.all()]
            return f"no session of {wanted} with counter {counter} after {timeout} s: saw {seen}"

        return self._world.wait(find, timeout, complaint)

    def calls(self) -> List[CallRecord]:
        """Every call since the start, those that go on last."""
        return self._thread.call(self._service.exchange.records)

    def received(self, action: Optional[str] = None) -> List[Fields]:
        """The commands that came in, oldest first, without tokens and session ids.

        :param action: only those of one action.
        """
        return self._thread.call(self._received, action)

    def _received(self, action: Optional[str]) -> List[Fields]:
        everything = self._service.received
        return [each for each in everything if action is None or each.get("action") == action]

    def wait_for_action(self, action: str, timeout: float = 5.0, *, count: int = 1) -> Fields:
        """Wait until an action has come in `count` times, and give that command.

        :param action: its name on the wire, for example "call".
        :param timeout: seconds.
        :param count: 1 waits for the first one ever, and so on.
        :raises TimeoutError: it came in fewer times.
        """
        require_integer(count, "count", 1, RECEIVED_KEPT)

        def find() -> Optional[Fields]:
            come = self._received(action)
            return come[count - 1] if len(come) >= count else None

        def complaint() -> str:
            seen = [each.get("action") for each in self._received(None)]
            return f"no {action!r} number {count} after {timeout} s: saw {seen}"

        return self._world.wait(find, timeout, complaint)
