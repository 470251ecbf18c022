"""The HTTP transports, for networks that block websockets.

The receiver thread requests frames, so that the reader thread can keep its deadlines. The sender
thread posts messages, so that the program need not wait for the responses.
"""

from typing import ClassVar, Iterator, Optional

from . import urls
from .transport import SendProgress, Transport, TransportConfig, decode_text
from .xhr_pipe import Pipe
from .xhr_receiver import Receiver
from .xhr_sender import Sender


class XhrTransport(Transport):
    """The common part of the two HTTP transports."""

    #: Servers send a heartbeat every 25 s, and cannot be probed.
    min_silence_timeout = 60.0

    #: The last part of the URL that receives.
    path: ClassVar[str]

    def __init__(self, config: TransportConfig) -> None:
        session = urls.make_session_name()
        self._connector = config.connector.make_child()
        self._pipe = Pipe(config.clock)
        self._receiver = Receiver(
            config,
            self._connector,
            urls.make_transport_url(config.base_url, config.server, session, self.path),
            self._pipe,
        )
        self._sender = Sender(
            config,
            self._connector,
            urls.make_transport_url(config.base_url, config.server, session, "xhr_send"),
            self._pipe,
        )

    @property
    def last_received_at(self) -> float:
        return self._receiver.last_received_at

    @property
    def last_frame_at(self) -> float:
        return self._pipe.taken_at

    def open(self, until: float) -> None:
        self._receiver.start(until)

    def receive(self, until: float) -> Optional[str]:
        line = self._pipe.take(until)
        return None if line is None else decode_text(line)

    def buffered_frames(self) -> Iterator[str]:
        line = self._pipe.take_buffered()
        while line is not None:
            yield decode_text(line)
            line = self._pipe.take_buffered()

    def send(self, message: str, progress: SendProgress) -> None:
        self._sender.send(message, progress)

    def probe(self) -> None:
        """Do nothing: no request makes a server send something."""

    def send_close(self) -> None:
        # These transports have no close frame. The queued messages must still arrive.
        self._sender.finish()

    def discard(self) -> None:
        self._connector.end()
        self._pipe.discard()
        self._sender.stop()
        self._receiver.join()
        self._sender.join()


class XhrStreamingTransport(XhrTransport):
    """The transport whose frames arrive in one long response, requested again at its end."""

    name = "xhr-streaming"
    path = "xhr_streaming"


class XhrPollingTransport(XhrTransport):
    """The transport whose responses contain the available frames."""

    name = "xhr-polling"
    path = "xhr"
