"""What an HTTP status that refuses means for a connection."""

from typing import Any, Mapping, Optional

from .._net.clock import wall_clock
from .._net.retry_after import retry_after
from .errors import LOST, BadStatus, SockJSError


def bad_status(words: str, response: Any) -> SockJSError:
    """Return the end of a connection whose request was refused.

    :param words: what happened, without the status.
    :param response: a ``requests.Response``.
    """
    status = response.status_code
    return SockJSError(LOST, f"{words} {status}", refusal(status, response.headers))


def refusal(status: int, headers: Optional[Mapping[str, str]]) -> BadStatus:
    """Return the cause of an end: the status, and when the server wants to be asked again."""
    return BadStatus(status, retry_after(headers or {}, wall_clock()))
