"""The typing person: what is typed happens at the telephones, or is said to be impossible."""

import io
import logging
import threading
from typing import Iterator, List

import pytest

from keyyo_cti import CTI
from keyyo_cti.cli.simulator_console import Console, LogPrinter
from keyyo_cti.cli.terminal import Terminal
from keyyo_cti.simulator import Line, Simulator

ALICE = "33199000001"
BOB = "33199020000"

IDLE = [f"{ALICE} idle     Alice", f"{BOB} idle     Bob"]


class Table:
    """A person who types at a simulator, and what he reads."""

    def __init__(self, sim: Simulator, line: Line) -> None:
        self.sim = sim
        self._stream = io.StringIO()
        self.out = Terminal(self._stream)
        self.console = Console(sim, [line], self.out, [(BOB, "Bob")])

    def type(self, *lines: str) -> List[str]:
        """Types lines, and reads what is printed on that."""
        self._stream.seek(0)
        self._stream.truncate()
        self.console.run(lines)
        return self.read()

    def read(self) -> List[str]:
        """Reads what has been printed since lines were last typed."""
        return self._stream.getvalue().splitlines()


@pytest.fixture
def table(sim: Simulator, alice: Line) -> Table:
    return Table(sim, alice)


@pytest.fixture
def events(table: Table) -> Iterator[None]:
    with LogPrinter(table.out, table.console.book):
        yield


def test_a_call_is_made_answered_and_ended(table: Table) -> None:
    """``call FROM TO``, ``pick up`` and ``hang up NUMBER`` do what they say."""
    table.type(f"call {BOB} {ALICE}")
    assert table.sim.phone(BOB).state == "calling"
    table.type("pick up")
    assert table.sim.phone(ALICE).state == "talking"
    table.type(f"hang up {BOB}")
    assert [call.state for call in table.sim.calls()] == ["RELEASE"]


@pytest.mark.parametrize(
    ("caller", "callee"),
    [
        ("bob", "alice"), ("Bob", "ALICE"), ('"bob"', "'alice'"), (BOB, "alice"),
        ("bob", "+33 1 99 00 00 01"), ("+33199020000", "01.99.00.00.01"),
    ],
)
def test_names_and_written_numbers_stand_for_numbers(
    table: Table, caller: str, callee: str
) -> None:
    assert table.type(f"Call {caller} {callee}") == []
    assert [(call.caller, call.callee) for call in table.sim.calls()] == [(BOB, ALICE)]
    assert table.type("PICK UP alice", "hang up alice") == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("cal bob alice", "call"), ("pickup", "pick up"), ("pik up", "pick up"),
        ("hangup bob", "hang up"), ("hang bob", "hang up"), ("phone", "phones"),
        ("linse", "lines"), ("mesage alice bob hi", "message"), ("hlep", "help"), ("quti", "quit"),
        ("session", "sessions"), ("dorp", "drop"),
    ],
)
def test_mistyped_command_is_answered_with_the_nearest(
    table: Table, typed: str, meant: str
) -> None:
    assert f': did you mean "{meant}"? ' in table.type(typed)[0]
    assert table.type("phones") == IDLE


def test_names_with_blanks_and_names_of_several(sim: Simulator, alice: Line) -> None:
    second = sim.line("33199000002", name="Zoë  Ann")
    stream = io.StringIO()
    phones = [(BOB, "alice"), ("33199020001", "Eve\x1b[2J"), ("33199020002", "")]
    console = Console(sim, [second, alice], Terminal(stream), phones)
    assert console.make_example() == f'call {BOB} "zoë ann"'
    console.execute('call 33199020001 ZOË ann')
    console.execute('message "zoë ann" 33199020001 it\'s "me"')
    console.execute("pick up alice")
    console.execute("phones")
    assert [call.callee for call in sim.calls()] == ["33199000002"]
    assert sim.phone("33199020001").messages[0].text == 'it\'s "me"'
    printed = stream.getvalue().splitlines()
    assert printed[1] == (
        f"not possible: which alice? Type {ALICE} (Alice) or {BOB} (alice)"
    )
    assert "33199020001 calling  Eve\\x1b[2J" in printed
    assert "\x1b" not in stream.getvalue()


def handle_what_has_come(cti: CTI) -> None:
    """A callback comes after the events before it, which a Future need not."""
    handled = threading.Event()
    cti.ping(lambda err, res: handled.set())
    assert handled.wait(10)


def test_each_change_of_a_call_is_printed(table: Table, events: None) -> None:
    """A call that rings, connects and ends is shown as it does."""
    printed = table.type(f"call {BOB} {ALICE}", "pick up", f"hang up {ALICE}")
    assert [line.split()[-1] for line in printed] == ["SETUP", "CONNECT", "RELEASE"]
    assert all(f"{BOB} (Bob) -> {ALICE} (Alice)" in line for line in printed)


