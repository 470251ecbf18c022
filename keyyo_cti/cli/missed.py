"""``keyyo-cti missed``: whom to call back."""

import argparse
import json
from typing import Any, Dict, Optional

from .._display.names import Names
from .._net.clock import DAY, wall_clock
from ..call_back import CallBack, to_call_back
from .account_names import add_names, open_names
from .call_printer import format_party
from .exit_codes import OK
from .login_account import require_account
from .moments import MOMENT_FORMS, parse_moment
from .parser import add_json, add_trust
from .terminal import Terminal, escape

_DEFAULT_DAYS = 7


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = (
        "It shows the callers whom no line has talked to since, and no line has called: the "
        "longest waiting first. Keyyo records a call some time after its end."
    )
    parser.add_argument(
        "--since",
        metavar="WHEN",
        help=f"calls since then, {MOMENT_FORMS}; by default {_DEFAULT_DAYS}d",
    )
    add_names(parser)
    add_json(parser, "the people")
    add_trust(parser)


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Run the command."""
    # Before the login, so that a mistake shows at once.
    since = wall_clock() - _DEFAULT_DAYS * DAY
    if arguments.since is not None:
        since = parse_moment("--since", arguments.since, wall_clock())
    account = require_account(arguments.ca_certs, arguments.allow_http)
    with open_names(arguments, err) as names:
        people = to_call_back(account.client.history(None, since))
        if names is not None and people:
            names.wait()
    if arguments.json:
        out.print_line(json.dumps([make_fields(each, names) for each in people], indent=2))
        return OK
    if not people:
        err.print_line("there is no call to return")
    for each in people:
        out.print_line(format_line(each, out.is_terminal, names))
    return OK


def make_fields(person: CallBack, names: Optional[Names] = None) -> Dict[str, Any]:
    """Return a person as JSON, with the name that a directory has."""
    return {
        "number": person.number,
        "name": names and names.name_of(person.number),
        "count": person.count,
        "first": person.first.isoformat(),
        "last": person.last.isoformat(),
        "lines": list(person.lines),
    }


def format_line(person: CallBack, for_person: bool, names: Optional[Names] = None) -> str:
    """Return a person as a line, with the name that a directory has.

    :param for_person: True to write numbers in groups of digits.
    """
    write = format_party if for_person else escape
    name = names and names.name_of(person.number)
    several = f"{person.count} calls since {_format(person.first)}"
    parts = [
        _format(person.last),
        "hidden" if person.hidden else write(person.number),
        escape(name or ""),
        "1 call" if person.count == 1 else several,
        f"to {', '.join(map(write, person.lines))}" if person.lines else "",
    ]
    return "  ".join(filter(None, parts))


def _format(moment: Any) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
