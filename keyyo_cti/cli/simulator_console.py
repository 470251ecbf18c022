"""The console of ``keyyo-cti simulator``: commands for its telephones."""

import logging
import re
import time
from difflib import get_close_matches
from typing import Callable, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from ..cti import CTI
from ..errors import KeyyoError
from ..simulator import Line, Simulator
from .phone_book import ConsoleError, PhoneBook
from .terminal import Terminal, escape

#: Seconds for the simulator's reply to a command.
_REPLY_TIMEOUT = 5.0

#: Characters. Otherwise text that was pasted by mistake would fill the screen.
_MAX_OUTPUT_LENGTH = 300

#: Characters. No command is longer.
_MAX_COMMAND_LENGTH = 20

#: From 0 to 1, as difflib has it.
_MIN_SIMILARITY = 0.65

#: A word, or several in quotes, up to the next one.
_ARGUMENT = re.compile(r"(\"[^\"]*\"|'[^']*'|\S+)\s*")

_log = logging.getLogger("keyyo_cti")


class Console:
    """Executes the commands that the user types.

    :param sim: a running simulator.
    :param lines: the lines of the account.
    :param out: where to print.
    :param phones: numbers and names of telephones outside of the account.
    :ivar account_lines: the lines.
    :ivar outside_numbers: those of the telephones.
    :ivar book: the names of both.
    """

    def __init__(
        self,
        sim: Simulator,
        lines: Sequence[Line],
        out: Terminal,
        phones: Iterable[Tuple[str, str]] = (),
    ) -> None:
        self._sim = sim
        self._out = out
        self.account_lines = lines
        own = {line.number: line.name for line in lines}
        outside = {number: name for number, name in phones if number not in own}
        self.outside_numbers = list(outside)
        named = [*own.items(), *outside.items()]
        self.book = PhoneBook(lines[0].number if lines else "", named)
        # A dict, because it keeps the order.
        self._numbers = {number: None for number, _ in named}

    def run(self, lines: Iterable[str]) -> bool:
        """Execute one line after the other, until "quit" or EOF.

        :returns: True if the user typed "quit".
        """
        for line in lines:
            words = " ".join(line.split())
            if words.casefold() in ("quit", "exit"):
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
            self._out.print_line(f"not possible: {_shorten(self.book.add_names(str(error)))}")
        except Exception as error:
            # A bug of the simulator. Otherwise one command would end all calls.
            _log.debug("the simulator's console failed", exc_info=True)
            self._out.print_line(
                "failed because of a bug in the simulator: "
                f"{type(error).__name__}: {_shorten(error)}"
            )

    def make_example(self) -> str:
        """Return a command that rings the first line."""
        callers = [*self.outside_numbers, *(line.number for line in self.account_lines[1:])]
        words = [*callers[:1], *(line.number for line in self.account_lines[:1])]
        return " ".join(["call", *map(self.book.find_word, words)])

    def call(self, caller: str, callee: str) -> None:
        phone = self._sim.phone(self.book.find_number(caller))
        callee = self.book.find_number(callee)
        phone.call(callee)
        self._numbers.update({phone.number: None, callee: None})

    def pick_up(self, who: str = "") -> None:
        self._sim.phone(self._find(who, "pick up", ["ringing"])).pick_up()

    def hang_up(self, who: str = "") -> None:
        busy = ["talking", "ringing", "calling", "parked"]
        self._sim.phone(self._find(who, "hang up", busy)).hang_up()

    def message(self, line: str, to: str, text: str) -> None:
        line, to = self.book.find_number(line), self.book.find_number(to)
        if not any(line in (each.number, each.short_number) for each in self.account_lines):
            raise ConsoleError(f"{line} is no line of the account, and only lines send messages")
        # Only an application can send messages, not a simulated telephone.
        with CTI(endpoint=self._sim.endpoint, cookie_auto=False, timeout=_REPLY_TIMEOUT) as cti:
            cti.create_session(self._sim.token(line)).result()
            cti.send_message(to, text).result()
            cti.destroy_session().result()
        self._numbers[to] = None
        parties = self.book.add_names(f"{to} has received a message from {line}")
        self._out.print_line(f"{parties}: {_shorten(text)}")

    def phones(self) -> None:
        for number, state in self._get_states():
            self._out.print_line(f"{number} {state:8} {self.book.get_name(number)}".rstrip())

    def calls(self) -> None:
        records = self._sim.calls()
        for call in records:
            slot = "" if call.callpark_slot is None else f", in slot {call.callpark_slot}"
            parties = self.book.add_names(f"{call.caller} -> {call.callee}")
            self._out.print_line(f"{call.callref}: {parties} {call.state}{slot}")
        if not records:
            self._out.print_line("no calls so far")

    def lines(self) -> None:
        for line in self.account_lines:
            name = self.book.describe(line.number)
            self._out.print_line(f"line {name}: token {self._sim.token(line)}")
        for number in self.outside_numbers:
            self._out.print_line(f"telephone {self.book.describe(number)}")

    def sessions(self) -> None:
        sessions = self._sim.sessions()
        for session in sessions:
            numbers = ", ".join(map(self.book.describe, session.subscriptions))
            self._out.print_line(
                f"session of {self.book.describe(session.number)}: {session.counter} connections, "
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
        self._out.print_line("FROM, TO and WHO are names or numbers; names with blanks in quotes")

    def _find(self, who: str, what: str, states: List[str]) -> str:
        """Return the telephone that was typed, or else the only one in one of the states."""
        if who:
            return self.book.find_number(who)
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
    ConsoleCommand("pick up", "[WHO]", "pick up the telephone that rings", Console.pick_up),
    ConsoleCommand("hang up", "[WHO]", "end the call of a telephone", Console.hang_up),
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
    :param book: adds names to numbers.
    """

    def __init__(self, out: Terminal, book: Optional[PhoneBook] = None) -> None:
        super().__init__()
        self._out = out
        self._book = book or PhoneBook("", [])
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
            message = self._book.add_names(escape(record.getMessage()))
            self._out.print_line(f"{time.strftime('%H:%M:%S')}  {message}")
        except OSError:
            # The reader of stdout has left. Otherwise the server's thread would fail; the console
            # fails instead, when it prints.
            pass


def _shorten(text: object) -> str:
    escaped = escape(text)
    if len(escaped) <= _MAX_OUTPUT_LENGTH:
        return escaped
    return f"{escaped[:_MAX_OUTPUT_LENGTH]}..."


def _parse(line: str) -> Tuple[ConsoleCommand, List[str]]:
    """Return the command and its arguments. The last argument may contain blanks."""
    words = line.split()
    for command in COMMANDS:
        length = len(command.words.split())
        if " ".join(words[:length]).casefold() != command.words:
            continue
        names = command.arguments.split()
        required = sum(not name.startswith("[") for name in names)
        arguments = _split(" ".join(words[length:]), len(names))
        if required <= len(arguments) <= len(names):
            return command, arguments
        raise ConsoleError(f"expected: {command.words} {command.arguments}".rstrip())
    raise ConsoleError(f'unknown command "{_shorten(line)}": {_suggest(words)}')


def _split(text: str, count: int) -> List[str]:
    """Split a text into at most ``count`` arguments. The last one takes all that is left."""
    arguments: List[str] = []
    while text and len(arguments) < count - 1:
        found = _ARGUMENT.match(text)
        assert found is not None
        arguments.append(found[1])
        text = text[found.end():]
    return [*arguments, text] if text else arguments


def _suggest(words: Sequence[str]) -> str:
    known = [*(command.words for command in COMMANDS), "quit"]
    for length in (1, 2):
        typed = " ".join(words[:length])[:_MAX_COMMAND_LENGTH].casefold()
        near = get_close_matches(typed, known, 1, _MIN_SIMILARITY)
        if near:
            return f'did you mean "{near[0]}"? Type "help" for all commands'
    return 'type "help"'
