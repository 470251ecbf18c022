"""The errors of responses of the Manager API. Pure."""

from typing import Optional

from .._net.http_request import UNTRUSTED, Credentials, Reply
from .._net.retry_after import read_retry_after
from .._oauth2.scopes import FULL_ACCESS_READ_ONLY, SIGN_IN_AGAIN
from ..errors import ManagerError

#: Statuses of permanent errors, if Keyyo itself responded.
_FINAL = (401, 403, 404)

#: Added to the hint of such a status without Keyyo's own words.
_FOREIGN = "a firewall or a gateway may have answered in Keyyo's place: then try again later"

_ERROR_CODES = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    408: "timeout",
    429: "quota",
}


def refuses_token(reply: Reply) -> bool:
    """Return True if Keyyo itself refuses the access token.

    A gateway or a captive portal may respond 401 to every request. Otherwise each of them would
    refresh the tokens during an outage, although refresh tokens may rotate.
    """
    scheme = reply.headers.get("WWW-Authenticate", "").strip().lower()
    return reply.status == 401 and (_is_own(reply) or scheme.startswith("bearer"))


def _is_own(reply: Reply) -> bool:
    """Return True if a response has the form of Keyyo's errors."""
    return bool(reply.headers.get("X-Status-Reason", "").strip() or reply.fields())


def make_refusal(reply: Reply, credentials: Credentials, scope: str, now: float) -> ManagerError:
    """Return the error of an unsuccessful response.

    :param credentials: to be redacted.
    :param scope: the scope that the request needs.
    :param now: Unix time in seconds.
    """
    reason = credentials.redact(reply.headers.get("X-Status-Reason", "")) or None
    own = _is_own(reply)
    code = _ERROR_CODES.get(reply.status, "server_error" if reply.status >= 500 else None)
    seconds = read_retry_after(reply.headers, now)
    advice = get_hint(reply.status, scope, seconds)
    if reply.status in _FINAL and not own:
        advice = f"{advice}; {_FOREIGN}"
    error = ManagerError(
        reply.status,
        reason or credentials.redact(reply.reason),
        code,
        advice,
        reason=reason,
        retry_after=seconds,
    )
    error.final = own and reply.status in _FINAL
    return error


def make_unreadable_error(why: str) -> ManagerError:
    """Return the error of a malformed response."""
    return ManagerError(
        502, f"The response cannot be used: {why}", "unreadable", "check the base_url"
    )


def may_pass(error: ManagerError) -> bool:
    """Return True if the error is transient."""
    if error.error_code in (UNTRUSTED, "unreadable"):
        return False
    return error.status_code in (408, 429) or error.status_code >= 500


def get_hint(
    status: int, scope: str = FULL_ACCESS_READ_ONLY, seconds: Optional[float] = None
) -> Optional[str]:
    """Return the hint for a status.

    :param scope: the scope that the request needs.
    :param seconds: of ``Retry-After``.
    """
    if status == 401:
        return f"Keyyo refuses the access token, and a new one too: {SIGN_IN_AGAIN}"
    if status == 403:
        return (
            f"this needs the scope {scope}, and a line of the account: {SIGN_IN_AGAIN}, "
            "with that scope"
        )
    if status == 404:
        return (
            "check the CSI, such as 33199000001: lines(), and the command keyyo-cti lines, list "
            "those of the account"
        )
    if status == 429:
        wait = "later" if seconds is None else f"in {seconds:.0f} s"
        return f"the quota of requests is used up: try again {wait}"
    if 300 <= status < 400:
        return "check the base_url: redirects are not followed"
    return "Keyyo has a problem: try again later" if status >= 500 else None
