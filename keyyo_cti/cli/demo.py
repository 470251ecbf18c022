"""``keyyo-cti demo``: the two scenarios of Keyyo's page, played on the simulator.

Everything in it happens: a client on a real socket, a server, and telephones. Nothing sleeps,
each step waits for the event that it tells.
"""

import argparse
from functools import partial
from typing import Any, Callable, List, Optional

from .._net.clock import monotonic
from ..call import Call
from ..cti import CTI
from ..errors import KeyyoError
from ..simulator import Phone, Simulator
from .exit_codes import OK, Failed
from .terminal import Terminal, printable

ALICE = "33199000001"
BOB = "33199020000"

#: Where Alice's application looks people up, to show more than a number beside a call.
ADDRESS_BOOK = {ALICE: "Alice", BOB: "Bob"}

#: Seconds that one step may take.
PATIENCE = 10.0

APPLICATION = "Alice's application"
ALICES_TELEPHONE = "Alice's telephone"
BOBS_TELEPHONE = "Bob's telephone"

_COLOURS = {APPLICATION: "green", ALICES_TELEPHONE: "blue", BOBS_TELEPHONE: "magenta"}


class Story:
    """Tells who does what, and how long after the beginning.

    :param out: where it is told.
    """

    def __init__(self, out: Terminal) -> None:
        self.out = out
        self._began = monotonic()

    def seconds(self) -> float:
        """How long it has taken so far."""
        return monotonic() - self._began

    def chapter(self, title: str) -> None:
        """Begins a scenario."""
        self.out.line()
        self.out.line(self.out.paint("bold", title))

    def tell(self, who: str, what: str) -> None:
        """One step."""
        name = self.out.paint(_COLOURS[who], f"{who:<{len(APPLICATION)}}")
        self.out.line(f"{self.seconds():8.3f} s  {name}  {what}")

    def pause(self, what: str) -> None:
        """Something that nobody's device does."""
        self.out.line(f"{'':10}  {'':{len(APPLICATION)}}  ({what})")


class Application:
    """Alice's application: it tells what it sees.

    Its handlers run only in `until`, on the thread that tells the story, so that the lines have
    one order.

    :param cti: one with ``dispatch="manual"``.
    """

    def __init__(self, cti: CTI, story: Story) -> None:
        self.cti = cti
        self.call: Optional[Call] = None
        # What its handlers have shown. Here, outside of them, a Call is ahead of the story: it
        # has the state that was received last.
        self._connected_to: Optional[str] = None
        self._state: Optional[str] = None
        self._story = story
        self._failures: List[BaseException] = []
        cti.onNewCall = self._on_new_call
        cti.onError = self._failures.append

    def connect(self, token: str) -> None:
        """Opens a session."""
        self.cti.create_session(token, self._connected)
        self.until("a session", lambda: self._connected_to)

    def dial(self, number: str) -> None:
        """Calls a number."""
        self._tell(f"dials {_name(number)}, {number}")
        self.cti.dial(number, self._answered)

    def hang_up(self) -> None:
        """Ends the call that it shows."""
        assert self.call is not None
        self._tell("hangs up")
        self.call.hang_up(self._answered)

    def until_call(self, state: str) -> None:
        """Runs until it has seen a call in a state."""
        self.until(f"a call in {state}", lambda: self._state == state)

    def until(self, what: str, seen: Callable[[], object]) -> None:
        """Runs until it has seen something.

        :raises TimeoutError: it did not come.
        """
        end = monotonic() + PATIENCE
        while not seen():
            left = end - monotonic()
            if left <= 0:
                raise TimeoutError(f"{APPLICATION} has not seen {what} within {PATIENCE:g} s")
            self.cti.poll(left)
            if self._failures:
                raise self._failures[0]

    def _connected(self, err: Optional[KeyyoError], res: Any) -> None:
        self._answered(err, res)
        if not err:
            self._connected_to = printable(res.number)
            self._tell(f"is connected to the line {self._connected_to}")

    def _answered(self, err: Optional[KeyyoError], res: Any) -> None:
        if err:
            self._failures.append(err)

    def _on_new_call(self, call: Call) -> None:
        self.call = call
        self._state = call.state
        # Set anew with each notification, as in JavaScript: an event has one such handler.
        call.onSetup = partial(self._on_setup, call)
        call.onConnect = partial(self._on_connect, call)
        call.onRelease = partial(self._on_release, call)

    def _on_setup(self, call: Call) -> None:
        self._tell(f"sees a call ring: {_name(call.caller)} calls {_name(call.callee)}")

    def _on_connect(self, call: Call) -> None:
        other = call.callee if call.caller == self.cti.number else call.caller
        self._tell(
            f"shows with whom she talks: {_name(other)}, {printable(other)}, "
            f"after {call.get_ringing_duration()} s of ringing"
        )

    def _on_release(self, call: Call) -> None:
        self._tell(f"sees that the call has ended, after {call.get_duration()} s of talking")

    def _tell(self, what: str) -> None:
        self._story.tell(APPLICATION, what)


