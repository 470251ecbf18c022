"""The clients of this process, as the test kit sees them.

Only this module reads the private attributes of the SDK.
"""

from __future__ import annotations

from typing import Iterator, List, Optional
from urllib.parse import urlsplit

from .._client import at_exit
from .._client.client import Client
from .._client.dispatch import PolledDispatcher, name_of
from .._client.emitter import Emitter
from .._client.session_state import State
from .._net.clock import monotonic


def find_clients(endpoint: str) -> List[Client]:
    """Return the clients of this process that a program has opened and not closed.

    One that has lost its connection counts as long as the program may be about to open another
    session. Otherwise a rehearsal would start such a program a second time.

    :param endpoint: of a simulator; its port selects the clients.
    """
    port = urlsplit(endpoint).port
    known = [each for each in at_exit.get_known() if isinstance(each, Client)]
    return [
        client for client in known
        if urlsplit(client.endpoint).port == port
        and (client.unclosed() or may_reconnect(client))
    ]


def get_state(client: Client) -> Optional[State]:
    """Return the state of a client's session, or None without one."""
    session = client._sessions.current
    return None if session is None else session.state


def may_reconnect(client: Client) -> bool:
    """Return True if a handler ran for a drop that nothing restores: it may open a session."""
    return any(session.drop_handled for session in list(client._sessions.all))


def has_call_handler(client: Client) -> bool:
    """Return True if the program handles ``newCall``."""
    return bool(client._cti.handlers("newCall"))


def get_emitters(client: Client) -> Iterator[Emitter]:
    """Yield the CTI of a client and its calls."""
    yield client._cti
    yield from client.known_calls()


def is_polled(client: Client) -> bool:
    """Return True if the client's handlers run in ``cti.poll()`` only."""
    return isinstance(client._dispatcher, PolledDispatcher)


def runs_here(client: Client) -> bool:
    """Return True if this thread is running one of the client's handlers."""
    return client._dispatcher.inside()


def name_running(client: Client) -> Optional[str]:
    """Return the name of the handler that is running, or None."""
    running = client._dispatcher.running()
    return None if running is None else name_of(running.function)


def describe_running(client: Client) -> str:
    """Say what a client's handlers do: which one is running and for how long."""
    running = client._dispatcher.running()
    if running is None:
        return (
            f"{client._dispatcher.waiting()} handlers and callbacks wait: no thread runs them, or "
            "they send new commands without end"
        )
    seconds = monotonic() - running.since
    return f"{name_of(running.function)} has been running for {seconds:.0f} s"
