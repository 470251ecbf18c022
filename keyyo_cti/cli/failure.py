"""What a command prints when it fails, and its exit code."""

from typing import List, Optional, Tuple, Type

from ..errors import KeyyoError
from .exit_codes import (
    FAILED,
    NOT_SIGNED_IN,
    USAGE_ERROR,
    CommandFailed,
    NotSignedIn,
    UsageError,
)
from .invocation import format_command, name_program
from .terminal import escape

#: The errors whose message is for the user. Any other is a fault of this program.
FAILURES: Tuple[Type[Exception], ...] = (
    UsageError, CommandFailed, KeyyoError, ImportError, OSError
)


def explain(error: Exception, command: Optional[str]) -> Tuple[int, List[str]]:
    """Return the exit code and the lines to print for an error that ended a command."""
    explanation = None
    # login is about a new sign-in, not about the one that is stored.
    if isinstance(error, KeyyoError) and command != "login":
        # Not before: it loads requests and OAuth2, which would double the start of every command.
        from .login_hint import explain_login

        explanation = explain_login(error)
    message = name_program(escape(error))
    lines = [f"{message}; {explanation}" if explanation else message]
    status = _exit_code(error)
    if status == NOT_SIGNED_IN and command != "login":
        lines.append(f"sign in with: {format_command('login')}")
    return status, lines


def _exit_code(error: Exception) -> int:
    # The client checks arguments before it sends them, and raises invalid_params.
    if isinstance(error, UsageError) or getattr(error, "error_code", None) == "invalid_params":
        return USAGE_ERROR
    return NOT_SIGNED_IN if isinstance(error, NotSignedIn) or _is_refused(error) else FAILED


def _is_refused(error: Exception) -> bool:
    """True if Keyyo refuses the login itself, so that only a new one helps."""
    if not isinstance(error, KeyyoError):
        return False
    from ..errors import CredentialsRefused, ManagerError

    unauthorized = isinstance(error, ManagerError) and error.status_code == 401
    return unauthorized or isinstance(error, CredentialsRefused)
