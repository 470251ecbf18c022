"""The command line: the list of commands, and the arguments that several commands share.

Each command is a module beside this one, with ``add_arguments(parser)`` and
``run(arguments, out, err)``.
"""

import argparse
import importlib
import sys
from types import ModuleType
from typing import Callable, Dict, Mapping, Optional, Sequence

from .help_format import HelpFormatter
from .version import VersionAction

PROGRAM = "keyyo-cti"

TOKEN_VARIABLE = "KEYYO_CSI_TOKEN"
CLIENT_ID_VARIABLE = "KEYYO_CLIENT_ID"
CLIENT_SECRET_VARIABLE = "KEYYO_CLIENT_SECRET"

#: Each command, in the order of the help, with what it does. Its module has _ for -.
COMMANDS: Dict[str, str] = {
    "demo": "Play two calls between Alice and Bob on the simulator, and print each step.",
    "simulator": "Run a simulated Keyyo, and operate its telephones by typing.",
    "login": "Sign in: allow keyyo-cti on this machine to use an account.",
    "logout": "Delete the tokens and the client secret of login. Keyyo still accepts the tokens.",
    "lines": "Show the lines of the account.",
    "contacts": "Show the directory of the account, or the contacts with a text.",
    "token": "Print a new CSI token, which opens one line for an hour. It is a secret.",
    "diagnose": "Find out why a line does not answer, and what to do.",
    "dial": "Have a line's telephone call a number, or the number in a tel: or callto: link.",
    "install-handler": "Open the tel: and callto: links of this Linux desktop with dial.",
    "watch": "Show the calls of a line as they change: as a live table, or one line per change.",
    "history": "Show the recorded calls of a line or of the account, or archive them.",
    "missed": "Show whom to call back: missed callers who were neither reached nor called since.",
    "dnd": "Turn do-not-disturb on or off for a line, or show it.",
    "translate": "Print JavaScript for Keyyo's SDK as Python for this one, and notes on stderr.",
    "completion": "Print a script that completes commands and options in your shell.",
}

_EXIT_CODES = """exit codes:
  0    success
  1    failure
  2    wrong command line
  3    connection lost
  4    not signed in
  130  Ctrl-C"""

#: Adds the arguments of a command to its parser.
AddArguments = Callable[[argparse.ArgumentParser], object]

#: The forms of a number.
NUMBER_FORMS = "such as 33172587948, '+33 1 72 58 79 48' or '01 72 58 79 48'"

#: Why no argument takes a secret.
WHY_NO_ARGUMENT = "because every user of a machine can read the arguments of a process"

TOKEN_SOURCES = (
    f"The CSI token comes from --token-file, from the environment variable {TOKEN_VARIABLE}, or "
    f"from the account of keyyo-cti login. There is no argument for it, {WHY_NO_ARGUMENT}."
)


def find_command(words: Sequence[str]) -> Optional[str]:
    """Return the command that these arguments name, or None."""
    # No option before the command takes a value.
    first = next((word for word in words if not word.startswith("-")), None)
    return first if first in COMMANDS else None


def import_command(name: str) -> ModuleType:
    """Return the module of a command."""
    return importlib.import_module(f".{name.replace('-', '_')}", __package__)


def parse(
    words: Sequence[str],
    name: Optional[str] = None,
    add_arguments: Optional[AddArguments] = None,
) -> argparse.Namespace:
    """Parse the command line; print the help if there is no command.

    :param name: the command.
    :param add_arguments: adds the arguments of this command to its parser.
    :raises SystemExit: the arguments are wrong, or ask for help only.
    """
    parser = make_parser({name: add_arguments} if name and add_arguments else {})
    arguments, unknown = parser.parse_known_args(words)
    if unknown:
        # Without their values, which may be secrets, as in --token=...
        names = [each.partition("=")[0] for each in unknown if each.startswith("-")]
        parser.error(f"unknown arguments: {', '.join(names) or 'one too many'}")
    if name is None:
        parser.print_help(sys.stderr)
    return arguments


def _add_debug(parser: argparse.ArgumentParser, default: object) -> None:
    parser.add_argument(
        "--debug",
        action="store_true",
        default=default,
        help="print commands, replies, notifications and connections to stderr, without secrets",
    )


def make_parser(arguments: Mapping[str, AddArguments]) -> argparse.ArgumentParser:
    """Return the parser with all commands.

    :param arguments: by command; a command that is missing here takes no arguments.
    """
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Supervise and control Keyyo telephone lines.",
        epilog=_EXIT_CODES,
        allow_abbrev=False,
        formatter_class=HelpFormatter,
    )
    parser.add_argument(
        "--version", action=VersionAction, help="show the versions that a bug report needs"
    )
    _add_debug(parser, False)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for each, summary in COMMANDS.items():
        command = commands.add_parser(
            each,
            help=summary,
            description=summary,
            allow_abbrev=False,
            formatter_class=HelpFormatter,
        )
        arguments.get(each, _add_none)(command)
        # Without a default, which would overwrite a --debug before the command.
        _add_debug(command, argparse.SUPPRESS)
    return parser


def _add_none(parser: argparse.ArgumentParser) -> None:
    pass


def add_session(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that open a session."""
    parser.add_argument("--csi", metavar="CSI", help="line of the account, if it has several")
    parser.add_argument(
        "--token-file",
        metavar="FILE",
        help="file with the CSI token in its first line; - is stdin",
    )
    parser.add_argument(
        "--endpoint",
        metavar="URL",
        help="URL of the CTI service; by default that of the account, or Keyyo's: "
        "https://ws.keyyo.com/cti",
    )
    add_trust(parser)


def add_line(parser: argparse.ArgumentParser) -> None:
    """Add the line of the account."""
    parser.add_argument(
        "csi",
        nargs="?",
        metavar="CSI",
        help="the line, such as 33199000001; optional if the account has only one",
    )


def add_json(parser: "argparse._ActionsContainer", content: str) -> None:
    """Add ``--json``.

    :param content: what the JSON contains.
    """
    parser.add_argument("--json", action="store_true", help=f"print {content} as JSON")


def add_trust(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which servers may receive secrets."""
    parser.add_argument("--ca-certs", metavar="FILE", help="certificate authorities to trust")
    add_allow_http(parser)


def add_allow_http(parser: argparse.ArgumentParser) -> None:
    """Add ``--allow-http``."""
    parser.add_argument(
        "--allow-http",
        action="store_true",
        help="allow http:// to other machines, which sends secrets in clear text: "
        "for laboratories",
    )
