"""A server in its own thread, for callers without an event loop."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import socket
import ssl
import threading
from typing import Any, Awaitable, Callable, List, Optional, TypeVar

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from .sockjs import Endpoint

log = logging.getLogger("keyyo_cti.simulator")

T = TypeVar("T")

CALL_TIMEOUT = 10.0
STOP_TIMEOUT = 2.0
SHUTDOWN_TIMEOUT = 0.2


class Listener:
    """The listening socket, which can also refuse connections or let them wait.

    The server uses a duplicate of the socket. With the duplicate closed, the system still
    completes TCP connections on the original, and the server does not read them.

    :param runner: serves the accepted connections.
    :param host: IPv4 address or name to listen on.
    :param port: port to listen on; 0 takes a free one.
    :param tls: the server's TLS settings; None serves plain TCP.
    """

    def __init__(
        self, runner: web.AppRunner, host: str, port: int, tls: Optional[ssl.SSLContext]
    ) -> None:
        self._runner = runner
        self._host = host
        self.port = port
        self._tls = tls
        self._socket: Optional[socket.socket] = None
        self._duplicate: socket.socket
        self._site: Optional[web.SockSite] = None

    async def accept(self) -> None:
        """Listen and serve; harmless to repeat.

        :raises OSError: the address is not available.
        """
        if self._socket is None:
            self._socket = socket.create_server((self._host, self.port))
            self.port = self._socket.getsockname()[1]
        if self._site is None:
            self._duplicate = self._socket.dup()
            self._site = web.SockSite(self._runner, self._duplicate, ssl_context=self._tls)
            await self._site.start()

    async def hold(self) -> None:
        """Let new connections wait; open ones continue."""
        if self._site is not None:
            # Otherwise asyncio would lose a connection that it is accepting meanwhile.
            asyncio.get_running_loop().remove_reader(self._duplicate)
            await _let_loop_settle()
            await self._site.stop()
            self._site = None

    async def refuse(self) -> None:
        """Refuse new connections; open ones continue."""
        await self.hold()
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _add_nothing(application: web.Application) -> None:
    """Leave the application unchanged."""


class _HttpLogAdapter(logging.LoggerAdapter):  # type: ignore[type-arg]
    """The log of aiohttp, with the errors of clients at level DEBUG.

    A client that sends invalid HTTP or disconnects during a response is not a fault of the server.
    """

    def exception(self, msg: object, *args: object, **kwargs: Any) -> None:
        error = kwargs.get("exc_info")
        if isinstance(error, (HttpProcessingError, web.RequestPayloadError, ConnectionError)):
            self.debug(f"{msg}: %s", *args, type(error).__name__)
        else:
            super().exception(msg, *args, **kwargs)


class ServerThread:
    """A daemon thread that serves a SockJS endpoint.

    :param endpoint: the endpoint to serve.
    :param host: IPv4 address or name to listen on.
    :param port: port to listen on; 0 takes a free one.
    :param tls: the server's TLS settings; None serves plain TCP.
    :param name: of the thread, and of the server in error messages.
    :param extend: adds routes to the endpoint's application.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: Optional[ssl.SSLContext] = None,
        name: str = "keyyo-simulator",
        extend: Callable[[web.Application], None] = _add_nothing,
    ) -> None:
        self._endpoint = endpoint
        self._extend = extend
        self._host = host
        self._port = port
        self._tls = tls
        self._name = name
        self._started: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        # Guards the two flags. Otherwise a caller could submit work to a loop that has ended.
        self._lock = threading.Lock()
        self._start_called = False
        self._running = False
        self._loop: asyncio.AbstractEventLoop
        self._listener: Listener
        self._stopping: asyncio.Event

    @property
    def running(self) -> bool:
        return self._running

    @property
    def base_url(self) -> str:
        """The URL of the endpoint, without a trailing slash.

        :raises RuntimeError: the server was never started.
        """
        return self.origin + self._endpoint.path

    @property
    def origin(self) -> str:
        """The scheme, host and port of every URL of the server.

        :raises RuntimeError: the server was never started.
        """
        if not self._start_called:
            raise RuntimeError(f"{self._name} is not running: call start() first")
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://{self._host}:{self._listener.port}"

    @property
    def listener(self) -> Listener:
        """The listening socket; use it on the loop's thread only."""
        return self._listener

    def start(self) -> None:
        """Start the thread and listen.

        :raises RuntimeError: it was started before.
        :raises OSError: the address is not available.
        :raises TimeoutError: it took too long, because the machine is very busy.
        """
        with self._lock:
            if self._start_called:
                raise RuntimeError(f"{self._name} can be started only once")
            self._start_called = True
        self._thread.start()
        try:
            self._started.result(CALL_TIMEOUT)
        except BaseException as error:
            # Also Ctrl-C. Otherwise the thread would never end.
            if not self._started.cancel():
                self.stop()
            if isinstance(error, concurrent.futures.TimeoutError):
                raise TimeoutError(f"{self._name} did not start in {CALL_TIMEOUT} s") from None
            raise

    def stop(self) -> None:
        """Close every connection and end the thread; harmless to repeat.

        On the loop's own thread it returns without waiting.
        """
        with self._lock:
            if self._running:
                self._running = False
                self._loop.call_soon_threadsafe(self._stopping.set)
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(STOP_TIMEOUT)

    def call(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run `function` on the loop's thread and return its result.

        :raises RuntimeError: the server is not running.
        """
        if threading.current_thread() is self._thread:
            return function(*args, **kwargs)

        async def run() -> T:
            return function(*args, **kwargs)

        return self.wait(run, CALL_TIMEOUT)

    def wait(self, start: Callable[[], Awaitable[T]], timeout: float) -> T:
        """Run the coroutine function `start` on the loop and return its result.

        :param timeout: seconds; the coroutine is cancelled afterwards.
        :raises RuntimeError: the server is not running, or this is the loop's own thread.
        :raises TimeoutError: it took longer than `timeout`.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError(f"the thread of {self._name} cannot wait for itself")

        async def run() -> T:
            return await start()

        with self._lock:
            self._require_running()
            future = asyncio.run_coroutine_threadsafe(run(), self._loop)
        try:
            return future.result(timeout)
        except concurrent.futures.TimeoutError as error:
            future.cancel()
            # Before Python 3.11 this class differs from the built-in TimeoutError.
            message = str(error) or f"{self._name} did not answer in {timeout} s"
            raise TimeoutError(message) from None
        except concurrent.futures.CancelledError:
            raise RuntimeError(f"{self._name} was stopped meanwhile") from None

    def _require_running(self) -> None:
        if not self._running:
            hint = "it has been stopped" if self._start_called else "call start() first"
            raise RuntimeError(f"{self._name} is not running: {hint}")

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if self._started.cancelled():
                return
            if self._started.done():
                raise
            self._started.set_exception(error)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        application = self._endpoint.application()
        self._extend(application)
        runner = web.AppRunner(
            application, access_log=None, logger=_HttpLogAdapter(log, {}),
            handle_signals=False, shutdown_timeout=SHUTDOWN_TIMEOUT)
        await runner.setup()
        self._listener = Listener(runner, self._host, self._port, self._tls)
        try:
            await self._listener.accept()
            self._running = True
            if self._started.set_running_or_notify_cancel():
                self._started.set_result(None)
                await self._stopping.wait()
            self._running = False
        finally:
            await self._listener.refuse()
            for connection in list(self._endpoint.connections):
                connection.drop()
            transports = _get_transports(runner)
            await runner.cleanup()
            for transport in transports:
                # Otherwise TLS would still wait for the peer's close_notify.
                transport.abort()
            await _let_loop_settle()


def _get_transports(runner: web.AppRunner) -> List[asyncio.Transport]:
    assert runner.server is not None  # runner.setup() has created it
    known = (protocol.transport for protocol in runner.server.connections)
    return [transport for transport in known if transport is not None]


async def _let_loop_settle() -> None:
    """Let the loop finish its pending callbacks.

    The loop registers a connection accepted at the last moment, and releases the socket of a
    closed one, only some turns later.
    """
    for _ in range(10):
        await asyncio.sleep(0)
