"""A connected socket, plain or TLS, on which no wait lasts for ever."""

import contextlib
import io
import selectors
import socket
import ssl
from collections import deque
from typing import Any, Callable, Deque, NamedTuple, Optional

from . import process
from .cancellation import CancelToken
from .clock import NEVER, Monotonic
from .plain_socket import plain_shutdown
from .reentrant import Turn, new_lock
from .stream_errors import EarlyBytes as EarlyBytes
from .stream_errors import TooLarge as TooLarge
from .stream_errors import WriteFailed as WriteFailed

# poll() takes any descriptor; select() fails above 1023, which a server with many lines reaches.
Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)

_CHUNK_BYTES = 65536

_EARLY = "bytes came before the server was asked for anything, and were not read"


class _Left(NamedTuple):
    """A write that a signal handler, or ``__del__``, has left to the thread it interrupted."""

    data: Any
    until: float


class Stream:
    """A socket as ``http.client`` and ``websocket-client`` use one, with deadlines of its own.

    One thread reads; any thread writes. The socket never blocks: who has to wait does so
    outside of it, because OpenSSL allows one operation at a time on a connection, and a reader
    that waits inside one would keep every writer out, or race with it.

    :ivar heard_at: monotonic time at which the last bytes came, be they half a message.
    :ivar ended: True if the peer has closed it and all it wrote before was read.
    :ivar allowance: bytes that may still be handed out before TooMuch is raised.
    :ivar on_write: is called before anything is written, in the thread that writes.
    """

    def __init__(
        self,
        sock: socket.socket,
        cancel_token: CancelToken,
        write_timeout: float,
        clock: Monotonic,
    ) -> None:
        """Takes over a connected socket that does not block."""
        self._sock = sock
        self._cancel_token = cancel_token
        self._write_timeout = write_timeout
        self._clock = clock
        self._is_tls = isinstance(sock, ssl.SSLSocket)
        self._process = process.current()
        # For TLS alone: a plain socket is read and written at the same time. No thread takes it
        # twice: a write that comes while its thread has it is left for later.
        self._operation = new_lock()
        # Whose turn to write it is, and whether bytes of that write may be out.
        self._turn = Turn()
        self._out = False
        self._left_writes: Deque[_Left] = deque()
        self._buffer = b""
        self._taken = 0
        # Of the thread that reads: what it waits on, and whether there is nothing to read as far
        # as anybody knows, so that to try would be in vain.
        self._readable: Optional[Any] = None
        self._drained = False
        self._broken: Optional[str] = None
        self._files = 0
        self._unwanted = False
        self._read_until = NEVER
        self._read_late = False
        self.last_received_at = clock()
        self.ended = False
        self.bytes_left = NEVER
        self.on_write: Optional[Callable[[], object]] = None
        cancel_token.add(self._shut_down)

    @property
    def read_until(self) -> float:
        """Monotonic time at which a read gives up with ``socket.timeout``. What is there by then
        is still read, once: a peer that never pauses does not get round it."""
        return self._read_until

    @read_until.setter
    def read_until(self, until: float) -> None:
        self._read_until = until
        self._read_late = False

    def expect_silence(self) -> None:
        """Check that no byte waits to be read, before another protocol begins on the stream.

        In every protocol that we speak over a stream, the client speaks first. Otherwise what a
        proxy writes behind its own answer would be read as the server's.

        :raises EarlyBytes: a byte waits, in the buffer or in the socket.
        """
        self._expect_an_empty_buffer()
        with contextlib.suppress(BlockingIOError):
            if self._sock.recv(1, socket.MSG_PEEK):
                raise EarlyBytes(_EARLY)

    def _expect_an_empty_buffer(self) -> None:
        if self._taken < len(self._buffer):
            raise EarlyBytes(_EARLY)

    def secure(self, context: ssl.SSLContext, host: str) -> None:
        """Speaks TLS from here on.

        :param host: the name that the server's certificate must bear.
        :raises EarlyBytes: something was read that no TLS protects, and that nobody has taken.
        :raises OSError: the handshake failed (``ssl.SSLError``) or took too long.
        """
        assert not self._is_tls, "TLS inside TLS"
        # Otherwise it would be taken later, as if TLS had proved that the server wrote it.
        self._expect_an_empty_buffer()
        tls = context.wrap_socket(
            self._sock, server_hostname=host, do_handshake_on_connect=False
        )
        self._sock = tls
        self._is_tls = True
        self._drained = False
        # A pull while wrapping may have found the plain socket already emptied of its descriptor.
        if self._cancel_token.cancelled:
            self._shut_down()
        self._retrying(tls.do_handshake, self.read_until)

    def recv(self, size: int) -> bytes:
        """Up to ``size`` bytes, from one read of the socket for many calls; none at the end.

        :raises socket.timeout: ``read_until`` has come, and what there was is read.
        :raises TooMuch: the allowance is used up.
        """
        self.fill()
        chunk = self._buffer[self._taken : self._taken + size]
        self._taken += len(chunk)
        self.bytes_left -= len(chunk)
        if self.bytes_left < 0:
            raise TooLarge
        return chunk

    def fill(self) -> None:
        """Reads, unless there is something that nobody has taken.

        :raises socket.timeout: as for ``recv``.
        """
        if self._taken == len(self._buffer):
            self._refill()

    def peek(self, start: int, end: int) -> bytes:
        """Those bytes, of the ones that the last read brought and that nobody has taken; fewer,
        when there are not as many."""
        return self._buffer[self._taken + start : self._taken + end]

    def skip(self, size: int) -> None:
        """Takes so many bytes that were seen by ``peek``, whose number is bounded by who looked:
        they are not taken off the allowance."""
        self._taken += size

    def _refill(self) -> None:
        if self._cancel_token.cancelled:
            self._buffer, self._taken = b"", 0
            return
        late = self._clock() >= self._read_until
        if late and self._read_late:
            raise socket.timeout("timed out")
        self._read_late = late
        if self._drained and not self._wait_for_bytes(self._read_until):
            raise socket.timeout("timed out")
        self._buffer = self._retrying(self._recv_some, self._read_until)
        self._taken = 0
        # TLS may have more of it than it gives at once, which nobody can wait for.
        self._drained = len(self._buffer) < _CHUNK_BYTES and not self._is_tls
        if self._buffer:
            self.last_received_at = self._clock()
        elif self._broken:
            raise ConnectionAbortedError(self._broken)
        else:
            self.ended = not self._cancel_token.cancelled

    def sendall(self, data: Any, within: Optional[float] = None) -> None:
        """Writes all of it, and nobody else's bytes in between.

        :param data: bytes.
        :param within: seconds, by default the write time-out.
        :raises WriteFailed: the socket is broken, or full for too long. Nothing more can be
            written then: half a message may be out, and what came next would be its other half.
        """
        until = self._clock() + (self._write_timeout if within is None else within)
        if self._turn._is_owned() or self._operation._is_owned():
            # This is a signal handler, or ``__del__``, in the midst of a frame. The interrupted
            # thread writes it right behind that, or the end of the connection answers for it.
            if self._broken:
                raise WriteFailed(self._broken, begun=False)
            self._left_writes.append(_Left(data, until))
            return
        me = object()
        try:
            self._take_turn(me, until)
            self._write(data, until, me)
        finally:
            self._turn.give_back(me)
            # Behind the end of the turn: what a signal handler brings later finds it free.
            self._write_what_is_left()

    def _write(self, data: Any, until: float, me: object) -> None:
        """Write all of it. In the turn."""
        left = memoryview(data)
        self._out = False
        try:
            if self._broken:
                raise WriteFailed(self._broken, begun=False)
            if self.on_write is not None:
                self.on_write()
            while left:
                left = left[self._retrying(self._send_some, until, left) :]
        except WriteFailed:
            raise
        except OSError as error:
            self._break(f"writing failed: {error}")
            begun = len(left) < len(data) or self._is_tls
            raise WriteFailed(str(error), begun) from error
        except BaseException as error:
            # Ctrl-C, or a signal handler that raises. If half of a message is out, whatever
            # came next would be read as its other half.
            if self._turn.is_of(me) and self._out:
                self._break(f"writing was interrupted: {type(error).__name__}")
            raise

    def _write_what_is_left(self) -> None:
        """Write what signal handlers left, unless another writer is at it, who does so then."""
        me = object()
        try:
            while self._left_writes and self._turn.take(me):
                self._write_left(me)
                self._turn.give_back(me)
        finally:
            self._turn.give_back(me)

    def _write_left(self, me: object) -> None:
        try:
            while self._left_writes:
                data, until = self._left_writes.popleft()
                self._write(data, until, me)
        except WriteFailed as error:
            # Whoever left it is gone. The end of the connection answers for all that is pending.
            self._left_writes.clear()
            self._break(str(error))

    @property
    def broken(self) -> bool:
        """True if a write has failed in the middle, so that nothing can be written any more."""
        return self._broken is not None

    def _break(self, reason: str) -> None:
        self._broken = self._broken or reason
        self._shut_down()

    def _take_turn(self, me: object, until: float) -> None:
        """Waits for the writes of other threads."""
        if not self._turn.take(me, max(0.0, until - self._clock())):
            raise WriteFailed("another thread's write does not end", begun=False)

    def _send_some(self, data: memoryview) -> int:
        """One write to the socket, which notes before it begins that bytes may be out."""
        before, self._out = self._out, True
        try:
            return self._sock.send(data)
        except BlockingIOError:
            self._out = before
            raise

    def _recv_some(self) -> bytes:
        try:
            return self._sock.recv(_CHUNK_BYTES)
        except BrokenPipeError:
            # OpenSSL 3.6 raises it where the peer has left without TLS's own farewell, which
            # Python takes for the end with every older one.
            if not self._is_tls:
                raise
            return b""

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def close(self) -> None:
        """Frees the descriptor, as soon as the last file on it is closed too. Only the thread
        that reads may call it: for another thread there is ``CancelToken.cancel``, which frees no
        descriptor under the reader's feet."""
        self._unwanted = True
        if not self._files and self._sock.fileno() >= 0:
            self._cancel_token.remove(self._shut_down)
            # To close a descriptor wakes nobody who waits on it.
            self._shut_down()
            self._sock.close()
            # Its number may be that of something else by now.
            self._readable, self._drained = None, False

    def _retrying(self, operation: Any, until: float, *arguments: Any) -> Any:
        """The operation's result, waiting outside the lock as often as the socket asks to."""
        while True:
            try:
                if not self._is_tls:
                    return operation(*arguments)
                return self._alone(operation, *arguments)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
                writes = isinstance(error, ssl.SSLWantWriteError) or (
                    isinstance(error, BlockingIOError) and operation == self._send_some
                )
            event = selectors.EVENT_WRITE if writes else selectors.EVENT_READ
            if not self._wait(event, until):
                raise socket.timeout("timed out")

    def _alone(self, operation: Any, *arguments: Any) -> Any:
        """The result of one operation of TLS."""
        try:
            with self._operation:
                return operation(*arguments)
        finally:
            # Of the thread that reads; one that writes does so at the end of its turn.
            if self._left_writes and not self._turn._is_owned():
                self._write_what_is_left()

    def _wait(self, event: int, until: float) -> bool:
        with self._selector(event) as selector:
            return bool(selector.select(self._left(until)))

    def _wait_for_bytes(self, until: float) -> bool:
        """As ``_wait``, for the thread that reads, which does so again and again."""
        if self._readable is None:
            self._readable = self._selector(selectors.EVENT_READ)
        return bool(self._readable.select(self._left(until)))

    def _selector(self, event: int) -> Any:
        selector = Selector()
        try:
            selector.register(self._sock, event)
        except ValueError as error:
            raise ConnectionAbortedError("the connection is closed") from error
        return selector

    def _left(self, until: float) -> Optional[float]:
        return None if until == NEVER else max(0.0, until - self._clock())

    def _shut_down(self) -> None:
        if self._process != process.current():
            return  # It would end the parent's connection.
        try:
            plain_shutdown(self._sock)(socket.SHUT_RDWR)
        except OSError:
            pass  # The peer, or an earlier pull, was first.

    # What http.client and websocket-client ask of a socket beside the above.

    def makefile(self, mode: str, *_: Any) -> io.BufferedReader:
        """For ``http.client``, which reads answers through a file."""
        assert mode == "rb"
        self._files += 1
        return io.BufferedReader(_File(self))

    def file_closed(self) -> None:
        """A file of ``makefile`` is closed. An answer may be read from it after ``http.client``
        has closed the socket, as sockets allow."""
        self._files -= 1
        if self._unwanted:
            self.close()

    def fileno(self) -> int:
        return self._sock.fileno()

    def gettimeout(self) -> None:
        """None: each library is to trust the socket to end its waits, which this one does."""

    def settimeout(self, timeout: Optional[float]) -> None:
        """Nothing: the deadlines of a Stream are set by who owns it."""


class _File(io.RawIOBase):
    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._stream.recv(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._stream.file_closed()
