"""The browser comes back to this machine: a web server that waits for one visit.

For programs on a person's own machine, whose redirect URI is on it. A web application has the
browser come back to a page of its own.
"""

import contextlib
import errno
import hmac
import ipaddress
import socket
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from types import TracebackType
from typing import Any, List, Optional, Tuple, Type
from urllib.parse import parse_qs, urlsplit

from ._net.clock import monotonic
from ._oauth2.browser import open_in_background, private_page

#: Seconds between two glances at Ctrl-C, which on Windows does not end a wait on a lock.
_GLANCE = 0.5

#: Seconds that a browser may take to send its request: some open connections in advance.
_REQUEST = 10.0

#: The addresses of localhost. A browser tries both, so that one that another program listens at
#: would give it the code.
_LOCALHOST = ("127.0.0.1", "::1")

#: Errors of an address that this machine does not have, so that no program can listen there.
_NO_SUCH_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)

OK, BAD_REQUEST, NOT_FOUND = HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND

_PAGE = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Signing in</title></head>'
    "<body><p>{}</p></body></html>"
)


class Loopback:
    """Waits for the browser at a redirect URI; use it in a ``with`` statement::

        url, state = oauth2.authorization_url()
        with Loopback(redirect_uri, state) as loopback:
            loopback.open_browser(url)
            brought = loopback.wait(300)
        account.sign_in(brought, state)

    Source: OAuth2 of Keyyo; RFC 8252, section 7.3.

    :param redirect_uri: one for which ``serves`` is true, such as
        ``http://127.0.0.1:8080/callback``.
    :param state: what the visit must bring; another one is somebody else's, and is sent away.
    :raises ValueError: the redirect URI is not on this machine.
    :raises OSError: the port cannot be had; for ``localhost``, at each address that it stands for.
        Do not sign in then: the program that has the port would get the code.
    """

    def __init__(self, redirect_uri: str, state: str) -> None:
        if not self.serves(redirect_uri):
            raise ValueError("redirect_uri: expected http, on a loopback address, with a port")
        self._visited = threading.Event()
        self._url: Optional[str] = None
        self._redirect_uri = redirect_uri
        self._state = state
        self._pages = contextlib.ExitStack()
        self._server = _Servers(self, *_addresses(redirect_uri))

    @staticmethod
    def serves(redirect_uri: str) -> bool:
        """True if the browser can come back to this machine there."""
        try:
            parts = urlsplit(redirect_uri)
            hosts, port = _addresses(redirect_uri)
        except ValueError:
            return False
        return parts.scheme == "http" and port > 0 and all(map(_on_this_machine, hosts))

    def __enter__(self) -> "Loopback":
        self._server.start()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._pages.close()
        self._server.stop()

    def open_browser(self, url: str) -> bool:
        """Open the user's browser on a URL, by a file that only this user can read.

        The URL, with its state, is thus in no list of processes. The browser inherits the
        environment: take a client secret out of it before. The file is removed at the end of the
        with statement.

        :param url: what ``OAuth2.authorization_url`` gave.
        :returns: False if there is no place for the file. The browser is not opened then.
        """
        try:
            page = self._pages.enter_context(private_page(url))
        except OSError:
            return False
        open_in_background(page)
        return True

    def wait(self, timeout: float) -> Optional[str]:
        """The URL that the browser was sent to, for ``OAuth2.exchange`` or ``Account.sign_in``;
        None when it does not come.

        :param timeout: seconds.
        """
        until = monotonic() + timeout
        while not self._visited.is_set() and monotonic() < until:
            self._visited.wait(max(0.0, min(_GLANCE, until - monotonic())))
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
        exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)
        if exclusive is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, exclusive, 1)
        # HTTPServer's own looks its name up, for which some networks take long.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a browser that hangs up is no news."""


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Servers:
    """Listens at each host that this machine has, or at none.

    :raises OSError: one of them cannot be had.
    """

    def __init__(self, loopback: Loopback, hosts: Tuple[str, ...], port: int) -> None:
        self._servers: List[_Server] = []
        self._threads: List[threading.Thread] = []
        missing: Optional[OSError] = None
        try:
            for host in hosts:
                try:
                    self._add(loopback, host, port)
                except OSError as error:
                    if error.errno not in _NO_SUCH_ADDRESS:
                        raise
                    missing = error
            if missing is not None and not self._servers:
                raise missing
        except BaseException:
            self.server_close()
            raise

    def _add(self, loopback: Loopback, host: str, port: int) -> None:
        server = (_Server6 if ":" in host else _Server)((host, port), _Visit)
        server.loopback = loopback
        self._servers.append(server)

    def start(self) -> None:
        for server in self._servers:
            thread = threading.Thread(
                target=server.serve_forever, args=(0.05,), name="keyyo-cti-loopback", daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        for server, thread in zip(self._servers, self._threads):
            server.shutdown()
            thread.join()
        self.server_close()

    def server_close(self) -> None:
        for server in self._servers:
            server.server_close()


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


def _addresses(redirect_uri: str) -> Tuple[Tuple[str, ...], int]:
    """The hosts and the port to listen at."""
    parts = urlsplit(redirect_uri)
    hosts = _LOCALHOST if parts.hostname == "localhost" else (parts.hostname or "",)
    return hosts, 80 if parts.port is None else parts.port


def _on_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
