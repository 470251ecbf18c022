"""Failures of the network and of the HTTP and websocket libraries in a few words."""

import http.client
import re
import socket
import ssl
from typing import Iterator, List, Optional

import requests
import urllib3
import websocket

from .cancellation import CancelToken

CLOSED_BY_SERVER = "the server closed the connection"

#: The peer closed the connection, as each library puts it. That of TLS says so when the peer
#: leaves without TLS's own farewell, that of HTTP when an answer is cut.
_CUT = (
    EOFError,
    ssl.SSLEOFError,
    ssl.SSLZeroReturnError,
    http.client.IncompleteRead,
    http.client.RemoteDisconnected,
    websocket.WebSocketConnectionClosedException,
)

#: Errors whose words hold addresses of objects, and may repeat a header or a proxy's password.
_WORDLESS = (requests.RequestException, urllib3.exceptions.HTTPError, ValueError)

#: Where in OpenSSL's or Python's source an error was raised.
_SOURCE_LINE = re.compile(r" \(_ssl\.c:\d+\)$")

#: Errors to follow from one to its cause; they may go in a circle.
_MAX_CAUSES = 10


class Encoded(requests.exceptions.ContentDecodingError):
    """An answer is compressed, or encoded otherwise, though that was declined."""


def describe_failure(
    error: BaseException, cancel_token: Optional[CancelToken] = None, ended: bool = False
) -> str:
    """Return what happened, from wherever it is in the error of a library.

    There are no addresses of objects and no source lines in it.

    :param abort: if it is cancelled, that is what happened.
    :param ended: True if the server has closed the stream that was read from.
    """
    if cancel_token is not None and cancel_token.cancelled:
        return "given up, because the connection was closed meanwhile"
    cause = network_error(error)
    if cause is not None:
        return _words(cause)
    if ended or any(map(_is_cut, _chain(error))):
        return CLOSED_BY_SERVER
    if any(isinstance(each, http.client.HTTPException) for each in _chain(error)):
        return "the answer is garbled"
    return type(error).__name__ if isinstance(error, _WORDLESS) else _words(error)


def network_error(error: BaseException) -> Optional[BaseException]:
    """Return the error of the network, or Encoded, behind that of a library; None without one."""
    return next(filter(_tells, _chain(error)), None)


def drop_secrets(error: Optional[BaseException]) -> None:
    """Free an error, and those behind it, of what was sent and read: it is given to programs.

    A session id may be in the variables of each frame of a traceback, and reporters of errors
    show those; the errors of ``requests`` hold on to whole requests.
    """
    seen: List[BaseException] = []
    left = [error]
    while left and len(seen) < _MAX_CAUSES:
        each = left.pop()
        if each is None or any(each is one for one in seen):
            continue
        seen.append(each)
        each.__traceback__ = None
        if isinstance(each, requests.RequestException):
            each.request = each.response = None
        if isinstance(getattr(each, "partial", None), bytes):
            # Of http.client's IncompleteRead: what was read.
            each.__dict__["partial"] = b""
            each.args = ()
        left += [each.__cause__, each.__context__, *_errors_in(each)]


def _tells(error: BaseException) -> bool:
    if isinstance(error, requests.RequestException):
        return isinstance(error, Encoded)
    return isinstance(error, OSError)


def _is_cut(error: BaseException) -> bool:
    # A chunk whose length is no number is told by the same classes, and is not cut.
    bad_chunk = isinstance(error.__cause__ or error.__context__, ValueError)
    return isinstance(error, _CUT) and not bad_chunk


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and behind each one its cause."""
    link: Optional[BaseException] = error
    for _ in range(_MAX_CAUSES):
        if link is None:
            return
        yield link
        link = link.__cause__ or link.__context__ or next(iter(_errors_in(link)), None)


def _errors_in(error: BaseException) -> List[BaseException]:
    inner = (getattr(error, "reason", None), *error.args)
    return [each for each in inner if isinstance(each, BaseException)]


def _words(error: BaseException) -> str:
    if _is_cut(error):
        return CLOSED_BY_SERVER
    if isinstance(error, socket.timeout):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is refused: {error.verify_message}"
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return _SOURCE_LINE.sub("", words)
