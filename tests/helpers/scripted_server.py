"""A SockJS server that follows a test's script, over real sockets."""

import json
import ssl
from typing import Any, Callable, Dict, List, Optional

from keyyo_cti.simulator.serving import ServerThread
from keyyo_cti.simulator.sockjs import Connection, Endpoint

from .probe import Record

Answer = Callable[[Connection, Dict[str, Any]], None]


class ScriptedServer:
    """Tells nothing of itself but what ``answer`` tells it to, and keeps what it is sent.

    :param answer: is given each command, on the server's thread.
    :param tls: what callers are met with; None for no TLS.
    :param settings: of the SockJS endpoint.
    """

    def __init__(
        self,
        answer: Optional[Answer] = None,
        tls: Optional[ssl.SSLContext] = None,
        **settings: Any,
    ) -> None:
        self._answer = answer
        self.received = Record()
        self.connections: List[Connection] = []
        self.gone = Record()
        self._thread = ServerThread(Endpoint(self, **settings), tls=tls, name="keyyo-scripted")

    def __enter__(self) -> "ScriptedServer":
        self._thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._thread.stop()

    @property
    def endpoint(self) -> str:
        return self._thread.base_url

    def push(self, *messages: Any) -> None:
        """Sends messages unasked, as JSON in one SockJS frame, on the last connection."""
        texts = [json.dumps(message) for message in messages]
        self._thread.call(lambda: self.connections[-1].send_many(texts))

    def frame(self, frame: Any) -> None:
        """Sends a raw SockJS frame on the last connection."""
        self._thread.call(lambda: self.connections[-1].send_frame(frame))

    def do(self, action: Callable[[Connection], object]) -> None:
        """Does something with the last connection, on the server's thread."""
        self._thread.call(lambda: action(self.connections[-1]))

    # Told by the endpoint.

    def opened(self, connection: Connection) -> None:
        self.connections.append(connection)

    def message(self, connection: Connection, text: str) -> None:
        command = json.loads(text)
        self.received.add(command)
        if self._answer is not None:
            self._answer(connection, command)

    def closed(self, connection: Connection) -> None:
        self.gone.add(connection)


def reply(connection: Connection, command: Dict[str, Any], result: Any = 1) -> None:
    """Answers a command with success."""
    connection.send(json.dumps({"id": command["id"], "result": result}))


def session(connection: Connection, command: Dict[str, Any]) -> None:
    """Answers every command with success, and opens a session to whoever asks."""
    result: Any = 1
    if command["action"] in ("create_session", "restore_session"):
        result = {"number": "33199000001", "now": 1700000000, "session_id": "s-1"}
    reply(connection, command, result)
