"""``keyyo-cti contacts``: the directory of the account."""

import argparse
import json
from typing import Sequence

from .._directory.contact import Contact
from .._directory.search import Search
from .._display.html import format_number_safely
from .._display.telephone_number import FRANCE
from .csv_output import print_csv
from .exit_codes import OK
from .login_account import require_account
from .parser import add_json, add_trust
from .terminal import Terminal, escape

#: Characters of a name or a company in a row.
_MAX_LENGTH = 60

#: The columns of the CSV, as CSVFile reads them.
_FIELDS = ("name", "company", "numbers", "short_numbers", "first_name", "family_name", "job",
           "email", "address", "branch", "uid")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.add_argument(
        "text",
        nargs="?",
        metavar="TEXT",
        help="show contacts with this in their name, company, number, job, e-mail address or "
        "branch; by default all",
    )
    form = parser.add_mutually_exclusive_group()
    add_json(form, "all fields of the contacts")
    form.add_argument("--csv", action="store_true", help="print them as CSV")
    add_trust(parser)


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Run the command."""
    found = require_account(arguments.ca_certs, arguments.allow_http).client.contacts()
    if arguments.text is not None:
        search = Search(arguments.text, FRANCE)
        found = [contact for contact in found if search.matches(contact)]
    if arguments.json:
        out.print_line(json.dumps([contact._asdict() for contact in found], indent=2))
    elif arguments.csv:
        print_csv(out, _FIELDS, map(_make_csv_row, found))
    else:
        _print_table(found, out)
        if not found:
            of_all = arguments.text is None
            err.print_line("the directory has no contact" if of_all else "no contact has this")
    return OK


def _make_csv_row(contact: Contact) -> Sequence[object]:
    fields = contact._asdict()
    for name in ("numbers", "short_numbers"):
        fields[name] = "; ".join(fields[name])
    return [fields[name] for name in _FIELDS]


def _print_table(contacts: Sequence[Contact], out: Terminal) -> None:
    # Into a pipe, numbers stay as Keyyo sent them, because grep would not find groups.
    write = format_number_safely if out.is_terminal else escape
    rows = [
        (
            escape((contact.name or "")[:_MAX_LENGTH]),
            escape((contact.company or "")[:_MAX_LENGTH]),
            ", ".join(map(write, (*contact.numbers, *contact.short_numbers))),
        )
        for contact in sorted(contacts, key=_get_order)
    ]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths)]
        out.print_line("  ".join(cells).rstrip())


def _get_order(contact: Contact) -> str:
    return (contact.label or "").casefold()
