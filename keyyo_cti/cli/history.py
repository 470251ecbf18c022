"""``keyyo-cti history``: the recorded calls of a line or of the account."""

import argparse
from typing import Iterator, Optional

from .._net.clock import wall_clock
from ..call_history import CallRecord
from .account_names import add_names, open_names
from .archive_coverage import Selection
from .exit_codes import OK, UsageError
from .history_archive import HistoryArchive
from .login_account import LoginAccount, require_account
from .moments import MOMENT_FORMS, parse_moment, start_of_day
from .parser import add_json, add_trust
from .record_printer import make_printer
from .terminal import Terminal, escape

#: Seconds before the end of an archive that are read again. A call that was recorded late,
#: or in part, is completed then.
_OVERLAP = 2 * 86_400

#: Seconds that a new archive goes back: more than Keyyo keeps.
_DEPTH = 5 * 366 * 86_400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = (
        "Keyyo records a call some time after its end, and keeps it for a while only. To keep the "
        "calls for longer, run the command with --into once a day: without --since, it reads "
        "what is missing."
    )
    parser.add_argument(
        "csi",
        nargs="?",
        metavar="LINE",
        help="the line, such as 33199000001; without it, all lines of the account",
    )
    parser.add_argument(
        "--since", metavar="WHEN", help=f"earliest start, {MOMENT_FORMS}; by default today"
    )
    parser.add_argument("--until", metavar="WHEN", help="first moment that is too late; likewise")
    parser.add_argument(
        "--direction", choices=("in", "out"), help="only incoming or only outgoing calls"
    )
    parser.add_argument("--missed", action="store_true", help="only missed calls")
    parser.add_argument(
        "--messages", action="store_true", help="also text messages and data, not only calls"
    )
    add_names(parser)
    form = parser.add_mutually_exclusive_group()
    add_json(form, "one object per call, one per line,")
    form.add_argument(
        "--csv", action="store_true", help="print CSV that is safe to open in a spreadsheet"
    )
    form.add_argument(
        "--into", metavar="FILE", help="add the calls to an archive, an SQLite file, each once"
    )
    add_trust(parser)


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Run the command."""
    if arguments.missed and arguments.direction == "out":
        raise UsageError("--missed: outgoing calls are never missed; leave out --direction")
    archive = _make_archive(arguments.into)
    # Before the login, so that a mistake shows at once.
    now = wall_clock()
    since, until = (
        None if text is None else parse_moment(option, text, now)
        for option, text in (("--since", arguments.since), ("--until", arguments.until))
    )
    account = require_account(arguments.ca_certs, arguments.allow_http)
    csi = account.select_line(arguments.csi) if arguments.csi else None
    selection = Selection(
        csi, "in" if arguments.missed else arguments.direction, arguments.missed,
        arguments.messages,
    )
    if since is None:
        since = _find_start(archive, selection, now)
    records = _read(account, selection, since, until)
    if archive is None:
        _print(arguments, records, out, err)
        return OK
    added = archive.add(records)
    # After the last record. What an interrupted run has left out is read by the next one.
    archive.set_read(selection, since, now if until is None else min(until, now))
    err.print_line(
        f"{added.new} new and {added.completed} completed calls in {escape(archive.path)}"
    )
    return OK


def _print(
    arguments: argparse.Namespace, records: Iterator[CallRecord], out: Terminal, err: Terminal
) -> None:
    form = "json" if arguments.json else "csv" if arguments.csv else None
    with open_names(arguments, err) as names:
        print_record = make_printer(out, form, names)
        for number, record in enumerate(records):
            # Both are read at the same time until then.
            if number == 0 and names is not None:
                names.wait()
            print_record(record)


def _make_archive(path: Optional[str]) -> Optional[HistoryArchive]:
    try:
        return None if path is None else HistoryArchive(path)
    except ValueError as error:
        raise UsageError(error) from error


def _find_start(
    archive: Optional[HistoryArchive], selection: Selection, now: float
) -> float:
    """Return where to begin without --since, in Unix seconds."""
    if archive is None:
        return start_of_day(now)
    beginning = max(0.0, now - _DEPTH)
    latest = archive.find_latest(selection.csi)
    if latest is None:
        return beginning
    # The latest call too, because the clock may have been ahead.
    end = min(archive.find_end(selection, beginning), latest, now)
    return max(beginning, end - _OVERLAP)


def _read(
    account: LoginAccount, selection: Selection, since: float, until: Optional[float]
) -> Iterator[CallRecord]:
    records = account.client.history(
        selection.csi, since, until, selection.direction, all_units=selection.all_units
    )
    return (record for record in records if record.missed or not selection.missed)
