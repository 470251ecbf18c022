"""What a SockJS server says of itself before a transport is chosen."""

import json
import logging
import socket
from typing import NamedTuple

import requests
import urllib3

from .._net.clock import monotonic
from .._net.failures import describe_failure
from .._net.stream import TooMuch
from .errors import CANNOT_CONNECT, NotSockJS, SockJSError
from .http_status import refusal

_log = logging.getLogger("keyyo_cti.sockjs")

_LONGEST = 65536
_LATE = (requests.Timeout, urllib3.exceptions.TimeoutError, socket.timeout)


class Info(NamedTuple):
    """The answer to ``/info``.

    :ivar websocket: whether websockets work there.
    :ivar round_trip: seconds that the answer took, connecting included.
    """

    websocket: bool
    round_trip: float


def fetch(session: requests.Session, url: str) -> Info:
    """Asks the server. The streams of the session bound the time.

    :raises SockJSError: with code 1002 when there is no answer, or not that of a SockJS server.
    """
    began = monotonic()
    try:
        with session.get(url, allow_redirects=False, stream=True) as response:
            status = response.status_code
            body = response.raw.read(_LONGEST + 1, decode_content=True)
    except TooMuch as error:
        raise _refused(f"an endless answer from {url}", error) from error
    except _LATE as error:
        raise _refused(f"no answer in time from {url}", error) from error
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        _log.info("no proper answer from %s: %s", url, describe_failure(error))
        raise _refused(f"no proper answer from {url}", error) from error
    cause = refusal(status, response.headers)
    if cause.is_foreign:
        words = "something between, such as a firewall, a login page or a proxy, has answered"
        raise _refused(f"{url} answers with status {status}: {words}", cause)
    if cause.may_pass:
        raise _refused(f"{url} answers with status {status}: the service is down or busy", cause)
    if status != 200:
        raise _refused(f"{url} answers with status {status}: it is no SockJS endpoint")
    return Info(_websocket(url, body), monotonic() - began)


def _websocket(url: str, body: bytes) -> bool:
    try:
        if len(body) > _LONGEST:
            raise ValueError("too long")
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        cause = NotSockJS("an answer that is no JSON")
        cause.__cause__ = error
        raise _refused(f"{url} does not answer with JSON: it is no SockJS endpoint", cause)
    # JSON that is no object counts as an empty one, and a missing field means yes.
    return fields.get("websocket") is not False if isinstance(fields, dict) else True


def _refused(reason: str, cause: "BaseException | None" = None) -> SockJSError:
    return SockJSError(CANNOT_CONNECT, reason, cause)
