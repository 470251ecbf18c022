"""Connecting to a server: name look-up, TCP, a proxy and TLS, under one deadline."""

import concurrent.futures
import contextlib
import socket
import threading
from functools import partial
from typing import Callable, Iterator, List, Mapping, Optional, Tuple, TypeVar

from .cancellation import CancelToken
from .clock import NEVER, Monotonic
from .failures import describe_failure
from .happy_eyeballs import Address, connect, look_up, memory
from .proxy import Proxy, ProxyFailed, connect_by_socks, open_tunnel, select_proxy
from .stream import EarlyBytes, Stream
from .tls import find_authorities, get_tls_context
from .urls import Origin, is_loopback

_T = TypeVar("_T")


class ConnectFailed(Exception):
    """A stream to the server cannot be opened.

    Not an OSError, because urllib3 would wrap it.

    :ivar reason: the phase that failed, and why.
    :ivar cause: the error behind it.
    """

    def __init__(self, reason: str, cause: BaseException) -> None:
        super().__init__(reason)
        self.reason = reason
        self.cause = cause


class Connector:
    """A source of streams to one server.

    :param origin: the server.
    :param ca_certs: file of the trusted certificate authorities; None for those of the
        environment (REQUESTS_CA_BUNDLE, SSL_CERT_FILE), else certifi's.
    :param cancel_token: cancels an opening, and every open stream.
    :param write_timeout: seconds for a write on a stream. The answer of a proxy has no timeout
        of its own: the deadline of ``open`` holds for it.
    :param proxies: see ``proxy.select_proxy``. For http to this machine, none is used.
    """

    def __init__(
        self,
        origin: Origin,
        ca_certs: Optional[str],
        cancel_token: CancelToken,
        write_timeout: float,
        clock: Monotonic,
        proxies: Optional[Mapping[str, Optional[str]]] = None,
    ) -> None:
        self._origin = origin
        self._proxies = proxies
        self._ca_certs = ca_certs
        self._cancel_token = cancel_token
        self._write_timeout = write_timeout
        self._clock = clock
        self._parent: Optional[CancelToken] = None
        # The host and port of the last stream's peer: the server, or a proxy.
        self._reached: Optional[Tuple[str, int]] = None

    def make_child(self) -> "Connector":
        """Return a connector to the same server, whose streams can be ended separately."""
        child = Connector(
            self._origin,
            self._ca_certs,
            CancelToken(),
            self._write_timeout,
            self._clock,
            self._proxies,
        )
        child._parent = self._cancel_token
        self._cancel_token.add(child._cancel_token.cancel)
        return child

    def end(self) -> None:
        """End every stream of a child, and open no more. Can be called more than once."""
        self._cancel_token.cancel()
        parent, self._parent = self._parent, None
        if parent is not None:
            parent.remove(self._cancel_token.cancel)

    def open(self, until: float, bytes_left: float = NEVER) -> Stream:
        """Return a new stream.

        :param until: monotonic deadline of the opening, and of reads until it is changed.
        :param bytes_left: bytes that may be read, until it is changed.
        :raises ConnectFailed: its reason names the phase.
        """
        self._reached = None
        try:
            stream = self._open(until)
        except ConnectFailed:
            self.distrust()
            raise
        stream.bytes_left = bytes_left
        return stream

    def distrust(self) -> None:
        """Forget the address of the last stream, because its machine was useless.

        Otherwise a machine that accepts connections, but never responds, would always be tried
        first.
        """
        if self._reached is not None and not self._cancel_token.cancelled:
            memory.forget(*self._reached)

    def _open(self, until: float) -> Stream:
        host, port, secure = self._origin
        where = f"{host}:{port}"
        context = None
        if secure:
            # Before anything is connected, so that a failure leaves nothing open.
            with self._during("reading the certificate authorities"):
                context = get_tls_context(find_authorities(self._ca_certs))
        with self._during("choosing a proxy"):
            proxy = self._proxy()
        if proxy is None:
            with self._during(f"looking up {host}"):
                addresses = self._addresses_of_the_server(until)
            with self._during(f"connecting to {where}"):
                stream = self._connect(host, port, addresses, until)
        else:
            with self._during(f"connecting to {where} by way of the proxy {proxy}", by=proxy):
                stream = self._reach_by(proxy, until)
        if context is not None:
            with self._during(f"TLS handshake with {where}", stream):
                stream.secure(context, host)
        return stream

    @property
    def _stays_here(self) -> bool:
        """True if the traffic is not encrypted, and must not leave this machine."""
        return not self._origin.secure and is_loopback(self._origin.host)

    def _proxy(self) -> Optional[Proxy]:
        return None if self._stays_here else select_proxy(_url(self._origin), self._proxies)

    def _addresses_of_the_server(self, until: float) -> List[Address]:
        addresses = self._look_up(self._origin.host, self._origin.port, until)
        if self._stays_here:
            # A resolver may know another localhost, for example in a search domain.
            addresses = [each for each in addresses if is_loopback(each[4][0])]
            if not addresses:
                raise OSError("the name does not lead to this machine")
        return addresses

    @contextlib.contextmanager
    def _during(
        self, phase: str, stream: Optional[Stream] = None, by: Optional[Proxy] = None
    ) -> Iterator[None]:
        """Name the phase that fails, and close the stream.

        :param by: the proxy of this phase.
        """
        try:
            yield
        except BaseException as error:
            if stream is not None:
                stream.close()
            if not isinstance(error, (OSError, concurrent.futures.CancelledError)):
                raise
            reason = describe_failure(error, self._cancel_token)
            own = by is None or isinstance(error, EarlyBytes)
            cause = error if own else ProxyFailed(reason)
            raise ConnectFailed(f"{phase}: {reason}", cause) from error

    def _reach_by(self, proxy: Proxy, until: float) -> Stream:
        """Return a stream to the server through a proxy."""
        if proxy.socks:
            stream = self._reach_by_socks(proxy, until)
        else:
            addresses = self._look_up(proxy.host, proxy.port, until)
            stream = self._connect(proxy.host, proxy.port, addresses, until)
        try:
            if not proxy.socks:
                open_tunnel(stream, proxy, self._origin)
            stream.expect_silence()
        except BaseException:
            stream.close()
            raise
        return stream

    def _reach_by_socks(self, proxy: Proxy, until: float) -> Stream:
        timeout = min(max(0.001, until - self._clock()), threading.TIMEOUT_MAX)
        sock = self._run_apart(
            partial(connect_by_socks, proxy, self._origin, timeout), until, "keyyo-cti-socks"
        )
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._stream(sock, until)

    def _look_up(self, host: str, port: int, until: float) -> List[Address]:
        try:
            return look_up(host, port, socket.AI_NUMERICHOST)
        except socket.gaierror:
            return self._run_apart(
                partial(look_up, host, port), until, "keyyo-cti-resolver"
            )

    def _run_apart(self, work: Callable[[], _T], until: float, name: str) -> _T:
        """Return the outcome of work that has no timeout, such as the system's name look-up.

        A separate thread does the work. After the deadline, it continues and ends by itself.
        """
        if self._cancel_token.cancelled:
            raise ConnectionAbortedError("given up")
        future: "concurrent.futures.Future[_T]" = concurrent.futures.Future()
        thread = threading.Thread(target=_complete, args=(future, work), name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            # For example while the interpreter shuts down.
            raise OSError(str(error)) from error
        with self._cancel_token.on_cancel(future.cancel):
            try:
                return future.result(max(0.0, until - self._clock()))
            except concurrent.futures.TimeoutError:
                if future.cancel():
                    raise socket.timeout("timed out") from None
                return future.result()

    def _connect(self, host: str, port: int, addresses: List[Address], until: float) -> Stream:
        """Connect to the first address that responds, beginning with the last good one."""
        in_order = memory.sort(host, port, addresses)
        sock, address = connect(in_order, until, self._cancel_token, self._clock)
        try:
            # A command is one small write: it must not wait for the ACK of the one before.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            sock.close()
            raise
        if len(addresses) > 1:
            memory.remember(host, port, address)
        self._reached = host, port
        return self._stream(sock, until)

    def _stream(self, sock: socket.socket, until: float) -> Stream:
        stream = Stream(sock, self._cancel_token, self._write_timeout, self._clock)
        stream.read_until = until
        return stream


def _complete(future: "concurrent.futures.Future[_T]", work: Callable[[], _T]) -> None:
    try:
        outcome = work()
    except BaseException as error:
        with contextlib.suppress(concurrent.futures.InvalidStateError):
            future.set_exception(error)
        return
    try:
        future.set_result(outcome)
    except concurrent.futures.InvalidStateError:
        # Its waiter has given up.
        if isinstance(outcome, socket.socket):
            outcome.close()


def _url(origin: Origin) -> str:
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    return f"http{'s' if origin.secure else ''}://{host}:{origin.port}"