def run(arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
    """Runs the command."""
    try:
        with Simulator() as sim:
            play(sim, out)
    except BrokenPipeError:
        raise
    except (KeyyoError, OSError, RuntimeError) as error:
        raise Failed(f"the demo failed: {error}") from error
    return OK


def play(sim: Simulator, out: Terminal) -> None:
    """Plays both scenarios.

    :param sim: running.
    :raises KeyyoError: a command was refused.
    :raises TimeoutError: something did not happen.
    """
    alice = sim.line(ALICE, name="Alice")
    bob = sim.phone(BOB)
    story = Story(out)
    out.line(f"Alice ({ALICE}) has a Keyyo line. Bob ({BOB}) is a friend of hers.")
    out.line(f"Keyyo is a simulator in this process, on a real socket: {sim.endpoint}")
    out.line()
    with CTI(endpoint=sim.endpoint, cookie_auto=False, dispatch="manual") as cti:
        application = Application(cti, story)
        application.connect(sim.token(alice))
        story.chapter("1. Outgoing call: Alice calls Bob with her application")
        _outgoing(story, application, alice.phone, bob)
        story.chapter("2. Incoming call: Bob calls Alice")
        _incoming(story, application, alice.phone, bob)
    out.line()
    out.line(
        f"It took {story.seconds():.3f} s in all. Each step waits for the one before it and no "
        "longer, so nobody rings or talks for long."
    )
    for line in _WHAT_NEXT:
        out.line(line)


_WHAT_NEXT = (
    "Try next:",
    "  keyyo-cti simulator       play the telephones yourself",
    "  keyyo-cti watch --help    watch a line, simulated or real",
    "  keyyo-cti login --help    let this machine into your account",
)


def _outgoing(story: Story, application: Application, alice: Phone, bob: Phone) -> None:
    application.dial(BOB)
    alice.wait_until("calling", PATIENCE)
    story.tell(ALICES_TELEPHONE, "goes off the hook by itself and calls Bob")
    application.until_call("SETUP")
    bob.wait_until("ringing", PATIENCE)
    story.tell(BOBS_TELEPHONE, "rings")
    bob.pick_up()
    story.tell(BOBS_TELEPHONE, "is picked up")
    application.until_call("CONNECT")
    story.pause("they speak")
    bob.hang_up()
    story.tell(BOBS_TELEPHONE, "hangs up")
    application.until_call("RELEASE")
    alice.wait_until("idle", PATIENCE)
    story.tell(ALICES_TELEPHONE, "is idle again")


def _incoming(story: Story, application: Application, alice: Phone, bob: Phone) -> None:
    bob.call(ALICE)
    story.tell(BOBS_TELEPHONE, "calls Alice")
    application.until_call("SETUP")
    alice.wait_until("ringing", PATIENCE)
    story.tell(ALICES_TELEPHONE, "rings")
    alice.pick_up()
    story.tell(ALICES_TELEPHONE, "is picked up")
    application.until_call("CONNECT")
    story.pause("they speak")
    application.hang_up()
    application.until_call("RELEASE")
    bob.wait_until("idle", PATIENCE)
    story.tell(BOBS_TELEPHONE, "is idle again")


def _name(number: Optional[str]) -> str:
    return ADDRESS_BOOK.get(str(number), printable(number))
