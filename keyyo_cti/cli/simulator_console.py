"""The console of ``keyyo-cti simulator``: commands for its telephones."""

import logging
import time
from typing import Callable, Iterable, List, NamedTuple, Sequence, Tuple

from ..cti import CTI
from ..errors import KeyyoError
from ..simulator import Line, Simulator
from .terminal import Terminal, escape

#: Seconds for the simulator's reply to a command.
_REPLY_TIMEOUT = 5.0

#: Characters. Otherwise text that was pasted by mistake would fill the screen.
_MAX_OUTPUT_LENGTH = 300

_log = logging.getLogger("keyyo_cti")


class Console:
    """Executes the commands that the user types.

    :param sim: a running simulator.
    :param lines: the lines of the account.
    :param out: where to print.
    """

    def __init__(self, sim: Simulator, lines: Sequence[Line], out: Terminal) -> None:
        self._sim = sim
        self._lines = lines
        self._out = out
        # A dict, because it keeps the order.
        self._numbers = {line.number: None for line in lines}

    def run(self, lines: Iterable[str]) -> bool:
        """Execute one line after the other, until "quit" or EOF.

        :returns: True if the user typed "quit".
        """
        for line in lines:
            words = " ".join(line.split())
            if words in ("quit", "exit"):
                return True
            if words:
                self.execute(words)
        return False

    def execute(self, words: str) -> None:
        """Execute a command, or print why it is not possible."""
        try:
            command, arguments = _parse(words)
            command.execute(self, *arguments)
        except BrokenPipeError:
            # The reader of stdout has left.
            raise
        except (ConsoleError, KeyyoError, RuntimeError, ValueError) as error:
            self._out.print_line(f"not possible: {_shorten(error)}")
        except Exception as error:
            # A bug of the simulator. Otherwise one command would end all calls.
            _log.debug("the simulator's console failed", exc_info=True)
            self._out.print_line(
                "failed because of a bug in the simulator: "
                f"{type(error).__name__}: {_shorten(error)}"
            )

    def call(self, caller: str, callee: str) -> None:
        phone = self._sim.phone(caller)
        phone.call(callee)
        # After the call, which checks that both are numbers.
        self._numbers.update({phone.number: None, callee: None})

    def pick_up(self, number: str = "") -> None:
        self._sim.phone(number or self._find_only("pick up", ["ringing"])).pick_up()

    def hang_up(self, number: str = "") -> None:
        busy = ["talking", "ringing", "calling", "parked"]
        self._sim.phone(number or self._find_only("hang up", busy)).hang_up()

    def message(self, line: str, to: str, text: str) -> None:
        # Only an application can send messages, not a simulated telephone.
        with CTI(endpoint=self._sim.endpoint, cookie_auto=False, timeout=_REPLY_TIMEOUT) as cti:
            cti.create_session(self._sim.token(line)).result()
            cti.send_message(to, text).result()
            cti.destroy_session().result()
        self._numbers[to] = None
        self._out.print_line(f"{to} has received a message from {line}: {_shorten(text)}")

    def phones(self) -> None:
        for number, state in self._get_states():
            self._out.print_line(f"{number} {state}")

    def calls(self) -> None:
        records = self._sim.calls()
        for call in records:
            slot = "" if call.callpark_slot is None else f", in slot {call.callpark_slot}"
            parties = f"{call.caller} -> {call.callee}"
            self._out.print_line(f"{call.callref}: {parties} {call.state}{slot}")
        if not records:
            self._out.print_line("no calls so far")

    def lines(self) -> None:
        for line in self._lines:
            self._out.print_line(f"{describe_line(line)}: token {self._sim.token(line)}")

    def sessions(self) -> None:
        sessions = self._sim.sessions()
        for session in sessions:
            numbers = ", ".join(session.subscriptions)
            self._out.print_line(
                f"session of {session.number}: {session.counter} connections, "
                f"subscribed to {numbers}"
            )
        if not sessions:
            self._out.print_line("no sessions")

    def drop(self) -> None:
        self._out.print_line(f"dropped {self._sim.faults.drop()} connections")

    def help(self) -> None:
        usages = [f"{each.words} {each.arguments}" for each in COMMANDS]
        width = max(map(len, usages))
        for usage, each in zip(usages, COMMANDS):
            self._out.print_line(f"{usage:{width}}  {each.help}")
        self._out.print_line(f"{'quit':{width}}  end the simulator, as do Ctrl-C and Ctrl-D")

    def _find_only(self, what: str, states: List[str]) -> str:
        """Return the only telephone in one of the states."""
        able = [number for number, state in self._get_states() if state in states]
        if len(able) == 1:
            return able[0]
        if not able:
            raise ConsoleError(f"no telephone can {what} now")
        raise ConsoleError(f"which one? {what} {' or '.join(able)}")

    def _get_states(self) -> List[Tuple[str, str]]:
        for call in self._sim.calls():
            self._numbers.update({call.caller: None, call.callee: None})
        return [(number, self._sim.phone(number).state) for number in self._numbers]


