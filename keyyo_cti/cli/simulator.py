"""``keyyo-cti simulator``: a simulated Keyyo with telephones that you operate by typing."""

import argparse
import contextlib
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, Dict, Iterator, Optional, Tuple

from .exit_codes import OK, CommandFailed, UsageError
from .invocation import format_command
from .parser import CLIENT_ID_VARIABLE, CLIENT_SECRET_VARIABLE, TOKEN_VARIABLE
from .terminal import Terminal, escape, is_in_background, read_lines, stdin_is_terminal

if TYPE_CHECKING:
    from ..simulator import Simulator
    from .simulator_console import Console

_DEFAULT_LINES = [("33199000001", "Alice")]
_DEFAULT_PHONES = [("33199020000", "Bob")]

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
    parser.add_argument(
        "--phone",
        dest="phones",
        action="append",
        type=_parse_phone,
        metavar="NUMBER=NAME",
        help="a telephone outside of the account; may be repeated (default: 33199020000=Bob)",
    )


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Run the command."""
    # Imported late, because the simulator is an extra. --help works without it.
    from ..simulator import Simulator
    from .simulator_console import Console, LogPrinter

    chosen = arguments.lines or _DEFAULT_LINES
    phones = arguments.phones or _DEFAULT_PHONES
    for number, _ in (*chosen, *phones):
        _check_number(number)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_handle_signals())
        try:
            sim = Simulator(
                host=arguments.host, port=arguments.port, allowed_hosts=arguments.allowed_hosts
            )
            sim.start()
            stack.callback(sim.stop)
            lines = [sim.line(number, name=name) for number, name in chosen]
            for number, name in phones:
                if name:
                    # So that their names are shown beside their numbers.
                    sim.contact(name, default_number=f"+{number}")
        except ValueError as error:
            raise UsageError(error) from error
        except OSError as error:
            raise CommandFailed(
                f"cannot listen on {arguments.host}:{arguments.port}: {error}"
            ) from error
        console = Console(sim, lines, out, phones)
        # Before the first line is printed, because its reader may press Ctrl-C at once.
        with LogPrinter(out, console.book), contextlib.suppress(KeyboardInterrupt):
            _introduce(sim, console, out)
            _operate(console, out)
    return OK


def _introduce(sim: "Simulator", console: "Console", out: Terminal) -> None:
    """Print the lines, the telephones, and commands that can be run as they stand."""
    from ..simulator import DEFAULT_APPLICATION

    out.print_line(f"simulator at {sim.endpoint}")
    for line in console.account_lines:
        token = sim.token(line)
        out.print_line(f"line {console.book.describe(line.number)}: token {token}")
        command = format_command(
            "watch", "--endpoint", sim.endpoint, variables={TOKEN_VARIABLE: token}
        )
        out.print_line(f"  try: {command}")
    for number in console.outside_numbers:
        out.print_line(f"telephone {console.book.describe(number)}")
    server = sim.authorize_url.rpartition("/oauth2/")[0]
    variables = {
        CLIENT_ID_VARIABLE: DEFAULT_APPLICATION.client_id,
        CLIENT_SECRET_VARIABLE: DEFAULT_APPLICATION.client_secret,
    }
    out.print_line(
        f"or sign in: {format_command('login', '--server', server, variables=variables)}"
    )
    out.print_line(f'type "help" to see what you can do, such as: {console.make_example()}')


def _operate(console: "Console", out: Terminal) -> None:
    """Execute what is typed; without a terminal, go on at the end of the input."""
    while not console.run(read_lines()):
        if stdin_is_terminal() and not is_in_background():
            # Ctrl-D.
            return
        # Run as a service, in the background, or with a file as input.
        try:
            out.print_line("no more input: Ctrl-C or SIGTERM ends the simulator")
        except BrokenPipeError:
            raise
        except OSError:
            # The terminal has been closed. Its simulator stays.
            pass
        _wait_for_input()


@contextlib.contextmanager
def _handle_signals() -> Iterator[None]:
    """Make SIGTERM raise KeyboardInterrupt, and ignore SIGTTIN, if this is the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers: Dict[int, Any] = {signal.SIGTERM: signal.default_int_handler}
    if sys.platform != "win32":
        # Otherwise reading the terminal in the background would stop the whole simulator.
        handlers[signal.SIGTTIN] = signal.SIG_IGN
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            # None stands for a handler that was not set by Python, which cannot set it again.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def _wait_for_input() -> None:
    """Wait until the shell brings the simulator to the foreground, or a signal ends it."""
    while not stdin_is_terminal() or is_in_background():
        threading.Event().wait(_SIGNAL_POLL_INTERVAL)


def _check_number(number: str) -> None:
    from ..simulator.numbers import is_number

    if not is_number(number):
        raise UsageError(
            f"{escape(number)!r} is no number of a line or telephone: expected 2 to 15 digits, "
            "and then a name, such as 33199000002=Carol"
        )


def _parse_line(text: str) -> Tuple[str, Optional[str]]:
    number, _, name = text.partition("=")
    return number, name or None


def _parse_phone(text: str) -> Tuple[str, str]:
    number, _, name = text.partition("=")
    return number, name
