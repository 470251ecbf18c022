"""The common part of the two threads that use HTTP."""

import threading
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Optional

import requests
import urllib3

from .._net import http_adapter
from .._net.connect import Connector
from .._net.failures import describe_failure
from .._net.log_thread import ThreadedLogger
from .._net.stream import Stream, TooLarge
from .errors import LOST, SockJSError
from .session_name_stream import PLACEHOLDER, SessionNameStream
from .transport import TransportConfig
from .xhr_pipe import Pipe

_log = ThreadedLogger("keyyo_cti.sockjs")

#: Seconds for a thread to end, once everything that it may wait for has been cancelled.
_JOIN_TIMEOUT = 1.0

NO_THREAD = "no thread can be started"

_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError)


class Worker(ABC):
    """A thread that sends requests over its own streams.

    :param config: of the transport.
    :param connector: opens its streams.
    :param url: of the requests; the last part but one is the session's name.
    :param pipe: receives the error that ends the thread.
    """

    name: ClassVar[str]

    def __init__(
        self, config: TransportConfig, connector: Connector, url: str, pipe: Pipe
    ) -> None:
        self._config = config
        self._connector = connector
        # urllib3 logs each URL, and the session's name gives control of a telephone.
        base, self._session_name, path = url.rsplit("/", 2)
        self._url = f"{base}/{PLACEHOLDER}/{path}"
        self._pipe = pipe
        self._stream: Optional[Stream] = None
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)

    def join(self) -> None:
        """Wait for the thread, if it was started."""
        if self._thread.ident is not None:
            self._thread.join(_JOIN_TIMEOUT)

    def _run(self) -> None:
        try:
            with http_adapter.make_session(self._open_named) as session:
                # A shared jar: a load balancer may choose the machine by a cookie.
                session.cookies = self._config.cookies
                self._work(session)
        except SockJSError as error:
            self._pipe.end(error)
        except TooLarge as error:
            self._pipe.end(SockJSError(LOST, "Connection lost: an endless response", error))
        except _ERRORS as error:
            ended = self._stream is not None and self._stream.ended
            reason = f"Connection lost: {describe_failure(error, ended=ended)}"
            self._pipe.end(SockJSError(LOST, reason, error))
        except Exception as error:
            # Otherwise the connection would look open, without receiving or sending.
            _log.exception("%s failed", self.name)
            words = f"{self.name} failed: {type(error).__name__}"
            self._pipe.end(SockJSError(LOST, words, error, fault=True))

    @abstractmethod
    def _work(self, session: requests.Session) -> None:
        """Send the requests of the thread until it ends."""

    def _open_named(self) -> Any:
        return SessionNameStream(self._open_stream(), self._session_name)

    @abstractmethod
    def _open_stream(self) -> Stream:
        """Open a stream for requests, and keep it in ``_stream``."""
