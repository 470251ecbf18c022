"""A server that the test plays on the client's own SockJS connections, without sockets.

It can stay silent, hang or drop at any moment of the client. For what goes over a network, use
the simulator or a scripted server.
"""

from __future__ import annotations

import json
import queue
import threading
from typing import Any, Callable, Dict, List, Optional

import pytest

from keyyo_cti import CTI, _sockjs
from keyyo_cti._net.clock import monotonic, monotonic_with_sleep
from keyyo_cti._net.reentrant import Flag
from keyyo_cti._sockjs import Closed, NotOpen, SendProgress
from keyyo_cti._sockjs.errors import LOST, NORMAL

from .probe import PATIENCE, eventually

SESSION = {"number": "33199000001", "now": 1_700_000_000, "session_id": "s-1"}


class PlayedConnection:
    """Stands for a SockJS connection.

    :ivar opens: False if it stays silent.
    :ivar confirms: False if the server does not confirm a close.
    """

    last_silence = silence_ended_at = 0.0
    opens = confirms = True

    def __init__(self, server: PlayedServer, listener: Any, transports: List[str]) -> None:
        self.transport: Optional[str] = None
        self.transports = transports
        self.ended = Flag()
        self.close_begun = Flag()
        self._server, self._listener = server, listener
        self._work: "queue.Queue[Callable[[], object]]" = queue.Queue()
        self._end: Optional[Closed] = None

    def run(self) -> None:
        self._server.running.append(self)
        if self.opens and not self.close_begun.is_set():
            self.transport = self._server.transport
            self._listener.opened()
        while self._end is None:
            # Longer than a test waits for its end.
            self._work.get(timeout=3 * PATIENCE)()
        self.transport = None
        self.silence_ended_at = monotonic_with_sleep()
        self.ended.set()
        self._listener.closed(self._end)

    def send(self, message: str, progress: SendProgress) -> None:
        if self.transport is None:
            raise NotOpen
        progress.begun = True
        command = json.loads(message)
        self._server.sent.append(command)
        reply = self._server.replies.get(command["action"], {"result": 1})
        if reply is not None:
            self.receive({"id": command["id"], **reply})

    def begin_close(self, within: float) -> None:
        self.close_begun.set()
        if self.confirms:
            self.end(NORMAL)

    def finish_close(self, until: float) -> None:
        if not self.ended.wait(max(0.0, until - monotonic())):
            self.end(LOST)

    def silence(self) -> Optional[float]:
        return None

    # By the test.

    def receive(self, message: Dict[str, Any]) -> None:
        self.do(lambda: self._listener.received(json.dumps(message)))

    def do(self, work: Callable[[], object]) -> None:
        """Run something on the thread of the session."""
        self._work.put(work)

    def end(self, code: int = LOST) -> None:
        def end() -> None:
            self._end = Closed(code, "gone")

        self.do(end)


class PlayedServer:
    """What the test plays.

    :ivar replies: action -> the reply; None for no reply, 1 by default.
    :ivar running: the connections that were opened, the newest last.
    :ivar on_new: called with each connection that is made.
    """

    transport = "websocket"

    def __init__(self) -> None:
        self.replies: Dict[str, Optional[Dict[str, Any]]] = {
            "create_session": {"result": SESSION}, "restore_session": {"result": SESSION},
        }
        self.sent: List[Dict[str, Any]] = []
        self.running: List[PlayedConnection] = []
        self.on_new: Callable[[PlayedConnection], object] = lambda connection: None

    def connect(
        self, url: str, listener: object, limits: object, ca_certs: object, clock: object,
        transports: List[str], proxies: object, note: object,
    ) -> PlayedConnection:
        connection = PlayedConnection(self, listener, transports)
        self.on_new(connection)
        return connection

    def refuse(self, action: str, message: str = "Invalid token") -> None:
        self.replies[action] = {"error": {"status_code": 400, "message": message}}

    def actions(self) -> List[str]:
        return [each["action"] for each in self.sent]

    def wait_for(self, action: str, count: int = 1) -> Dict[str, Any]:
        eventually(lambda: self.actions().count(action) >= count)
        return [each for each in self.sent if each["action"] == action][count - 1]


def play_server(monkeypatch: pytest.MonkeyPatch) -> PlayedServer:
    """Connect every client of the test to a server that the test plays."""
    server = PlayedServer()
    monkeypatch.setattr(_sockjs, "Connection", server.connect)
    return server


def drop_with_handler(server: PlayedServer, cti: CTI) -> None:
    """Drop the connection, and wait until a handler of the drop has been called."""
    dropped = threading.Event()
    cti.onDisconnected = dropped.set
    server.running[-1].end()
    assert dropped.wait(PATIENCE)


def end_of(session: Any) -> None:
    """Wait until the thread of a session has ended."""
    session._thread.join(PATIENCE)
    assert not session._thread.is_alive()


def current(cti: Any) -> Any:
    """Return the session of a CTI."""
    return cti._client._sessions.current
