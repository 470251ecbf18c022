"""Failures of the network and of the HTTP and websocket libraries in a few words."""

import http.client
import ssl
from typing import Optional

import requests
import websocket

from .route import describe

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

#: Errors to follow from one to its cause; they may go in a circle.
_MAX_CAUSES = 10


def describe_failure(error: BaseException) -> str:
    """Return what happened, without addresses of objects and source lines."""
    if isinstance(error, _CUT):
        return "the server closed the connection"
    return describe(error)


def words_of(error: BaseException) -> str:
    """Return what happened, from wherever it is in an error of ``requests``.

    The words of ``requests`` themselves hold addresses of objects.
    """
    link: Optional[BaseException] = error
    for _ in range(_MAX_CAUSES):
        if link is None or _tells(link):
            break
        arguments = [each for each in link.args if isinstance(each, BaseException)]
        link = link.__cause__ or link.__context__ or next(iter(arguments), None)
    return describe_failure(link) if link is not None else type(error).__name__


def _tells(error: BaseException) -> bool:
    network = isinstance(error, OSError) and not isinstance(error, requests.RequestException)
    return network or isinstance(error, _CUT)
