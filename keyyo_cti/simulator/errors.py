"""What goes wrong: answers of the service, and things the exchange cannot do."""

from __future__ import annotations

from typing import NamedTuple


class Refusal(NamedTuple):
    """An error as the service sends it: an HTTP status and a message."""

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
    """A command is answered with an error."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class NotPossible(RuntimeError):
    """The exchange cannot do this now: a busy telephone, an ended call, a taken slot."""


class WrongValue(ValueError):
    """A value that no exchange could act on, whatever the state of its calls."""