def test_a_refusal_says_why(table: Table, events: None) -> None:
    """Why the server cannot do what an application asks is shown to who plays the server."""
    with CTI(endpoint=table.sim.endpoint, cookie_auto=False) as cti:
        cti.create_session(table.sim.token(ALICE)).result(10)
        table.type(f"call {BOB} {ALICE}", f"hang up {BOB}")
        handle_what_has_come(cti)
        assert cti.get_calls()[0].answer().exception(10)
    assert (
        f"cannot treat an action of {ALICE} (Alice): no such call is active: call-1"
        in table.read()[-1]
    )


def test_the_log_is_as_before_afterwards(table: Table) -> None:
    """Who plays leaves the simulator's logger as it was."""
    log = logging.getLogger("keyyo_cti.simulator")
    before = log.level, list(log.handlers)
    with LogPrinter(table.out):
        assert log.level == logging.DEBUG
    assert (log.level, list(log.handlers)) == before


def test_the_server_outlives_a_reader_who_left(sim: Simulator, alice: Line) -> None:
    """When nobody reads the events any more, calls go on."""

    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with LogPrinter(Terminal(Broken())):
        sim.phone(BOB).call(alice)
    assert alice.phone.state == "ringing"


def test_without_a_number_the_only_telephone_is_meant(table: Table) -> None:
    """``hang up`` needs no number when one telephone alone has something to hang up."""
    with CTI(endpoint=table.sim.endpoint, cookie_auto=False) as cti:
        cti.create_session(table.sim.token(ALICE), auto_answer=False).result(10)
        cti.dial(BOB).result(10)
        assert table.type("phones")[0] == f"{ALICE} ringing  Alice"
        assert table.type("hang up", "phones") == IDLE


def test_of_several_the_person_has_to_choose(table: Table) -> None:
    """Where several telephones could be meant, they are named and nothing happens."""
    table.type(f"call {BOB} {ALICE}")
    assert table.type("hang up") == [
        f"not possible: which one? hang up {ALICE} (Alice) or {BOB} (Bob)"
    ]
    assert table.sim.phone(BOB).state == "calling"


@pytest.mark.parametrize("what", ["pick up", "hang up"])
def test_without_any_there_is_nothing_to_do(table: Table, what: str) -> None:
    """Where no telephone could be meant, that is said."""
    assert table.type(what) == [f"not possible: no telephone can {what} now"]


def test_telephones_of_calls_that_an_application_made_are_known(table: Table) -> None:
    """A telephone that an application calls can be picked up without its number."""
    with CTI(endpoint=table.sim.endpoint, cookie_auto=False) as cti:
        cti.create_session(table.sim.token(ALICE)).result(10)
        cti.dial(BOB).result(10)
    talking = [f"{ALICE} talking  Alice", f"{BOB} talking  Bob"]
    assert table.type("pick up", "phones") == talking


def test_calls_are_listed(table: Table) -> None:
    """``calls`` lists every call with its state and its slot in the callpark."""
    assert table.type("calls") == ["no calls so far"]
    table.type(f"call {BOB} {ALICE}", "pick up")
    assert table.type("calls") == [
        f"call-1: {BOB} (Bob) -> {ALICE} (Alice) CONNECT"
    ]
    with CTI(endpoint=table.sim.endpoint, cookie_auto=False) as cti:
        cti.create_session(table.sim.token(ALICE)).result(10)
        cti.subscribe("callpark").result(10)
        table.type(f"hang up {BOB}", f"call {BOB} {ALICE}", "pick up")
        handle_what_has_come(cti)
        cti.get_calls()[-1].park("caller", 2).result(10)
    assert table.type("calls")[-1] == (
        f"call-2: {BOB} (Bob) -> {ALICE} (Alice) CONNECT, in slot 2"
    )


def test_lines_come_with_a_token_that_works(table: Table) -> None:
    """``lines`` gives a fresh token for each line, and names the telephones outside."""
    line, bob = table.type("lines")
    assert bob == f"telephone {BOB} (Bob)"
    assert line.startswith(f"line {ALICE} (Alice): token ")
    with CTI(endpoint=table.sim.endpoint, cookie_auto=False) as cti:
        assert cti.create_session(line.split()[-1]).result(10).number == ALICE


def test_sessions_are_listed_and_can_be_dropped(table: Table) -> None:
    """``sessions`` shows who is connected, and ``drop`` cuts all of them."""
    assert table.type("sessions") == ["no sessions"]
    with CTI(endpoint=table.sim.endpoint, cookie_auto=False) as cti:
        cti.create_session(table.sim.token(ALICE)).result(10)
        name = f"{ALICE} (Alice)"
        session = f"session of {name}: 1 connections, subscribed to {name}"
        assert table.type("sessions") == [session]
        assert table.type("drop") == ["dropped 1 connections"]
        assert cti.wait(10)


