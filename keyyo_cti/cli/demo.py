"""``keyyo-cti demo``: the two scenarios of Keyyo's page, played on the simulator.

Client, server and telephones are real, on a real socket. Nothing sleeps: each step waits for its
event.
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING, Any, Callable, List, Optional

from .._display.call_state import describe_state
from .._net.clock import monotonic
from ..call import Call
from ..cti import CTI
from ..errors import KeyyoError
from .exit_codes import OK, CommandFailed
from .invocation import format_command
from .terminal import Terminal, escape

if TYPE_CHECKING:
    from ..simulator import Phone, Simulator

ALICE = "33199000001"
BOB = "33199020000"

#: Names that Alice's application shows beside numbers.
ADDRESS_BOOK = {ALICE: "Alice", BOB: "Bob"}

#: Seconds for one step.
STEP_TIMEOUT = 10.0

APPLICATION = "Alice's application"
ALICES_TELEPHONE = "Alice's telephone"
BOBS_TELEPHONE = "Bob's telephone"

_COLOURS = {APPLICATION: "green", ALICES_TELEPHONE: "blue", BOBS_TELEPHONE: "magenta"}


class StepPrinter:
    """Prints each step of the demo, with the seconds since the start.

    :param out: where to print.
    """

    def __init__(self, out: Terminal) -> None:
        self.out = out
        self._began = monotonic()

    def get_seconds(self) -> float:
        """Return the seconds since the start."""
        return monotonic() - self._began

    def print_title(self, title: str) -> None:
        """Print the title of a scenario."""
        self.out.print_line()
        self.out.print_line(self.out.colour("bold", title))

    def print_step(self, device: str, action: str) -> None:
        """Print a step."""
        name = self.out.colour(_COLOURS[device], f"{device:<{len(APPLICATION)}}")
        self.out.print_line(f"{self.get_seconds():8.3f} s  {name}  {action}")

    def print_remark(self, text: str) -> None:
        """Print something that no device does."""
        self.out.print_line(f"{'':10}  {'':{len(APPLICATION)}}  ({text})")


class Application:
    """Alice's application: it prints the events that it receives.

    Its handlers run only in `wait_for`, on the thread that prints the steps of the telephones.
    So the lines have one order.

    :param cti: a CTI with ``dispatch="manual"``.
    """

    def __init__(self, cti: CTI, printer: StepPrinter) -> None:
        self.cti = cti
        self.call: Optional[Call] = None
        # From the last event that was handled. The Call itself is ahead: it has the state that
        # was received last.
        self._connected_to: Optional[str] = None
        self._state: Optional[str] = None
        self._printer = printer
        self._failures: List[BaseException] = []
        cti.onNewCall = self._on_new_call
        cti.onError = self._failures.append

    def connect(self, token: str) -> None:
        """Open a session."""
        self.cti.create_session(token, self._on_connected)
        self.wait_for("a session", lambda: self._connected_to)

    def dial(self, number: str) -> None:
        """Call a number."""
        self._print(f"dials {_get_name(number)}, {number}")
        self.cti.dial(number, self._on_reply)

    def hang_up(self) -> None:
        """End the call."""
        assert self.call is not None
        self._print("hangs up")
        self.call.hang_up(self._on_reply)

    def wait_for_call(self, state: str) -> None:
        """Handle events until the call is in a state."""
        self.wait_for(f"a call in {state}", lambda: self._state == state)

    def wait_for(self, what: str, condition: Callable[[], object]) -> None:
        """Handle events until a condition is true.

        :param what: the condition, for a person.
        :raises TimeoutError: it does not become true.
        """
        end = monotonic() + STEP_TIMEOUT
        while not condition():
            left = end - monotonic()
            if left <= 0:
                raise TimeoutError(f"{APPLICATION} has not seen {what} within {STEP_TIMEOUT:g} s")
            self.cti.poll(left)
            if self._failures:
                raise self._failures[0]

    def _on_connected(self, err: Optional[KeyyoError], res: Any) -> None:
        self._on_reply(err, res)
        if not err:
            self._connected_to = escape(res.number)
            self._print(f"is connected to the line {self._connected_to}")

    def _on_reply(self, err: Optional[KeyyoError], res: Any) -> None:
        if err:
            self._failures.append(err)

    def _on_new_call(self, call: Call) -> None:
        self.call = call
        self._state = call.state
        # Set at each notification, as in JavaScript. Each attribute holds one handler.
        call.onSetup = partial(self._on_setup, call)
        call.onConnect = partial(self._on_connect, call)
        call.onRelease = partial(self._on_release, call)

    def _on_setup(self, call: Call) -> None:
        parties = f"{_get_name(call.caller)} calls {_get_name(call.callee)}"
        self._print(f"shows: {describe_state(call.state)}, {parties}")

    def _on_connect(self, call: Call) -> None:
        self._print(
            f"shows: {describe_state(call.state)} to {_get_name(call.other)}, "
            f"{escape(call.other)}, "
            f"rang {call.get_ringing_duration()} s"
        )

    def _on_release(self, call: Call) -> None:
        self._print(f"shows: {describe_state(call.state)}, talked {call.get_duration()} s")

    def _print(self, action: str) -> None:
        self._printer.print_step(APPLICATION, action)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add no arguments: the command takes none."""


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Run the command."""
    # Imported late, because the simulator is an extra. --help works without it.
    from ..simulator import Simulator

    try:
        with Simulator() as sim:
            play(sim, out)
    except BrokenPipeError:
        raise
    except (KeyyoError, OSError, RuntimeError) as error:
        raise CommandFailed(f"the demo failed: {error}") from error
    return OK


def play(sim: Simulator, out: Terminal) -> None:
    """Play both scenarios.

    :param sim: a running simulator.
    :raises KeyyoError: a command was refused.
    :raises TimeoutError: a step did not happen in time.
    """
    alice = sim.line(ALICE, name="Alice")
    bob = sim.phone(BOB)
    printer = StepPrinter(out)
    out.print_line(f"Alice ({ALICE}) has a Keyyo line. Bob ({BOB}) is her friend.")
    out.print_line(f"Keyyo is a simulator in this process, on a real socket: {sim.endpoint}")
    out.print_line()
    with CTI(endpoint=sim.endpoint, cookie_auto=False, dispatch="manual") as cti:
        application = Application(cti, printer)
        application.connect(sim.token(alice))
        printer.print_title("1. Outgoing call: Alice calls Bob with her application")
        _play_outgoing_call(printer, application, alice.phone, bob)
        printer.print_title("2. Incoming call: Bob calls Alice")
        _play_incoming_call(printer, application, alice.phone, bob)
    out.print_line()
    out.print_line(
        f"It took {printer.get_seconds():.3f} s in all: each step follows the one before at once."
    )
    out.print_line("Try next:")
    for words, purpose in _NEXT_STEPS:
        out.print_line(f"  {format_command(*words)}")
        out.print_line(f"      {purpose}")


_NEXT_STEPS = (
    (("simulator",), "operate the telephones yourself"),
    (("watch", "--help"), "watch a line, simulated or real"),
    (("login", "--help"), "use your own account"),
)


def _play_outgoing_call(
    printer: StepPrinter, application: Application, alice: Phone, bob: Phone
) -> None:
    application.dial(BOB)
    alice.wait_until("calling", STEP_TIMEOUT)
    printer.print_step(ALICES_TELEPHONE, "goes off the hook by itself and calls Bob")
    application.wait_for_call("SETUP")
    bob.wait_until("ringing", STEP_TIMEOUT)
    printer.print_step(BOBS_TELEPHONE, "rings")
    bob.pick_up()
    printer.print_step(BOBS_TELEPHONE, "is picked up")
    application.wait_for_call("CONNECT")
    printer.print_remark("they speak")
    bob.hang_up()
    printer.print_step(BOBS_TELEPHONE, "hangs up")
    application.wait_for_call("RELEASE")
    alice.wait_until("idle", STEP_TIMEOUT)
    printer.print_step(ALICES_TELEPHONE, "is idle again")


def _play_incoming_call(
    printer: StepPrinter, application: Application, alice: Phone, bob: Phone
) -> None:
    bob.call(ALICE)
    printer.print_step(BOBS_TELEPHONE, "calls Alice")
    application.wait_for_call("SETUP")
    alice.wait_until("ringing", STEP_TIMEOUT)
    printer.print_step(ALICES_TELEPHONE, "rings")
    alice.pick_up()
    printer.print_step(ALICES_TELEPHONE, "is picked up")
    application.wait_for_call("CONNECT")
    printer.print_remark("they speak")
    application.hang_up()
    application.wait_for_call("RELEASE")
    bob.wait_until("idle", STEP_TIMEOUT)
    printer.print_step(BOBS_TELEPHONE, "is idle again")


def _get_name(number: Optional[str]) -> str:
    return ADDRESS_BOOK.get(str(number), escape(number))
