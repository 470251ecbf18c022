"""The info of a SockJS server, requested before a transport is chosen."""

import json
import socket
from typing import NamedTuple

import requests
import urllib3

from .._net.clock import monotonic
from .._net.failures import describe_failure
from .._net.log_thread import ThreadedLogger
from .._net.stream import TooLarge
from .errors import CANNOT_CONNECT, NotSockJS, SockJSError
from .http_status import make_bad_status

_log = ThreadedLogger("keyyo_cti.sockjs")

_MAX_BODY_BYTES = 65536
_TIMEOUT_ERRORS = (requests.Timeout, urllib3.exceptions.TimeoutError, socket.timeout)


class Info(NamedTuple):
    """The response to ``/info``.

    :ivar websocket: True if the server accepts websockets.
    :ivar round_trip: seconds until the response, connecting included.
    """

    websocket: bool
    round_trip: float


def fetch(session: requests.Session, url: str) -> Info:
    """Request the info. The streams of the HTTP session bound the time.

    :raises SockJSError: with code 1002, if no SockJS server responds.
    """
    began = monotonic()
    try:
        with session.get(url, allow_redirects=False, stream=True) as response:
            status = response.status_code
            body = response.raw.read(_MAX_BODY_BYTES + 1, decode_content=True)
    except TooLarge as error:
        raise _refused(f"an endless response from {url}", error) from error
    except _TIMEOUT_ERRORS as error:
        raise _refused(f"no answer in time from {url}", error) from error
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        _log.info("no proper answer from %s: %s", url, describe_failure(error))
        raise _refused(f"no proper answer from {url}", error) from error
    cause = make_bad_status(status, response.headers)
    if cause.is_foreign:
        words = "an intermediary has responded, such as a firewall, a login page or a proxy"
        raise _refused(f"{url} answers with status {status}: {words}", cause)
    if cause.may_pass:
        raise _refused(f"{url} answers with status {status}: the service is down or busy", cause)
    if status != 200:
        raise _refused(f"{url} answers with status {status}: it is not a SockJS endpoint")
    return Info(_websocket(url, body), monotonic() - began)


def _websocket(url: str, body: bytes) -> bool:
    try:
        if len(body) > _MAX_BODY_BYTES:
            raise ValueError("too long")
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        cause = NotSockJS("a response that is not JSON")
        cause.__cause__ = error
        raise _refused(f"{url} does not answer with JSON: it is not a SockJS endpoint", cause)
    # As in JavaScript: JSON that is not an object counts as empty, a missing field means True.
    return fields.get("websocket") is not False if isinstance(fields, dict) else True


def _refused(reason: str, cause: "BaseException | None" = None) -> SockJSError:
    return SockJSError(CANNOT_CONNECT, reason, cause)
