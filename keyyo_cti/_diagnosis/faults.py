"""The faults that a diagnosis finds, and those that an error stands for."""

from typing import Dict, Optional, Tuple

from .._display.error_page import advise, extend_hint
from ..errors import ConnectionClosed, CredentialsRefused, KeyyoError, OAuth2Error

SIGN_IN = 'sign in again, with "keyyo-cti login" or as your program does it'


class Fault(Exception):
    """A failed check.

    :param word: the name of the fault.
    :param final: True if all later checks would fail too.
    :param check: the earlier check that the fault belongs to; None for the one that found it.
    """

    def __init__(
        self,
        word: str,
        fact: str,
        advice: str,
        final: bool = False,
        check: Optional[str] = None,
    ) -> None:
        super().__init__(fact)
        self.word = word
        self.fact = fact
        self.advice = advice
        self.final = final
        self.check = check


class NotSeen(Exception):
    """A check without a finding: nothing came, for a reason that is no fault of its own."""


def make_fault(check: str, error: KeyyoError) -> Fault:
    """Return the fault for an error of a check."""
    if isinstance(error, CredentialsRefused):
        return _make_credentials_fault(error)
    if check == "session":
        return _make_session_fault(error)
    word, final = _BY_CODE.get(error.error_code or "", (None, isinstance(error, OAuth2Error)))
    if check == "line" and word == "not_found":
        word, final = "unknown_line", True
    advice = advise(error, "try again later")
    if word in ("missing_scope", "access_refused"):
        advice = extend_hint(advice, ', for example with "keyyo-cti login"')
    return Fault(word or error.error_code or "refused", describe(error), advice, final)


#: Error code of ManagerError or OAuth2Error -> the name of the fault, and True if all later checks
#: would fail too.
_BY_CODE: Dict[str, Tuple[str, bool]] = {
    "unauthorized": ("access_refused", True),
    "forbidden": ("missing_scope", False),
    "not_found": ("not_found", False),
    "unreachable": ("no_network", True),
    "untrusted": ("untrusted_server", True),
    "timeout": ("timeout", True),
    "quota": ("quota", True),
}


def describe(error: KeyyoError) -> str:
    """Return an error in words."""
    return f"{error.status_code} {error.message}"


def _make_credentials_fault(error: CredentialsRefused) -> Fault:
    fact = describe(error)
    if error.error_code == "not_signed_in":
        return Fault("not_signed_in", fact, SIGN_IN, final=True)
    if error.error_code == "no_refresh_token":
        return Fault("no_refresh_token", fact, SIGN_IN, final=True)
    if error.error_code == "invalid_grant":
        fact = f"the refresh token has expired, or was revoked: {fact}"
        return Fault("refresh_token_expired", fact, SIGN_IN, final=True)
    advice = advise(error, "check what Keyyo has on this program")
    return Fault("application_refused", fact, advice, final=True)


def _make_session_fault(error: KeyyoError) -> Fault:
    word = "no_connection" if isinstance(error, ConnectionClosed) else "session_refused"
    return Fault(word, describe(error), advise(error, "try again later"))
