"""The command ``keyyo-cti``."""

import importlib
import os
import sys
from typing import Optional, Sequence

from ..errors import KeyyoError
from .exit_codes import FAILED, INTERRUPTED, MISUSED, SIGNED_OUT, Failed, Misused, SignedOut
from .parser import parser
from .terminal import Terminal, printable


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Runs the command.

    :param argv: its arguments; by default those of the process.
    :returns: the exit code: 0, 1 when it failed, 2 when it was called wrongly, 3 when the
        connection was lost, 4 when somebody has to sign in first, 130 after Ctrl-C.
    """
    parsing = parser()
    arguments = parsing.parse_args(argv)
    err = Terminal(sys.stderr)
    if arguments.command is None:
        parsing.print_help(sys.stderr)
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
        return _exit_code(error, err)


def _exit_code(error: BaseException, err: Terminal) -> int:
    if isinstance(error, Misused):
        return MISUSED
    if isinstance(error, SignedOut) or _refused(error):
        err.line("sign in with: keyyo-cti login")
        return SIGNED_OUT
    return FAILED


def _refused(error: BaseException) -> bool:
    """Whether Keyyo lets nobody in any more."""
    if not isinstance(error, KeyyoError):
        return False
    from ..oauth2_client import CredentialsRefused

    return isinstance(error, CredentialsRefused)
