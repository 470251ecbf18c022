"""The HTTP transports: a request that receives, again and again, and beside it one that sends.

For networks that let no websocket through. A thread reads what is received, so that the thread
that runs the connection can keep its deadlines; another one posts what is sent, because a program
that sends must not wait for an answer.
"""

from typing import ClassVar, Optional

from .._net import urls
from .transport import Departure, Setting, Transport, decoded
from .xhr_pipe import Pipe
from .xhr_receiver import Receiver
from .xhr_sender import Sender


class XhrTransport(Transport):
    """What the two HTTP transports have in common, which is nearly all."""

    #: Servers send a heartbeat every 25 s, and cannot be asked for one.
    least_patience = 60.0

    #: The last part of the URL that receives.
    path: ClassVar[str]

    def __init__(self, setting: Setting) -> None:
        session = urls.session_name()
        self._route = setting.route.branch()
        self._pipe = Pipe(setting.clock)
        self._receiver = Receiver(
            setting,
            self._route,
            urls.transport(setting.base_url, setting.server, session, self.path),
            self._pipe,
        )
        self._sender = Sender(
            setting,
            self._route,
            urls.transport(setting.base_url, setting.server, session, "xhr_send"),
            self._pipe,
        )

    @property
    def heard_at(self) -> float:
        return self._receiver.heard_at

    @property
    def last_frame_at(self) -> float:
        return self._pipe.taken_at

    def open(self, until: float) -> None:
        self._receiver.start(until)

    def receive(self, until: float) -> Optional[str]:
        line = self._pipe.take(until)
        return None if line is None else decoded(line)

    def at_hand(self) -> Optional[str]:
        line = self._pipe.at_hand()
        return None if line is None else decoded(line)

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
