"""What the two threads that speak HTTP have in common."""

import logging
import threading
from typing import ClassVar, Optional

import requests
import urllib3

from . import http
from .errors import LOST, SockJSError
from .route import Route, describe
from .stream import Stream, TooMuch
from .transport import Setting
from .xhr_pipe import Pipe

_log = logging.getLogger("keyyo_cti.sockjs")

#: Seconds that a thread has to end, once all that it could wait for has been ended.
_END = 1.0

_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError)


class Worker:
    """A thread that asks the server, over streams of its own.

    :param setting: of the transport.
    :param route: opens its streams.
    :param url: what it asks.
    :param pipe: is told of its failure.
    """

    name: ClassVar[str]

    def __init__(self, setting: Setting, route: Route, url: str, pipe: Pipe) -> None:
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
        except Exception as error:
            # The connection would be deaf, or dumb, and look open.
            _log.exception("%s failed", self.name)
            words = f"{self.name} failed: {type(error).__name__}"
            self._pipe.end(SockJSError(LOST, words, error))

    def _work(self, session: requests.Session) -> None:
        raise NotImplementedError

    def _open_stream(self) -> Stream:
        raise NotImplementedError


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
