"""The thread that receives over HTTP, by one request after another."""

from typing import Any, List

import requests

from .._net.clock import NEVER
from .._net.connect import Route
from .._net.stream import Stream
from .errors import LOST, TOO_BIG, NotSockJS, SockJSError
from .http_status import bad_status
from .transport import Setting, open_stream
from .xhr_answer import Answer, is_life, not_sockjs
from .xhr_pipe import Pipe
from .xhr_worker import NO_THREAD, Worker

_CHUNK = 65536

#: Answers in a row that declare the type of SockJS and hold no frame that can be read. A server
#: may send something broken once; after that it is no SockJS server any more.
_MAX_STRANGE = 3

#: Answers in a row that come quickly and without news, before the receiver slows down. Otherwise
#: a proxy that repeats a heartbeat, or ends each stream early, would take all of the processor.
_MAX_QUICK = 50

#: Seconds from one request to the next after that. Servers give up a client that stays away for
#: five.
_SLOW = 1.0


class Receiver(Worker):
    """Asks for frames, one request at a time: a second one would be refused."""

    name = "keyyo-cti-receiver"

    def __init__(self, setting: Setting, route: Route, url: str, pipe: Pipe) -> None:
        super().__init__(setting, route, url, pipe)
        self._open_until = NEVER
        #: Monotonic time of the last bytes of a frame. Neither an accepted request nor an answer
        #: of a proxy is a sign of life.
        self.heard_at = setting.clock()
        self._proven = False
        # Answers in a row: without a good frame, and quickly without news.
        self._strange = 0
        self._quick = 0

    def start(self, until: float) -> None:
        """Begins to ask.

        :param until: monotonic time by which a first answer must begin.
        :raises SockJSError: the system has no thread to give.
        """
        self._open_until = until
        try:
            self._thread.start()
        except RuntimeError as error:
            raise SockJSError(LOST, NO_THREAD, error) from error

    def _open_stream(self) -> Stream:
        until = min(self._open_until, self._setting.clock() + self._setting.write_timeout)
        self._stream = open_stream(self._route, until)
        # From here on, liveness sees to the silence.
        self._stream.read_until = self._open_until
        return self._stream

    def _work(self, session: requests.Session) -> None:
        while self._poll(session):
            pass

    def _poll(self, session: requests.Session) -> bool:
        """Send one request and hand over what comes.

        :returns: True if there is to be another request.
        """
        asked_at = self._setting.clock()
        with session.post(
            self._url,
            headers={"Accept-Encoding": "identity"},
            stream=True,
            allow_redirects=False,
        ) as response:
            if response.status_code != 200:
                raise bad_status("The server answers with status", response)
            self._open_until = NEVER
            if self._stream is not None:
                self._stream.read_until = NEVER
            answer = Answer(response.headers.get("Content-Type", ""))
            wanted = self._read(response.raw, answer)
        if wanted:
            self._judge(answer)
            self._slow_down(answer, asked_at)
        return wanted

    def _read(self, body: Any, answer: Answer) -> bool:
        """Hand over each frame as it comes. A line that is not complete at the end is none.

        :returns: False if frames are not wanted any more.
        """
        rest = bytearray()
        while True:
            data = body.read1(_CHUNK)
            if not data:
                return True
            rest += data
            if b"\n" in data:
                *lines, rest = rest.split(b"\n")
                if not self._hand_over([bytes(line) for line in lines], answer):
                    return False
            if is_life(rest):
                self._hear()
            if len(rest) > self._setting.max_message_size:
                raise SockJSError(
                    TOO_BIG, f"A message of more than {self._setting.max_message_size} bytes"
                )

    def _hand_over(self, lines: List[bytes], answer: Answer) -> bool:
        came_at = None
        if answer.add(lines):
            # Before the pipe, which may have no room for a while.
            self._hear()
            came_at = self.heard_at
        return self._pipe.put(lines, came_at)

    def _hear(self) -> None:
        if self._stream is not None:
            self.heard_at = self._stream.heard_at

    def _judge(self, answer: Answer) -> None:
        """Decide whether to go on after this answer.

        :raises SockJSError: it is not one of a SockJS server. Otherwise the client would ask
            again and again, and be deaf while it looks connected.
        """
        if answer.good:
            self._proven, self._strange = True, 0
            return
        if answer.empty:
            words = "an answer without a frame"
            raise SockJSError(LOST, f"Connection lost: {words}", NotSockJS(words))
        self._strange += 1
        if not (self._proven and answer.is_script) or self._strange == _MAX_STRANGE:
            raise not_sockjs()

    def _slow_down(self, answer: Answer, asked_at: float) -> None:
        left = _SLOW - (self._setting.clock() - asked_at)
        if answer.news or left <= 0:
            self._quick = 0
            return
        self._quick += 1
        if self._quick >= _MAX_QUICK:
            self._pipe.rest(left)
