"""The thread that sends messages over HTTP, by one request after another."""

from collections import deque
from typing import Deque, List, NamedTuple

import requests

from .._net.clock import NEVER
from .._net.connect import Connector
from .._net.reentrant import Section, Wakeup
from .._net.stream import Stream, WriteFailed
from . import frames
from .errors import LOST, SockJSError
from .http_status import make_status_error
from .transport import SendProgress, TransportConfig, open_stream
from .xhr_pipe import MAX_PIPE_BYTES, Pipe
from .xhr_response import make_not_sockjs_error
from .xhr_worker import NO_THREAD, Worker

#: Bytes of the response to a post, with its headers.
_MAX_RESPONSE_BYTES = 262_144

#: Seconds after which an idle connection is not used again. Servers close it after five or more,
#: and the outcome of a message that crosses the close is unknown.
_REUSE_TIMEOUT = 3.0


class _Outgoing(NamedTuple):
    message: str
    progress: SendProgress


class Sender(Worker):
    """The sender thread: posts all queued messages in order, one request at a time."""

    name = "keyyo-cti-sender"

    def __init__(
        self, config: TransportConfig, connector: Connector, url: str, pipe: Pipe
    ) -> None:
        super().__init__(config, connector, url, pipe)
        self._changed = Wakeup()
        # Changed in the section only.
        self._section = Section()
        self._waiting: Deque[_Outgoing] = deque()
        self._size = 0
        self._busy = False
        self._finishing = False
        self._over = False
        # Used by the sender thread only: the messages under way, and since when it is idle.
        self._batch: List[_Outgoing] = []
        self._idle_since = -NEVER
        self._answers_204 = False
        self._session: requests.Session

    def send(self, message: str, progress: SendProgress) -> None:
        """Queue a message.

        :raises WriteFailed: the queue stays full, or the connection is closed.
        """
        outgoing = _Outgoing(message, progress)
        try:
            self._put(outgoing)
        except WriteFailed:
            raise
        except BaseException:
            # Ctrl-C, or a signal handler that raised: for the caller, it was not sent.
            self._take_back(outgoing)
            raise

    def _put(self, outgoing: _Outgoing) -> None:
        room = self._changed.wait_for(
            lambda: self._size < MAX_PIPE_BYTES or self._over, self._config.write_timeout
        )
        if not room:
            raise WriteFailed("the server does not take what is sent", begun=False)
        refused: List[WriteFailed] = []

        def work() -> None:
            if self._over or self._finishing:
                refused.append(WriteFailed("the connection is closed", begun=False))
                return
            try:
                if self._thread.ident is None:
                    self._thread.start()
            except RuntimeError as error:
                # The connection is useless then. Otherwise the caller of each command would get a
                # RuntimeError.
                refused.append(WriteFailed(NO_THREAD, begun=False))
                refused[0].__cause__ = error
                return
            outgoing.progress.queued = True
            self._waiting.append(outgoing)
            self._size += len(outgoing.message)
            self._changed.notify_all()

        # Deferred work cannot refuse the message: the end of the connection completes it.
        self._section.run(work)
        if refused:
            raise refused[0]

    def _take_back(self, outgoing: _Outgoing) -> None:
        def work() -> None:
            if outgoing in self._waiting:
                self._waiting.remove(outgoing)
                self._size = sum(len(each.message) for each in self._waiting)
            elif outgoing.progress.queued:
                outgoing.progress.begun = True

        self._section.run(work)

    def finish(self) -> None:
        """Send the queued messages, then end the connection."""
        self._section.run(self._finish)

    def _finish(self) -> None:
        self._finishing = True
        self._changed.notify_all()
        if not self._waiting and not self._busy:
            self._pipe.end(SockJSError(LOST, "Closed"))

    def stop(self) -> None:
        """Send nothing more."""
        self._over = True
        self._changed.notify_all()

    def _run(self) -> None:
        super()._run()
        self.stop()

    def _open_stream(self) -> Stream:
        until = self._config.clock() + self._config.write_timeout
        self._stream = open_stream(self._connector, until, _MAX_RESPONSE_BYTES)
        self._stream.on_write = self._depart
        return self._stream

    def _depart(self) -> None:
        for outgoing in self._batch:
            outgoing.progress.begun = True

    def _work(self, session: requests.Session) -> None:
        self._session = session
        while self._take():
            self._post(session)
        if self._finishing:
            self._pipe.end(SockJSError(LOST, "Closed"))

    def _take(self) -> bool:
        """Wait for messages, and take all queued ones.

        :returns: True if there is something to post.
        """
        self._busy = False
        if not self._changed.wait_for(self._wanted, _REUSE_TIMEOUT):
            # Frees the idle connection here and at the server.
            self._session.close()
            self._changed.wait_for(self._wanted)
        if self._over:
            return False
        self._section.run(self._take_batch)
        self._changed.notify_all()
        return self._busy

    def _take_batch(self) -> None:
        self._batch = list(self._waiting)
        self._waiting.clear()
        self._size = 0
        self._busy = bool(self._batch)

    def _wanted(self) -> bool:
        return bool(self._waiting) or self._finishing or self._over

    def _post(self, session: requests.Session) -> None:
        now = self._config.clock()
        if now - self._idle_since > _REUSE_TIMEOUT:
            session.close()
        else:
            assert self._stream is not None, "the last request went over it"
            self._stream.read_until = now + self._config.write_timeout
            self._stream.bytes_left = _MAX_RESPONSE_BYTES
        body = frames.encode([outgoing.message for outgoing in self._batch])
        with session.post(
            self._url,
            data=body.encode("ascii"),
            headers={
                "Accept-Encoding": "identity",
                "Content-Type": "text/plain;charset=UTF-8",
            },
            stream=True,
            allow_redirects=False,
        ) as response:
            # To the end, so that the connection can be used again.
            said: bytes = response.raw.read(_MAX_RESPONSE_BYTES)
        self._idle_since = self._config.clock()
        self._judge(response, said)

    def _judge(self, response: requests.Response, said: bytes) -> None:
        """Check that the server accepted the messages.

        :raises SockJSError: it did not. Otherwise a login page would swallow commands, which
            would time out one by one.
        """
        if response.status_code == 204:
            self._answers_204 = True
        elif response.status_code != 200:
            raise make_status_error("Sending error http status", response)
        elif self._answers_204 or _is_page(response.headers.get("Content-Type", ""), said):
            # Old servers respond 200, but never 204.
            raise make_not_sockjs_error("Sending error")


def _is_page(content_type: str, said: bytes) -> bool:
    """Return True if this is not the body of an old server's 200: nothing, or a word."""
    if said.strip().lower() in (b"", b"ok"):
        return False
    return bool(content_type) or said.lstrip()[:1] in (b"<", b"{")
