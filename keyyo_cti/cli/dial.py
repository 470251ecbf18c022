"""``keyyo-cti dial``: a line's telephone calls a number."""

import argparse
import re
from dataclasses import replace
from functools import partial
from typing import Any, Callable, Optional

from .._display.dates import as_date
from .._display.telephone_link import LinkError, TelephoneLink, parse_link
from .._display.telephone_number import format_number, is_dialable, parse_number
from ..call import Call
from ..errors import ConnectionClosed, KeyyoError
from .account_names import AccountNames, add_names, make_names
from .call_printer import CallPrinter
from .confirmation import confirm, show_failures
from .exit_codes import FAILED, OK, USAGE_ERROR, UsageError
from .parser import NUMBER_FORMS, TOKEN_SOURCES, add_json, add_session
from .session_command import SessionCommand
from .session_config import SessionConfig, make_session_config
from .terminal import Terminal, escape


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.epilog = (
        "Without --follow it ends when Keyyo has accepted the command. With --follow the exit "
        f"code is 0 if the call was answered, else 1.\n{TOKEN_SOURCES}"
    )
    parser.add_argument(
        "number",
        metavar="NUMBER",
        help=f"number to call, {NUMBER_FORMS}, or a link: tel:+33172587948, callto:0172587948",
    )
    parser.add_argument(
        "--only",
        type=parse_pattern,
        metavar="REGEX",
        help=(
            "call only a number that this matches as a whole, such as '33[1-79][0-9]{8}', for "
            "numbers from an untrusted source, such as a web page; the number must be in digits, "
            "and of a link it is the number in digits that is compared"
        ),
    )
    parser.add_argument(
        "--confirm",
        action="store_true",
        help="show the number and ask before calling: in a window on a desktop, where failures "
        "are shown too, else on the terminal; for links of web pages",
    )
    parser.add_argument(
        "--no-auto-answer",
        dest="auto_answer",
        action="store_false",
        help="let the line's telephone ring first, instead of going off hook by itself",
    )
    parser.add_argument(
        "--follow", action="store_true", help="show the call as it changes, until it ends"
    )
    add_names(parser)
    add_session(parser)
    add_json(parser, "each change of the call, one object per line,")


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Run the command."""
    if arguments.confirm:
        return show_failures(partial(_run, arguments, out), "dial")
    return _run(arguments, out, err)


def _run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    number: str = arguments.number
    try:
        link = parse_link(number)
    except LinkError as error:
        raise UsageError(error) from None
    if arguments.confirm:
        # Before anything is sent: a stranger's link does not even cause a request for a token.
        confirm(_make_question(number, link), err)
    for note in link.notes if link and not arguments.confirm else ():
        err.print_line(note)
    config = make_session_config(arguments, arguments.auto_answer)
    names = make_names(arguments, config) if arguments.follow else None
    printer = CallPrinter(out, arguments.json, names) if arguments.follow else None
    if arguments.only is not None:
        config = replace(config, may_dial=arguments.only.fullmatch)
    if link is not None:
        resolve: Callable[[Any], str] = link.resolve
    elif arguments.only is None:
        resolve = partial(parse_number, number)
    else:
        # Unchanged: a check must be of what its author sees.
        resolve = partial(_keep, number)
    return DialSession(config, resolve, printer, err, names).run()


def _make_question(number: str, link: Optional[TelephoneLink]) -> str:
    """Return the question before a call, which shows the number in digits.

    :raises UsageError: it is no number.
    """
    digits = parse_number(number, None) if link is None else link.number
    if not is_dialable(digits):
        raise UsageError(f"{number!r} is no telephone number")
    notes = [f"{note[0].upper()}{note[1:]}." for note in (link.notes if link else ())]
    return "\n".join([f"Call {format_number(digits)}?", *notes])


def _keep(number: str, own: Any) -> str:
    return number


def parse_pattern(text: str) -> "re.Pattern[str]":
    """Return a regular expression of the command line."""
    try:
        return re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise argparse.ArgumentTypeError(f"not a regular expression: {error}") from error


class DialSession(SessionCommand):
    """A session that calls a number.

    :param resolve: returns the number to call, given the line's own.
    :param printer: prints the call until it ends; None to end when Keyyo has accepted the
        command.
    """

    def __init__(
        self,
        config: SessionConfig,
        resolve: Callable[[Any], str],
        printer: Optional[CallPrinter],
        err: Terminal,
        names: Optional[AccountNames] = None,
    ) -> None:
        super().__init__(config, err, names)
        self._resolve = resolve
        self._number = ""
        self._printer = printer
        self._call: Optional[Call] = None
        self._placed = False

    def on_connected(self) -> None:
        try:
            self._number = self._resolve(self.cti.number)
        except LinkError as error:
            self.end(USAGE_ERROR, escape(error))
            return
        self.cti.dial(self._number, self._on_dialled)

    def on_call(self, call: Call) -> None:
        # The line's first new call, because Keyyo may write the number in another way.
        is_own = call.line == self.cti.number and call.other_side == "callee"
        if self._call is None and is_own and self._is_new(call):
            self._call = call
        if self._printer is None or call is not self._call:
            return
        self._printer.print_call(call)
        if call.ended:
            self.end(FAILED if call.state == "MISSED" else OK)

    def close_session(self) -> None:
        # While the call is active its session must stay. The server ends it later by itself.
        if not self._placed or (self._call is not None and self._call.ended):
            super().close_session()

    def _is_new(self, call: Call) -> bool:
        """True if the call began in this session."""
        placed = as_date(call.setup_date)
        return placed is None or self.began is None or placed >= int(self.began)

    def _on_dialled(self, err: Optional[KeyyoError], res: Any) -> None:
        if err:
            self._placed = isinstance(err, ConnectionClosed) and err.sent
            if self._placed:
                self.print_status(
                    f"{escape(self._number)} may have been called: look at the line's telephone"
                )
            self.fail(err)
            return
        self._placed = True
        rings_first = self.config.auto_answer is False
        hint = ": pick up the telephone of the line" if rings_first else ""
        self.print_status(f"calling {escape(self._number)}{hint}")
        if self._printer is None:
            self.end(OK)
