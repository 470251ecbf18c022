"""The methods of `Simulator` that observe its state and wait for changes."""

from __future__ import annotations

from typing import List, Optional

from .arguments import require_integer, require_one_of
from .calls import CallRecord
from .clients import ConnectionSnapshot, TrafficCallback
from .commands import Fields
from .phones import NumberLike, parse_number
from .runtime import Runtime
from .service import MAX_RECEIVED_COMMANDS, CallCallback, Service
from .serving import ServerThread
from .sessions import SessionSnapshot
from .sockjs import TRANSPORT_NAMES


class Observation:
    """The part of `Simulator` that observes and waits."""

    _thread: ServerThread
    _runtime: Runtime
    _service: Service

    def connections(self) -> List[ConnectionSnapshot]:
        """Return every client's connection, oldest first."""
        return self._thread.call(self._service.clients.take_snapshots)

    def wait_for_connection(
        self, transport: Optional[str] = None, timeout: float = 5.0
    ) -> ConnectionSnapshot:
        """Wait for a connection and return the newest one.

        :param transport: "websocket", "xhr-streaming" or "xhr-polling"; None for any.
        :param timeout: seconds.
        :raises TimeoutError: there is none; the message lists the connections.
        """
        if transport is not None:
            require_one_of(transport, TRANSPORT_NAMES, "transport")

        def find() -> Optional[ConnectionSnapshot]:
            newest_first = reversed(self._service.clients.take_snapshots())
            return next((c for c in newest_first if transport in (None, c.transport)), None)

        def make_message() -> str:
            seen = self._service.clients.take_snapshots()
            return f"no connection on {transport or 'any transport'} after {timeout} s: saw {seen}"

        return self._runtime.wait(find, timeout, make_message)

    def on_traffic(self, callback: TrafficCallback) -> None:
        """Call a function with each `Passage` from now on.

        Messages are reported as sent, in order, when the simulator writes them. They may still be
        lost on the way. Messages that a fault has discarded or cut are not reported as sent.

        :param callback: runs on the simulator's thread; it must not block or raise.
        """
        self._thread.call(self._service.clients.traffic_callbacks.append, callback)

    def on_call_change(self, callback: CallCallback) -> None:
        """Call a function with each change of a call from now on, even without clients.

        This shows the changes that a client missed in an outage or a silence.

        :param callback: receives the new record and the numbers whose subscribers the change
            concerns, before any client. It runs on the simulator's thread; it must not block or
            raise.
        """
        self._thread.call(self._service.call_callbacks.append, callback)

    # The former names of the two methods above.
    add_witness = on_traffic
    add_call_witness = on_call_change

    def sessions(self) -> List[SessionSnapshot]:
        """Return every session that can be used or restored, oldest first."""
        return self._thread.call(
            lambda: [session.take_snapshot() for session in self._service.sessions.get_all()])

    def wait_for_session(
        self, number: NumberLike, timeout: float = 10.0, *, counter: int = 1
    ) -> SessionSnapshot:
        """Wait until a line has a session with `counter` connections, and return it.

        :param number: a line, or the number of one.
        :param timeout: seconds; a polling client counts as connected for five seconds.
        :param counter: number of connections; 0 waits for a session without any.
        :raises TimeoutError: there is none; the message lists the sessions.
        """
        wanted = parse_number(number)

        def find() -> Optional[SessionSnapshot]:
            snapshots = (session.take_snapshot() for session in self._service.sessions.get_all())
            fitting = (s for s in snapshots if (s.number, s.counter) == (wanted, counter))
            return next(fitting, None)

        def make_message() -> str:
            seen = [session.take_snapshot() for session in self._service.sessions.get_all()]
            return f"no session of {wanted} with counter {counter} after {timeout} s: saw {seen}"

        return self._runtime.wait(find, timeout, make_message)

    def calls(self) -> List[CallRecord]:
        """Return every call since the start, ended calls first."""
        return self._thread.call(self._service.exchange.get_records)

    def received(self, action: Optional[str] = None) -> List[Fields]:
        """Return the received commands, oldest first, without tokens and session ids.

        :param action: selects the commands of one action.
        """
        return self._thread.call(self._received, action)

    def _received(self, action: Optional[str]) -> List[Fields]:
        everything = self._service.received
        return [each for each in everything if action is None or each.get("action") == action]

    def wait_for_action(self, action: str, timeout: float = 5.0, *, count: int = 1) -> Fields:
        """Wait for command number `count` of an action, and return it.

        :param action: its name in the protocol, for example "call".
        :param timeout: seconds.
        :param count: 1 is the first command since the start.
        :raises TimeoutError: fewer commands arrived.
        """
        require_integer(count, "count", 1, MAX_RECEIVED_COMMANDS)

        def find() -> Optional[Fields]:
            commands = self._received(action)
            return commands[count - 1] if len(commands) >= count else None

        def make_message() -> str:
            seen = [each.get("action") for each in self._received(None)]
            return f"no {action!r} number {count} after {timeout} s: saw {seen}"

        return self._runtime.wait(find, timeout, make_message)