def test_a_message_arrives(table: Table) -> None:
    """``message FROM TO TEXT`` sends all the words that are left."""
    assert table.type(f"message {ALICE} {BOB} see you at 8") == [
        f"{BOB} (Bob) has received a message from {ALICE} (Alice): see you at 8"
    ]
    assert table.sim.phone(BOB).messages[0] == (ALICE, "see you at 8")


@pytest.mark.parametrize(
    "typed, said",
    [
        ("dance", 'unknown command "dance": type "help"'),
        ("calling",
         'unknown command "calling": did you mean "call"? Type "help" for all commands'),
        ("call 33199020000", "expected: call FROM TO"),
        ("calls now", "expected: calls"),
        ("pick up 33199020000", "telephone 33199020000 (Bob) does not ring"),
        ("hang up bob", "telephone 33199020000 (Bob) has no call to hang up"),
        ("message bob alice hi",
         "33199020000 (Bob) is no line of the account, and only lines send messages"),
        ("call bbo alice", 'no telephone is called "bbo": did you mean "Bob"?'),
        ("call bob alcie", 'no telephone is called "alcie": did you mean "Alice"?'),
        ("pick up carol", 'no telephone is called "carol": type a number, or one of Alice, Bob'),
        ("call bob 3", '"3" is no telephone number: it has 2 to 15 digits'),
        ("\x1b[2J", 'unknown command "\\x1b[2J": type "help"'),
    ],
)
def test_what_is_impossible_is_said(table: Table, typed: str, said: str) -> None:
    """Whatever is typed, there is one line that says why it cannot be done."""
    assert table.type(typed) == [f"not possible: {said}"]


@pytest.mark.fault(76)
@pytest.mark.parametrize(
    "typed",
    [
        "call bbo alice", f"call bbo {ALICE}", f"call {BOB} alcie",
        "pick up bob", "hang up bob", "pick up ☎", f"message {ALICE} bob hi",
        f"message bob {ALICE} hi", f"message {ALICE} {BOB} {'x' * 100_000}",
        f"message {ALICE} {BOB} \ud800", "call \x00 \x00", "call", "pick", "☎ " * 100,
        "x" * 1_000_000, f"call {'3' * 1_000_000} {ALICE}", "call ١٢٣ ٤٥٦", "phones phones",
    ],
    ids=lambda typed: ascii(typed)[:30],
)
def test_console_works_after_any_line(table: Table, typed: str) -> None:
    """A line that cannot be done changes nothing for the lines that come after it."""
    said = table.type(typed)
    assert len(said) == 1
    assert len(said[0]) < 500
    assert table.type("phones")[0] == f"{ALICE} idle     Alice"
    table.type(f"call {BOB} {ALICE}", "pick up", "hang up " + ALICE)
    assert table.sim.calls()[-1].state == "RELEASE"
    assert all(" idle" in line for line in table.type("phones"))


@pytest.mark.fault(76)
@pytest.mark.parametrize(
    "error", [TypeError("oops"), KeyError("oops"), TimeoutError("oops"), ZeroDivisionError("oops")]
)
def test_console_survives_an_unexpected_error(
    table: Table, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A mistake of the simulator's own is named, and ends nothing."""

    def fail(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(table.sim, "sessions", fail)
        [said] = table.type("sessions")
    assert type(error).__name__ in said and "oops" in said
    assert table.type("phones") == IDLE


def test_console_ends_when_its_output_does(table: Table, sim: Simulator, alice: Line) -> None:
    """Nobody reads the answers any more, as in ``keyyo-cti simulator | head``."""

    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        Console(sim, [alice], Terminal(Broken())).run(["phones", "dance"])


def test_a_refused_message_is_said(table: Table, alice: Line) -> None:
    """What the server refuses to the application that sends a message is said."""
    alice.plugin_enabled = False
    (line,) = table.type(f"message {ALICE} {BOB} hi")
    assert line.startswith("not possible: 400 Cannot treat action")


def test_help_lists_every_saying(table: Table) -> None:
    """``help`` explains everything that can be typed, the order of FROM and TO too."""
    printed = "\n".join(table.type("help"))
    assert "call FROM TO          have the telephone FROM call the number TO" in printed
    for words in ("pick up [WHO]", "hang up [WHO]", "message FROM TO TEXT", "phones",
                  "calls", "lines", "sessions", "drop", "help", "quit"):
        assert words in printed


@pytest.mark.parametrize("word", ["quit", "exit"])
def test_quit_ends_it(table: Table, word: str) -> None:
    """After ``quit`` nothing more is done; empty lines do nothing."""
    assert table.type("", "   ", word, "dance") == []
