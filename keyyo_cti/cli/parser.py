"""What the command takes: the arguments of each of its commands, which is a module beside."""

import argparse
import math
import re
import sys
from typing import Any, Optional, Sequence, Tuple

from .._display.extras import install_hint
from .._version import __version__

TOKEN_VARIABLE = "KEYYO_CSI_TOKEN"
CLIENT_ID_VARIABLE = "KEYYO_CLIENT_ID"
CLIENT_SECRET_VARIABLE = "KEYYO_CLIENT_SECRET"

#: The server that is Keyyo itself.
KEYYO = "keyyo"

#: Seconds that a person has to sign in.
_PATIENCE = 300.0

_EXIT_CODES = (
    "exit codes: 0 done, 1 failed, 2 called wrongly, 3 connection lost, 4 sign in first, "
    "130 Ctrl-C"
)

_NO_SECRETS = "because every user of a machine can read the arguments of a process"


def parsed(argv: Optional[Sequence[str]]) -> argparse.Namespace:
    """The arguments; ``command`` is the module of what was called, or None, and then there was
    help.

    :raises SystemExit: they are wrong, or only ask for help.
    """
    parser = _parser()
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        # Their values may be secrets, as in --token=...
        names = [each.partition("=")[0] for each in unknown if each.startswith("-")]
        parser.error(f"not understood: {', '.join(names) or 'one argument too many'}")
    if arguments.command is None:
        parser.print_help(sys.stderr)
    return arguments


def _parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="keyyo-cti",
        description="Supervise and control Keyyo telephone lines.",
        epilog=_EXIT_CODES,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"keyyo-cti {__version__}")
    top.set_defaults(command=None)
    commands = top.add_subparsers(title="commands", metavar="COMMAND")
    _add_demo(commands)
    _add_simulator(commands)
    _add_login(commands)
    _add_logout(commands)
    _add_lines(commands)
    _add_token(commands)
    _add_diagnose(commands)
    _add_dial(commands)
    _add_watch(commands)
    return top


def _add_demo(commands: Any) -> None:
    _command(
        commands,
        "demo",
        "Play two calls between Alice and Bob on the simulator, and tell what happens.",
    )


def _add_simulator(commands: Any) -> None:
    command = _command(
        commands,
        "simulator",
        "Keep a simulated Keyyo running, and play its telephones by typing.",
    )
    command.add_argument("--host", default="127.0.0.1", help="where to listen: %(default)s")
    command.add_argument("--port", type=int, default=0, help="by default a free one")
    command.add_argument(
        "--allow-host",
        dest="allowed_hosts",
        action="append",
        default=[],
        metavar="NAME",
        help="a name with a dot by which clients reach it; more than once for several",
    )
    command.add_argument(
        "--line",
        dest="lines",
        action="append",
        type=_number_and_name,
        metavar="NUMBER[=NAME]",
        help="a line of the account, more than once for several; by default 33199000001=Alice",
    )


def _add_login(commands: Any) -> None:
    command = _command(
        commands,
        "login",
        "Sign in: let this machine's keyyo-cti into an account.",
        epilog=(
            "Keyyo knows a program by a client id, a client secret and a redirect URI. The "
            f"secret is asked for, or comes from the environment, {CLIENT_SECRET_VARIABLE}. It is "
            f"no argument, {_NO_SECRETS}. Secret and tokens are kept in a file that only you can "
            "read."
        ),
    )
    command.add_argument(
        "--client-id", metavar="ID", help=f"by default that of {CLIENT_ID_VARIABLE}, or of before"
    )
    command.add_argument(
        "--redirect-uri",
        metavar="URI",
        help="as Keyyo knows it; by default that of before, or http://127.0.0.1:8080/callback",
    )
    command.add_argument(
        "--scope",
        default="cti_admin full_access_read_only",
        help='what to ask for: "%(default)s"',
    )
    command.add_argument(
        "--paste",
        action="store_true",
        help="paste the address that the browser was sent to, for a browser on another machine",
    )
    command.add_argument(
        "--no-browser", action="store_true", help="open no browser, only print the address"
    )
    command.add_argument(
        "--patience",
        type=_seconds,
        default=_PATIENCE,
        metavar="SECONDS",
        help="to wait for the browser: %(default)g",
    )
    command.add_argument(
        "--server",
        metavar="URL",
        help=(
            "the address of a simulator, or of a gateway; by default that of before, or Keyyo's, "
            f"which is also {KEYYO}"
        ),
    )
    _add_trust(command)


def _add_logout(commands: Any) -> None:
    command = _command(
        commands,
        "logout",
        "Forget the tokens and the client secret of login. Keyyo itself still knows the tokens.",
    )
    _add_allow_http(command)


def _add_lines(commands: Any) -> None:
    command = _command(commands, "lines", "Show the lines of the account.")
    _add_json(command, "all that Keyyo says of them")
    _add_trust(command)