class ConsoleError(Exception):
    """A command is not possible; the message says why."""


class ConsoleCommand(NamedTuple):
    """A command of the console."""

    words: str
    arguments: str
    help: str
    execute: Callable[..., None]


COMMANDS = (
    ConsoleCommand(
        "call", "FROM TO", "have the telephone FROM call the number TO", Console.call
    ),
    ConsoleCommand("pick up", "[NUMBER]", "pick up the telephone that rings", Console.pick_up),
    ConsoleCommand("hang up", "[NUMBER]", "end the call of a telephone", Console.hang_up),
    ConsoleCommand(
        "message", "FROM TO TEXT", "send a text from an application of the line FROM",
        Console.message,
    ),
    ConsoleCommand("phones", "", "show the state of each telephone", Console.phones),
    ConsoleCommand("calls", "", "show every call since the start", Console.calls),
    ConsoleCommand("lines", "", "show the lines, with a new token for each", Console.lines),
    ConsoleCommand("sessions", "", "show the sessions", Console.sessions),
    ConsoleCommand("drop", "", "cut every connection, as a bad network does", Console.drop),
    ConsoleCommand("help", "", "show this list", Console.help),
)


class LogPrinter(logging.Handler):
    """Prints the simulator's log: changes of calls, and why commands are refused.

    :param out: where to print.
    """

    def __init__(self, out: Terminal) -> None:
        super().__init__()
        self._out = out
        self._log = logging.getLogger("keyyo_cti.simulator")
        self._level_before = self._log.level

    def __enter__(self) -> "LogPrinter":
        self._log.addHandler(self)
        self._log.setLevel(logging.DEBUG)
        return self

    def __exit__(self, *exception: object) -> None:
        self._log.setLevel(self._level_before)
        self._log.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._out.print_line(f"{time.strftime('%H:%M:%S')}  {escape(record.getMessage())}")
        except OSError:
            # The reader of stdout has left. Otherwise the server's thread would fail; the console
            # fails instead, when it prints.
            pass


def describe_line(line: Line) -> str:
    """Return a line as text for a person."""
    name = f" ({escape(line.name)})" if line.name else ""
    return f"line {line.number}{name}"


def _shorten(text: object) -> str:
    escaped = escape(text)
    if len(escaped) <= _MAX_OUTPUT_LENGTH:
        return escaped
    return f"{escaped[:_MAX_OUTPUT_LENGTH]}..."


def _parse(words: str) -> Tuple[ConsoleCommand, List[str]]:
    """Return the command and its arguments. The last argument may contain spaces."""
    for command in COMMANDS:
        if not f"{words} ".startswith(f"{command.words} "):
            continue
        names = command.arguments.split()
        required = sum(not name.startswith("[") for name in names)
        rest = words[len(command.words):]
        arguments = rest.split(None, len(names) - 1) if names else rest.split()
        if required <= len(arguments) <= len(names):
            return command, arguments
        raise ConsoleError(f"expected: {command.words} {command.arguments}".rstrip())
    raise ConsoleError(f'unknown command "{words}": type "help"')
