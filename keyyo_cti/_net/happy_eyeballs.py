"""Connects to the first of several addresses that responds (RFC 8305, Happy Eyeballs).

A host may have many addresses, and some of them may drop packets. Each address is tried a quarter
of a second after the previous one, which stays in the race.
"""

import errno
import os
import selectors
import socket
import threading
from collections import OrderedDict, deque
from itertools import chain, zip_longest
from typing import Any, Callable, Deque, Dict, List, Optional, Tuple

from . import process
from .cancellation import CancelToken
from .clock import Monotonic
from .stream import Selector

#: As ``socket.getaddrinfo`` gives it: family, type, protocol, canonical name, socket address.
Address = Tuple[int, int, int, str, Any]

#: Seconds until the next address is tried, as RFC 8305 recommends. Less if the time would not
#: suffice for all addresses.
_ATTEMPT_DELAY = 0.25

#: Maximum number of addresses to try. A name may have thousands, and each needs a descriptor.
_MAX_ADDRESSES = 32

#: Maximum number of remembered hosts.
_MAX_REMEMBERED = 256

_UNDER_WAY = (errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", -1))


def look_up(host: str, port: int, flags: int = 0) -> List[Address]:
    """Return the addresses of a host in the system's order. Cannot be interrupted.

    :raises socket.gaierror: there is none.
    """
    try:
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags))
    except UnicodeError as error:
        raise socket.gaierror(socket.EAI_NONAME, "not a possible name") from error


def interleave(addresses: List[Address]) -> List[Address]:
    """Return the addresses with alternating families, beginning with the first one's.

    Otherwise all addresses of an unreachable family would be tried before the other family.
    """
    families: Dict[int, List[Address]] = {}
    for address in addresses:
        families.setdefault(address[0], []).append(address)
    rounds = chain.from_iterable(zip_longest(*families.values()))
    return [address for address in rounds if address is not None]


class Memory:
    """The address of each host that responded last. Thread-safe."""

    def __init__(self, size: int = _MAX_REMEMBERED) -> None:
        self._size = size
        self.clear()

    def clear(self) -> None:
        """Forget everything, in a child of ``fork`` too, where the lock may be held for good."""
        self._lock = threading.Lock()
        self._answered: "OrderedDict[Tuple[str, int], Tuple[int, Any]]" = OrderedDict()

    def sort(self, host: str, port: int, addresses: List[Address]) -> List[Address]:
        """Return the addresses in the order to try them: first the one that responded last."""
        with self._lock:
            last = self._answered.get((host, port))
        return sorted(interleave(addresses), key=lambda address: _key(address) != last)

    def remember(self, host: str, port: int, address: Address) -> None:
        """Remember the address of a host that responded."""
        with self._lock:
            self._answered[host, port] = _key(address)
            self._answered.move_to_end((host, port))
            if len(self._answered) > self._size:
                self._answered.popitem(last=False)

    def forget(self, host: str, port: int) -> None:
        """Forget the preferred address of a host."""
        with self._lock:
            self._answered.pop((host, port), None)


#: Shared by the process, so that each restore and request first tries the last good address.
memory = Memory()

process.run_in_child(memory.clear)


class Attempts:
    """Pending connections on non-blocking sockets.

    :param cancel_token: ends a wait.
    """

    def __init__(self, cancel_token: CancelToken) -> None:
        self._cancel_token = cancel_token
        self._under_way: Dict[socket.socket, Address] = {}
        # On some systems, shutdown of an unconnected socket does not wake its waiter.
        self._sleeper, self._waker = socket.socketpair()
        self._selector = Selector()
        self._selector.register(self._sleeper, selectors.EVENT_READ)

    def begin(self, address: Address) -> None:
        """Begin to connect.

        :raises OSError: the attempt failed at once.
        """
        family, kind, protocol, _, target = address
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            code = sock.connect_ex(target)
            if code and code not in _UNDER_WAY:
                raise OSError(code, os.strerror(code))
            self._selector.register(sock, selectors.EVENT_WRITE)
        except BaseException:
            sock.close()
            raise
        self._under_way[sock] = address

    def wait(self, seconds: float) -> List[socket.socket]:
        """Wait until some attempts have succeeded or failed, and return their sockets.

        :returns: an empty list after the timeout.
        :raises ConnectionAbortedError: the token was cancelled.
        """
        with self._cancel_token.on_cancel(lambda: self._waker.send(b"!")):
            ready: List[Any] = [key.fileobj for key, _ in self._selector.select(max(0.0, seconds))]
        if self._cancel_token.cancelled:
            raise ConnectionAbortedError("given up")
        return ready

    def end(self, sock: socket.socket) -> Address:
        """Remove a finished attempt, and return its address.

        :raises OSError: the attempt has failed; its socket is closed.
        """
        address = self._under_way.pop(sock)
        self._selector.unregister(sock)
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            sock.close()
            raise OSError(code, os.strerror(code))
        return address

    def close(self) -> None:
        """Close the sockets of the other attempts."""
        self._selector.close()
        for sock in (*self._under_way, self._sleeper, self._waker):
            sock.close()


def connect(
    addresses: List[Address],
    until: float,
    cancel_token: CancelToken,
    clock: Monotonic,
    attempts: Callable[[CancelToken], Attempts] = Attempts,
) -> Tuple[socket.socket, Address]:
    """Return a non-blocking socket to the first address that responds, and the address.

    :param addresses: in the order to try them.
    :param until: monotonic deadline.
    :raises OSError: none responded; the first failure is raised.
    """
    race = _Race(addresses, until, clock)
    under_way = attempts(cancel_token)
    try:
        return race.run(under_way)
    finally:
        under_way.close()


class _Race:
    def __init__(self, addresses: List[Address], until: float, clock: Monotonic) -> None:
        self._left: Deque[Address] = deque(addresses[:_MAX_ADDRESSES])
        self._until = until
        self._clock = clock
        self._running = 0
        self._next_at = clock()
        self._failure: Optional[OSError] = None

    def run(self, attempts: Attempts) -> Tuple[socket.socket, Address]:
        while self._left or self._running:
            self._begin_due(attempts)
            if not self._running:
                continue
            next_at = self._next_at if self._left else self._until
            ready = attempts.wait(min(next_at, self._until) - self._clock())
            for sock in ready:
                self._running -= 1
                try:
                    return sock, attempts.end(sock)
                except OSError as error:
                    self._fail(error)
            if not ready and self._clock() >= self._until:
                raise self._failure or socket.timeout("timed out")
        raise self._failure or OSError("the host has no address")

    def _begin_due(self, attempts: Attempts) -> None:
        """Try the next address if it is due, and further ones while they fail at once."""
        while self._left and self._clock() >= self._next_at:
            now = self._clock()
            share = (self._until - now) / len(self._left)
            self._next_at = now + min(_ATTEMPT_DELAY, max(0.0, share))
            try:
                attempts.begin(self._left.popleft())
                self._running += 1
                return
            except OSError as error:
                self._fail(error)

    def _fail(self, error: OSError) -> None:
        self._failure = self._failure or error
        self._next_at = self._clock()


def _key(address: Address) -> Tuple[int, Any]:
    return address[0], address[4]
