"""What the two threads that speak HTTP have in common."""

import logging
import threading
from typing import Any, ClassVar, Optional

import requests
import urllib3

from .._net import http_adapter
from .._net.connect import Route
from .._net.failures import describe_failure
from .._net.stream import Stream, TooMuch
from .errors import LOST, SockJSError
from .named_stream import PLACEHOLDER, NamedStream
from .transport import Setting
from .xhr_pipe import Pipe

_log = logging.getLogger("keyyo_cti.sockjs")

#: Seconds that a thread has to end, once all that it could wait for has been ended.
_END = 1.0

NO_THREAD = "no thread can be started"

_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError)


class Worker:
    """A thread that asks the server, over streams of its own.

    :param setting: of the transport.
    :param route: opens its streams.
    :param url: what it asks; its last part but one is the session's name.
    :param pipe: is told of its failure.
    """

    name: ClassVar[str]

    def __init__(self, setting: Setting, route: Route, url: str, pipe: Pipe) -> None:
        self._setting = setting
        self._route = route
        # The session's name commands a telephone, and urllib3 logs each URL.
        base, self._session_name, path = url.rsplit("/", 2)
        self._url = f"{base}/{PLACEHOLDER}/{path}"
        self._pipe = pipe
        self._stream: Optional[Stream] = None
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)

    def join(self) -> None:
        """Waits for the thread, if it has begun."""
        if self._thread.ident is not None:
            self._thread.join(_END)

    def _run(self) -> None:
        try:
            with http_adapter.session(self._open_named) as session:
                # One jar for all: a server may tell its machines apart by a cookie.
                session.cookies = self._setting.cookies
                self._work(session)
        except SockJSError as error:
            self._pipe.end(error)
        except TooMuch as error:
            self._pipe.end(SockJSError(LOST, "Connection lost: an endless answer", error))
        except _ERRORS as error:
            ended = self._stream is not None and self._stream.ended
            reason = f"Connection lost: {describe_failure(error, ended=ended)}"
            self._pipe.end(SockJSError(LOST, reason, error))
        except Exception as error:
            # The connection would be deaf, or dumb, and look open.
            _log.exception("%s failed", self.name)
            words = f"{self.name} failed: {type(error).__name__}"
            self._pipe.end(SockJSError(LOST, words, error, fault=True))

    def _work(self, session: requests.Session) -> None:
        raise NotImplementedError

    def _open_named(self) -> Any:
        return NamedStream(self._open_stream(), self._session_name)

    def _open_stream(self) -> Stream:
        raise NotImplementedError
