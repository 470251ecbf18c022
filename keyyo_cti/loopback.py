"""Loopback: a web server on this machine that receives the browser's redirect.

It is for programs on a person's own machine, with a redirect URI on it. A web application
receives the redirect on a page of its own.
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

#: Seconds between two checks for Ctrl-C, which does not interrupt a lock's wait on Windows.
_POLL_INTERVAL = 0.5

#: Seconds for a browser to send its request: some open connections in advance.
_REQUEST_TIMEOUT = 10.0

#: The addresses of localhost. A browser tries both, so a program that listens on either of them
#: could receive the code.
_LOCALHOST = ("127.0.0.1", "::1")

#: Errors of an address that this machine does not have, so that no program can listen on it.
_NO_SUCH_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)

OK, BAD_REQUEST, NOT_FOUND = HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND

_PAGE = (
    '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Signing in</title></head>'
    "<body><p>{}</p></body></html>"
)


class Loopback:
    """Receives the browser's redirect; use it in a ``with`` statement::

        url, state = oauth2.authorization_url()
        with Loopback(redirect_uri, state) as loopback:
            loopback.open_browser(url)
            brought = loopback.wait(300)
        account.sign_in(brought, state)

    Source: OAuth2 of Keyyo; RFC 8252, section 7.3.

    :param redirect_uri: a URI accepted by ``serves``, such as
        ``http://127.0.0.1:8080/callback``.
    :param state: the state that the redirect must contain; a redirect with another is rejected.
    :raises ValueError: the redirect URI is not on this machine.
    :raises OSError: the port is not free, for ``localhost`` at each of its addresses. Do not sign
        in then: the program on that port would receive the code.
    """

    def __init__(self, redirect_uri: str, state: str) -> None:
        if not self.serves(redirect_uri):
            raise ValueError("redirect_uri: expected http, on a loopback address, with a port")
        self._visited = threading.Event()
        self._url: Optional[str] = None
        self._redirect_uri = redirect_uri
        self._state = state
        self._pages = contextlib.ExitStack()
        self._server = _Servers(self, *_split_addresses(redirect_uri))

    @staticmethod
    def serves(redirect_uri: str) -> bool:
        """Return True if a redirect URI is on this machine, with http and a port."""
        try:
            parts = urlsplit(redirect_uri)
            hosts, port = _split_addresses(redirect_uri)
        except ValueError:
            return False
        return parts.scheme == "http" and port > 0 and all(map(_is_on_this_machine, hosts))

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
        """Open a URL in the user's browser, through a file that only this user can read.

        So the URL and its state are in no list of processes. The browser inherits the environment:
        remove a client secret from it first. The file is deleted at the end of the with statement.

        :param url: the URL from ``OAuth2.authorization_url``.
        :returns: False if the file could not be written; the browser is not opened then.
        """
        try:
            page = self._pages.enter_context(private_page(url))
        except OSError:
            return False
        open_in_background(page)
        return True

    def wait(self, timeout: float) -> Optional[str]:
        """Wait for the redirect.

        :param timeout: maximum seconds.
        :returns: the URL for ``OAuth2.exchange`` or ``Account.sign_in``; None after the timeout.
        """
        until = monotonic() + timeout
        while not self._visited.is_set() and monotonic() < until:
            self._visited.wait(max(0.0, min(_POLL_INTERVAL, until - monotonic())))
        return self._url if self._visited.is_set() else None

    def answered(self) -> None:
        """Note that the page was sent, so that the program may end."""
        self._visited.set()

    def visit(self, target: str) -> Tuple[HTTPStatus, str]:
        """Handle a request.

        :param target: path and query of the request.
        :returns: the status and the text of the response.
        """
        asked, expected = urlsplit(target), urlsplit(self._redirect_uri)
        answer = parse_qs(asked.query)
        if asked.path != (expected.path or "/"):
            return NOT_FOUND, "There is nothing here."
        state = answer.get("state", [""])[-1]
        if not hmac.compare_digest(state.encode(), self._state.encode()):
            return BAD_REQUEST, "This answers another request than the program is waiting for."
        self._url = expected._replace(query=asked.query).geturl()
        if "error" in answer:
            return OK, "The program was not authorized. You can close this page."
        return OK, "You can close this page, and go back to the program."


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Otherwise a slow browser would delay the end.
    block_on_close = False
    # On Windows, another program could otherwise listen on the same port.
    allow_reuse_address = sys.platform != "win32"
    # A browser opens several connections at once.
    request_queue_size = 64
    loopback: Loopback

    def server_bind(self) -> None:
        exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)
        if exclusive is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, exclusive, 1)
        # HTTPServer would look up its own name, which takes long on some networks.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore the error: a browser that disconnects is no news."""


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Servers:
    """Listens on every address that this machine has, or on none.

    :raises OSError: one of the ports is not free.
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
    timeout = _REQUEST_TIMEOUT

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
        """Log nothing: the request contains the code."""


def _split_addresses(redirect_uri: str) -> Tuple[Tuple[str, ...], int]:
    """Return the hosts and the port to listen on."""
    parts = urlsplit(redirect_uri)
    hosts = _LOCALHOST if parts.hostname == "localhost" else (parts.hostname or "",)
    return hosts, 80 if parts.port is None else parts.port


def _is_on_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
