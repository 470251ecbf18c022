"""Errors that the service sends, and exceptions of the exchange."""

from __future__ import annotations

from typing import NamedTuple


class Refusal(NamedTuple):
    """An error of the protocol: an HTTP status and a message."""

    status_code: int
    message: str


MISSING_PARAMETER = Refusal(400, "Malformed request (missing required parameters)")
INVALID_TOKEN = Refusal(400, "Invalid token")
EXPIRED_TOKEN = Refusal(400, "Invalid token (expired)")
INVALID_PARAMS = Refusal(400, "RPC invalid params")
UNKNOWN_SESSION = Refusal(401, "Unknown session_id")
CANNOT_TREAT = Refusal(400, "Cannot treat action")
INTERNAL_ERROR = Refusal(500, "Internal error")


class Refused(Exception):
    """A command that gets an error as its reply."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class NotPossible(RuntimeError):
    """The exchange cannot do this now, for example because a telephone is busy."""


class WrongValue(ValueError):
    """A value that is wrong in any state of the calls."""
