"""Short descriptions of errors of the network and of the HTTP and websocket libraries."""

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

#: The errors of each library for a connection that the peer closed. In TLS the close_notify is
#: missing, in HTTP the response is incomplete.
_CUT = (
    EOFError,
    ssl.SSLEOFError,
    ssl.SSLZeroReturnError,
    http.client.IncompleteRead,
    http.client.RemoteDisconnected,
    websocket.WebSocketConnectionClosedException,
)

#: Errors whose messages contain addresses of objects, and may repeat a header or a password.
_WORDLESS = (requests.RequestException, urllib3.exceptions.HTTPError, ValueError)

#: The position in OpenSSL's or Python's source where an error was raised.
_SOURCE_LINE = re.compile(r" \(_ssl\.c:\d+\)$")

#: Maximum number of causes to follow; they may form a cycle.
_MAX_CAUSES = 10


class Encoded(requests.exceptions.ContentDecodingError):
    """A response is compressed, or otherwise encoded, although the request declined it."""


def describe_failure(
    error: BaseException, cancel_token: Optional[CancelToken] = None, ended: bool = False
) -> str:
    """Return a description of the root cause, without addresses of objects or source lines.

    :param cancel_token: if it is cancelled, this is the cause.
    :param ended: True if the server has closed the stream.
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
    """Return the OSError or Encoded behind the error of a library, or None."""
    return next(filter(_tells, _chain(error)), None)


def drop_secrets(error: Optional[BaseException]) -> None:
    """Remove the sent and received data from an error and its causes.

    Programs get these errors. Error reporters show the variables of a traceback, which may
    contain a session id; errors of ``requests`` refer to whole requests.
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
            # The data of http.client's IncompleteRead.
            each.__dict__["partial"] = b""
            each.args = ()
        left += [each.__cause__, each.__context__, *_errors_in(each)]


def _tells(error: BaseException) -> bool:
    if isinstance(error, requests.RequestException):
        return isinstance(error, Encoded)
    return isinstance(error, OSError)


def _is_cut(error: BaseException) -> bool:
    # The same classes report a chunk whose length is not a number.
    bad_chunk = isinstance(error.__cause__ or error.__context__, ValueError)
    return isinstance(error, _CUT) and not bad_chunk


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error, then each cause."""
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
