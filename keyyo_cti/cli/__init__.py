"""The command ``keyyo-cti``."""

import contextlib
import importlib
import os
import sys
from typing import Optional, Sequence

from .._client.stderr_log import print_wire_log
from ..errors import KeyyoError
from .exit_codes import (
    FAILED,
    INTERRUPTED,
    NOT_SIGNED_IN,
    USAGE_ERROR,
    CommandFailed,
    NotSignedIn,
    UsageError,
)
from .invocation import format_command, name_program
from .login_hint import explain_login
from .parser import find_command, parse
from .terminal import Terminal, escape


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run the command.

    :param argv: its arguments; by default those of the process.
    :returns: the exit code, one of ``exit_codes``.
    """
    words = sys.argv[1:] if argv is None else argv
    name = find_command(words)
    err = Terminal(sys.stderr)
    try:
        if name is None:
            parse(words)
            return USAGE_ERROR
        # Only the module of this command: the simulator needs an extra, and OAuth2 loads slowly.
        command = importlib.import_module(f".{name}", __package__)
        arguments = parse(words, name, command.add_arguments)
        with contextlib.ExitStack() as stack:
            if arguments.debug:
                stack.callback(print_wire_log())
            return int(command.run(arguments, Terminal(sys.stdout), err))
    except KeyboardInterrupt:
        err.print_line("stopped")
        return INTERRUPTED
    except BrokenPipeError:
        # As in "keyyo-cti watch | head". Otherwise the interpreter would complain at exit about
        # the text that is still in the buffer.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except (UsageError, CommandFailed, KeyyoError, ImportError, OSError) as error:
        # The simulator's ImportError names the missing extra.
        # login is about a new sign-in, not about the one that is stored.
        explanation = None if name == "login" else explain_login(error)
        message = name_program(escape(error))
        err.print_line(f"{message}; {explanation}" if explanation else message)
        status = _exit_code(error)
        if status == NOT_SIGNED_IN and name != "login":
            err.print_line(f"sign in with: {format_command('login')}")
        return status


def _exit_code(error: BaseException) -> int:
    # The client checks arguments before it sends them, and raises invalid_params.
    if isinstance(error, UsageError) or getattr(error, "error_code", None) == "invalid_params":
        return USAGE_ERROR
    return NOT_SIGNED_IN if isinstance(error, NotSignedIn) or _is_refused(error) else FAILED


def _is_refused(error: BaseException) -> bool:
    """True if Keyyo refuses the login itself, so that only a new one helps."""
    if not isinstance(error, KeyyoError):
        return False
    from ..errors import CredentialsRefused, ManagerError

    unauthorized = isinstance(error, ManagerError) and error.status_code == 401
    return unauthorized or isinstance(error, CredentialsRefused)
