"""``keyyo-cti simulator``: a simulated Keyyo with telephones that you operate by typing."""

import argparse
import contextlib
import signal
import threading
from typing import Iterator, Optional, Tuple

from .exit_codes import OK, CommandFailed, UsageError
from .parser import CLIENT_ID_VARIABLE, CLIENT_SECRET_VARIABLE, TOKEN_VARIABLE
from .terminal import Terminal, read_lines, stdin_is_terminal

_DEFAULT_LINES = [("33199000001", "Alice")]

#: Seconds. On Windows, a signal does not interrupt a wait without a timeout.
_SIGNAL_POLL_INTERVAL = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"
    )
    parser.add_argument("--port", type=int, default=0, help="by default a free one")
    parser.add_argument(
        "--allow-host",
        dest="allowed_hosts",
        action="append",
        default=[],
        metavar="NAME",
        help="a name with a dot that clients may use for the simulator; may be repeated",
    )
    parser.add_argument(
        "--line",
        dest="lines",
        action="append",
        type=_parse_line,
        metavar="NUMBER[=NAME]",
        help="a line of the account; may be repeated (default: 33199000001=Alice)",
    )


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Run the command."""
    # Imported late, because the simulator is an extra. --help works without it.
    from ..simulator import DEFAULT_APPLICATION, Simulator
    from .simulator_console import Console, LogPrinter, describe_line

    with contextlib.ExitStack() as stack:
        stack.enter_context(_handle_sigterm_as_ctrl_c())
        try:
            sim = Simulator(
                host=arguments.host, port=arguments.port, allowed_hosts=arguments.allowed_hosts
            )
            sim.start()
            stack.callback(sim.stop)
            chosen = arguments.lines or _DEFAULT_LINES
            lines = [sim.line(number, name=name) for number, name in chosen]
        except ValueError as error:
            raise UsageError(error) from error
        except OSError as error:
            raise CommandFailed(
                f"cannot listen on {arguments.host}:{arguments.port}: {error}"
            ) from error
        # Before the first line is printed, because its reader may press Ctrl-C at once.
        with LogPrinter(out), contextlib.suppress(KeyboardInterrupt):
            out.print_line(f"simulator at {sim.endpoint}")
            for line in lines:
                token = sim.token(line)
                out.print_line(f"{describe_line(line)}: token {token}")
                out.print_line(
                    f"  try: {TOKEN_VARIABLE}={token} keyyo-cti watch --endpoint {sim.endpoint}"
                )
            out.print_line(
                f"or sign in: {CLIENT_ID_VARIABLE}={DEFAULT_APPLICATION.client_id} "
                f"{CLIENT_SECRET_VARIABLE}={DEFAULT_APPLICATION.client_secret} "
                f"keyyo-cti login --server {sim.authorize_url.rpartition('/oauth2/')[0]}"
            )
            out.print_line('type "help" to see what you can do')
            quit_typed = Console(sim, lines, out).run(read_lines())
            if not quit_typed and not stdin_is_terminal():
                # Run as a service, or with a file as input.
                out.print_line("no more input: Ctrl-C or SIGTERM ends the simulator")
                _wait_for_signal()
    return OK


@contextlib.contextmanager
def _handle_sigterm_as_ctrl_c() -> Iterator[None]:
    """Make SIGTERM raise KeyboardInterrupt, if this is the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        # None stands for a handler that was not set by Python, which cannot set it again.
        signal.signal(signal.SIGTERM, signal.SIG_DFL if before is None else before)


def _wait_for_signal() -> None:
    """Wait until a signal raises KeyboardInterrupt."""
    while True:
        threading.Event().wait(_SIGNAL_POLL_INTERVAL)


def _parse_line(text: str) -> Tuple[str, Optional[str]]:
    number, _, name = text.partition("=")
    return number, name or None
