"""The browser comes back to this machine: a web server that waits for one visit.

For programs on a person's own machine, whose redirect URI is on it. A web application has the
browser come back to a page of its own.
"""

import hmac
import ipaddress
import socket
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from types import TracebackType
from typing import Any, Optional, Tuple, Type
from urllib.parse import parse_qs, urlsplit

#: Seconds between two glances at Ctrl-C, which on Windows does not end a wait on a lock.
_GLANCE = 0.5

#: Seconds that a browser may take to send its request: some open connections in advance.
_REQUEST = 10.0

OK, BAD_REQUEST, NOT_FOUND = HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND

_PAGE = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Signing in</title></head>'
    "<body><p>{}</p></body></html>"
)


class Loopback:
    """Waits for the browser at a redirect URI; use it in a ``with`` statement::

        url, state = oauth2.authorization_url()
        with Loopback(redirect_uri, state) as loopback:
            webbrowser.open(url)
            brought = loopback.wait(300)
        account.sign_in(brought, state)

    Source: OAuth2 of Keyyo; RFC 8252, section 7.3.

    :param redirect_uri: one for which ``serves`` is true, such as
        ``http://127.0.0.1:8080/callback``.
    :param state: what the visit must bring; another one is somebody else's, and is sent away.
    :raises ValueError: the redirect URI is not on this machine.
    :raises OSError: the port cannot be had.
    """

    def __init__(self, redirect_uri: str, state: str) -> None:
        if not self.serves(redirect_uri):
            raise ValueError("redirect_uri: expected http, on a loopback address, with a port")
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
        """The URL that the browser was sent to, for ``OAuth2.exchange`` or ``Account.sign_in``;
        None when it does not come.

        :param timeout: seconds.
        """
        until = time.monotonic() + timeout
        while not self._visited.is_set() and time.monotonic() < until:
            self._visited.wait(max(0.0, min(_GLANCE, until - time.monotonic())))
        return self._url if self._visited.is_set() else None

    def answered(self) -> None:
        """The page of the visit is out: now the program may end."""
        self._visited.set()

    def visit(self, target: str) -> Tuple[HTTPStatus, str]:
        """Takes a request.

        :param target: path and query.
        :returns: the status of the answer, and what it says.
        """
        asked, expected = urlsplit(target), urlsplit(self._redirect_uri)
        answer = parse_qs(asked.query)
        if asked.path != (expected.path or "/"):
            return NOT_FOUND, "There is nothing here."
        state = answer.get("state", [""])[-1]
        if not hmac.compare_digest(state.encode(), self._state.encode()):
            return BAD_REQUEST, "This answers another request than the one that is waited for."
        self._url = expected._replace(query=asked.query).geturl()
        if "error" in answer:
            return OK, "The program was not let in. You can close this page."
        return OK, "You can close this page, and go back to the program."


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Whoever is slow to send is not waited for in the end.
    block_on_close = False
    # On Windows, another program could listen at the same port.
    allow_reuse_address = sys.platform != "win32"
    # A browser opens several connections at once.
    request_queue_size = 64
    loopback: Loopback

    def server_bind(self) -> None:
        # HTTPServer's own looks its name up, for which some networks take long.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a browser that hangs up is no news."""


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Visit(BaseHTTPRequestHandler):
    timeout = _REQUEST

    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        loopback = self.server.loopback
        status, words = loopback.visit(self.path)
        try:
            self._answer(status, words)
        finally:
            if status == OK:
                loopback.answered()

    def _answer(self, status: HTTPStatus, words: str) -> None:
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
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
    return host, 80 if parts.port is None else parts.port


def _on_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
