"""The HTTP transports: a request that receives, again and again, and beside it one that sends.

For networks that let no websocket through. A thread reads what is received, so that the thread
that runs the connection can keep its deadlines; another one posts what is sent, because a program
that sends must not wait for an answer.
"""

import threading
from collections import deque
from typing import Any, ClassVar, Deque, List, NamedTuple, Optional

import requests
import urllib3

from ..clock import NEVER, Monotonic
from . import frames, http, urls
from .errors import LOST, TOO_BIG, SockJSError, Unreadable
from .route import Route, describe
from .stream import Stream, TooMuch, WriteFailed
from .transport import Departure, Setting, Transport

_CHUNK = 65536

#: Bytes that wait to be read, or to be sent, before who brings more has to wait.
_BACKLOG = 1 << 20

#: Bytes of an answer to what was sent, with its headers.
_LONGEST_ANSWER = 262_144

#: Seconds after which an idle connection is not used again. Servers close them after five or
#: more, and a message that meets the closing is lost: whether it was heard, nobody knows.
_REUSED_WITHIN = 3.0

#: Seconds that a thread has to end, once all that it could wait for has been ended.
_END = 1.0

_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError)


class XhrTransport(Transport):
    """What the two HTTP transports have in common, which is nearly all."""

    #: Servers send a heartbeat every 25 s, and cannot be asked for one.
    least_patience = 60.0

    #: The last part of the URL that receives.
    path: ClassVar[str]

    def __init__(self, setting: Setting) -> None:
        session = urls.session_name()
        self._route = setting.route.branch()
        self._pipe = _Pipe(setting.clock)
        self._receiver = _Receiver(
            setting,
            self._route,
            urls.transport(setting.base_url, setting.server, session, self.path),
            self._pipe,
        )
        self._sender = _Sender(
            setting,
            self._route,
            urls.transport(setting.base_url, setting.server, session, "xhr_send"),
            self._pipe,
        )

    @property
    def heard_at(self) -> float:
        return self._receiver.heard_at

    def open(self, until: float) -> None:
        self._receiver.start(until)

    def receive(self, until: float) -> Optional[str]:
        line = self._pipe.take(until)
        if line is None:
            return None
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Unreadable("a frame that is not UTF-8") from error

    def send(self, message: str, departure: Departure) -> None:
        self._sender.send(message, departure)

    def probe(self) -> None:
        """Nothing: there is no request that makes a server send something."""

    def say_goodbye(self) -> None:
        # These transports have no goodbye. What was sent before is to arrive all the same.
        self._sender.finish()

    def discard(self) -> None:
        self._route.end()
        self._pipe.discard()
        self._sender.stop()
        self._receiver.join()
        self._sender.join()


class XhrStreamingTransport(XhrTransport):
    """Frames come in one long answer, which is asked for anew when it ends."""

    name = "xhr-streaming"
    path = "xhr_streaming"


class XhrPollingTransport(XhrTransport):
    """Each answer has what there is, and the next request waits for more."""

    name = "xhr-polling"
    path = "xhr"


