"""The command ``keyyo-cti``."""

import contextlib
import os
import sys
from typing import Optional, Sequence

from .._client.stderr_log import print_wire_log
from .exit_codes import FAILED, INTERRUPTED, USAGE_ERROR
from .failure import FAILURES, explain
from .parser import find_command, import_command, parse
from .terminal import Terminal


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
        command = import_command(name)
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
    except FAILURES as error:
        # The simulator's ImportError names the missing extra.
        status, lines = explain(error, name)
        for line in lines:
            err.print_line(line)
        return status
