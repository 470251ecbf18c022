"""The thread that receives over HTTP, by one request after another."""

from typing import Any

import requests

from ..clock import NEVER
from .errors import LOST, TOO_BIG, SockJSError
from .route import Route
from .stream import Stream
from .transport import Setting
from .xhr_pipe import Pipe
from .xhr_worker import Worker

_CHUNK = 65536


class Receiver(Worker):
    """Asks for frames, one request at a time: a second one would be refused."""

    name = "keyyo-cti-receiver"

    def __init__(self, setting: Setting, route: Route, url: str, pipe: Pipe) -> None:
        super().__init__(setting, route, url, pipe)
        self._began_at = setting.clock()
        self._open_until = NEVER

    @property
    def heard_at(self) -> float:
        """Monotonic time of the last bytes, or of the last connection, if that came later."""
        stream = self._stream
        return self._began_at if stream is None else stream.heard_at

    def start(self, until: float) -> None:
        """Begins to ask.

        :param until: monotonic time by which a first answer must begin.
        """
        self._open_until = until
        self._thread.start()

    def _open_stream(self) -> Stream:
        until = min(self._open_until, self._setting.clock() + self._setting.write_timeout)
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
