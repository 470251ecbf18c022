"""Keeps the name of a SockJS session from the libraries that speak HTTP."""

from typing import Any

from .._net.stream import Stream

#: Stands for the session's name in what these libraries know, log and put into their errors.
PLACEHOLDER = "session"

#: How the requests begin that name a session.
_METHODS = (b"POST ", b"GET ")


class NamedStream:
    """A stream that puts the session's name into each request as it is written.

    :param name: it commands a telephone, and urllib3's log and the trace of websocket-client
        show each path.
    """

    def __init__(self, stream: Stream, name: str) -> None:
        self._stream = stream
        self._path = f"/{PLACEHOLDER}/".encode("ascii")
        self._named = f"/{name}/".encode("ascii")

    def sendall(self, data: Any) -> None:
        # A request's head is written at once.
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
