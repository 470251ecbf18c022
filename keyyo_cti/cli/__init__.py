"""The command ``keyyo-cti``."""

import importlib
import os
import sys
from typing import Optional, Sequence

from ..errors import KeyyoError
from .exit_codes import FAILED, INTERRUPTED, MISUSED, SIGNED_OUT, Failed, Misused, SignedOut
from .parser import parsed
from .terminal import Terminal, printable


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Runs the command.

    :param argv: its arguments; by default those of the process.
    :returns: the exit code: 0, 1 when it failed, 2 when it was called wrongly, 3 when the
        connection was lost, 4 when somebody has to sign in first, 130 after Ctrl-C.
    """
    arguments = parsed(argv)
    err = Terminal(sys.stderr)
    if arguments.command is None:
        return MISUSED
    try:
        # Only now: the simulator needs an extra, and OAuth2 takes its time.
        command = importlib.import_module(f".{arguments.command}", __package__)
        return int(command.run(arguments, Terminal(sys.stdout), err))
    except KeyboardInterrupt:
        err.line("stopped")
        return INTERRUPTED
    except BrokenPipeError:
        # As in "keyyo-cti watch | head": nobody reads any more. The interpreter would complain
        # about what is still in the buffer.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (Misused, Failed, KeyyoError, ImportError, OSError) as error:
        # An ImportError of the simulator says which extra is missing.
        err.line(printable(error))
        status = _exit_code(error)
        if status == SIGNED_OUT and arguments.command != "login":
            err.line("sign in with: keyyo-cti login")
        return status


def _exit_code(error: BaseException) -> int:
    # Only what is refused before it is sent has this code here.
    if isinstance(error, Misused) or getattr(error, "error_code", None) == "invalid_params":
        return MISUSED
    return SIGNED_OUT if isinstance(error, SignedOut) or _refused(error) else FAILED


def _refused(error: BaseException) -> bool:
    """Whether Keyyo lets nobody in any more."""
    if not isinstance(error, KeyyoError):
        return False
    from ..errors import CredentialsRefused, ManagerError

    unauthorized = isinstance(error, ManagerError) and error.status_code == 401
    return unauthorized or isinstance(error, CredentialsRefused)
