"""The command ``keyyo-cti``."""

import argparse
import contextlib
import os
import sys
from typing import Any, Optional, Sequence, Tuple

from .cti import CTI
from .errors import KeyyoError
from .options import ENDPOINT
from .terminal import Terminal, printable
from .version import __version__
from .watch import INTERRUPTED, Watch

FAILED = 1
MISUSED = 2

TOKEN_VARIABLE = "KEYYO_CSI_TOKEN"

#: The lines of a simulator when none is asked for.
_LINES = [("33199000001", "Alice")]

_NO_TOKEN = (
    f"a CSI token is needed: put one into the environment as {TOKEN_VARIABLE}, or into a file "
    "and give its name with --token-file"
)


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Runs the command.

    :param argv: its arguments; by default those of the process.
    :returns: the exit code: 0, 1 when it failed, 2 when it was called wrongly, 3 when the
        connection was lost, 130 after Ctrl-C.
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    err = Terminal(sys.stderr)
    if arguments.run is None:
        parser.print_help(sys.stderr)
        return MISUSED
    try:
        return int(arguments.run(arguments, Terminal(sys.stdout), err))
    except KeyboardInterrupt:
        err.line("stopped")
        return INTERRUPTED
    except BrokenPipeError:
        # As in "keyyo-cti watch | head": nobody reads any more. The interpreter would complain
        # about what is still in the buffer.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except ImportError as error:
        # The simulator says which extra is missing.
        err.line(printable(error))
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="keyyo-cti", description="Supervise and control Keyyo telephone lines."
    )
    parser.add_argument("--version", action="version", version=f"keyyo-cti {__version__}")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_demo(commands)
    _add_simulator(commands)
    _add_watch(commands)
    return parser


def _add_demo(commands: Any) -> None:
    about = "Play two calls between Alice and Bob on the simulator, and tell what happens."
    demo = commands.add_parser("demo", help=about, description=about)
    demo.set_defaults(run=_demo)


def _add_simulator(commands: Any) -> None:
    about = "Keep a simulated Keyyo running, and play its telephones by typing."
    simulator = commands.add_parser("simulator", help=about, description=about)
    simulator.add_argument("--host", default="127.0.0.1", help="where to listen: %(default)s")
    simulator.add_argument("--port", type=int, default=0, help="by default a free one")
    simulator.add_argument(
        "--line",
        dest="lines",
        action="append",
        type=_number_and_name,
        metavar="NUMBER[=NAME]",
        help="a line of the account, more than once for several; by default 33199000001=Alice",
    )
    simulator.set_defaults(run=_simulator)


def _add_watch(commands: Any) -> None:
    about = "Show the calls of a line as they change, one line per change."
    watch = commands.add_parser(
        "watch",
        help=about,
        description=about,
        epilog=(
            f"The CSI token comes from the environment, {TOKEN_VARIABLE}, or from a file. It is "
            "no argument, because every user of a machine can read the arguments of a process."
        ),
    )
    watch.add_argument(
        "--endpoint", default=ENDPOINT, metavar="URL", help="by default Keyyo's: %(default)s"
    )
    watch.add_argument(
        "--token-file", metavar="FILE", help="has the CSI token in its first line; - is stdin"
    )
    watch.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="NUMBER",
        help='another line of the organisation, or "callpark"; more than once for several',
    )
    watch.add_argument(
        "--ca-certs", metavar="FILE", help="the certificate authorities to trust"
    )
    watch.set_defaults(run=_watch)


def _demo(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    # Imported where it is needed, because the simulator needs an extra.
    from .demo import play
    from .simulator import Simulator

    try:
        with Simulator() as sim:
            play(sim, out)
    except BrokenPipeError:
        raise
    except (KeyyoError, OSError, RuntimeError) as error:
        err.line(f"the demo failed: {printable(error)}")
        return FAILED
    return 0


def _simulator(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    from .play import Events, Player, described
    from .simulator import Simulator

    with contextlib.ExitStack() as ending:
        try:
            sim = Simulator(host=arguments.host, port=arguments.port)
            sim.start()
            ending.callback(sim.stop)
            lines = [sim.line(number, name=name) for number, name in arguments.lines or _LINES]
        except ValueError as error:
            err.line(printable(error))
            return MISUSED
        except OSError as error:
            err.line(f"cannot listen on {arguments.host}:{arguments.port}: {printable(error)}")
            return FAILED
        # From the first line on: who reads it may press Ctrl-C at once.
        with Events(out), contextlib.suppress(KeyboardInterrupt):
            out.line(f"simulator at {sim.endpoint}")
            for line in lines:
                token = sim.token(line)
                out.line(f"{described(line)}: token {token}")
                out.line(
                    f"  try: {TOKEN_VARIABLE}={token} keyyo-cti watch --endpoint {sim.endpoint}"
                )
            out.line('type "help" to see what you can do at the telephones')
            Player(sim, lines, out).play(sys.stdin)
    return 0


def _watch(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    try:
        token = _read_token(arguments.token_file)
        cti = CTI(
            endpoint=arguments.endpoint,
            ca_certs=arguments.ca_certs,
            # Another program of this user may live on the session in the cookie.
            cookie_auto=False,
        )
    except (OSError, ValueError) as error:
        err.line(printable(error))
        return MISUSED
    if not token:
        err.line(_NO_TOKEN)
        return MISUSED
    return Watch(cti, arguments.also, out, err).run(token)


def _read_token(name: Optional[str]) -> str:
    """The token, or nothing when there is none."""
    if name is None:
        return os.environ.get(TOKEN_VARIABLE, "").strip()
    if name == "-":
        return sys.stdin.readline().strip()
    with open(name, encoding="utf-8") as file:
        return file.readline().strip()


def _number_and_name(text: str) -> Tuple[str, Optional[str]]:
    number, _, name = text.partition("=")
    return number, name or None