class _Pipe:
    """What was received, on its way to the thread that runs the connection."""

    def __init__(self, clock: Monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._lines: Deque[bytes] = deque()
        self._size = 0
        self._end: Optional[SockJSError] = None
        self._unwanted = False

    def put(self, lines: List[bytes]) -> bool:
        """Takes lines, as soon as there is room.

        :returns: whether to go on asking, which is so until the very end: a server notices that
            we leave only when a request of ours is cut off.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._size < _BACKLOG or self._end is not None)
            self._lines.extend(lines)
            self._size += sum(map(len, lines))
            self._changed.notify_all()
            return not self._unwanted

    def discard(self) -> None:
        """Nobody takes anything any more."""
        with self._changed:
            self._unwanted = True
            self._end = self._end or SockJSError(LOST, "The transport was discarded")
            self._changed.notify_all()

    def end(self, error: SockJSError) -> None:
        """Nothing more comes; the first reason counts."""
        with self._changed:
            self._end = self._end or error
            self._changed.notify_all()

    def take(self, until: float) -> Optional[bytes]:
        """The next line, or None when that monotonic time has come first.

        :raises SockJSError: there is none, and none will come.
        """
        with self._changed:
            if not self._lines and self._end is None:
                timeout = min(max(0.0, until - self._clock()), threading.TIMEOUT_MAX)
                self._changed.wait_for(lambda: self._lines or self._end is not None, timeout)
            if self._lines:
                line = self._lines.popleft()
                self._size -= len(line)
                self._changed.notify_all()
                return line
            if self._end is not None:
                raise self._end
            return None


class _Worker:
    """A thread that asks the server, over streams of its own.

    :param setting: of the transport.
    :param route: opens its streams.
    :param url: what it asks.
    :param pipe: is told of its failure.
    """

    name: ClassVar[str]

    def __init__(self, setting: Setting, route: Route, url: str, pipe: _Pipe) -> None:
        self._setting = setting
        self._route = route
        self._url = url
        self._pipe = pipe
        self._stream: Optional[Stream] = None
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)

    def join(self) -> None:
        """Waits for the thread, if it has begun."""
        if self._thread.ident is not None:
            self._thread.join(_END)

    def _run(self) -> None:
        try:
            with http.session(self._open_stream) as session:
                # One jar for all: a server may tell its machines apart by a cookie.
                session.cookies = self._setting.cookies
                self._work(session)
        except SockJSError as error:
            self._pipe.end(error)
        except TooMuch as error:
            self._pipe.end(SockJSError(LOST, "Connection lost: an endless answer", error))
        except _ERRORS as error:
            self._pipe.end(SockJSError(LOST, f"Connection lost: {_words(error)}", error))

    def _work(self, session: requests.Session) -> None:
        raise NotImplementedError

    def _open_stream(self) -> Stream:
        raise NotImplementedError


class _Receiver(_Worker):
    """Asks for frames, one request at a time: a second one would be refused."""

    name = "keyyo-cti-receiver"

    def __init__(self, setting: Setting, route: Route, url: str, pipe: _Pipe) -> None:
        super().__init__(setting, route, url, pipe)
        self._heard_at = setting.clock()
        self._open_until = NEVER

    @property
    def heard_at(self) -> float:
        """Monotonic time of the last bytes."""
        stream = self._stream
        return self._heard_at if stream is None else max(self._heard_at, stream.heard_at)

    def start(self, until: float) -> None:
        """Begins to ask.

        :param until: monotonic time by which a first answer must begin.
        """
        self._open_until = until
        self._thread.start()

    def _open_stream(self) -> Stream:
        until = min(self._open_until, self._setting.clock() + self._setting.write_timeout)
        if self._stream is not None:
            self._heard_at = self._stream.heard_at
        self._stream = self._route.open(until)
        # From here on, liveness sees to the silence.
        self._stream.read_until = self._open_until
        return self._stream

    def _work(self, session: requests.Session) -> None:
        while self._poll(session):
            pass

    def _poll(self, session: requests.Session) -> bool:
        """One request; whether there is to be another."""
        with session.post(
            self._url,
            headers={"Accept-Encoding": "identity"},
            stream=True,
            allow_redirects=False,
        ) as response:
            if response.status_code != 200:
                raise SockJSError(LOST, f"The server answers with status {response.status_code}")
            self._open_until = NEVER
            if self._stream is not None:
                self._stream.read_until = NEVER
            return self._read(response.raw)

    def _read(self, body: Any) -> bool:
        """Hands each frame over as it comes; what is not complete at the end is none."""
        rest = bytearray()
        count = 0
        while True:
            data = body.read1(_CHUNK)
            if not data:
                break
            rest += data
            if b"\n" in data:
                *lines, rest = rest.split(b"\n")
                count += len(lines)
                if not self._pipe.put([bytes(line) for line in lines]):
                    return False
            if len(rest) > self._setting.max_message_size:
                raise SockJSError(
                    TOO_BIG, f"A message of more than {self._setting.max_message_size} bytes"
                )
        if not count:
            # Else a server that answers nothing would be asked without a pause.
            raise SockJSError(LOST, "Connection lost: an answer without a frame")
        return True


class _Outgoing(NamedTuple):
    message: str
    departure: Departure


class _Sender(_Worker):
    """Posts messages in order, with one request under way. What comes meanwhile leaves together
    with the next."""

    name = "keyyo-cti-sender"

    def __init__(self, setting: Setting, route: Route, url: str, pipe: _Pipe) -> None:
        super().__init__(setting, route, url, pipe)
        self._changed = threading.Condition()
        # Guarded by it.
        self._waiting: Deque[_Outgoing] = deque()
        self._size = 0
        self._busy = False
        self._finishing = False
        self._over = False
        # Of the thread's own: what is under way, and since when its connection is idle.
        self._batch: List[_Outgoing] = []
        self._idle_since = -NEVER

    def send(self, message: str, departure: Departure) -> None:
        """Takes a message.

        :raises WriteFailed: it is not taken, because too much waits or nothing is sent any more.
        """
        with self._changed:
            room = self._changed.wait_for(
                lambda: self._size < _BACKLOG or self._over, self._setting.write_timeout
            )
            if self._over or self._finishing:
                raise WriteFailed("the connection is closed", begun=False)
            if not room:
                raise WriteFailed("the server does not take what is sent", begun=False)
            self._waiting.append(_Outgoing(message, departure))
            self._size += len(message)
            self._changed.notify_all()
            if self._thread.ident is None:
                self._thread.start()

    def finish(self) -> None:
        """Sends what waits, and then ends the connection."""
        with self._changed:
            self._finishing = True
            self._changed.notify_all()
            idle = not self._waiting and not self._busy
        if idle:
            self._pipe.end(SockJSError(LOST, "Closed"))

    def stop(self) -> None:
        """Sends nothing more."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _run(self) -> None:
        super()._run()
        self.stop()

    def _open_stream(self) -> Stream:
        until = self._setting.clock() + self._setting.write_timeout
        self._stream = self._route.open(until, _LONGEST_ANSWER)
        self._stream.on_write = self._depart
        self._stream.read_until = until
        return self._stream

    def _depart(self) -> None:
        for outgoing in self._batch:
            outgoing.departure.begun = True

    def _work(self, session: requests.Session) -> None:
        while self._take():
            self._post(session)
        if self._finishing:
            self._pipe.end(SockJSError(LOST, "Closed"))

    def _take(self) -> bool:
        """Whether there is something to post; all that waits, in one request."""
        with self._changed:
            self._busy = False
            self._changed.wait_for(lambda: self._waiting or self._finishing or self._over)
            if self._over:
                return False
            self._batch = list(self._waiting)
            self._waiting.clear()
            self._size = 0
            self._busy = bool(self._batch)
            self._changed.notify_all()
            return self._busy

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
            status = response.status_code
            # To its end, so that the connection can serve again.
            response.raw.read(_LONGEST_ANSWER)
        self._idle_since = self._setting.clock()
        if status not in (200, 204):
            raise SockJSError(LOST, f"Sending error http status {status}")


def _words(error: BaseException) -> str:
    """The error in a few words; those of ``requests`` hold addresses of objects."""
    link: Optional[BaseException] = error
    for _ in range(10):
        if link is None or (
            isinstance(link, OSError) and not isinstance(link, requests.RequestException)
        ):
            break
        arguments = [each for each in link.args if isinstance(each, BaseException)]
        link = link.__cause__ or link.__context__ or next(iter(arguments), None)
    return describe(link) if link is not None else type(error).__name__
