"""Proxies that others have written, each in a process of its own, and what they tell of us."""

from __future__ import annotations

import os
from typing import List, Optional
from urllib.parse import quote

import pytest

from .running import Running

USER = "me"

#: With all that has to be percent-encoded in an address.
PASSWORD = "canary-p@ss:w/rd%41"

# Python 3.14 begins processes in another way, which an argument of "-c" does not survive.
_HTTP = """
import multiprocessing, sys
multiprocessing.set_start_method("fork")
import proxy
with proxy.Proxy(sys.argv[1:]) as running:
    print(f"Serving on 127.0.0.1:{running.flags.port} by http", flush=True)
    sys.stdin.read()
"""

# Since Python 3.14 a program has no event loop before it makes one.
_SOCKS5 = """
import asyncio
asyncio.set_event_loop(asyncio.new_event_loop())
from pproxy.server import main
main()
"""


class RealProxy:
    """A proxy on loopback; use it in a ``with`` statement.

    :param kind: ``"http"`` is proxy.py, ``"socks5"`` is pproxy.
    :param secret: whether it lets nobody through but USER with PASSWORD.
    :ivar log: the lines that it has written and that were read so far.
    """

    def __init__(self, kind: str, secret: bool = False) -> None:
        self.kind = kind
        self._credentials = f"{USER}:{PASSWORD}" if secret else ""
        self._running = Running("-u", *(self._http() if kind == "http" else self._socks5()))
        # What proxy.py writes of itself goes to stderr.
        self._stream = "err" if kind == "http" else "out"
        self.log: List[str] = []
        self.port = 0

    def __enter__(self) -> RealProxy:
        self._running.__enter__()
        serving = self._running.until("Serving on")
        self.port = int(serving.split("127.0.0.1:")[1].split()[0])
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends it, and reads the rest of its log. Can be called more than once."""
        running, stdin = self._running, self._running.process.stdin
        if running.process.poll() is None and self.kind == "http":
            # It has a process of its own to end.
            assert stdin is not None
            stdin.close()
            running.end()
        running.__exit__()
        if not self.log or self.log[-1] != "":
            self.log += [*running.rest(self._stream), ""]

    def address(self, password: Optional[str] = None) -> str:
        """Its URL, with its own user name and password or with another password."""
        user = ""
        if self._credentials:
            user = f"{USER}:{quote(password or PASSWORD, safe='')}@"
        return f"{self.kind}://{user}127.0.0.1:{self.port}"

    def wait_for_connections(self, port: int, count: int) -> None:
        """Reads its log until it has told of so many connections to a port."""
        while self.connections(port) < count:
            self.log.append(self._running.until("", self._stream))

    def connections(self, port: int) -> int:
        """Of how many connections to a port the lines read so far tell."""
        target = f"{'CONNECT' if self.kind == 'http' else '->'} 127.0.0.1:{port}"
        return sum(f"{line} ".find(f"{target} ") >= 0 for line in self.log)

    def _http(self) -> List[str]:
        options = ["--hostname", "127.0.0.1", "--port", "0", "--num-acceptors", "1",
                   "--num-workers", "1", "--log-level", "DEBUG",
                   # By itself it ends a connection that is idle for 10 s.
                   "--timeout", "60"]
        return ["-c", _HTTP, *options,
                *(["--basic-auth", self._credentials] if self._credentials else [])]

    def _socks5(self) -> List[str]:
        # It would remember whoever has given the password once.
        own = f"#{self._credentials}" if self._credentials else ""
        return ["-c", _SOCKS5, "-v", "--auth", "0", "-l", f"socks5://127.0.0.1:0{own}"]


def forget_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes the proxies, and the certificate authorities, of whoever runs the tests away."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
