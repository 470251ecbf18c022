"""``keyyo-cti simulator``: a person plays the telephones of a simulator by typing."""

import logging
import time
from typing import Callable, Iterable, List, NamedTuple, Sequence, Tuple

from ..cti import CTI
from ..errors import KeyyoError
from ..simulator import Line, Simulator
from .terminal import Terminal, printable

#: Seconds that the simulator may take to answer an application's command.
_PATIENCE = 5.0

#: Characters of an answer. Otherwise a paste that was not meant for the console fills the screen.
_MAX_ANSWER = 300

log = logging.getLogger("keyyo_cti")


class Player:
    """Does at the telephones what is typed.

    :param sim: running.
    :param lines: the lines of the account.
    :param out: takes the answers.
    """

    def __init__(self, sim: Simulator, lines: Sequence[Line], out: Terminal) -> None:
        self._sim = sim
        self._lines = lines
        self._out = out
        # A dict keeps the order in which telephones were first spoken of.
        self._numbers = {line.number: None for line in lines}

    def play(self, typed: Iterable[str]) -> bool:
        """Does one line after the other, until "quit" or the end.

        :returns: True if it was told to quit.
        """
        for line in typed:
            words = " ".join(line.split())
            if words in ("quit", "exit"):
                return True
            if words:
                self.do(words)
        return False

    def do(self, words: str) -> None:
        """Does one thing; what is impossible is said, and nothing happens."""
        try:
            saying, arguments = _understood(words)
            saying.do(self, *arguments)
        except BrokenPipeError:
            # Nobody reads the answers any more.
            raise
        except (Impossible, KeyyoError, RuntimeError, ValueError) as error:
            self._out.line(f"not possible: {_shortened(error)}")
        except Exception as error:
            # A mistake in the simulator. Otherwise one line would end everybody's calls.
            log.debug("the simulator's console failed", exc_info=True)
            self._out.line(
                "failed, by a mistake of the simulator: "
                f"{type(error).__name__}: {_shortened(error)}"
            )

    def call(self, caller: str, callee: str) -> None:
        phone = self._sim.phone(caller)
        phone.call(callee)
        # Only now: each of them is a number.
        self._numbers.update({phone.number: None, callee: None})

    def pick_up(self, number: str = "") -> None:
        self._sim.phone(number or self._only("pick up", ["ringing"])).pick_up()

    def hang_up(self, number: str = "") -> None:
        busy = ["talking", "ringing", "calling", "parked"]
        self._sim.phone(number or self._only("hang up", busy)).hang_up()

    def message(self, line: str, to: str, text: str) -> None:
        # Telephones send no messages in the simulator: an application of the line does.
        with CTI(endpoint=self._sim.endpoint, cookie_auto=False, timeout=_PATIENCE) as cti:
            cti.create_session(self._sim.token(line)).result()
            cti.send_message(to, text).result()
            cti.destroy_session().result()
        self._numbers[to] = None
        self._out.line(f"{to} has got a message from {line}: {_shortened(text)}")

    def phones(self) -> None:
        for number, state in self._states():
            self._out.line(f"{number} {state}")

    def calls(self) -> None:
        records = self._sim.calls()
        for call in records:
            slot = "" if call.callpark_slot is None else f", in slot {call.callpark_slot}"
            self._out.line(f"{call.callref}: {call.caller} -> {call.callee} {call.state}{slot}")
        if not records:
            self._out.line("no calls so far")

    def lines(self) -> None:
        for line in self._lines:
            self._out.line(f"{described(line)}: token {self._sim.token(line)}")

    def sessions(self) -> None:
        sessions = self._sim.sessions()
        for session in sessions:
            hears = ", ".join(session.subscriptions)
            self._out.line(
                f"session of {session.number}: {session.counter} connections, hears {hears}"
            )
        if not sessions:
            self._out.line("no sessions")

    def drop(self) -> None:
        self._out.line(f"dropped {self._sim.faults.drop()} connections")

    def help(self) -> None:
        wide = max(len(f"{each.words} {each.arguments}") for each in SAYINGS)
        for each in SAYINGS:
            self._out.line(f"{f'{each.words} {each.arguments}':{wide}}  {each.meaning}")
        self._out.line(f"{'quit':{wide}}  end; so do Ctrl-C and Ctrl-D")

    def _only(self, what: str, states: List[str]) -> str:
        """The only telephone that is in one of the states."""
        able = [number for number, state in self._states() if state in states]
        if len(able) == 1:
            return able[0]
        if not able:
            raise Impossible(f"no telephone can {what} now")
        raise Impossible(f"which one? {what} {' or '.join(able)}")

    def _states(self) -> List[Tuple[str, str]]:
        for call in self._sim.calls():
            self._numbers.update({call.caller: None, call.callee: None})
        return [(number, self._sim.phone(number).state) for number in self._numbers]


class Impossible(Exception):
    """What was typed cannot be done; the message says why."""


class Saying(NamedTuple):
    """Something that can be typed."""

    words: str
    arguments: str
    meaning: str
    do: Callable[..., None]


SAYINGS = (
    Saying("call", "FROM TO", "the telephone FROM calls the number TO", Player.call),
    Saying("pick up", "[NUMBER]", "pick up the telephone that rings", Player.pick_up),
    Saying("hang up", "[NUMBER]", "end the call of a telephone", Player.hang_up),
    Saying("message", "FROM TO TEXT", "an application of the line FROM sends a text",
           Player.message),
    Saying("phones", "", "what each telephone is doing", Player.phones),
    Saying("calls", "", "every call since the start", Player.calls),
    Saying("lines", "", "the lines, and a fresh token for each", Player.lines),
    Saying("sessions", "", "who is connected", Player.sessions),
    Saying("drop", "", "cut every connection, as a bad network does", Player.drop),
    Saying("help", "", "this list", Player.help),
)


class Events(logging.Handler):
    """Prints what the simulator logs: each change of a call, and why a command is refused.

    :param out: where.
    """

    def __init__(self, out: Terminal) -> None:
        super().__init__()
        self._out = out
        self._log = logging.getLogger("keyyo_cti.simulator")
        self._level_before = self._log.level

    def __enter__(self) -> "Events":
        self._log.addHandler(self)
        self._log.setLevel(logging.DEBUG)
        return self

    def __exit__(self, *exception: object) -> None:
        self._log.setLevel(self._level_before)
        self._log.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._out.line(f"{time.strftime('%H:%M:%S')}  {printable(record.getMessage())}")
        except OSError:
            # Nobody reads any more. The server's thread must not fall over that; whoever
            # prints an answer next does.
            pass


def described(line: Line) -> str:
    """A line as it is introduced."""
    name = f" ({printable(line.name)})" if line.name else ""
    return f"line {line.number}{name}"


def _shortened(text: object) -> str:
    shown = printable(text)
    return shown if len(shown) <= _MAX_ANSWER else f"{shown[:_MAX_ANSWER]}..."


def _understood(words: str) -> Tuple[Saying, List[str]]:
    """What was said, and its arguments; the last one takes all words that are left."""
    for saying in SAYINGS:
        if not f"{words} ".startswith(f"{saying.words} "):
            continue
        names = saying.arguments.split()
        least = sum(not name.startswith("[") for name in names)
        rest = words[len(saying.words):]
        arguments = rest.split(None, len(names) - 1) if names else rest.split()
        if least <= len(arguments) <= len(names):
            return saying, arguments
        raise Impossible(f"expected: {saying.words} {saying.arguments}".rstrip())
    raise Impossible(f'what is "{words}"? Type "help"')