def _add_token(commands: Any) -> None:
    command = _command(
        commands,
        "token",
        "Print a fresh CSI token, which opens one line for an hour. It is a secret.",
    )
    _add_line(command)
    command.add_argument(
        "--domain-mask",
        dest="domain_masks",
        action="append",
        default=[],
        metavar="MASK",
        help="a web page that may use it, such as *.example.com; more than once for several",
    )
    _add_json(command, "the token, its line and when it expires")
    _add_trust(command)


def _add_diagnose(commands: Any) -> None:
    command = _command(
        commands,
        "diagnose",
        "Find out why a line does not answer, and what to do.",
        epilog="The exit code is 0 if nothing is wrong, else 1.",
    )
    _add_line(command)
    command.add_argument(
        "--enable-plugin", action="store_true", help="enable the CTI plugin websocket first"
    )
    _add_json(command, "what was found")
    command.add_argument(
        "--endpoint", metavar="URL", help="of the CTI service; by default that of the account"
    )
    _add_trust(command)


def _add_dial(commands: Any) -> None:
    command = _command(
        commands,
        "dial",
        "Have a line's telephone call a number.",
        epilog=(
            "Without --follow it ends when Keyyo has taken the order. With --follow the exit "
            f"code is 0 if somebody picked up, else 1. {_WHERE_FROM}"
        ),
    )
    command.add_argument("number", metavar="NUMBER", help="whom to call")
    command.add_argument(
        "--only",
        type=_pattern,
        metavar="REGEX",
        help=(
            "call only a number that this matches as a whole, such as '33[1-79][0-9]{8}', for "
            "numbers that come from elsewhere, such as a web page's"
        ),
    )
    command.add_argument(
        "--no-auto-answer",
        dest="auto_answer",
        action="store_false",
        help="have the line's telephone ring first, instead of going off the hook by itself",
    )
    command.add_argument(
        "--follow", action="store_true", help="show the call as it changes, until it is over"
    )
    _add_session(command)
    _add_json(command, "each change of the call, one object a line")


def _pattern(text: str) -> "re.Pattern[str]":
    try:
        return re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise argparse.ArgumentTypeError(f"no regular expression: {error}") from error


def _add_watch(commands: Any) -> None:
    command = _command(
        commands,
        "watch",
        "Show the calls of a line as they change: as a live table, or one line per change.",
        epilog=f"{_TABLE} {_WHERE_FROM}",
    )
    command.add_argument(
        "--also",
        action="append",
        default=[],
        metavar="NUMBER",
        help='another line of the organisation, or "callpark"; more than once for several',
    )
    _add_session(command)
    form = command.add_mutually_exclusive_group()
    form.add_argument(
        "--plain", action="store_true", help="each change of a call, one line, also on a terminal"
    )
    _add_json(form, "each change of a call, one object a line")


_TABLE = (
    f"The table is for a terminal, and needs the extra: {install_hint('terminal')}. "
    "Without it, and into a pipe, there is one line per change."
)

_WHERE_FROM = (
    f"The CSI token comes from --token-file, from the environment, {TOKEN_VARIABLE}, or from the "
    f"account that keyyo-cti login was let into. It is no argument, {_NO_SECRETS}."
)


def _add_session(command: argparse.ArgumentParser) -> None:
    """What it takes to open a session."""
    command.add_argument(
        "--csi", metavar="CSI", help="which line of the account, if it has several"
    )
    command.add_argument(
        "--token-file", metavar="FILE", help="has the CSI token in its first line; - is stdin"
    )
    command.add_argument(
        "--endpoint", metavar="URL", help="of the CTI service; by default that of the account, "
        "or Keyyo's: https://ws.keyyo.com/cti"
    )
    _add_trust(command)


def _add_line(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "csi",
        nargs="?",
        metavar="CSI",
        help="the line, such as 33199000001; may be left out if the account has only one",
    )


def _add_json(command: "argparse._ActionsContainer", what: str) -> None:
    command.add_argument("--json", action="store_true", help=f"{what}, for programs")


def _add_trust(command: argparse.ArgumentParser) -> None:
    """Which servers secrets are sent to."""
    command.add_argument(
        "--ca-certs", metavar="FILE", help="the certificate authorities to trust"
    )
    _add_allow_http(command)


def _add_allow_http(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--allow-http",
        action="store_true",
        help="send secrets in clear to an http:// address of another machine: for laboratories",
    )


def _command(
    commands: Any, name: str, about: str, epilog: Optional[str] = None
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=about, description=about, epilog=epilog, allow_abbrev=False
    )
    command.set_defaults(command=name)
    return command


def _number_and_name(text: str) -> Tuple[str, Optional[str]]:
    number, _, name = text.partition("=")
    return number, name or None


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 86_400 or math.isnan(seconds):
        raise ValueError
    return seconds
