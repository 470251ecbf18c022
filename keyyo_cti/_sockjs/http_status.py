"""Errors of a connection from the HTTP status of a response."""

from typing import Any, Mapping, Optional

from .._net.clock import wall_clock
from .._net.retry_after import read_retry_after
from .errors import LOST, BadStatus, SockJSError


def make_status_error(words: str, response: Any) -> SockJSError:
    """Return the error of a connection whose request was refused.

    :param words: the message, without the status.
    :param response: a ``requests.Response``.
    """
    status = response.status_code
    return SockJSError(LOST, f"{words} {status}", make_bad_status(status, response.headers))


def make_bad_status(status: int, headers: Optional[Mapping[str, str]]) -> BadStatus:
    """Return the cause of an end, with the delay of ``Retry-After``."""
    return BadStatus(status, read_retry_after(headers or {}, wall_clock()))
