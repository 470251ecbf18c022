"""``keyyo-cti dial``: a line's telephone calls a number."""

import argparse
import re
from dataclasses import replace
from typing import Any, Optional

from .._display.dates import as_date
from .._display.telephone_number import parse_number
from ..call import Call
from ..errors import ConnectionClosed, KeyyoError
from .call_printer import CallPrinter
from .exit_codes import FAILED, OK
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
    parser.add_argument("number", metavar="NUMBER", help=f"number to call, {NUMBER_FORMS}")
    parser.add_argument(
        "--only",
        type=_parse_pattern,
        metavar="REGEX",
        help=(
            "call only a number that this matches as a whole, such as '33[1-79][0-9]{8}', for "
            "numbers from an untrusted source, such as a web page; the number must be in digits"
        ),
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
    add_session(parser)
    add_json(parser, "each change of the call, one object per line,")


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Run the command."""
    printer = CallPrinter(out, arguments.json) if arguments.follow else None
    config = make_session_config(arguments, arguments.auto_answer)
    if arguments.only is not None:
        config = replace(config, may_dial=arguments.only.fullmatch)
    return DialSession(config, arguments.number, printer, err).run()


def _parse_pattern(text: str) -> "re.Pattern[str]":
    try:
        return re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise argparse.ArgumentTypeError(f"not a regular expression: {error}") from error


class DialSession(SessionCommand):
    """A session that calls a number.

    :param printer: prints the call until it ends; None to end when Keyyo has accepted the
        command.
    """

    def __init__(
        self, config: SessionConfig, number: str, printer: Optional[CallPrinter], err: Terminal
    ) -> None:
        super().__init__(config, err)
        self._number = number
        self._printer = printer
        self._call: Optional[Call] = None
        self._placed = False

    def on_connected(self) -> None:
        if self.config.may_dial is None:
            # Otherwise it stays as it is: a check must be of what its author sees.
            self._number = parse_number(self._number, self.cti.number)
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
