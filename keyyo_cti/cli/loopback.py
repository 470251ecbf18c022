"""The browser comes back to this machine: a web server that waits for one visit."""

import hmac
import ipaddress
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Optional, Tuple, Type
from urllib.parse import parse_qs, urlsplit

#: Seconds between two glances at Ctrl-C, which on Windows does not end a wait on a lock.
_GLANCE = 0.5

#: Seconds that a browser may take to send its request: some open connections in advance.
_REQUEST = 10.0

_PAGE = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>keyyo-cti</title></head>'
    "<body><p>{}</p></body></html>"
)


class Loopback:
    """Waits for the browser at a redirect URI; use it in a ``with`` statement.

    :param redirect_uri: one for which ``serves`` is true.
    :param state: what the visit must bring; another one is somebody else's.
    :raises OSError: the port cannot be had.
    """

    def __init__(self, redirect_uri: str, state: str) -> None:
        host, port = _address(redirect_uri)
        self._visited = threading.Event()
        self._url: Optional[str] = None
        self._server = (_Server6 if ":" in host else _Server)((host, port), _Visit)
        self._server.loopback = self
        self._redirect_uri = redirect_uri
        self._state = state
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="keyyo-cti-loopback", daemon=True
        )

    @staticmethod
    def serves(redirect_uri: str) -> bool:
        """Whether the browser can come back to this machine there."""
        try:
            parts = urlsplit(redirect_uri)
            host, port = _address(redirect_uri)
        except ValueError:
            return False
        return parts.scheme == "http" and port > 0 and _on_this_machine(host)

    def __enter__(self) -> "Loopback":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait(self, timeout: float) -> Optional[str]:
        """The URL that the browser was sent to, or None when it does not come.

        :param timeout: seconds.
        """
        glances = int(timeout / _GLANCE) + 1
        for _ in range(glances):
            if self._visited.wait(min(_GLANCE, timeout)):
                break
        return self._url

    def visit(self, target: str) -> Tuple[int, str]:
        """Takes a request.

        :param target: path and query.
        :returns: the status of the answer, and what it says.
        """
        asked, expected = urlsplit(target), urlsplit(self._redirect_uri)
        answer = parse_qs(asked.query)
        if asked.path != (expected.path or "/"):
            return 404, "There is nothing here."
        state = answer.get("state", [""])[-1]
        if not hmac.compare_digest(state.encode(), self._state.encode()):
            return 400, "This answers another request than that of keyyo-cti login."
        self._url = expected._replace(query=asked.query).geturl()
        self._visited.set()
        if "error" in answer:
            return 200, "keyyo-cti was not let in. You can close this page."
        return 200, "You can close this page, and go on where you typed keyyo-cti login."


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Whoever is slow to send is not waited for in the end.
    block_on_close = False
    loopback: Loopback


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Visit(BaseHTTPRequestHandler):
    timeout = _REQUEST

    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        status, words = self.server.loopback.visit(self.path)
        body = _PAGE.format(words).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: the code is in the request."""


def _address(redirect_uri: str) -> Tuple[str, int]:
    parts = urlsplit(redirect_uri)
    return "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or "", parts.port or 80


def _on_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
