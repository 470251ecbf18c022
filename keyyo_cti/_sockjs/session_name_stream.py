"""A stream that hides the name of a SockJS session from the HTTP libraries."""

from typing import Any

from .._net.stream import Stream

#: In place of the session's name in the URLs that these libraries log and put into errors.
PLACEHOLDER = "session"

#: The beginnings of requests with a session's name.
_METHODS = (b"POST ", b"GET ")


class SessionNameStream:
    """A stream that inserts the session's name into each request as it is written.

    :param name: a secret, which gives control of a telephone. Otherwise urllib3's log and the
        trace of websocket-client would show it.
    """

    def __init__(self, stream: Stream, name: str) -> None:
        self._stream = stream
        self._path = f"/{PLACEHOLDER}/".encode("ascii")
        self._named = f"/{name}/".encode("ascii")

    def sendall(self, data: Any) -> None:
        # The head of a request comes in one piece.
        if bytes(data[:5]).startswith(_METHODS):
            line, end, rest = bytes(data).partition(b"\r\n")
            before, found, after = line.rpartition(self._path)
            data = (before + self._named + after if found else line) + end + rest
        self._stream.sendall(data)

    def send(self, data: Any) -> int:
        self.sendall(data)
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
