"""The page that explains each error, and the words that point to it."""

from typing import Any, Optional

#: A path in the project, because the site has no public address yet.
ERROR_PAGE = "docs/errors.md"

#: Codes that the page explains. The anchor of each is the code with hyphens.
CODES = frozenset({
    "access_denied", "call_ended", "closed", "forbidden", "internal", "invalid_client",
    "invalid_csi_token", "invalid_grant", "invalid_params", "invalid_request",
    "invalid_session_id", "invalid_state", "missing_parameter", "no_refresh_token", "not_allowed",
    "not_found", "not_kept", "not_signed_in", "quota", "server_error", "session_ended", "timeout",
    "token_provider", "unauthorized", "unauthorized_client", "unreachable", "unreadable",
    "untrusted",
})

#: Messages without a code -> the anchor.
MESSAGES = {
    "Cannot treat action": "cannot-treat-action",
    "Connexion closed": "connexion-closed",
}

#: The error class of a connection that could not be opened has its own paragraph.
CONNECTION_FAILED = "connection-failed"

#: Responses of OAuth2 and of the Manager API that no other paragraph explains.
ANOTHER_STATUS = "another-status"


def find_anchor(error_code: Optional[str], message: str) -> Optional[str]:
    """Return the anchor of an error's paragraph, or None if the page has none."""
    if error_code is None:
        return MESSAGES.get(message)
    return error_code.replace("_", "-") if error_code in CODES else None


def add_pointer(hint: Optional[str], anchor: Optional[str]) -> Optional[str]:
    """Return a hint that ends with the place of the paragraph."""
    if anchor is None or ERROR_PAGE in (hint or ""):
        return hint
    return f"{hint}; see {ERROR_PAGE}#{anchor}" if hint else f"see {ERROR_PAGE}#{anchor}"


def extend_hint(hint: Optional[str], words: str) -> str:
    """Return a hint with more words, in front of the place that it points to."""
    advice, mark, place = (hint or "").partition(f"see {ERROR_PAGE}")
    if not advice:
        words = words.lstrip(",; ")
        return f"{words}; {mark}{place}" if mark else words
    if not mark:
        return f"{advice}{words}"
    return f"{advice[:-2]}{words}; {mark}{place}"


def get_advice(error: Any) -> Optional[str]:
    """Return what an error's hint says, without the place that it points to."""
    return error._advice if isinstance(error._advice, str) else None


def add_advice(error: Any, words: str, joint: str = "; ") -> None:
    """Put words in front of an error's hint.

    :param joint: between them and what the hint says already.
    """
    advice = get_advice(error)
    error.hint = words if not advice else f"{words}{joint}{advice}"


def advise(error: Any, otherwise: str) -> str:
    """Return the hint of an error, with other words if it says nothing but where to read."""
    return error.hint if get_advice(error) else extend_hint(error.hint, otherwise)
