"""The thread that receives frames over HTTP, by one request after another."""

from typing import Any, List

import requests

from .._net.clock import NEVER
from .._net.connect import Connector
from .._net.stream import Stream
from .errors import LOST, TOO_BIG, NotSockJS, SockJSError
from .http_status import make_status_error
from .transport import TransportConfig, open_stream
from .xhr_pipe import Pipe
from .xhr_response import PollResponse, make_not_sockjs_error, may_become_frame
from .xhr_worker import NO_THREAD, Worker

_CHUNK_BYTES = 65536

#: Consecutive responses of the type of SockJS without a readable frame. A SockJS server may send
#: a broken one, but not always.
_MAX_BAD_RESPONSES = 3

#: Consecutive quick responses without news, before the receiver slows down. Otherwise a proxy
#: that repeats a heartbeat, or ends each stream early, would use all of the processor.
_MAX_QUICK_RESPONSES = 50

#: Seconds between two requests after that. Servers discard a client after five without one.
_SLOW_POLL_INTERVAL = 1.0


class Receiver(Worker):
    """The receiver thread: one request at a time, because servers refuse a second one."""

    name = "keyyo-cti-receiver"

    def __init__(
        self, config: TransportConfig, connector: Connector, url: str, pipe: Pipe
    ) -> None:
        super().__init__(config, connector, url, pipe)
        self._open_until = NEVER
        #: Monotonic time of the last bytes of a frame. An accepted request or a response of a
        #: proxy does not prove that the server is alive.
        self.last_received_at = config.clock()
        self._proven = False
        # Consecutive responses: without a good frame, and quick ones without news.
        self._bad_responses = 0
        self._quick_responses = 0

    def start(self, until: float) -> None:
        """Start the thread.

        :param until: monotonic time by which the first response must begin.
        :raises SockJSError: no thread can be started.
        """
        self._open_until = until
        try:
            self._thread.start()
        except RuntimeError as error:
            raise SockJSError(LOST, NO_THREAD, error) from error

    def _open_stream(self) -> Stream:
        until = min(self._open_until, self._config.clock() + self._config.write_timeout)
        self._stream = open_stream(self._connector, until)
        # From here on, Liveness measures the silence.
        self._stream.read_until = self._open_until
        return self._stream

    def _work(self, session: requests.Session) -> None:
        while self._poll(session):
            pass

    def _poll(self, session: requests.Session) -> bool:
        """Send one request and pass on its frames.

        :returns: True if another request is wanted.
        """
        asked_at = self._config.clock()
        with session.post(
            self._url,
            headers={"Accept-Encoding": "identity"},
            stream=True,
            allow_redirects=False,
        ) as response:
            if response.status_code != 200:
                raise make_status_error("The server answers with status", response)
            self._open_until = NEVER
            assert self._stream is not None, "the response came over it"
            self._stream.read_until = NEVER
            contents = PollResponse(response.headers.get("Content-Type", ""))
            wanted = self._read(response.raw, contents)
        if wanted:
            self._judge(contents)
            self._slow_down(contents, asked_at)
        return wanted

    def _read(self, body: Any, response: PollResponse) -> bool:
        """Pass on each line as it arrives, except an incomplete last one.

        :returns: False if frames are not wanted any more.
        """
        rest = bytearray()
        while True:
            data = body.read1(_CHUNK_BYTES)
            if not data:
                return True
            rest += data
            if b"\n" in data:
                *lines, rest = rest.split(b"\n")
                if not self._hand_over([bytes(line) for line in lines], response):
                    return False
            if may_become_frame(rest):
                self._hear()
            if len(rest) > self._config.max_message_size:
                raise SockJSError(
                    TOO_BIG, f"A message of more than {self._config.max_message_size} bytes"
                )

    def _hand_over(self, lines: List[bytes], response: PollResponse) -> bool:
        came_at = None
        if response.add(lines):
            # Before the pipe, which may be full for a while.
            self._hear()
            came_at = self.last_received_at if response.past_prelude else None
        return self._pipe.put(lines, came_at)

    def _hear(self) -> None:
        assert self._stream is not None
        self.last_received_at = self._stream.last_received_at

    def _judge(self, response: PollResponse) -> None:
        """Decide whether to go on after this response.

        :raises SockJSError: it is not from a SockJS server. Otherwise the client would repeat
            the request endlessly, and look connected without receiving anything.
        """
        if response.good:
            self._proven, self._bad_responses = True, 0
            return
        if response.empty:
            words = "a response without a frame"
            raise SockJSError(LOST, f"Connection lost: {words}", NotSockJS(words))
        self._bad_responses += 1
        if not (self._proven and response.is_script) or self._bad_responses == _MAX_BAD_RESPONSES:
            raise make_not_sockjs_error()

    def _slow_down(self, response: PollResponse, asked_at: float) -> None:
        left = _SLOW_POLL_INTERVAL - (self._config.clock() - asked_at)
        if response.news or left <= 0:
            self._quick_responses = 0
            return
        self._quick_responses += 1
        if self._quick_responses >= _MAX_QUICK_RESPONSES:
            self._pipe.rest(left)
