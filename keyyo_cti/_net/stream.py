"""A connected socket, plain or TLS, whose every wait has a deadline."""

import contextlib
import io
import selectors
import socket
import ssl
from collections import deque
from typing import Any, Callable, Deque, NamedTuple, Optional, Tuple

from . import process
from .cancellation import CancelToken
from .clock import NEVER, Monotonic
from .plain_socket import plain_shutdown
from .readable import Wait, make_wait
from .reentrant import Turn, new_lock
from .stream_errors import EarlyBytes as EarlyBytes
from .stream_errors import TooLarge as TooLarge
from .stream_errors import WriteFailed as WriteFailed
from .stream_file import StreamFile

# poll() takes any descriptor; select() fails above 1023, which a server with many lines reaches.
Selector = getattr(selectors, "PollSelector", selectors.SelectSelector)

_CHUNK_BYTES = 65536

_CLOSED = "the connection is closed"
_EARLY = "bytes came before the server was asked for anything, and were not read"


class _DeferredWrite(NamedTuple):
    """A write that a signal handler, or ``__del__``, leaves to the interrupted thread."""

    data: Any
    until: float


class Stream:
    """A socket for ``http.client`` and ``websocket-client``, with deadlines of its own.

    One thread reads; any thread writes. The socket is non-blocking, and threads wait outside of
    its operations. Otherwise a reader that waits in OpenSSL, which allows one operation at a
    time, would block every writer.

    :ivar last_received_at: monotonic time of the last bytes, which may be half a message.
    :ivar ended: True if the peer has closed the connection, and all its bytes are read.
    :ivar bytes_left: bytes that may be read before TooLarge is raised.
    :ivar on_write: called before each write, in the thread that writes.
    """

    def __init__(
        self,
        sock: socket.socket,
        cancel_token: CancelToken,
        write_timeout: float,
        clock: Monotonic,
    ) -> None:
        """Take over a connected non-blocking socket."""
        self._sock = sock
        self._cancel_token = cancel_token
        self._write_timeout = write_timeout
        self._clock = clock
        self._is_tls = isinstance(sock, ssl.SSLSocket)
        self._process = process.current()
        # For TLS only: a plain socket can be read and written at the same time. A write of a
        # signal handler on a thread that has the lock is deferred.
        self._operation = new_lock()
        # The turn to write, and whether bytes of the current write may have left.
        self._turn = Turn()
        self._partly_sent = False
        self._deferred_writes: Deque[_DeferredWrite] = deque()
        self._buffer = b""
        self._consumed = 0
        # Used by the reader only: its wait, and whether the socket was empty at the last read, so
        # that another read would fail.
        self._readable: Optional[Wait] = None
        self._drained = False
        self._broken: Optional[str] = None
        self._files = 0
        self._unwanted = False
        self._read_until = NEVER
        self._read_late = False
        self.last_received_at = self._tried_at = clock()
        self.ended = False
        self.bytes_left = NEVER
        self.on_write: Optional[Callable[[], object]] = None
        cancel_token.add(self._shut_down)

    @property
    def read_until(self) -> float:
        """Monotonic time at which reads raise ``socket.timeout``.

        Bytes that are available by then are still read, but only once. Otherwise a peer that
        never pauses would evade the deadline.
        """
        return self._read_until

    @read_until.setter
    def read_until(self, until: float) -> None:
        self._read_until = until
        self._read_late = False

    def expect_silence(self) -> None:
        """Check that no byte is available, before another protocol begins on the stream.

        In every protocol over a stream, the client speaks first. Otherwise bytes that a proxy
        writes after its response would be read as the server's.

        :raises EarlyBytes: a byte is available, in the buffer or in the socket.
        """
        self._expect_an_empty_buffer()
        with contextlib.suppress(BlockingIOError):
            if self._sock.recv(1, socket.MSG_PEEK):
                raise EarlyBytes(_EARLY)

    def _expect_an_empty_buffer(self) -> None:
        if self._consumed < len(self._buffer):
            raise EarlyBytes(_EARLY)

    def secure(self, context: ssl.SSLContext, host: str) -> None:
        """Switch to TLS.

        :param host: the name that the server's certificate must have.
        :raises EarlyBytes: the buffer contains bytes from before TLS.
        :raises OSError: the handshake failed (``ssl.SSLError``) or took too long.
        """
        assert not self._is_tls, "TLS inside TLS"
        # Otherwise unprotected bytes would be read as if TLS had authenticated them.
        self._expect_an_empty_buffer()
        tls = context.wrap_socket(
            self._sock, server_hostname=host, do_handshake_on_connect=False
        )
        self._sock = tls
        self._is_tls = True
        self._drained = False
        # A cancel during the wrapping may have found the plain socket without its descriptor.
        if self._cancel_token.cancelled:
            self._shut_down()
        self._retrying(tls.do_handshake, self.read_until)

    def recv(self, size: int) -> bytes:
        """Return at most ``size`` bytes, none at EOF. One read of the socket serves many calls.

        :raises socket.timeout: ``read_until`` has passed, and the available bytes are read.
        :raises TooLarge: ``bytes_left`` is exceeded.
        """
        self.fill()
        chunk = self._buffer[self._consumed : self._consumed + size]
        self._consumed += len(chunk)
        self.bytes_left -= len(chunk)
        if self.bytes_left < 0:
            raise TooLarge
        return chunk

    def fill(self) -> None:
        """Read from the socket, unless the buffer contains bytes.

        :raises socket.timeout: as for ``recv``.
        """
        if self._consumed == len(self._buffer):
            self._refill()

    def peek(self) -> Tuple[bytes, int]:
        """Return the buffer, without a copy, and the offset of its first unconsumed byte."""
        return self._buffer, self._consumed

    def skip(self, size: int) -> None:
        """Consume bytes that ``peek`` returned, without counting them in ``bytes_left``.

        The caller limits their number.
        """
        self._consumed += size

    def _refill(self) -> None:
        if self._cancel_token.cancelled:
            self._buffer, self._consumed = b"", 0
            return
        late = self._clock() >= self._read_until
        if late and self._read_late:
            raise socket.timeout("timed out")
        self._read_late = late
        if self._drained and not self._wait_for_bytes(self._read_until):
            raise socket.timeout("timed out")
        self._buffer = self._retrying(self._recv_some, self._read_until)
        self._consumed = 0
        # TLS may buffer more bytes than one read returns, and no selector shows them.
        self._drained = len(self._buffer) < _CHUNK_BYTES and not self._is_tls
        if self._buffer:
            self.last_received_at = self._tried_at
        elif self._broken:
            raise ConnectionAbortedError(self._broken)
        else:
            self.ended = not self._cancel_token.cancelled

    def sendall(self, data: Any, within: Optional[float] = None) -> None:
        """Write all bytes, without those of another thread in between.

        :param data: bytes.
        :param within: seconds, by default the write timeout.
        :raises WriteFailed: the socket is broken, or full for too long. No more writes are
            possible, because they would complete half a message.
        """
        until = self._clock() + (self._write_timeout if within is None else within)
        if self._turn._is_owned() or self._operation._is_owned():
            # This is a signal handler, or ``__del__``, within a write. The interrupted thread
            # writes the data afterwards, or the end of the connection completes the command.
            if self._broken:
                raise WriteFailed(self._broken, begun=False)
            self._deferred_writes.append(_DeferredWrite(data, until))
            return
        me = object()
        try:
            self._take_turn(me, until)
            self._write(data, until, me)
        finally:
            self._turn.give_back(me)
            # After the end of the turn: a later signal handler finds the turn free.
            if self._deferred_writes:
                self._write_deferred()

    def _write(self, data: Any, until: float, me: object) -> None:
        """Write all bytes. The caller holds the turn."""
        left = memoryview(data)
        self._partly_sent = False
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
            # Ctrl-C, or a signal handler that raised. If half of a message has left, the next
            # write would complete it.
            if self._turn.is_of(me) and self._partly_sent:
                self._break(f"writing was interrupted: {type(error).__name__}")
            raise

    def _write_deferred(self) -> None:
        """Write the data of signal handlers, unless another thread is writing and does so."""
        me = object()
        try:
            while self._deferred_writes and self._turn.take(me):
                self._drain_deferred(me)
                self._turn.give_back(me)
        finally:
            self._turn.give_back(me)

    def _drain_deferred(self, me: object) -> None:
        try:
            while self._deferred_writes:
                data, until = self._deferred_writes.popleft()
                self._write(data, until, me)
        except WriteFailed as error:
            # The signal handler has returned. The end of the connection completes its command.
            self._deferred_writes.clear()
            self._break(str(error))

    @property
    def broken(self) -> bool:
        """True if a write was incomplete, so that no more writes are possible."""
        return self._broken is not None

    def _break(self, reason: str) -> None:
        self._broken = self._broken or reason
        self._shut_down()

    def _take_turn(self, me: object, until: float) -> None:
        """Wait for the writes of other threads."""
        if not self._turn.take(me, max(0.0, until - self._clock())):
            raise WriteFailed("another thread's write does not end", begun=False)

    def _send_some(self, data: memoryview) -> int:
        """Write once to the socket, and record before that bytes may have left."""
        before, self._partly_sent = self._partly_sent, True
        try:
            return self._sock.send(data)
        except BlockingIOError:
            self._partly_sent = before
            raise

    def _recv_some(self) -> bytes:
        # Before the read: other threads may run for a while before it returns. Bytes that arrive
        # meanwhile would look as if they had been read.
        self._tried_at = self._clock()
        try:
            return self._sock.recv(_CHUNK_BYTES)
        except BrokenPipeError:
            # OpenSSL 3.6 raises it if the peer left without close_notify. With older versions,
            # Python reports EOF.
            if not self._is_tls:
                raise
            return b""

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def close(self) -> None:
        """Free the descriptor, as soon as the last file on it is closed too.

        For the reader only. Other threads use ``CancelToken.cancel``, which does not free the
        descriptor while the reader uses it.
        """
        self._unwanted = True
        if not self._files and self._sock.fileno() >= 0:
            self._cancel_token.remove(self._shut_down)
            # Closing a descriptor does not wake its waiters.
            self._shut_down()
            self._sock.close()
            # The system may reuse the descriptor's number.
            self._readable, self._drained = None, False

    def _retrying(self, operation: Any, until: float, *arguments: Any) -> Any:
        """Return the operation's result; wait outside the lock as often as the socket blocks."""
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
        """Return the result of one TLS operation."""
        try:
            with self._operation:
                return operation(*arguments)
        finally:
            # For the reader; a writer does so at the end of its turn.
            if self._deferred_writes and not self._turn._is_owned():
                self._write_deferred()

    def _wait(self, event: int, until: float) -> bool:
        with self._selector(event) as selector:
            return bool(selector.select(self._seconds_left(until)))

    def _wait_for_bytes(self, until: float) -> bool:
        """Wait as ``_wait``, in a way that the reader keeps."""
        if self._readable is None:
            try:
                self._readable = make_wait(self._sock)
            except ValueError as error:
                raise ConnectionAbortedError(_CLOSED) from error
        return self._readable(self._seconds_left(until))

    def _selector(self, event: int) -> Any:
        selector = Selector()
        try:
            selector.register(self._sock, event)
        except ValueError as error:
            raise ConnectionAbortedError(_CLOSED) from error
        return selector

    def _seconds_left(self, until: float) -> Optional[float]:
        return None if until == NEVER else max(0.0, until - self._clock())

    def _shut_down(self) -> None:
        if self._process != process.current():
            return  # It would end the parent's connection.
        try:
            plain_shutdown(self._sock)(socket.SHUT_RDWR)
        except OSError:
            pass  # The peer, or an earlier cancel, was first.

    # The other methods of sockets that http.client and websocket-client use.

    def makefile(self, mode: str, *_: Any) -> io.BufferedReader:
        """Return a file, through which ``http.client`` reads responses."""
        assert mode == "rb"
        self._files += 1
        return io.BufferedReader(StreamFile(self.recv, self._file_closed))

    def _file_closed(self) -> None:
        # As with sockets, http.client may read a response from a file after it closed the socket.
        self._files -= 1
        if self._unwanted:
            self.close()

    def fileno(self) -> int:
        return self._sock.fileno()

    def gettimeout(self) -> None:
        """Return None, so that the libraries leave the deadlines to the stream."""

    def settimeout(self, timeout: Optional[float]) -> None:
        """Do nothing: the owner of the stream sets its deadlines."""
