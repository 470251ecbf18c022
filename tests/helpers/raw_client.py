"""SockJS clients that return every frame and tolerate no error."""

from __future__ import annotations

import itertools
import json
from collections import deque
from typing import Any, Deque, Dict, List, Optional

import websocket

TIMEOUT = 30.0


class Talker:
    """Speaks CTI over something that carries frames."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._inbox: Deque[Any] = deque()
        self.notified: List[Dict[str, Any]] = []

    def close(self) -> None:
        """End TCP; harmless to repeat."""
        raise NotImplementedError

    def frame(self) -> str:
        """Return the next frame."""
        raise NotImplementedError

    def send_text(self, text: str) -> None:
        """Send a frame as it is."""
        raise NotImplementedError

    def message(self) -> Any:
        """Return the next message, decoded, and skip heartbeats."""
        while not self._inbox:
            frame = self.frame()
            if frame != "h":
                assert frame[:1] == "a", f"expected messages, got {frame!r}"
                self._inbox.extend(json.loads(text) for text in json.loads(frame[1:]))
        return self._inbox.popleft()

    def send(self, *messages: Any) -> None:
        """Send messages in one frame."""
        self.send_text(json.dumps([json.dumps(message) for message in messages]))

    def command(self, action: str, **fields: Any) -> int:
        """Send a command and give its id."""
        number = next(self._ids)
        self.send({"action": action, "id": number, **fields})
        return number

    def reply(self, number: int) -> Dict[str, Any]:
        """Return the reply to command `number`; add earlier notifications to `notified`."""
        while True:
            message = self.message()
            if message.get("id") == number:
                return dict(message)
            self.notified.append(message["call"])

    def ask(self, action: str, **fields: Any) -> Dict[str, Any]:
        """Send a command and wait for its reply."""
        return self.reply(self.command(action, **fields))

    def call(self) -> Dict[str, Any]:
        """Return the next notified call."""
        if self.notified:
            return self.notified.pop(0)
        message = self.message()
        assert message["notify"] == "call"
        return dict(message["call"])

    def create_session(self, token: str, **fields: Any) -> str:
        """Open a session and give its id."""
        return str(self.ask("create_session", token=token, **fields)["result"]["session_id"])


class RawClient(Talker):
    """One websocket below a SockJS endpoint.

    :param endpoint: the base URL.
    :param opened: True waits for the opening frame.
    :param settings: for ``websocket.create_connection``.
    """

    def __init__(self, endpoint: str, *, opened: bool = True, **settings: Any) -> None:
        super().__init__()
        url = endpoint.replace("http", "ws", 1) + "/000/abcdefgh/websocket"
        # Any: websocket-client leaves some of its methods untyped.
        self.socket: Any = websocket.create_connection(url, **{"timeout": TIMEOUT, **settings})
        if opened:
            assert self.frame() == "o"

    def close(self) -> None:
        """End TCP, without the closing handshake; harmless to repeat."""
        self.socket.shutdown()

    def frame(self) -> str:
        """Return the next text frame; "" once the websocket is closed."""
        return str(self.socket.recv())

    def frame_or_end(self) -> str:
        """Return the next text frame; "" also after TCP ended without a close frame."""
        try:
            return self.frame()
        except (OSError, websocket.WebSocketException):
            return ""

    def send_text(self, text: str) -> None:
        self.socket.send(text)


def outcome(reply: Dict[str, Any]) -> Any:
    """Return the result of a reply, or the status and message of its error."""
    error: Optional[Dict[str, Any]] = reply.get("error")
    return (error["status_code"], error["message"]) if error else reply["result"]
