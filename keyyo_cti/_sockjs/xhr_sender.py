"""The thread that sends over HTTP, by one request after another."""

from collections import deque
from typing import Deque, List, NamedTuple

import requests

from .._net.clock import NEVER
from .._net.connect import Route
from .._net.reentrant import Section, Wakeup
from .._net.stream import Stream, WriteFailed
from . import frames
from .errors import LOST, SockJSError
from .http_status import bad_status
from .transport import Departure, Setting, open_stream
from .xhr_answer import not_sockjs
from .xhr_pipe import BACKLOG, Pipe
from .xhr_worker import NO_THREAD, Worker

#: Bytes of an answer to what was sent, with its headers.
_LONGEST_ANSWER = 262_144

#: Seconds after which an idle connection is not used again. Servers close them after five or
#: more, and a message that meets the closing is lost: whether it was heard, nobody knows.
_REUSED_WITHIN = 3.0


class _Outgoing(NamedTuple):
    message: str
    departure: Departure


class Sender(Worker):
    """Posts messages in order, with one request under way. What comes meanwhile leaves together
    with the next."""

    name = "keyyo-cti-sender"

    def __init__(self, setting: Setting, route: Route, url: str, pipe: Pipe) -> None:
        super().__init__(setting, route, url, pipe)
        self._changed = Wakeup()
        # Changed in the section alone.
        self._section = Section()
        self._waiting: Deque[_Outgoing] = deque()
        self._size = 0
        self._busy = False
        self._finishing = False
        self._over = False
        # Of the thread's own: what is under way, and since when its connection is idle.
        self._batch: List[_Outgoing] = []
        self._idle_since = -NEVER
        self._answers_204 = False
        self._session: requests.Session

    def send(self, message: str, departure: Departure) -> None:
        """Takes a message.

        :raises WriteFailed: it is not taken, because too much waits or nothing is sent any more.
        """
        outgoing = _Outgoing(message, departure)
        try:
            self._put(outgoing)
        except WriteFailed:
            raise
        except BaseException:
            # Ctrl-C, or a signal handler that raises: the caller takes it for not sent.
            self._take_back(outgoing)
            raise

    def _put(self, outgoing: _Outgoing) -> None:
        room = self._changed.wait_for(
            lambda: self._size < BACKLOG or self._over, self._setting.write_timeout
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
                # The connection is of no use then. Otherwise the caller of each command would get
                # an exception of Python's in place of an answer.
                refused.append(WriteFailed(NO_THREAD, begun=False))
                refused[0].__cause__ = error
                return
            outgoing.departure.queued = True
            self._waiting.append(outgoing)
            self._size += len(outgoing.message)
            self._changed.notify_all()

        # Deferred, it cannot be refused; the end of the connection answers for it.
        self._section.run(work)
        if refused:
            raise refused[0]

    def _take_back(self, outgoing: _Outgoing) -> None:
        def work() -> None:
            if outgoing in self._waiting:
                self._waiting.remove(outgoing)
                self._size = sum(len(each.message) for each in self._waiting)
            elif outgoing.departure.queued:
                outgoing.departure.begun = True

        self._section.run(work)

    def finish(self) -> None:
        """Sends what waits, and then ends the connection."""
        self._section.run(self._finish)

    def _finish(self) -> None:
        self._finishing = True
        self._changed.notify_all()
        if not self._waiting and not self._busy:
            self._pipe.end(SockJSError(LOST, "Closed"))

    def stop(self) -> None:
        """Sends nothing more."""
        self._over = True
        self._changed.notify_all()

    def _run(self) -> None:
        super()._run()
        self.stop()

    def _open_stream(self) -> Stream:
        until = self._setting.clock() + self._setting.write_timeout
        self._stream = open_stream(self._route, until, _LONGEST_ANSWER)
        self._stream.on_write = self._depart
        return self._stream

    def _depart(self) -> None:
        for outgoing in self._batch:
            outgoing.departure.begun = True

    def _work(self, session: requests.Session) -> None:
        self._session = session
        while self._take():
            self._post(session)
        if self._finishing:
            self._pipe.end(SockJSError(LOST, "Closed"))

    def _take(self) -> bool:
        """Whether there is something to post; all that waits, in one request."""
        self._busy = False
        if not self._changed.wait_for(self._wanted, _REUSED_WITHIN):
            # Of no more use, here or at the server.
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
        now = self._setting.clock()
        if now - self._idle_since > _REUSED_WITHIN:
            session.close()
        elif self._stream is not None:
            self._stream.read_until = now + self._setting.write_timeout
            self._stream.allowance = _LONGEST_ANSWER
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
            # To its end, so that the connection can serve again.
            said: bytes = response.raw.read(_LONGEST_ANSWER)
        self._idle_since = self._setting.clock()
        self._judge(response, said)

    def _judge(self, response: requests.Response, said: bytes) -> None:
        """Check that the server took what was posted.

        :raises SockJSError: it did not. Otherwise a login page would swallow commands, which
            would time out one by one.
        """
        if response.status_code == 204:
            self._answers_204 = True
        elif response.status_code != 200:
            raise bad_status("Sending error http status", response)
        elif self._answers_204 or _is_page(response.headers.get("Content-Type", ""), said):
            # Old servers answer 200, and then they always do.
            raise not_sockjs("Sending error")


def _is_page(content_type: str, said: bytes) -> bool:
    """True if this is not what an old server says with its 200: nothing, or a word."""
    if said.strip().lower() in (b"", b"ok"):
        return False
    return bool(content_type) or said.lstrip()[:1] in (b"<", b"{")
