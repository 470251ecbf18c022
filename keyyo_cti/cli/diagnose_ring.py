"""``keyyo-cti diagnose --ring``: the way of a call, from a telephone to a handler."""

import argparse
import importlib
import os
import shutil
import signal
import sys
import textwrap
import threading
from contextlib import ExitStack, suppress
from typing import Any, Callable, List, Optional

from .._diagnosis.ring_examination import RING_CHECKS
from .._display.telephone_number import parse_number
from .._net.user_code import require_function
from ..diagnosis import Diagnosis, Finding, RingTest, diagnose
from ..errors import KeyyoError
from .exit_codes import CommandFailed, UsageError
from .invocation import name_program
from .login_account import LoginAccount
from .login_hint import describe_missing_server
from .simulated_call import SimulatedCall
from .terminal import Terminal, escape

_TIMEOUT = 60.0

#: Characters of a line on a terminal. A narrower one wraps the lines by itself.
_MIN_WIDTH, _MAX_WIDTH = 70, 110


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the ring test."""
    parser.add_argument(
        "--ring",
        action="store_true",
        help="also wait while you call the line from some telephone, and show each layer that the "
        "call passes, with its time, up to the handler of newCall",
    )
    parser.add_argument(
        "--timeout",
        type=_parse_seconds,
        metavar="SECONDS",
        help=f"with --ring: maximum time to wait for the call (default: {_TIMEOUT:g})",
    )
    parser.add_argument(
        "--handler",
        metavar="MODULE:FUNCTION",
        help="with --ring: your handler of newCall, to be tried with the call; the module is "
        "looked for in this folder first",
    )
    parser.add_argument(
        "--from",
        dest="caller",
        metavar="NUMBER",
        help="with --ring, on a simulator: the telephone that calls the line, such as 33199020000",
    )


def check_arguments(arguments: argparse.Namespace) -> None:
    """Refuse arguments that need ``--ring``.

    :raises UsageError: there is one without it.
    """
    given = {
        "--timeout": arguments.timeout, "--handler": arguments.handler, "--from": arguments.caller
    }
    for name, value in given.items():
        if value is not None and not arguments.ring:
            raise UsageError(f"{name} needs --ring")


class RingCommand:
    """A diagnosis with a ring test, whose findings are printed as they are made.

    :param csi: the line; None if it is unknown.
    :ivar test: the ring test.
    :raises UsageError: the handler cannot be loaded, or ``--from`` has no simulator.
    """

    def __init__(
        self,
        arguments: argparse.Namespace,
        account: LoginAccount,
        csi: Optional[str],
        endpoint: str,
        out: Terminal,
        err: Terminal,
    ) -> None:
        self._account = account
        self._csi = csi
        self._endpoint = endpoint
        self._out = out
        self._err = err
        self._is_text = not arguments.json
        given: Optional[str] = arguments.caller
        self._caller = None if given is None else parse_number(given, csi)
        if self._caller is not None and not account.login.is_simulator:
            raise UsageError("--from is for a simulator: at Keyyo, call the line yourself")
        handler = None if arguments.handler is None else _load(arguments.handler)
        self.test = RingTest(
            arguments.timeout or _TIMEOUT,
            handler=handler,
            on_ready=self._on_ready,
            on_finding=self._print_finding,
        )
        self._stack = ExitStack()
        self._failure: Optional[KeyyoError] = None
        self._findings = {
            name: Finding(name, None, "not checked, because the test was stopped")
            for name in RING_CHECKS
        }

    def run(self) -> Diagnosis:
        """Run the diagnosis. Ctrl-C ends the wait for the call.

        :raises CommandFailed: the simulator cannot call the line.
        """
        if self._is_text:
            self._out.print_line(f"line {escape(self._csi or 'unknown')}")
        with self._stack:
            try:
                diagnosis = diagnose(self._account.client, self._csi, self._endpoint, self.test)
            except KeyboardInterrupt:
                # Before the wait for the call, or for the second time.
                self.test.stop()
                return Diagnosis(self._csi, tuple(self._findings.values()))
        if self._failure is not None:
            raise CommandFailed(f"the simulator cannot call: {self._failure}")
        return diagnosis

    def _on_ready(self) -> None:
        self._stop_on_ctrl_c()
        csi = escape(self._csi or "the line")
        limit = f"within {self.test.timeout:g} s; Ctrl-C ends the test"
        if self._caller is None:
            self._err.print_line(f"now call {csi} from another telephone, {limit}")
            return
        try:
            self._stack.enter_context(SimulatedCall(self._account, self._caller, self._csi or ""))
        except KeyyoError as error:
            self._failure = error
            self.test.stop()
        else:
            self._err.print_line(f"{escape(self._caller)} calls {csi}")

    def _stop_on_ctrl_c(self) -> None:
        """Let the first Ctrl-C end the wait, so that there is a report; the second ends all."""
        if threading.current_thread() is not threading.main_thread():
            return
        before = signal.getsignal(signal.SIGINT)

        def restore() -> None:
            # None stands for a handler that was not set by Python, which cannot set it again.
            signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)

        def on_sigint(number: int, frame: object) -> None:
            restore()
            self.test.stop()

        self._stack.callback(restore)
        signal.signal(signal.SIGINT, on_sigint)

    def _print_finding(self, finding: Finding) -> None:
        self._findings[finding.check] = finding
        if not self._is_text:
            return
        lines = str(finding).splitlines()
        if finding.fault == "no_network":
            explanation = describe_missing_server(self._account.login)
            lines[-1] += f"; {explanation}" if explanation else ""
        # The advice is below the fact.
        indent = len(lines[0]) - len(escape(finding.fact))
        for line in lines:
            for part in self._wrap(name_program(line), " " * indent):
                self._out.print_line(part)

    def _wrap(self, line: str, indent: str) -> List[str]:
        """Return the lines for a terminal; a pipe gets the line as it is."""
        width = min(shutil.get_terminal_size().columns, _MAX_WIDTH)
        if not self._out.is_terminal or width < _MIN_WIDTH:
            return [line]
        is_advice = line.startswith(f"{indent}-> ")
        rest = f"{indent}   " if is_advice else indent
        # Not inside of a word, which may be a command to copy.
        return textwrap.wrap(
            line, width, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False,
            drop_whitespace=True,
        )


def _load(name: str) -> Callable[..., Any]:
    """Return the function of the user's program.

    :raises UsageError: there is none.
    """
    module, _, path = name.partition(":")
    if not module or not path:
        raise UsageError("--handler: expected MODULE:FUNCTION, such as my_program:on_new_call")
    # As "python -m" does. Otherwise a program in this folder would not be found.
    sys.path.insert(0, os.getcwd())
    try:
        found: Any = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:
        # The user's module may raise anything. A script without a check of __name__ may end the
        # process, which would look like a result of the test.
        raise UsageError(f"--handler: {type(error).__name__}: {error}") from error
    try:
        require_function("--handler", found)
    except TypeError as error:
        raise UsageError(error) from error
    function: Callable[..., Any] = found
    return function


def _parse_seconds(text: str) -> float:
    with suppress(ValueError):
        seconds = float(text)
        if 0 < seconds <= 3600:
            return seconds
    raise argparse.ArgumentTypeError("expected more than 0 and at most 3600 seconds")
